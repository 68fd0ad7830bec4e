"""What webhooks say."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.graph_samples import METADATA, incoming, leaves, published, status, told, webhook
from wabiz_tui.graph.parsed import EchoedMessage, HistoryMessage, Identity, IncomingMessage, OtherEvent, StatusUpdate
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.model.content import ContactCards, Interactive, MetaError, Order, Reaction, Revoke, System, Text, Unsupported, kind_of
from wabiz_tui.model.errors import BadInput, TooLarge

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_TEXT: dict[str, Any] = {"type": "text", "text": {"body": "x"}}


def one(raw: bytes) -> Any:
    (only,) = parse(raw, received_at=NOW)
    return only


def message(raw: bytes) -> IncomingMessage:
    only = one(raw)
    assert isinstance(only, IncomingMessage)
    return only


@pytest.mark.shared
@pytest.mark.parametrize("file", published("meta-webhooks"))
def test_published_examples(file: Path) -> None:
    """Each of Meta's own examples becomes one value that holds every one of its words."""
    raw = file.read_bytes()

    parsed = parse(raw)

    assert len(parsed) == 1
    assert not isinstance(parsed[0], OtherEvent) or file.stem.startswith("group-")
    sent_as_time = {"timestamp", *(item for item in leaves(json.loads(raw)) if item.isdigit() and len(item) == 10)}
    frame = {
        "",
        "object",
        "whatsapp_business_account",
        "entry",
        "changes",
        "value",
        "messaging_product",
        "whatsapp",
        "metadata",
        "messages",
    }
    renamed = {
        "id",
        "display_phone_number",
        "phone_number_id",
        "contacts",
        "profile",
        "from",
        "type",
        "errors",
        "error_data",
        "field",
        "context",
    }
    kinds = {"text", "image", "order", "system", "interactive", "unsupported", "referral"}
    assert leaves(json.loads(raw)) - told(parsed) <= sent_as_time | frame | renamed | kinds


def test_hidden_phone() -> None:
    """A customer with a hidden phone is known by the BSUID, with name and username."""
    raw = webhook(
        "messages",
        {
            "metadata": METADATA,
            "contacts": [{"profile": {"name": "Ana", "username": "@ana.example"}, "user_id": "BR.1000000000000000001"}],
            "messages": [
                {
                    "from_user_id": "BR.1000000000000000001",
                    "id": "wamid.X",
                    "timestamp": "1790000000",
                    "type": "text",
                    "text": {"body": "Oi"},
                }
            ],
        },
    )

    assert message(raw).sender == Identity(user_id="BR.1000000000000000001", username="@ana.example", name="Ana")


def test_contacts_match_by_id_not_by_position() -> None:
    """Two messages with their contacts in the other order still get the right names."""
    contacts = [{"profile": {"name": "B"}, "wa_id": "2"}, {"profile": {"name": "A"}, "wa_id": "1"}]
    messages = [{"from": who, "id": f"w{who}", "timestamp": "1790000000", "type": "text", "text": {"body": "x"}} for who in ("1", "2")]

    names = [part.sender.name for part in parse(webhook("messages", {"metadata": METADATA, "contacts": contacts, "messages": messages}))]  # type: ignore[union-attr]

    assert names == ["A", "B"]


def test_status_of_a_bsuid_send() -> None:
    """A status without a phone names recipient, callback data and price."""
    raw = status(recipient_id=None, recipient_user_id="BR.1", biz_opaque_callback_data="outbox-42", pricing={"type": "regular"})

    update = one(raw)

    assert isinstance(update, StatusUpdate)
    assert (update.recipient.user_id, update.callback_data, update.pricing) == ("BR.1", "outbox-42", {"type": "regular"})


def test_failed_status() -> None:
    """The error of a failed status is read whole."""
    error = {
        "code": 131047,
        "title": "Re-engagement message",
        "message": "Re-engagement message",
        "error_data": {"details": "late"},
        "href": "h",
    }

    update = one(status(status="failed", errors=[error]))

    assert update.error == MetaError(131047, "Re-engagement message", "Re-engagement message", "late", "h")
    assert update.extra is None


