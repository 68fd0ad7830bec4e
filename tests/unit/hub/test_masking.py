"""The mask over everything that leaves: whatever field of whatever value an identity of the customer is put into."""

import json
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wabiz_tui.hub.archive.contacts import ContactRecord, StoredContact
from wabiz_tui.hub.archive.conversations import StoredConversation
from wabiz_tui.hub.feed.plain import plain_json
from wabiz_tui.hub.feed.seen import is_plain, names_of_contact, seen_contact, seen_conversation, seen_event, seen_message
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.content import Activity, Content
from wabiz_tui.model.values import Contact, Conversation, Direction, Event, Message
from wabiz_tui.policy.document import Policy

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PHONE, BSUID, PARENT, USERNAME = "447700900123", "GB.13491208655302741918", "GB.ENT.11815799212886844830", "ada.lovelace"
IDENTITIES = (PHONE, "+44 7700 900123", BSUID, PARENT, USERNAME, f"@{USERNAME}")
OURS = frozenset({"15550783881"})
POLICY = Policy()
ALIASES: tuple[tuple[Any, str], ...] = (("wa_id", PHONE), ("bsuid", BSUID), ("parent_bsuid", PARENT))
STORED = StoredContact("c1", ContactRecord(name="Ada", username=USERNAME, aliases=ALIASES), False, NOW, NOW)
NAMES = names_of_contact(STORED)

LEFT = {
    ("Text", "body"), ("Note", "body"), ("Image", "caption"), ("Video", "caption"), ("Audio", "caption"), ("Document", "caption"),
    ("Sticker", "caption"), ("Location", "name"), ("Location", "address"), ("ContactCards", "contacts"), ("Reaction", "emoji"),
    ("Order", "text"), ("Button", "text"), ("Activity", "reason"),
}  # fmt: skip
"""What stays in the clear, as docs/threat-model.md says: what a customer or an agent wrote or shared on purpose."""


