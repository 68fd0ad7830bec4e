"""Masks: no number shows through, whoever asks and however it is written."""

import json
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.values import Contact
from wabiz_tui.policy.document import Policy, Privacy
from wabiz_tui.policy.permissions import ROLES
from wabiz_tui.policy.privacy import can_reveal, mask_contact, mask_identities, mask_numbers_in, mask_phone, mask_user_id, mask_username

OPEN = Policy(privacy=Privacy(mask_numbers=False))
CONTACT = Contact(id="c" * 32, name="Ana", phone="+351912345678", username="ana.silva", user_id="PT.13491208655302741918", is_masked=False)


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+44 7700 900123", "+44 ••••23"),
        ("447700900123", "+44 ••••23"),
        ("15551797781", "+1 ••••81"),
        ("+7 912 345-67-89", "+7 ••••89"),
        ("351912345678", "+351 ••••78"),
        ("+٣٥١٩١٢٣٤٥٦٧٨", "+351 ••••78"),
        ("12345", "••••"),
        ("", "••••"),
        ("hidden", "••••"),
    ],
)
def test_a_number_shows_its_country_and_two_digits(phone: str, masked: str):
    """The country code by ITU's list, four dots whatever the length, and the last two digits."""
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Ana", "Ana"),
        ("Route 66 Diner", "Route 66 Diner"),
        ("+44 (7700) 900-123", "••••"),
        ("Ana 07700 900123 home", "Ana •••• home"),
        ("٠٧٧٠٠٩٠٠١٢٣", "••••"),
        ("0\u200b7\u200b7\u200b0\u200b0\u200b9\u200b0", "••••"),
        ("Room 12, Floor 3", "Room 12, Floor 3"),
    ],
)
def test_numbers_in_names_are_masked(name: str, masked: str):
    """Seven digits or more count as a number, whatever stands between them; small numbers stay readable."""
    assert mask_numbers_in(name) == masked


def test_other_identities_keep_only_a_hint():
    """A user id keeps country and two digits, a username its first letter; short ones keep nothing."""
    assert mask_user_id("GB.13491208655302741918") == "GB.••••18"
    assert mask_user_id("GB.12345") == "GB.••••"
    assert mask_user_id("strange") == "••••"
    assert (mask_username("ana.silva"), mask_username("@ana"), mask_username("ab"), mask_username("")) == (
        "a••••",
        "@a••••",
        "••••",
        "••••",
    )


@given(st.data())
def test_no_run_of_digits_leaks(data: st.DataObject):
    """No four digits of a phone number or user id stand anywhere in the masked contact, however the name spells them."""
    digits = data.draw(st.text("0123456789", min_size=8, max_size=15))
    separator = data.draw(st.sampled_from(["", " ", "-", ".", "\u00a0", "\u2009/", ") ("]))
    zero = data.draw(st.sampled_from(["0", "\u0660", "\u0966", "\uff10"]))
    spelled = separator.join(chr(ord(zero) + int(digit)) for digit in digits)
    contact = msgspec.structs.replace(CONTACT, name=f"Ana {spelled}!", phone=f"+{digits}", user_id=f"PT.{digits}")

    masked = mask_contact(contact, Policy(), data.draw(st.sampled_from(ROLES)))

    for shown in (masked.name, masked.phone or "", masked.user_id or ""):
        assert longest_digit_run(shown) < 4
    assert masked.is_masked


def longest_digit_run(text: str) -> int:
    """Digits in a row, in any script, blanks and signs between them ignored, a letter or dot ending the run."""
    longest = run = 0
    for character in text:
        if unicodedata.decimal(character, None) is not None:
            run += 1
        elif character.isalpha() or character == "•":
            run = 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize("role", ["agent", "supervisor", "compliance"])
def test_the_mask_is_the_rule_for_everybody(role: str):
    """Those who may reveal see the mask too until they ask; a policy without masks shows all."""
    assert mask_contact(CONTACT, Policy(), role).phone == "+351 ••••78"
    assert mask_contact(CONTACT, OPEN, role) == CONTACT


def test_only_the_policys_roles_reveal():
    """Revealing takes a role that the policy lists and the matrix allows."""
    assert [role for role in ROLES if can_reveal(Policy(), role)] == ["supervisor", "compliance"]
    assert mask_contact(CONTACT, Policy(), "supervisor", revealed=True) == CONTACT
    assert mask_contact(CONTACT, Policy(), "agent", revealed=True).phone == "+351 ••••78"
    assert not can_reveal(Policy(privacy=Privacy(reveal=("admin",))), "admin")


@pytest.mark.parametrize("role", ["auditor", "admin", "nobody"])
def test_roles_without_content_see_nobody(role: str):
    """Auditors and admins get an id and nothing else, even where the policy does not mask."""
    assert mask_contact(CONTACT, OPEN, role, revealed=True) == Contact(id=CONTACT.id, is_masked=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**6) | st.text("abc xyz-+.", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcdef_", max_size=6), inner, max_size=3),
    max_leaves=12,
)
NAMED = ["from", "wa_id", "input", "phone", "to", "recipient_id", "recipient_participant_id", "user_id", "from_parent_user_id", "customer"]


@given(st.data())
def test_no_named_identity_leaves_a_value(data: st.DataObject):
    """Whoever a value names under a key of Meta's, at any depth, as text or number, is masked there and wherever they are repeated."""
    digits = data.draw(st.from_regex(r"[1-9][0-9]{9,14}", fullmatch=True))
    key = data.draw(st.sampled_from(NAMED))
    spelled: Any = data.draw(st.sampled_from([digits, f"+{digits}", int(digits), float(digits)]))
    named = {"deep": [{key: data.draw(st.sampled_from([spelled, [spelled], {"previous": spelled, "current": f"GB.{digits}"}]))}]}
    repeated = {"detail": f"User {digits} became +{digits}.", "id": spelled, "spaced": " ".join(digits), "profile": {"name": digits}}
    value = {"rest": data.draw(JSON), **named, **repeated}

    seen = mask_identities(value)

    shown = json.dumps(seen).replace(" ", "")
    # The user id's form of the draw stands under a changing key that only user ids have; other keys see the phone.
    assert digits not in shown
    assert seen["rest"] == value["rest"]
    assert seen["detail"].startswith("User ")
    assert list(seen) == list(value)


@given(JSON)
def test_a_value_without_customers_comes_out_as_it_was(value: Any):
    """What names nobody is equal to the last byte."""
    assert json.dumps(mask_identities(value)) == json.dumps(value)


def test_the_business_and_shared_cards_are_not_masked():
    """The business's numbers stay, by the value's own metadata or by those we know; a shared card is what the customer wrote."""
    value = {
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
        "messages": [
            {
                "from": "15559870001",
                "context": {"from": "15550783881", "id": "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJGMzEyNzhENTZDMzNGODlDRDgA"},
                "timestamp": "1750269342",
                "contacts": [{"phones": [{"phone": "+1 (983) 555-2319", "wa_id": "15559870001"}], "vcard": "TEL:15559870001"}],
            },
            {"from": "+1 555 000 1111", "username": "ana.silva", "user_id": "GB.13491208655302741918", "to": ""},
        ],
    }

    seen = mask_identities(value, ours=frozenset({"15550001111"}))

    expected = json.loads(json.dumps(value))
    expected["messages"][0]["from"] = "+1 ••••01"
    expected["messages"][1] |= {"username": "a••••", "user_id": "GB.••••18"}
    assert seen == expected