def test_status_identity() -> None:
    """The same status twice is one fact, with and without contacts; another state or participant is another."""
    again = json.loads(status())
    again["entry"][0]["changes"][0]["value"]["contacts"] = [{"wa_id": "5511900000001", "user_id": "BR.1"}]
    group = {"recipient_type": "group", "recipient_id": "G1"}

    assert one(status()).identity == one(json.dumps(again).encode()).identity
    assert one(status()).identity != one(status(status="read")).identity
    assert one(status(**group, recipient_participant_id="1")).identity != one(status(**group, recipient_participant_id="2")).identity


def test_parent_user_id_has_three_names() -> None:
    """All spellings of the parent BSUID that are live are read."""
    for name in ("recipient_parent_user_id", "parent_recipient_user_id", "parent_user_id"):
        assert one(status(**{name: "US.ENT.1"})).recipient.parent_user_id == "US.ENT.1"


@pytest.mark.parametrize(
    ("context", "reply_to", "forwarded"),
    [
        ({"from": "1", "id": "wamid.Q"}, "wamid.Q", None),
        ({"forwarded": True}, None, "once"),
        ({"frequently_forwarded": True}, None, "often"),
        ({"forwarded": False}, None, None),
        ({"from": "1", "id": "wamid.Q", "referred_product": {"catalog_id": "c", "product_retailer_id": "p"}}, "wamid.Q", None),
    ],
)
def test_context_is_no_reply_by_itself(context: dict[str, Any], reply_to: str | None, forwarded: str | None) -> None:
    """Only an id makes a reply; forwards and products are told apart and kept."""
    read = message(incoming({"type": "text", "text": {"body": "x"}, "context": context}))

    assert (read.reply_to, read.forwarded) == (reply_to, forwarded)
    assert (read.context or {}).get("referred_product") == context.get("referred_product")


@pytest.mark.parametrize("removal", [{"message_id": "w"}, {"message_id": "w", "emoji": ""}, {"message_id": "w", "emoji": None}])
def test_removed_reactions(removal: dict[str, Any]) -> None:
    """A reaction is taken back by a missing as by an empty emoji, and raises no unread."""
    read = message(incoming({"type": "reaction", "reaction": removal}))

    assert read.content == Reaction("w", "")
    assert read.opens_window
    assert not read.counts_unread


def test_decimals_stay_decimals() -> None:
    """An order's prices are kept as they came."""
    items = [{"product_retailer_id": "a", "quantity": 1, "item_price": 14.5, "currency": "EUR"}]

    content = message(incoming({"type": "order", "order": {"catalog_id": "c", "product_items": items}})).content

    assert isinstance(content, Order)
    assert content.product_items[0]["item_price"] == 14.5


def test_contact_request_origin() -> None:
    """The origin of a contact card is found on the message and inside the card."""
    card = {"name": {"formatted_name": "A"}}
    outside = message(incoming({"type": "contacts", "origin": "contact_request", "contacts": [card]})).content
    inside = message(incoming({"type": "contacts", "contacts": [{**card, "origin": "contact_request"}]})).content

    assert isinstance(outside, ContactCards)
    assert isinstance(inside, ContactCards)
    assert outside.origin == inside.origin == "contact_request"


def test_interactive_with_errors_only() -> None:
    """An interactive message without its object is unsupported, its error told."""
    content = message(incoming({"type": "interactive", "errors": [{"code": 131000, "title": "Something went wrong"}]})).content

    assert isinstance(content, Unsupported)
    assert content.errors[0].code == 131000


