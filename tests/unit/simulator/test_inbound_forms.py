"""Every short form of an inbound message, over real HTTP, and read again by the parser."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.support.simulator_stage import CUSTOMER, NUMBER, Stage, staged
from wabiz_tui.graph.parsed import IncomingMessage
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.asked import refuse_slips
from wabiz_tui.simulator.customers import forms

ORDER = {"catalog_id": "C1", "product_items": [{"product_retailer_id": "bell", "quantity": 2}]}
# What is asked → type of the message, and the part of it that the form makes.
FORMS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"text": "hi"}, "text", {"text": {"body": "hi"}}),
    ({"location": [52.5, 13.4]}, "location", {"location": {"latitude": 52.5, "longitude": 13.4}}),
    (
        {"location": {"latitude": 1, "longitude": 2, "name": "Café"}},
        "location",
        {"location": {"latitude": 1, "longitude": 2, "name": "Café"}},
    ),
    (
        {"contacts": [{"name": "Bob Lee", "phone": "+49 1573", "origin": "contact_request"}]},
        "contacts",
        {
            "contacts": [
                {
                    "name": {"formatted_name": "Bob Lee", "first_name": "Bob"},
                    "phones": [{"phone": "+49 1573", "type": "CELL", "wa_id": "491573"}],
                    "origin": "contact_request",
                }
            ]
        },
    ),
    ({"react": "wamid.T", "emoji": "👍"}, "reaction", {"reaction": {"message_id": "wamid.T", "emoji": "👍"}}),
    ({"reaction": {"message_id": "wamid.T", "emoji": ""}}, "reaction", {"reaction": {"message_id": "wamid.T", "emoji": ""}}),
    ({"reaction": {"message_id": "wamid.T", "emoji": None}}, "reaction", {"reaction": {"message_id": "wamid.T"}}),
    ({"button": "Yes", "payload": "P"}, "button", {"button": {"text": "Yes", "payload": "P"}}),
    (
        {"button_reply": {"id": "a", "title": "A"}},
        "interactive",
        {"interactive": {"type": "button_reply", "button_reply": {"id": "a", "title": "A"}}},
    ),
    (
        {"list_reply": {"id": "a", "title": "A", "description": "D"}},
        "interactive",
        {"interactive": {"type": "list_reply", "list_reply": {"id": "a", "title": "A", "description": "D"}}},
    ),
    (
        {"nfm_reply": {"response": {"flow_token": "t", "name": "Zoë"}}},
        "interactive",
        {
            "interactive": {
                "type": "nfm_reply",
                "nfm_reply": {"name": "flow", "body": "Sent", "response_json": '{"flow_token": "t", "name": "Zoë"}'},
            }
        },
    ),
    (
        {"call_permission_reply": "reject"},
        "interactive",
        {
            "interactive": {
                "type": "call_permission_reply",
                "call_permission_reply": {"response": "reject", "response_source": "user_action"},
            }
        },
    ),
    (
        {"type": "interactive", "errors": [{"code": 131000, "title": "Something went wrong"}]},
        "interactive",
        {"errors": [{"code": 131000, "title": "Something went wrong"}]},
    ),
    (
        {"order": ORDER},
        "order",
        {
            "order": {
                "catalog_id": "C1",
                "product_items": [{"item_price": 10, "currency": "EUR", "product_retailer_id": "bell", "quantity": 2}],
            }
        },
    ),
    ({"unsupported": "poll_creation"}, "unsupported", {"unsupported": {"type": "poll_creation"}}),
    ({"type": "unsupported", "code": 131060}, "unsupported", {}),
    (
        {"edit": "wamid.T", "text": "new"},
        "edit",
        {"edit": {"original_message_id": "wamid.T", "message": {"type": "text", "text": {"body": "new"}}}},
    ),
    ({"revoke": "wamid.T"}, "revoke", {"revoke": {"original_message_id": "wamid.T"}}),
    ({"request_welcome": True}, "request_welcome", {}),
    ({"text": "hi", "forwarded": True}, "text", {"context": {"forwarded": True}}),
    ({"text": "hi", "forwarded": "frequently"}, "text", {"context": {"frequently_forwarded": True}}),
    (
        {"text": "hi", "product": {"catalog_id": "C", "product_retailer_id": "P"}},
        "text",
        {"context": {"referred_product": {"catalog_id": "C", "product_retailer_id": "P"}}},
    ),
    ({"text": "hi", "reply_to": "wamid.T"}, "text", {"context": {"id": "wamid.T"}}),
    ({"text": "hi", "group_id": "G1"}, "text", {"group_id": "G1"}),
    ({"type": "hologram", "hologram": {"depth": 3}}, "hologram", {"hologram": {"depth": 3}}),
    ({"type": "ephemeral"}, "ephemeral", {}),
]


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


async def test_every_form_makes_metas_object(stage: Stage) -> None:
    """Each short form arrives as the object of cloud-api §8, from that customer, and is read by the parser without a rest."""
    for asked, kind, part in FORMS:
        outcome = await stage.control("inbound", **{"from": CUSTOMER, **asked})
        message = stage.hub.values("messages")[-1]

        assert outcome["delivered"], asked
        assert (message["type"], message["from"], message["id"]) == (kind, CUSTOMER, outcome["wamid"]), asked
        assert {key: message[key] for key in part} == part
        assert any(isinstance(one, IncomingMessage) for one in parse(stage.hub.bodies[-1])), asked
    assert {code["code"] for one in stage.hub.values("messages") if one["type"] == "unsupported" for code in one["errors"]} == {
        131051,
        131060,
    }


async def test_files_have_their_flags(stage: Stage) -> None:
    """A voice note, an animated sticker, a named document and a picture with a caption are told as such, each with a real file."""
    await stage.control("inbound", **{"from": CUSTOMER, "type": "audio"})
    await stage.control("inbound", **{"from": CUSTOMER, "audio": {"voice": False}})
    await stage.control("inbound", **{"from": CUSTOMER, "sticker": {}, "animated": True})
    await stage.control("inbound", **{"from": CUSTOMER, "document": {"filename": "a/b.pdf"}, "text": "see"})
    await stage.control("inbound", **{"from": CUSTOMER, "image": {"base64": "iVBORw0KGgo=", "mime": "image/png", "caption": "c"}})
    voice, plain, sticker, document, image = stage.hub.values("messages")

    assert (voice["audio"]["voice"], plain["audio"]["voice"], sticker["sticker"]["animated"]) == (True, False, True)
    assert (document["document"]["filename"], document["document"]["caption"]) == ("a/b.pdf", "see")
    assert (image["image"]["caption"], image["image"]["mime_type"]) == ("c", "image/png")
    assert "base64" not in image["image"]


async def test_referral_and_system(stage: Stage) -> None:
    """A click on an ad is told with its referral; a system message opens no window and has no contacts."""
    await stage.control("inbound", **{"from": CUSTOMER, "text": "hi", "referral": True})
    await stage.control("inbound", **{"from": "4915730000099", "system": {"type": "user_changed_number", "body": "b", "wa_id": "1"}})
    first, second = (json.loads(body)["entry"][0]["changes"][0]["value"] for body in stage.hub.bodies)
    customers = (await stage.ask("customers"))["customers"]

    assert first["messages"][0]["referral"]["source_type"] == "ad"
    assert "contacts" not in second
    assert [one["windows"] for one in customers] == [{NUMBER: True}, {}]


async def test_taps_make_the_right_reply(stage: Stage) -> None:
    """A tap on a button, a row, a quick reply, a form or a request answers as WhatsApp does, quoting what was tapped."""
    await stage.write()
    buttons = {
        "type": "button",
        "body": {"text": "?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": f"b{n}", "title": f"B{n}"}} for n in (0, 1)]},
    }
    rows = [{"id": "r0", "title": "R0"}, {"id": "r1", "title": "R1", "description": "D"}]
    listed = {"type": "list", "body": {"text": "?"}, "action": {"button": "Open", "sections": [{"title": "S", "rows": rows}]}}
    place = {"type": "location_request_message", "body": {"text": "?"}, "action": {"name": "send_location"}}
    flow = {
        "type": "flow",
        "body": {"text": "?"},
        "action": {"name": "flow", "parameters": {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Go", "flow_token": "tok"}},
    }
    wamids = [
        (await stage.send(type="interactive", interactive=interactive)).json()["messages"][0]["id"]
        for interactive in (buttons, listed, place, flow)
    ]
    text = (await stage.send("plain")).json()["messages"][0]["id"]

    for wamid, choice in zip(wamids, ({"button": 1}, {"row": "r1"}, {}, {"answer": {"size": "M"}}), strict=True):
        await stage.control("inbound", tap={"wamid": wamid, **choice})
    refused = await stage.http.post("/_control/inbound", json={"tap": {"wamid": text}})
    beyond = await stage.http.post("/_control/inbound", json={"tap": {"wamid": wamids[0], "button": 7}})
    unknown = await stage.http.post("/_control/inbound", json={"tap": {"wamid": "wamid.none"}})

    tapped = stage.hub.values("messages")[1:]
    assert [one["context"]["id"] for one in tapped] == wamids
    assert tapped[0]["interactive"] == {"type": "button_reply", "button_reply": {"id": "b1", "title": "B1"}}
    assert tapped[1]["interactive"]["list_reply"] == rows[1]
    assert tapped[2]["type"] == "location"
    assert json.loads(tapped[3]["interactive"]["nfm_reply"]["response_json"]) == {"flow_token": "tok", "size": "M"}
    assert (refused.status_code, beyond.status_code, unknown.status_code) == (400, 400, 404)
    assert "B0, B1" in beyond.json()["sentence"]


async def test_template_quick_reply(stage: Stage) -> None:
    """A template's quick reply carries the payload that was sent with it, else the button's own text."""
    made = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}, {"type": "QUICK_REPLY", "text": "No"}]}
    stage.world.templates.items[0]["components"] = [{"type": "BODY", "text": "Welcome"}, made]
    name, language = stage.world.templates.items[0]["name"], stage.world.templates.items[0]["language"]
    component = {"type": "button", "sub_type": "quick_reply", "index": "1", "parameters": [{"type": "payload", "payload": "NO-7"}]}
    template = {"name": name, "language": {"code": language}, "components": [component]}
    wamid = (await stage.send(type="template", template=template)).json()["messages"][0]["id"]

    await stage.control("inbound", tap={"wamid": wamid, "button": 1})
    await stage.control("inbound", tap={"wamid": wamid, "button": "Yes"})

    assert [one["button"] for one in stage.hub.values("messages")] == [{"text": "No", "payload": "NO-7"}, {"text": "Yes", "payload": "Yes"}]


async def test_anything_raw(stage: Stage) -> None:
    """A body that is no JSON, a value that is none of Meta's and a message of nonsense are posted and signed all the same."""
    await stage.control("inbound", raw="{broken")
    await stage.control("inbound", value={"x": [1]}, field="next_year")
    await stage.control("inbound", **{"from": CUSTOMER, "message": {"type": "text", "text": 7, "nonsense": None}})

    assert stage.hub.bodies[0] == b"{broken"
    assert json.loads(stage.hub.bodies[1])["entry"][0]["changes"][0] == {"value": {"x": [1]}, "field": "next_year"}
    assert json.loads(stage.hub.bodies[2])["entry"][0]["changes"][0]["value"]["messages"][0]["text"] == 7
    assert all(stage.hub.signed())


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"txet": "hi"}, "text"),
        ({"locatoin": [1, 2]}, "location"),
        ({"location": {"lat": 1}}, "latitude"),
        ({"location": [1]}, "latitude"),
        ({"button_reply": {"id": "x"}}, "title"),
        ({"order": {"product_items": []}}, "catalog_id"),
        ({"reaction": {}}, "message_id"),
        ({"contacts": []}, "contacts"),
        ({"edit": "wamid.T"}, "text"),
        ({"revoke": True}, "revoke"),
        ({"type": "image", "media": "?"}, "base64"),
    ],
)
def test_slips_are_told(asked: dict[str, Any], word: str) -> None:
    """A wrong key or a missing part is refused in a sentence that names what is right."""
    with pytest.raises(BadInput, match=word):
        told_of(asked)


def told_of(asked: dict[str, Any]) -> dict[str, Any]:
    refuse_slips(asked, (*forms.FORMS, *forms.MODIFIERS))
    return forms.content_of(asked)