def places(kind: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The fields of a struct that hold texts or JSON, by their path, each with its type."""
    for name, hint in typing.get_type_hints(kind).items():
        if not name.startswith("__"):
            yield from within(hint, (*path, name))


def within(hint: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        for one in get_args(hint):
            yield from within(one, path)
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if path[-1] != "content":
            yield from places(hint, path)
    elif hint is str or (origin in (dict, tuple) and datetime not in get_args(hint)):
        yield path, hint
    elif origin is Literal or origin is dict or hint in (int, float, bool, type(None), datetime) or issubclass(hint, Enum):
        return
    else:
        raise AssertionError(f"no rule for {'.'.join(path)}: {hint}")


def holding(hint: Any, text: str) -> Any:
    """A value of that type with the text in it."""
    if hint is str:
        return text
    of = get_args(hint)
    if get_origin(hint) is tuple:
        return [holding(of[0], text)] if not (isinstance(of[0], type) and issubclass(of[0], msgspec.Struct)) else []
    return {"spare": text} if of[1] is str else {"spare": {"deep": [text, {"x": f"by {text}!"}]}, "list": [text]}


def put(base: dict[str, Any], path: tuple[str, ...], item: Any) -> dict[str, Any]:
    if len(path) == 1:
        return base | {path[0]: item}
    return base | {path[0]: put(base.get(path[0]) or {}, path[1:], item)}


def clear(raw: bytes) -> bool:
    """Whether an identity of the customer can be read in what left."""
    told = json.dumps(json.loads(raw), ensure_ascii=False)
    digits = "".join(character for character in told if character.isdigit() or character not in " +()-.")
    return any(name in told for name in (BSUID, PARENT, USERNAME)) or PHONE in digits


def blank(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The least a value of the kind needs."""
    needed: dict[str, Any] = {
        "latitude": 1.0,
        "longitude": 1.0,
        "direction": "incoming",
        "sent_at": NOW.isoformat(),
        "at": NOW.isoformat(),
        "contacts": [],
    }
    base = {field.name: needed.get(field.name, "x") for field in msgspec.structs.fields(kind) if field.required}
    tag = kind.__struct_config__.tag
    return base | ({"kind": tag} if tag else {})


PLAIN = {**blank(Message), "content": {"kind": "text", "body": "Hello"}, "delivery": {"state": "failed"}}
MESSAGE = PLAIN | {"extra": {"x": 1}}
CASES: list[tuple[str, type[msgspec.Struct], tuple[str, ...], Any]] = [
    *((f"Message.{'.'.join(path)}", Message, path, hint) for path, hint in places(Message)),
    *((f"Conversation.{'.'.join(path)}", Conversation, path, hint) for path, hint in places(Conversation)),
    *((f"Contact.{'.'.join(path)}", Contact, path, hint) for path, hint in places(Contact)),
    *((f"Event.{'.'.join(path)}", Event, path, hint) for path, hint in places(Event) if path != ("field",)),
]
CONTENTS = [(kind, path, hint) for kind in get_args(Content) for path, hint in places(kind)]


def seen(kind: type[msgspec.Struct], told: dict[str, Any]) -> bytes:
    """What leaves the hub of a value."""
    value: Any = msgspec.convert(told, kind)
    if isinstance(value, Message):
        return encode(seen_message(value, POLICY, OURS, NAMES))
    if isinstance(value, Conversation):
        return encode(seen_conversation(StoredConversation(value, STORED.value()), POLICY, "agent", NAMES))
    if isinstance(value, Event):
        return encode(seen_event(value, POLICY, OURS))
    raise AssertionError(kind)


@pytest.mark.parametrize(("kind", "path", "hint"), [case[1:] for case in CASES if case[1] is not Contact], ids=lambda one: str(one)[:40])
def test_no_field_of_a_value_shows_an_identity(kind: type[msgspec.Struct], path: tuple[str, ...], hint: Any) -> None:
    """Whatever field of a message, a conversation or an event an identity is put into, it leaves masked; new fields are found too."""
    base: dict[str, Any] = MESSAGE if kind is Message else blank(kind)
    if kind is Event:
        base = base | {"field": "strange", "value": {"wa_id": PHONE, "user_id": BSUID, "parent_user_id": PARENT}}
    for identity in IDENTITIES if kind is not Event else IDENTITIES[:4]:
        item = holding(hint, identity)
        told = put(base, path, (base.get("value") or {}) | item if path == ("value",) else item)
        if path == ("value",) and kind is Event:
            told["value"]["username"] = USERNAME

        assert not clear(seen(kind, told)), identity


@pytest.mark.parametrize(("kind", "path", "hint"), CONTENTS, ids=lambda one: getattr(one, "__name__", str(one))[:40])
def test_no_content_shows_an_identity_but_what_somebody_wrote(kind: type[msgspec.Struct], path: tuple[str, ...], hint: Any) -> None:
    """Of all kinds of content only what a customer or an agent wrote stays as it is, and that stays whole."""
    for identity in IDENTITIES:
        content = put(blank(kind), path, holding(hint, identity))
        raw = seen(Message, MESSAGE | {"content": content})
        if (kind.__name__, path[0]) in LEFT:
            assert json.loads(raw)["content"] == json.loads(encode(msgspec.convert(content, kind)))
        else:
            assert not clear(raw), identity


@given(
    name=st.sampled_from(["Ada", "Ada 07700 900123", f"Ada {BSUID}", "Ada +44 7700 900123"]),
    fields=st.dictionaries(st.sampled_from(["note", "phone", PHONE, USERNAME]), st.sampled_from([*IDENTITIES, "x"]), max_size=3),
)
@settings(max_examples=30)
def test_a_contact_shows_none_of_its_identities(name: str, fields: dict[str, str]) -> None:
    """Name, identities and what the business keeps of a contact leave without a whole number, user id or username."""

    contact = msgspec.structs.replace(STORED.value(), name=name, fields=fields)

    shown = seen_contact(contact, POLICY, "agent", NAMES)

    assert not clear(encode(shown))
    assert shown.is_masked


def test_without_the_mask_values_leave_as_they_are() -> None:
    """Where the policy masks nothing, nothing is changed."""
    policy = msgspec.structs.replace(POLICY, privacy=msgspec.structs.replace(POLICY.privacy, mask_numbers=False))
    message = msgspec.convert(PLAIN | {"extra": {"x": PHONE}, "content": {"kind": "text", "body": PHONE}}, Message)

    assert seen_message(message, policy, OURS, NAMES) == message


def test_the_businesss_own_numbers_stay() -> None:
    """A number of the business is told wherever it stands."""
    message = msgspec.convert(MESSAGE | {"extra": {"to": "15550783881", "x": "call 15550783881"}}, Message)

    assert seen_message(message, POLICY, OURS, NAMES).extra == {"to": "15550783881", "x": "call 15550783881"}


def test_aliases_of_every_kind_are_looked_for() -> None:
    """Number, user id, parent id and username are what a contact is found by in other texts."""
    assert {PHONE, BSUID, PARENT, USERNAME} == NAMES


@pytest.mark.parametrize(("path", "hint"), [(path, hint) for kind, path, hint in (case[1:] for case in CASES) if kind is Message])
def test_what_is_not_looked_into_holds_ids_alone(path: tuple[str, ...], hint: Any) -> None:
    """A text in any field but an id's makes a message one that is looked into."""
    is_of_ours = path in {("id",), ("conversation",), ("wamid",), ("author",), ("reply_to",), ("mentions",)}

    assert is_plain(msgspec.convert(put(PLAIN, path, holding(hint, PHONE)), Message)) is is_of_ours


@pytest.mark.parametrize(("path", "hint"), [(path, hint) for kind, path, hint in (case[1:] for case in CASES) if kind is Message])
def test_what_leaves_as_it_is_archived_is_what_would_be_shown(path: tuple[str, ...], hint: Any) -> None:
    """Whatever field is filled, a message is passed on unopened only where there is nothing to mask, and is the same message then."""
    for base in (PLAIN, PLAIN | {"direction": "outgoing", "content": {"kind": "note", "body": PHONE}}):
        message = msgspec.convert(put(base, path, holding(hint, PHONE)), Message)
        delivery = None if message.delivery is None else encode(message.delivery).decode()

        passed = plain_json(encode(msgspec.structs.replace(message, delivery=None)), delivery)

        assert (passed is not None) is is_plain(message)
        assert passed is None or decode(passed, Message) == seen_message(message, POLICY, OURS, NAMES)


@pytest.mark.parametrize("unknown", [{"spare": PHONE}, {"content": {"kind": "text", "body": "Hello", "spare": PHONE}}])
def test_a_message_with_a_key_that_is_not_known_is_opened(unknown: dict[str, Any]) -> None:
    """What another version archived leaves only with the fields that this one knows and masks."""
    told = {name: item for name, item in PLAIN.items() if name != "delivery"} | unknown

    assert plain_json(encode(told), None) is None
    assert plain_json(encode(told | {"content": PLAIN["content"]}), '{"state":"sent","spare":1}') is None
    assert PHONE not in seen(Message, told).decode()


@pytest.mark.parametrize("name", ["Repairs", "Alexandra", "Team 2026 11 22"])
def test_what_is_told_of_the_work_names_colleagues_and_teams(name: str) -> None:
    """A line about the work says to whom it went, however long their name is: they are the business's own, and no customer's."""
    content = Activity(verb="assigned", by="Bernadette", to=name)
    message = Message(id="m1", conversation="c1", direction=Direction.ACTIVITY, content=content, sent_at=NOW, author_name="Bernadette")

    assert seen_message(message, POLICY, OURS, NAMES) == message
