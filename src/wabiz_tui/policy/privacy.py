"""What may be seen of a customer's identity: masks that keep a person recognisable in a queue and unreachable outside it.

A masked phone number shows its country code and last two digits: the code tells language and hour, two digits tell two
customers of one name apart, and a hundred million numbers share both. (Peers that show three and four digits leave few
enough unknown that one can try them all.) The number of dots is always the same, so the length is hidden too.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import msgspec

from wabiz_tui.model.values import Contact
from wabiz_tui.policy.permissions import can, sees_content

if TYPE_CHECKING:
    from wabiz_tui.policy.document import Policy

DOTS = "••••"
_NUMBER_IN_TEXT = 7
"""Fewest digits, blanks and signs between them ignored, that count as a phone number inside a name."""

_SHORTEST_NAME, _SHORTEST_WORD = 4, 8
"""Of a username that is looked for in other texts, and of one of letters alone."""

# ITU-T E.164: zones 1 and 7 have codes of one digit; these have two; all others three.
_TWO_DIGITS = frozenset({20, 27, *range(30, 35), 36, 39, 40, 41, *range(43, 50), *range(51, 59), *range(60, 67)}) | frozenset(
    {81, 82, 84, 86, *range(90, 96), 98}
)
_BSUID = re.compile(r"([A-Z]{2})\.(.+)")
_BSUID_IN_TEXT = re.compile(r"\b[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{8,160}\b", re.ASCII)

# Keys of Meta's that name a person, at any depth (cloud-api §7 to §10, §15). Every `…wa_id` and `…user_id` is one besides.
_PERSON_KEYS = frozenset(
    {"from", "to", "input", "phone", "phone_number", "customer", "participant", "participant_id"}
    | {"recipient", "recipient_id", "recipient_participant_id", "sender"}
)
_OUR_KEYS = frozenset({"display_phone_number", "phone_number_id"})
_CARD_KEYS = frozenset({"phones", "vcard"})
_CHANGE_KEYS = frozenset({"previous", "current"})
_SPELLED = re.compile(r"\+?\d{7,}|\+?\d(?:[ ().\u00a0-]{0,3}\d){6,}")


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


def mask_contact(contact: Contact, policy: "Policy", role: str, *, revealed: bool = False) -> Contact:
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


def mask_identities(value: Any, *, ours: frozenset[str] = frozenset(), known: frozenset[str] = frozenset()) -> Any:
    """A JSON value of Meta's with the customers in it masked: by the key that names them, and wherever their number, user id or
    username, so named or `known` (see `names_of`), stands in another text or number of the value. Everything else comes out as it
    was, the business's own numbers too: `ours` (digits alone) and those the value itself calls so. A shared contact card is
    content and is left alone."""
    ours |= {digits for key, leaf in _leaves(value, "") if key in _OUR_KEYS and (digits := _digits_of(leaf))}
    return _masked(value, "", "", ours, named_in(value, ours=ours) | (known - ours))


def named_in(value: Any, *, ours: frozenset[str] = frozenset()) -> frozenset[str]:
    """By what those are found in other texts whom a key of this JSON value names as a person's."""
    return frozenset(
        name
        for key, leaf in _leaves(value, "")
        if _names_a_person(key) and key != "username"
        for name in (_digits_of(leaf), str(leaf))
        if len(name) >= _NUMBER_IN_TEXT and name not in ours
    )


def mask_known(text: str, known: frozenset[str]) -> str:
    """`text` with the identities in it masked that are `known` (see `names_of`), however their numbers are spelled."""
    return _without_known(text, known)


def names_of(*identities: str | None) -> frozenset[str]:
    """What a person's numbers, user ids and usernames are found by in other texts: numbers by their digits. What is too short to be
    told from other words is left out: a username of few letters is a word of the language as often as not."""
    names: set[str] = set()
    for identity in filter(None, identities):
        bare = identity.removeprefix("@")
        digits = _digits_of(bare)
        is_number = len(digits) >= _NUMBER_IN_TEXT and not any(character.isalpha() for character in bare)
        names.add(digits if is_number else bare)
    return frozenset(name for name in names if len(name) >= (_SHORTEST_WORD if name.isalpha() else _SHORTEST_NAME))


def mask_user_ids_in(text: str) -> str:
    """`text` with every business-scoped user id in it masked."""
    return _BSUID_IN_TEXT.sub(lambda found: mask_user_id(found[0]), text)


def can_reveal(policy: "Policy", role: str) -> bool:
    """Whether `role` may unmask a contact for a moment, with a reason: the policy's list, within the permission matrix."""
    return role in policy.privacy.reveal and can(role, "contact.reveal")


def _names_a_person(key: str) -> bool:
    return key in _PERSON_KEYS or key == "username" or key.endswith(("wa_id", "user_id"))


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Texts and numbers, each with the key it stands under: that of its list, or of the change whose old or new side it is."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            if name not in _CARD_KEYS:
                yield from _leaves(item, key if name in _CHANGE_KEYS else name)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _leaves(item, key)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield key, value


def _masked(value: Any, key: str, above: str, ours: frozenset[str], known: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: item if name in _CARD_KEYS else _masked(item, key if name in _CHANGE_KEYS else name, key, ours, known)
            for name, item in cast("dict[str, Any]", value).items()
        }
    if isinstance(value, list):
        return [_masked(item, key, above, ours, known) for item in cast("list[Any]", value)]
    if isinstance(value, bool) or not isinstance(value, str | int | float) or key in _OUR_KEYS or _digits_of(value) in ours:
        return value
    if _names_a_person(key):
        named = _masked_name(value, key)
        return _without_known(named, known) if isinstance(named, str) else named
    if isinstance(value, str):
        shown = mask_numbers_in(value) if (above, key) == ("profile", "name") else value
        return _without_known(shown, known)
    return mask_phone(_digits_of(value)) if _digits_of(value) in known else value


def _masked_name(value: str | float, key: str) -> Any:
    """What stands under a key that names a person; a word too short or too plain to reach anybody stays."""
    text = _text_of(value)
    if not text:
        return value
    if key == "username":
        return mask_username(text)
    if key.endswith("user_id") or _BSUID_IN_TEXT.fullmatch(text):
        return mask_user_id(text)
    if len(_digits_of(text)) < _NUMBER_IN_TEXT:
        return value
    return mask_numbers_in(text) if any(character.isalpha() for character in text) else mask_phone(text)


def _without_known(text: str, known: frozenset[str]) -> str:
    if not known:
        return text
    for name in known:
        if not name.isdigit() and name.casefold() in text.casefold():
            text = _whole_word(name).sub(lambda found: _mask_named(found[0]), text)
    if not any(map(_is_digit, text)):
        return text
    return _SPELLED.sub(lambda found: mask_phone(found[0]) if any(name in _digits_of(found[0]) for name in known) else found[0], text)


@lru_cache(maxsize=1024)
def _whole_word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", re.IGNORECASE)


def _mask_named(name: str) -> str:
    if _BSUID.fullmatch(name):
        return mask_user_id(name)
    return mask_username(name) if sum(map(_is_digit, name)) < _NUMBER_IN_TEXT else mask_numbers_in(name)


def _text_of(value: str | float) -> str:
    """As it would be typed: a whole number that JSON wrote with a fraction or an exponent is one."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _digits_of(value: str | float) -> str:
    return "".join(_digits(_text_of(value)))


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