@pytest.mark.parametrize(
    "parts",
    [
        {"type": "hologram", "hologram": {"depth": 3}},
        {"type": "text", "text": {"body": 7}},
        {"type": "text", "text": None},
        {"type": "text"},
        {},
        {"type": ["text"]},
        {"type": "image", "image": {"mime_type": "image/png"}},
        {"type": "location", "location": {"latitude": "north", "longitude": 1}},
        {"type": "location", "location": {"latitude": "nan", "longitude": 1}},
        {"type": "contacts", "contacts": {"not": "a list"}},
        {"type": "order", "order": {"product_items": ["x"]}},
        {"type": "ephemeral"},
        {"type": "media_placeholder"},
        {"type": "unsupported", "unsupported": {"type": "edit"}, "errors": [{"code": 131051}]},
    ],
)
def test_unknown_and_malformed_are_kept(parts: dict[str, Any]) -> None:
    """What cannot be read is shown as unsupported with its JSON, and still opens the window."""
    read = message(incoming(parts))

    assert isinstance(read.content, Unsupported)
    assert read.content.json is not None
    assert parts.items() <= read.content.json.items()
    assert read.opens_window


def test_unknown_keys_are_kept() -> None:
    """Keys nobody knows yet are kept beside the content, inside and outside of its object."""
    read = message(incoming({"type": "text", "text": {"body": "x", "tone": "warm"}, "mood": "blue"}))

    assert read.content == Text("x")
    assert read.extra == {"mood": "blue", "text": {"tone": "warm"}}


def test_media_url_is_no_link() -> None:
    """The five-minute URL of a file is kept aside and never becomes its link."""
    read = message(incoming({"type": "image", "image": {"id": "9", "mime_type": "image/png", "url": "https://lookaside.fbsbx.com/x"}}))

    assert read.content.link == ""  # type: ignore[union-attr]
    assert read.extra == {"image": {"url": "https://lookaside.fbsbx.com/x"}}


@pytest.mark.parametrize("timestamp", [None, "", "soon", "-5", -5, 10**9 * 31_557_600, "9" * 400, 1e300, True, [], "0"])
def test_absurd_timestamps(timestamp: Any) -> None:
    """A timestamp nobody could mean becomes the time of arrival, and is kept."""
    read = message(incoming({"type": "text", "text": {"body": "x"}, "timestamp": timestamp}))

    assert read.sent_at == NOW
    assert (read.extra or {})["timestamp"] == timestamp


@pytest.mark.parametrize("timestamp", ["1790000000", 1790000000, "1790000000000", 1790000000.0])
def test_timestamps_as_text_and_number(timestamp: Any) -> None:
    """Seconds as text, as number and milliseconds are the same instant."""
    assert message(incoming({"type": "text", "text": {"body": "x"}, "timestamp": timestamp})).sent_at == datetime.fromtimestamp(
        1790000000, UTC
    )


def test_number_change() -> None:
    """A changed number is no message of the customer's, and says who they were and are."""
    system = {"body": "User Ana changed from 5511900000001 to 5511900000002", "wa_id": "5511900000002", "type": "user_changed_number"}

    read = message(incoming({"type": "system", "system": system}, contacts=[]))

    assert isinstance(read.content, System)
    assert not read.opens_window
    assert not read.counts_unread
    assert read.identity_change is not None
    assert (read.identity_change.previous.wa_id, read.identity_change.current.wa_id) == ("5511900000001", "5511900000002")


def test_user_id_change_names_the_old_one_in_words() -> None:
    """The old BSUID is taken from the sentence, when the sentence names the new one too."""
    body = "User Ana changed from BR.1000000000000000001 to BR.1000000000000000002"
    system = {"type": "user_changed_user_id", "body": body, "user_id": "BR.1000000000000000002", "wa_id": "5511900000002"}
    trick = {**system, "body": "User changed from BR.666 to BR.777"}

    told_change = message(incoming({"type": "system", "system": system}, contacts=[])).identity_change
    without_sender = one(incoming({"type": "system", "from": None, "system": system}, contacts=[]))
    tricked = message(incoming({"type": "system", "system": trick}, contacts=[])).identity_change

    assert told_change is not None
    assert told_change.previous == Identity(wa_id="5511900000001", user_id="BR.1000000000000000001")
    assert told_change.current == Identity(wa_id="5511900000002", user_id="BR.1000000000000000002")
    assert without_sender.sender == Identity(user_id="BR.1000000000000000001")
    assert tricked is not None
    assert tricked.previous.user_id is None


