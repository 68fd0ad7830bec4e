"""What may be seen of a customer's identity: masks that keep a person recognisable in a queue and unreachable outside it.

A masked phone number shows its country code and last two digits: the code tells language and hour, two digits tell two
customers of one name apart, and a hundred million numbers share both. (Peers that show three and four digits leave few
enough unknown that one can try them all.) The number of dots is always the same, so the length is hidden too.
"""

import re
import unicodedata

import msgspec

from wabiz_tui.model.values import Contact
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.permissions import can, sees_content

DOTS = "••••"
_NUMBER_IN_TEXT = 7
"""Fewest digits, blanks and signs between them ignored, that count as a phone number inside a name."""

# ITU-T E.164: zones 1 and 7 have codes of one digit; these have two; all others three.
_TWO_DIGITS = frozenset({20, 27, *range(30, 35), 36, 39, 40, 41, *range(43, 50), *range(51, 59), *range(60, 67)}) | frozenset(
    {81, 82, 84, 86, *range(90, 96), 98}
)
_BSUID = re.compile(r"([A-Z]{2})\.(.+)")


def mask_phone(phone: str) -> str:
    """`+44 7700 900123` as `+44 ••••23`. What is no phone number becomes dots."""
    digits = "".join(_digits(phone))
    if len(digits) < _NUMBER_IN_TEXT:
        return DOTS
    return f"+{digits[: _code_length(digits)]} {DOTS}{digits[-2:]}"


def mask_user_id(user_id: str) -> str:
    """A business-scoped user id, `GB.13491208655302741918` as `GB.••••18`."""
    matched = _BSUID.fullmatch(user_id)
    country, rest = (f"{matched[1]}.", matched[2]) if matched else ("", user_id)
    return f"{country}{DOTS}{rest[-2:]}" if len(rest) >= 8 else f"{country}{DOTS}"


def mask_username(username: str) -> str:
    """`maria.silva` as `m••••`, an at sign kept."""
    at = "@" if username.startswith("@") else ""
    bare = username.removeprefix("@")
    return f"{at}{bare[:1]}{DOTS}" if len(bare) > 2 else f"{at}{DOTS}"


def mask_numbers_in(text: str) -> str:
    """`text` with everything in it that could be a phone number replaced by dots, in any script's digits."""
    if not any(_is_digit(character) for character in text):
        return text
    shown: list[str] = []
    at = 0
    while at < len(text):
        end, digits = _number_at(text, at)
        if digits >= _NUMBER_IN_TEXT:
            shown.append(DOTS)
            at = end
        else:
            shown.append(text[at])
            at += 1
    return "".join(shown)


def mask_contact(contact: Contact, policy: Policy, role: str, *, revealed: bool = False) -> Contact:
    """`contact` as `role` may see it under `policy`. The mask is the rule: whoever may reveal must ask, and `revealed` says
    that they did (audited by the caller). Roles without content see no identity at all, whatever the policy says."""
    if not sees_content(role):
        return Contact(id=contact.id, is_group=contact.is_group, is_masked=True)
    if not policy.privacy.mask_numbers or (revealed and can_reveal(policy, role)):
        return msgspec.structs.replace(contact, is_masked=False)
    return msgspec.structs.replace(
        contact,
        name=mask_numbers_in(contact.name),
        phone=None if contact.phone is None else mask_phone(contact.phone),
        username=None if contact.username is None else mask_username(contact.username),
        user_id=None if contact.user_id is None else mask_user_id(contact.user_id),
        is_masked=True,
    )


def can_reveal(policy: Policy, role: str) -> bool:
    """Whether `role` may unmask a contact for a moment, with a reason: the policy's list, within the permission matrix."""
    return role in policy.privacy.reveal and can(role, "contact.reveal")


def _code_length(digits: str) -> int:
    if digits[0] in "17":
        return 1
    return 2 if int(digits[:2]) in _TWO_DIGITS else 3


def _digits(text: str) -> list[str]:
    return [str(unicodedata.decimal(character)) for character in text if _is_digit(character)]


def _is_digit(character: str) -> bool:
    return unicodedata.decimal(character, None) is not None


def _number_at(text: str, begin: int) -> tuple[int, int]:
    """Where a number that begins at `begin` ends (after its last digit), and how many digits it has."""
    if not (_is_digit(text[begin]) or text[begin] == "+"):
        return begin, 0
    digits, end = 0, begin
    for at in range(begin, len(text)):
        if _is_digit(text[at]):
            digits, end = digits + 1, at + 1
        elif text[at].isalpha():
            break
    return end, digits
