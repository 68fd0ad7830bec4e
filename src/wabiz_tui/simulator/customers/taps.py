"""A customer taps what the business sent: the reply that WhatsApp makes of a button, a row, a quick reply or a form."""

import json
from collections.abc import Sequence

from wabiz_tui.graph.reading import Json, list_of, number_of, object_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.world import Sent, World


def tapped(sent: Sent, choice: object, world: World, *, answer: Json | None = None) -> Json:
    """The content of the reply, quoting `sent`. `choice` counts from 0, or is the id, title or payload of what is tapped; `answer` is
    what was filled in where it is a form. Raises BadInput where there is nothing to tap."""
    context: Json = {"from": world.display(sent.number), "id": sent.wamid}
    return {"context": context, **_reply(sent, choice, world, answer or {})}


def _reply(sent: Sent, choice: object, world: World, answer: Json) -> Json:
    if sent.body.get("type") == "template":
        return _quick_reply(sent, choice, world)
    if sent.body.get("type") != "interactive":
        raise BadInput(f"There is nothing to tap in a message of type {word(sent.body.get('type')) or 'text'}.")
    told = object_of(sent.body.get("interactive"))
    action, kind = object_of(told.get("action")), word(told.get("type"))
    if kind == "button":
        reply = object_of(_chosen([object_of(one).get("reply") for one in list_of(action.get("buttons"))], choice))
        return _interactive("button_reply", {"id": reply.get("id"), "title": reply.get("title")})
    if kind == "list":
        rows = [row for section in list_of(action.get("sections")) for row in list_of(object_of(section).get("rows"))]
        return _interactive("list_reply", _chosen(rows, choice))
    if kind == "carousel":
        return _card_reply(action, choice)
    if kind in ("flow", "address_message"):
        token = word(object_of(action.get("parameters")).get("flow_token"))
        response = {**({"flow_token": token} if token else {}), **answer}
        return _interactive("nfm_reply", {"name": kind, "body": "Sent", "response_json": json.dumps(response, ensure_ascii=False)})
    if kind == "call_permission_request":
        response = "reject" if choice in ("reject", 1) else "accept"
        return _interactive("call_permission_reply", {"response": response, "response_source": "user_action"})
    if kind == "location_request_message":
        return {"type": "location", "location": {"latitude": 52.5163, "longitude": 13.3777, **answer}}
    if kind == "request_contact_info":
        phone = sent.customer.wa_id or ""
        name = {"formatted_name": sent.customer.name or phone, "first_name": sent.customer.name or phone}
        return {
            "type": "contacts",
            "contacts": [{"name": name, "phones": [{"phone": f"+{phone}", "wa_id": phone}], "origin": "contact_request"}],
        }
    raise BadInput(f"A tap on {kind or 'this message'} tells the business nothing: Meta sends no webhook for it.")


def _quick_reply(sent: Sent, choice: object, world: World) -> Json:
    """A template's quick reply: the payload is the sender's where one was sent, else the button's text."""
    told = object_of(sent.body.get("template"))
    language = word(object_of(told.get("language")).get("code"))
    known = next((one for one in world.templates.items if one.get("name") == told.get("name") and one.get("language") == language), Json())
    components = [object_of(one) for one in list_of(known.get("components"))]
    rows = [list_of(one.get("buttons")) for one in components if word(one.get("type")).upper() == "BUTTONS"]
    written = rows[0] if rows else []
    payloads = {
        int(number_of(one.get("index")) or 0): _first_payload(one)
        for one in (object_of(part) for part in list_of(told.get("components")))
        if word(one.get("type")).lower() == "button" and word(one.get("sub_type")).lower() == "quick_reply"
    }
    buttons: list[Json] = [
        {"text": word(button.get("text")), "payload": payloads.get(index) or word(button.get("text"))}
        for index, button in enumerate(object_of(one) for one in written)
        if word(button.get("type")).upper() in ("QUICK_REPLY", "")
    ]
    return {"type": "button", "button": _chosen(buttons, choice)}


def _first_payload(component: Json) -> str:
    parameters = list_of(component.get("parameters"))
    return word(object_of(parameters[0]).get("payload")) if parameters else ""


def _card_reply(action: Json, choice: object) -> Json:
    replies = [
        object_of(button).get("quick_reply", object_of(button).get("reply"))
        for card in list_of(action.get("cards"))
        for button in list_of(object_of(object_of(card).get("action")).get("buttons"))
    ]
    reply = _chosen(replies, choice)
    return _interactive("button_reply", {"id": reply.get("id"), "title": reply.get("title")})


def _chosen(choices: Sequence[object], choice: object) -> Json:
    rows = [object_of(one) for one in choices]
    if isinstance(choice, int) and not isinstance(choice, bool) and 0 <= choice < len(rows):
        return rows[choice]
    named = next(
        (row for row in rows if word(choice) and word(choice) in (row.get("id"), row.get("title"), row.get("text"), row.get("payload"))),
        None,
    )
    if named is None:
        names = [word(row.get("title")) or word(row.get("text")) for row in rows]
        raise BadInput("There is nothing to tap there." if not rows else f"Tap one of 0 to {len(rows) - 1}, or one of: {', '.join(names)}.")
    return named


def _interactive(kind: str, reply: Json) -> Json:
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}