def test_identity_key_change() -> None:
    """A new security code is the same person with another key."""
    parts = {
        "type": "system",
        "system": {"type": "customer_identity_changed", "body": "x"},
        "identity": {"hash": "H2", "acknowledged": False},
    }

    change = message(incoming(parts)).identity_change

    assert change is not None
    assert change.previous.wa_id == change.current.wa_id
    assert change.current.identity_key_hash == "H2"


def test_user_id_updates() -> None:
    """Each update of a `user_id_update` is an event that moves one person."""
    updates = [
        {"wa_id": "1", "detail": "d", "user_id": {"previous": "BR.1", "current": "BR.2"}, "timestamp": 1790000000},
        {"user_id": {"previous": "BR.8", "current": "BR.9"}, "parent_user_id": {"previous": "BR.ENT.8", "current": "BR.ENT.9"}},
        {"nonsense": True},
    ]

    first, second, third = parse(webhook("user_id_update", {"metadata": METADATA, "user_id_update": updates}))

    assert isinstance(first, OtherEvent)
    assert first.identity_change is not None
    assert first.identity_change.previous == Identity(wa_id="1", user_id="BR.1")
    assert isinstance(second, OtherEvent)
    assert second.identity_change is not None
    assert second.identity_change.current == Identity(user_id="BR.9", parent_user_id="BR.ENT.9")
    assert isinstance(third, OtherEvent)
    assert third.identity_change is None


def test_echoes() -> None:
    """What staff sent from a phone is told with its recipient; revokes too."""
    echoes = [
        {"from": "15550000001", "to": "1", "id": "w1", "timestamp": "1790000000", "type": "text", "text": {"body": "x"}},
        {
            "from": "15550000001",
            "to_user_id": "BR.1",
            "id": "w2",
            "timestamp": 1790000001,
            "type": "revoke",
            "revoke": {"original_message_id": "w1"},
        },
        {"from": "15550000001", "id": "w3", "timestamp": "1790000002", "type": "text", "text": {"body": "to nobody"}},
    ]

    first, second, rest = parse(webhook("smb_message_echoes", {"metadata": METADATA, "message_echoes": echoes}))

    assert isinstance(first, EchoedMessage)
    assert (first.recipient.wa_id, first.content) == ("1", Text("x"))
    assert isinstance(second, EchoedMessage)
    assert (second.recipient.user_id, second.content) == ("BR.1", Revoke("w1"))
    assert isinstance(rest, OtherEvent)
    assert rest.value["message_echoes"] == [echoes[2]]


def test_history() -> None:
    """History says who wrote, raises nothing, and its progress is an event."""
    mine = {"from": "15550000001", "to": "1", "id": "w1", "timestamp": "1780000000", "type": "text", "text": {"body": "a"}}
    theirs = {
        "from": "1",
        "id": "w2",
        "timestamp": "1780000001",
        "type": "text",
        "text": {"body": "b"},
        "history_context": {"status": "READ"},
    }
    chunk = {"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": [{"id": "1", "messages": [mine, theirs]}]}

    first, second, progress = parse(webhook("history", {"metadata": METADATA, "history": [chunk]}))

    assert isinstance(first, HistoryMessage)
    assert isinstance(second, HistoryMessage)
    assert (first.is_ours, second.is_ours, second.status) == (True, False, "READ")
    assert first.contact.wa_id == second.contact.wa_id == "1"
    assert isinstance(progress, OtherEvent)
    assert progress.value["history"][0]["metadata"]["progress"] == 55


def test_refused_history() -> None:
    """A refused history is an event that keeps the error."""
    only = one(webhook("history", {"metadata": METADATA, "history": [{"errors": [{"code": 2593109}]}]}))

    assert isinstance(only, OtherEvent)
    assert only.value["history"] == [{"errors": [{"code": 2593109}]}]


@pytest.mark.parametrize(
    ("field", "value", "summary"),
    [
        ("message_template_status_update", {"event": "PAUSED", "message_template_name": "sale"}, "PAUSED sale"),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}, "DISABLED_UPDATE"),
        ("a_field_of_next_year", {"thing": 1}, "thing"),
    ],
)
def test_other_fields(field: str, value: dict[str, Any], summary: str) -> None:
    """Every other field is an event with its value whole and a line that says what it is."""
    only = one(webhook(field, value))

    assert isinstance(only, OtherEvent)
    assert (only.field, only.value, only.summary) == (field, value, summary)


