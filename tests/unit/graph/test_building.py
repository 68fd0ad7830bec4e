"""Building what is sent: whatever is built is read again as itself, and breaks no limit."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.sendable import sendable, unbounded, words
from wabiz_tui.graph import interactive
from wabiz_tui.graph.limits import check
from wabiz_tui.graph.requests import build_message, build_text, parse_send
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import (
    Activity,
    Button,
    Content,
    Edit,
    Image,
    Interactive,
    Location,
    Note,
    Order,
    Pin,
    Reaction,
    RequestWelcome,
    Revoke,
    System,
    Text,
    Unsupported,
)
from wabiz_tui.model.errors import BadInput, LimitBroken

PHONE = "+4915730000077"
# The same examples on every machine, however slow: a suite that fails by chance tells nothing.
STEADY = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@STEADY
@given(sendable)
def test_what_is_built_is_read_again(content: Content) -> None:
    """Whatever is built is read as itself, and stays within the limits by which others are judged."""
    request = parse_send(encode(build_message(content, to=PHONE)))

    assert request.content == content
    check(request)


@STEADY
@given(st.sampled_from(("pin", "unpin")), words(80), st.integers(1, 30))
def test_pins(kind: str, message: str, days: int) -> None:
    """A pin goes to a group and is read again as itself."""
    content = Pin(kind, message, days if kind == "pin" else None)
    request = parse_send(encode(build_message(content, group="Y2FwaV9ncm91cDox")))

    assert (request.content, request.is_group, request.to) == (content, True, "Y2FwaV9ncm91cDox")
    check(request)


@STEADY
@given(unbounded)
def test_nothing_is_sent_that_breaks_a_limit(content: Content) -> None:
    """Whatever the values: a body that passes, or an error that names a field."""
    broken, body = None, {}
    try:
        body = build_message(content, to=PHONE)
    except LimitBroken as error:
        broken = error

    if broken is None:
        check(parse_send(encode(body)))
    else:
        assert broken.field
        assert broken.limit != ""


@pytest.mark.parametrize(
    "content",
    [
        Note("for us alone"),
        Activity("resolved"),
        Button("Yes"),
        Order("c"),
        System("user_changed_number"),
        Edit("w"),
        Revoke("w"),
        RequestWelcome(),
        Unsupported("poll"),
    ],
)
def test_what_cannot_be_sent(content: Content) -> None:
    """Notes never leave the business, and what only a customer or Meta can say is not sent either."""
    with pytest.raises(BadInput) as refusal:
        build_message(content, to=PHONE)

    assert "for us alone" not in refusal.value.sentence


def test_customers_answers_are_not_sent() -> None:
    """An interactive answer is a customer's."""
    with pytest.raises(LimitBroken, match="button_reply"):
        build_message(Interactive("button_reply", button_reply={"id": "1", "title": "Yes"}), to=PHONE)


def test_a_received_file_is_sent_on_by_its_id() -> None:
    """What Meta told about a received file is not sent with it."""
    received = Image(id="1", mime_type="image/jpeg", sha256="x", caption="c", size=9, stored="stored", animated=True)

    assert build_message(received, to=PHONE)["image"] == {"id": "1", "caption": "c"}


@pytest.mark.parametrize(
    ("address", "built"),
    [
        ({"to": "4915730000077"}, {"recipient_type": "individual", "to": "+4915730000077"}),
        ({"to": "+49 (157) 300-00077"}, {"recipient_type": "individual", "to": "+49 (157) 300-00077"}),
        ({"recipient": "BR.1"}, {"recipient_type": "individual", "recipient": "BR.1"}),
        ({"to": "1", "recipient": "US.ENT.1"}, {"recipient_type": "individual", "to": "+1", "recipient": "US.ENT.1"}),
        ({"group": "Y2Fw"}, {"recipient_type": "group", "to": "Y2Fw"}),
    ],
)
def test_addresses(address: dict[str, str], built: dict[str, str]) -> None:
    """A phone gets the plus it lacks; a BSUID and a group are addressed by their own keys."""
    body = build_message(Text("Hi"), **address)

    assert {key: body[key] for key in body if key in ("recipient_type", "to", "recipient")} == built


@pytest.mark.parametrize(
    "address", [{}, {"to": ""}, {"to": "call me"}, {"to": "1" * 16}, {"to": "+"}, {"to": "٤٩"}, {"to": "1", "group": "g"}]
)
def test_refused_addresses(address: dict[str, str]) -> None:
    """Nobody, everybody and what is no phone number are refused, without repeating what was written."""
    with pytest.raises(BadInput) as refusal:
        build_message(Text("Hi"), **address)

    assert "call me" not in refusal.value.sentence


def test_envelope() -> None:
    """Quote, callback data and identity key are carried and read again."""
    body = build_message(Text("Hi"), to=PHONE, reply_to="wamid.Q", callback_data="w1:1", identity_key_hash="h")

    request = parse_send(encode(body))

    assert (request.reply_to, request.callback_data, request.identity_key_hash) == ("wamid.Q", "w1:1", "h")
    assert body["recipient_identity_key_hash"] == "h"


@pytest.mark.parametrize(
    ("content", "envelope", "field"),
    [
        (Reaction("w", "👍"), {"to": PHONE, "reply_to": "w"}, "context"),
        (Text("x"), {"to": PHONE, "callback_data": "x" * 513}, "biz_opaque_callback_data"),
        (Pin("pin", "w", 1), {"to": PHONE}, "recipient_type"),
        (Location(0, 0), {"group": "g"}, "type"),
        (Reaction("w", "👍"), {"group": "g"}, "type"),
        (interactive.location_request("Where?"), {"group": "g"}, "type"),
    ],
)
def test_refused_envelopes(content: Content, envelope: dict[str, str], field: str) -> None:
    """What may not stand around a content, or not go to a group, is refused by its name."""
    with pytest.raises(LimitBroken) as refusal:
        build_message(content, **envelope)

    assert refusal.value.field == field


def test_build_text_keeps_the_limits_too() -> None:
    """The short way to a text is no way around its limit."""
    with pytest.raises(LimitBroken) as refusal:
        build_text(to=PHONE, body="x" * 4097)

    assert (refusal.value.field, refusal.value.limit, refusal.value.value) == ("text.body", 4096, 4097)
