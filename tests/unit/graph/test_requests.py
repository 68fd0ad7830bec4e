"""What is sent, and what others send us."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.graph_samples import leaves, published, told
from wabiz_tui.graph.limits import check
from wabiz_tui.graph.requests import ReadRequest, build_read, build_text, parse_request, parse_send
from wabiz_tui.model.content import Text
from wabiz_tui.model.errors import BadInput, CloudError


@pytest.mark.shared
@pytest.mark.parametrize("file", published("meta-messages"))
def test_published_examples(file: Path) -> None:
    """Each of Meta's own examples is read, keeps its original, and stays within the limits."""
    raw = file.read_bytes()

    request = parse_request(raw)

    assert request.original == json.loads(raw)
    if not isinstance(request, ReadRequest):
        inner = json.loads(raw)[request.type]
        assert leaves(inner) <= told(request.content) | {"message_id"} | told(request.original)
        if "<" not in raw.decode():
            check(request)


def test_build_text() -> None:
    """A text is addressed with a plus and carries quote and callback data; what is built is read again."""
    body = build_text(to="4915730000077", body="Hi", reply_to="wamid.Q", callback_data="w1:1")

    request = parse_send(json.dumps(body).encode())

    assert body["to"] == "+4915730000077"
    assert (request.content, request.reply_to, request.callback_data) == (Text("Hi"), "wamid.Q", "w1:1")


def test_build_text_to_a_user_id() -> None:
    """A customer without a phone is addressed by the BSUID alone; nobody at all is refused."""
    assert "to" not in build_text(recipient="BR.1", body="Oi")
    with pytest.raises(BadInput):
        build_text(body="x")


def test_build_read() -> None:
    """Marking read is built and read again, with and without typing."""
    for typing in (False, True):
        request = parse_request(json.dumps(build_read("wamid.Q", typing)).encode())
        assert isinstance(request, ReadRequest)
        assert (request.message_id, request.typing) == ("wamid.Q", typing)


def _body(**parts: Any) -> bytes:
    return json.dumps({"messaging_product": "whatsapp", "to": "+1", **parts}).encode()


_ROW = {"id": "1", "title": "t"}
_LIST = {"type": "list", "body": {"text": "b"}, "action": {"button": "b", "sections": [{"title": "s", "rows": [_ROW]}]}}
_BUTTONS = [{"type": "reply", "reply": {"id": str(index), "title": f"t{index}"}} for index in range(4)]


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        (b"{", 100, "JSON"),
        (b"{}", 100, "messaging_product"),
        (_body(type="fax"), 100, "type"),
        (_body(type="text"), 131008, "text"),
        (_body(text={}), 131008, "text.body"),
        (_body(text={"body": 1}), 131009, "text"),
        (_body(text={"body": "x"}, to=None), 131008, "to"),
        (_body(type="image", image={}), 131008, "image.id"),
        (_body(type="location", location={"latitude": 1}), 131008, "location.longitude"),
        (_body(type="reaction", reaction={"message_id": "w", "emoji": "x"}, context={"message_id": "w"}), 131009, "context"),
        (_body(text={"body": "x"}, context={}), 131008, "context.message_id"),
        (_body(text={"body": "x"}, recipient_type="crowd"), 131009, "recipient_type"),
        (_body(text={"body": "x"}, biz_opaque_callback_data="x" * 513), 131009, "biz_opaque_callback_data"),
        (
            _body(type="pin", recipient_type="group", pin={"type": "pin", "message_id": "w", "expiration_days": 31}),
            131009,
            "pin.expiration",
        ),
        (_body(type="pin", pin={"type": "pin", "message_id": "w", "expiration_days": 1}), 131009, "recipient_type"),
        (_body(type="reaction", recipient_type="group", reaction={"message_id": "w", "emoji": "x"}), 131051, "type"),
    ],
)
def test_refused_forms(raw: bytes, code: int, field: str) -> None:
    """A send of the wrong form is refused with Meta's code and the name of the field."""
    with pytest.raises(CloudError) as refusal:
        parse_send(raw)

    assert refusal.value.graph_code == code
    assert field in refusal.value.details


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"text": {"body": "x" * 4097}}, "text.body"),
        ({"text": {"body": ""}}, "text.body"),
        ({"type": "image", "image": {"id": "1", "caption": "x" * 1025}}, "image.caption"),
        ({"type": "audio", "audio": {"id": "1", "caption": "x"}}, "audio.caption"),
        ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, "location.latitude"),
        ({"type": "contacts", "contacts": [{"name": {"formatted_name": "A"}}]}, "name.first_name"),
        ({"type": "interactive", "interactive": {"type": "juggle", "body": {"text": "b"}}}, "interactive.type"),
        ({"type": "interactive", "interactive": {"type": "button", "body": {"text": "b"}, "action": {"buttons": _BUTTONS}}}, "buttons"),
        ({"type": "interactive", "interactive": {"type": "button", "body": {"text": "b"}, "action": {"buttons": []}}}, "buttons"),
        ({"type": "interactive", "interactive": {**_LIST, "action": {"button": "b" * 21, "sections": []}}}, "action.button"),
        (
            {"type": "interactive", "interactive": {**_LIST, "action": {"button": "b", "sections": [{"title": "s", "rows": [_ROW] * 2}]}}},
            "rows",
        ),
        (
            {
                "type": "interactive",
                "interactive": {
                    **_LIST,
                    "action": {
                        "button": "b",
                        "sections": [
                            {"title": str(part), "rows": [{"id": f"{part}{row}", "title": "t"} for row in range(6)]} for part in range(2)
                        ],
                    },
                },
            },
            "rows",
        ),
    ],
)
def test_limits(parts: dict[str, Any], field: str) -> None:
    """What is longer or more than Meta allows is refused by the name of the field."""
    with pytest.raises(CloudError) as refusal:
        check(parse_send(_body(**parts)))

    assert refusal.value.graph_code in (131008, 131009)
    assert field in refusal.value.details


@pytest.mark.parametrize("parts", [{"text": {"body": "x" * 4096}}, {"type": "interactive", "interactive": _LIST}])
def test_what_is_allowed(parts: dict[str, Any]) -> None:
    """The longest that is allowed passes."""
    check(parse_send(_body(**parts)))
