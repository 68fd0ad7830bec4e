"""Sends of others: what Meta refuses is refused with its code and the field's name, what Meta takes is let through."""

import json
from typing import Any

import pytest

from wabiz_tui.graph.limits import check
from wabiz_tui.graph.requests import parse_send
from wabiz_tui.model.errors import CloudError


def _told(**parts: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": parts}


BODY = {"body": {"text": "b"}}
URL_ACTION = {"name": "cta_url", "parameters": {"display_text": "l", "url": "https://example.com"}}
FLOW = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Open"}
IMAGE_HEADER = {"type": "image", "image": {"id": "1"}}
MEDIA_CARD = {"card_index": 0, "type": "cta_url", "header": IMAGE_HEADER, "action": URL_ACTION}
TEXT_HEADER = {"type": "text", "text": "h"}
LIST = {"button": "b", "sections": [{"title": "s", "rows": [{"id": "1", "title": "t"}]}]}
PRODUCTS = {"catalog_id": "c", "sections": [{"product_items": [{"product_retailer_id": "p"}]}]}
PRODUCT_ACTION = {"catalog_id": "c", "product_retailer_id": "p"}


def _cards(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"cards": [{**MEDIA_CARD, "card_index": index, **change} for index, change in enumerate(changes)]}


def _flow(**changes: Any) -> dict[str, Any]:
    return _told(type="flow", **BODY, action={"name": "flow", "parameters": {**FLOW, **changes}})


def _template(*components: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"type": "template", "template": {"name": "n", "language": {"code": "en"}, "components": list(components), **parts}}


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"type": "image", "image": {"id": "1", "link": "https://example.com"}}, 131009, "id or link"),
    ({"type": "image", "image": {"link": "ftp://example.com/a"}}, 131009, "image.link"),
    ({"type": "image", "image": {"link": "example.com/a.jpg"}}, 131009, "image.link"),
    ({"type": "sticker", "sticker": {"id": "1", "caption": "x"}}, 131009, "sticker.caption"),
    ({"type": "audio", "audio": {"id": "1", "voice": "yes"}}, 131009, "audio.voice"),
    ({"type": "video", "video": {"id": "1", "voice": True}}, 131009, "video.voice"),
    ({"type": "location", "location": {"latitude": 1, "longitude": "-180.5"}}, 131009, "location.longitude"),
    ({"type": "contacts", "contacts": []}, 131009, "contacts"),
    ({"type": "contacts", "contacts": [{"name": {"first_name": "A"}}]}, 131008, "contacts[0].name.formatted_name"),
    (_told(type="list", **BODY, action=LIST, header=IMAGE_HEADER), 131009, "interactive.header.type"),
    (_told(type="button", **BODY, action={"buttons": []}, header={"type": "location"}), 131009, "interactive.header.type"),
    (_told(type="location_request_message", **BODY, action={"name": "send_location"}, header=TEXT_HEADER), 131009, "interactive.header"),
    (_told(type="location_request_message", **BODY, action={"name": "send_location"}, footer={"text": "f"}), 131009, "interactive.footer"),
    (_told(type="product", action=PRODUCT_ACTION, header=TEXT_HEADER), 131009, "interactive.header"),
    (_told(type="product_list", **BODY, action=PRODUCTS), 131008, "interactive.header"),
    (_told(type="product_list", **BODY, action=PRODUCTS, header=IMAGE_HEADER), 131009, "interactive.header.type"),
    (_told(type="carousel", **BODY, action=_cards({}, {}), footer={"text": "f"}), 131009, "interactive.footer"),
    (_told(type="button", action={"buttons": []}), 131008, "interactive.body"),
    (_told(type="button", **BODY), 131008, "interactive.action"),
    (_told(type="cta_url", **BODY, action={"name": "open"}), 131009, "interactive.action.name"),
    (_told(type="cta_url", **BODY, action={**URL_ACTION, "parameters": {"display_text": "l", "url": "x"}}), 131009, "parameters.url"),
    (
        _told(type="button", **BODY, action={"buttons": [{"type": "reply", "reply": {"id": "1", "title": t}} for t in "ab"]}),
        131009,
        "ids",
    ),
    (
        _told(type="button", **BODY, action={"buttons": [{"type": "reply", "reply": {"id": i, "title": "t"}} for i in "ab"]}),
        131009,
        "titles",
    ),
    (
        _told(
            type="list", **BODY, action={"button": "b", "sections": [{"title": t, "rows": [{"id": t, "title": "t"}]} for t in ("a", "")]}
        ),
        131008,
        "sections[1].title",
    ),
    (
        _told(type="list", **BODY, action={"button": "b", "sections": [{"title": t, "rows": [{"id": "1", "title": "t"}]} for t in "ab"]}),
        131009,
        "ids",
    ),
    (_flow(flow_name="n"), 131009, "flow_id"),
    (_flow(flow_id=None), 131008, "flow_id"),
    (_flow(flow_message_version="2"), 131009, "flow_message_version"),
    (_flow(flow_action="jump"), 131009, "flow_action"),
    (_flow(mode="live"), 131009, "mode"),
    (_flow(flow_action_payload={"screen": "S", "data": {}}), 131009, "flow_action_payload.data"),
    (_told(type="voice_call", **BODY, action={"name": "voice_call", "parameters": {"ttl_minutes": 43201}}), 131009, "ttl_minutes"),
    (_told(type="address_message", **BODY, action={"name": "address_message", "parameters": {}}), 131008, "country"),
    (_told(type="carousel", **BODY, action=_cards({}, {"header": {"type": "video", "video": {"id": "1"}}})), 131009, "cards[1].header"),
    (
        _told(type="carousel", **BODY, action=_cards({}, {"type": "product", "header": None, "action": PRODUCT_ACTION})),
        131009,
        "cards[1].type",
    ),
    (_told(type="carousel", **BODY, action=_cards({}, {"card_index": 0})), 131009, "card_index"),
    (_told(type="carousel", **BODY, action=_cards({}, {"body": {"text": "a\nb\nc\nd"}})), 131009, "cards[1].body.text"),
    (_told(type="carousel", **BODY, action=_cards({"header": None}, {})), 131008, "cards[0].header"),
    (_told(type="carousel", **BODY, action=_cards({"header": TEXT_HEADER}, {})), 131009, "cards[0].header.type"),
    ({"type": "template", "template": {"name": "n"}}, 131008, "template.language"),
    ({"type": "template", "template": {"name": "n", "language": {"code": ""}}}, 131008, "template.language.code"),
    (_template(language={"code": "en", "policy": "fallback"}), 131009, "template.language.policy"),
    (_template({"type": "hat"}), 131009, "template.components[0].type"),
    (_template({"type": "body"}, {"type": "BODY"}), 131009, "template.components"),
    (_template({"type": "body", "parameters": [{"type": "text", "text": ""}]}), 131008, "parameters[0].text"),
    (_template({"type": "body", "parameters": [{"type": "image", "image": {"id": "1"}}]}), 131009, "parameters[0].type"),
    (
        _template({"type": "body", "parameters": [{"type": "text", "text": "a", "parameter_name": "n"}, {"type": "text", "text": "a"}]}),
        132012,
        "parameter_name",
    ),
    (_template({"type": "header", "parameters": [{"type": "text", "text": "a"}] * 2}), 132000, "parameters"),
    (_template({"type": "header", "parameters": [{"type": "image", "image": {}}]}), 131008, "image.id or link"),
    (_template({"type": "button", "index": 0, "sub_type": "juggle"}), 131009, "sub_type"),
    (_template({"type": "button", "sub_type": "url"}), 131008, "index"),
    (_template({"type": "button", "sub_type": "url", "index": 10}), 131009, "index"),
    (
        _template({"type": "limited_time_offer", "parameters": [{"type": "limited_time_offer", "limited_time_offer": {}}]}),
        131008,
        "expiration_time_ms",
    ),
    (
        _template(
            {
                "type": "carousel",
                "cards": [
                    {"card_index": index, "components": [{"type": "header", "parameters": [{"type": kind, kind: {"id": "1"}}]}]}
                    for index, kind in enumerate(("image", "video"))
                ],
            }
        ),
        131009,
        "cards[1].components",
    ),
]