def test_errors_without_a_message() -> None:
    """Account errors beside no message are events of the field."""
    only = one(webhook("messages", {"metadata": METADATA, "errors": [{"code": 130429, "title": "Rate limit hit"}]}))

    assert isinstance(only, OtherEvent)
    assert only.summary == "error 130429"


def test_one_bad_part_hides_nothing() -> None:
    """Among broken entries, changes and messages the good ones are read, and the broken ones are kept."""
    body = json.loads(incoming({"type": "text", "text": {"body": "good"}}))
    body["entry"][0]["changes"][0]["value"]["messages"] += [7, None, {"id": "no sender"}, {"from": "1"}]
    body["entry"] += [None, {"id": "x"}, {"id": "y", "changes": ["bad", {"field": "messages"}, {"value": {}}]}]

    parsed = parse(json.dumps(body).encode())

    assert [part.content for part in parsed if isinstance(part, IncomingMessage)] == [Text("good")]
    kept = told([part for part in parsed if isinstance(part, OtherEvent)])
    assert {"7", "None", "no sender", "bad", "x", "y"} <= kept


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"entry":{}}',
        b"\xff\xfe",
        b"{" * 100_000,
        b"[" * 100_000,
        b'{"entry":[' + b"[" * 200 + b"]" * 200 + b"]}",
        b"nan",
    ],
)
def test_bad_input(raw: bytes) -> None:
    """What is no webhook at all is refused as bad input, however deep."""
    with pytest.raises(BadInput):
        parse(raw)


def test_too_large() -> None:
    """A body beyond all bounds is refused before it is read."""
    with pytest.raises(TooLarge):
        parse(b" " * (16 * 1024 * 1024 + 1))


def test_half_an_emoji() -> None:
    """Half a surrogate pair costs that character and nothing else."""
    raw = incoming({"type": "text", "text": {"body": "CUT"}}).replace(b"CUT", rb"caf\u00e9 \ud83d")

    assert message(raw).content == Text("café �")


def test_event_identity_ignores_key_order() -> None:
    """The same event with its keys in another order is the same fact; another value is another."""
    first = one(webhook("account_update", {"a": 1, "b": 2})).identity

    assert first == one(webhook("account_update", {"b": 2, "a": 1})).identity
    assert first != one(webhook("account_update", {"a": 1, "b": 3})).identity


def test_interactive_replies_keep_their_kind() -> None:
    """Replies of all kinds stand under Meta's own names, unknown ones aside."""
    inner = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": "{}"}, "novel": {"x": 1}}

    content = message(incoming({"type": "interactive", "interactive": inner})).content

    assert isinstance(content, Interactive)
    assert (kind_of(content), content.nfm_reply, content.other) == ("interactive", inner["nfm_reply"], {"novel": {"x": 1}})


@pytest.mark.parametrize(("ahead", "is_believed"), [(3600, True), (3601, False), (20 * 365 * 86400, False)])
def test_a_time_ahead_of_us_is_not_believed(ahead: int, is_believed: bool) -> None:
    """A message, status or event dated more than an hour after it came counts as of when it came; what was told is kept."""
    stamp = str(int(NOW.timestamp()) + ahead)
    at = datetime.fromtimestamp(int(stamp), UTC) if is_believed else NOW
    value = {"metadata": METADATA, "statuses": [{"id": "wamid.S", "status": "read", "timestamp": stamp, "recipient_id": "1"}]}
    text = {"from": "447700900123", "id": "wamid.1", "timestamp": stamp, "type": "text", "text": {"body": "hi"}}

    shown = message(webhook("messages", {"metadata": METADATA, "messages": [text]}))
    read = one(webhook("messages", value))
    event = one(webhook("account_update", {"timestamp": stamp}))

    assert (shown.sent_at, read.at, event.at) == (at, at, at)
    assert shown.extra == read.extra == (None if is_believed else {"timestamp": stamp})


def test_a_user_id_in_the_place_of_a_phone_is_no_phone() -> None:
    """Where a forwarder fills `from` and `wa_id` with the BSUID of somebody whose phone is hidden, they are known by that alone."""
    contact = {"profile": {"name": "Ana"}, "wa_id": "BR.17", "user_id": "BR.17"}

    told = message(incoming(_TEXT | {"from": "BR.17", "from_user_id": "BR.17"}, contacts=[contact]))
    shorter = message(incoming(_TEXT | {"from": "BR.17"}, contacts=[contact]))
    parent = message(incoming(_TEXT | {"from": "BR.ENT.9"}, contacts=[]))

    assert told.sender == shorter.sender == Identity(user_id="BR.17", name="Ana")
    assert parent.sender == Identity(parent_user_id="BR.ENT.9")
    assert told.extra is None


def test_a_user_id_in_the_place_of_a_recipient_is_no_phone() -> None:
    """Statuses and echoes sort a BSUID in the phone's place the same way, and keep nothing twice."""
    update = one(status(recipient_id="BR.17", recipient_user_id="BR.17"))
    echo = one(
        webhook(
            "smb_message_echoes",
            {
                "metadata": METADATA,
                "message_echoes": [{**_TEXT, "from": "15550000001", "to": "BR.17", "id": "w1", "timestamp": "1790000000"}],
            },
        )
    )

    assert (update.recipient, update.extra) == (Identity(user_id="BR.17"), None)
    assert (echo.recipient, echo.extra) == (Identity(user_id="BR.17"), None)


def test_a_contact_spelled_in_another_way_lends_its_name() -> None:
    """The one contact beside one message names its sender, whose number stays as the message has it; the other spelling is kept."""
    told = message(incoming(_TEXT, contacts=[{"profile": {"name": "Ana"}, "wa_id": "551100000001"}]))

    assert told.sender == Identity(wa_id="5511900000001", name="Ana")
    assert told.extra == {"contact": {"wa_id": "551100000001"}}


def test_a_contact_with_another_user_id_is_somebody_else() -> None:
    """Two user ids are two people, though one contact stands beside one message."""
    contact = {"profile": {"name": "Bea"}, "wa_id": "551100000001", "user_id": "BR.2"}
    told, other = parse(incoming(_TEXT | {"from_user_id": "BR.1"}, contacts=[contact]), received_at=NOW)

    assert isinstance(told, IncomingMessage)
    assert told.sender == Identity(wa_id="5511900000001", user_id="BR.1")
    assert isinstance(other, OtherEvent)
    assert other.value == {"contacts": [contact]}


@pytest.mark.parametrize(
    ("part", "kind"),
    [({"location": {"latitude": 1, "longitude": 2}}, "location"), ({"contacts": [{"name": {"formatted_name": "B"}}]}, "contacts")],
)
def test_a_type_left_out_is_seen_by_its_object(part: dict[str, Any], kind: str) -> None:
    """Places and cards are read also where, as in Meta's older examples, the word `type` is missing."""
    told = message(incoming(part))

    assert (kind_of(told.content), told.extra) == (kind, None)


def test_the_state_of_a_payment_is_no_delivery() -> None:
    """A payment that failed says nothing of whether its message arrived: it is kept as an event of its own."""
    payment = {"reference_id": "order-1", "amount": {"value": 2100, "offset": 100}}
    paid, sent = parse(
        webhook(
            "messages",
            {
                "messaging_product": "whatsapp",
                "metadata": METADATA,
                "statuses": [
                    {"id": "wamid.O", "status": "failed", "timestamp": "1790000000", "type": "payment", "payment": payment},
                    {"id": "wamid.O", "status": "sent", "timestamp": "1790000000", "type": "message", "recipient_id": "5511900000001"},
                ],
            },
        ),
        received_at=NOW,
    )

    assert isinstance(paid, OtherEvent)
    assert (paid.summary, paid.value["statuses"][0]["payment"]) == ("payment failed", payment)
    assert isinstance(sent, StatusUpdate)
    assert sent.state == "sent"