@pytest.mark.parametrize(("parts", "code", "told"), REFUSED)
def test_refusals(parts: dict[str, Any], code: int, told: str) -> None:
    """What others may not send is refused with Meta's code and details that name the field."""
    raw = json.dumps({"messaging_product": "whatsapp", "to": "+1", **parts}).encode()

    with pytest.raises(CloudError) as refusal:
        check(parse_send(raw))

    assert refusal.value.graph_code == code
    assert told in refusal.value.details
    assert refusal.value.http_status == 400


ACCEPTED: list[dict[str, Any]] = [
    {"text": {"body": "no type"}},
    {"type": "text", "recipient_type": None, "text": {"body": "x", "preview_url": "false", "more": 1}},
    {"type": "location", "location": {"latitude": "37.5", "longitude": "-122.1"}},
    {"type": "image", "image": {"id": 42, "caption": None}},
    {"type": "audio", "audio": {"link": "https://example.com/a.ogg", "voice": True}},
    {"type": "document", "document": {"link": "http(s)://document-url"}},
    _template(language={"code": "en", "policy": "deterministic"}),
    _template({"type": "BODY", "parameters": [{"type": "text", "text": "a"}]}, {"type": "button", "sub_type": "CATALOG", "index": 0}),
    _template({"type": "button", "sub_type": "URL", "index": "0", "parameters": [{"type": "text", "text": "a"}]}),
    _template(
        {
            "type": "button",
            "sub_type": "voice_call",
            "parameters": [{"type": "ttl_minutes", "ttl_minutes": 100}, {"type": "payload", "payload": "p"}],
        }
    ),
    _template({"type": "button", "sub_type": "flow", "index": 0, "parameters": [{"type": "action", "action": {"flow_token": None}}]}),
    _template({"type": "body", "parameters": [{"type": "text", "text": "two\nlines"}]}),
    _told(type="catalog_message", **BODY, action={"name": "catalog_message"}),
    _told(type="voice_call", **BODY, action={"name": "voice_call", "parameters": {}}),
    _told(type="call_permission_request", action={"name": "call_permission_request"}),
    _told(
        type="button",
        **BODY,
        action={"buttons": [{"type": "reply", "reply": {"id": "1", "title": "t"}}]},
        header={"type": "document", "document": {"id": "1", "filename": "a.pdf"}},
    ),
    _told(
        type="flow",
        **BODY,
        action={"name": "flow", "parameters": {**FLOW, "flow_token": None, "mode": "published", "flow_action": "data_exchange"}},
    ),
    _told(type="order_details", **BODY, action={"name": "review_and_pay", "parameters": {"reference_id": "1"}}),
    _told(
        type="carousel",
        **BODY,
        action=_cards(
            *[
                {
                    "action": {"buttons": [{"type": "quick_reply", "quick_reply": {"id": "a" * 60, "title": "t"}}]},
                    "body": {"text": "*a*\n\nb"},
                }
            ]
            * 2
        ),
    ),
]


@pytest.mark.parametrize("parts", ACCEPTED)
def test_tolerance(parts: dict[str, Any]) -> None:
    """What Meta takes in spite of its own specification, and what other clients write, is let through."""
    check(parse_send(json.dumps({"messaging_product": "whatsapp", "to": "+1", **parts}).encode()))
