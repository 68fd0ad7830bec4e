"""Judge a send as Meta does, accept it, and tell later what became of it."""

from datetime import datetime
from typing import Any

import msgspec

from wabiz_tui.graph.errors import graph_error, meaning
from wabiz_tui.graph.limits import check
from wabiz_tui.graph.reading import Json, object_of, word
from wabiz_tui.graph.requests import ReadRequest, SendRequest
from wabiz_tui.graph.responses import build_accepted
from wabiz_tui.model.content import Audio, Reaction, Template
from wabiz_tui.simulator.customers.people import Customer, calling_code_of, canonical, dialled
from wabiz_tui.simulator.webhooks.envelope import rfc3339, seconds
from wabiz_tui.simulator.world import Sent, World

_USUAL = (("sent", 0.2, 0.5), ("delivered", 0.5, 1.5), ("read", 1.0, 4.0))


class Outcome(msgspec.Struct, frozen=True):
    """The answer to a send, and the record of it."""

    answer: dict[str, Any]
    sent: Sent


def accept(world: World, number: str, request: SendRequest) -> Outcome:
    """Accept a message and put its statuses on the timeline. Raises CloudError when it is refused at once."""
    now = world.now()
    world.own_number(number)
    check(request)
    customer, dialled_number = _recipient(world, number, request)
    template = world.templates.check(request.content) if isinstance(request.content, Template) else None
    _check_media(world, request, now)
    if dialled_number is not None and dialled_number == world.display(number):
        raise graph_error(131021, "The recipient is the sender")
    is_closed = template is None and world.settings.window != "off" and not customer.is_window_open(number, now)
    if is_closed and world.settings.window == "sync":
        raise graph_error(131047, "More than 24 hours have passed since the customer last replied to this number")
    world.rates.take(number, customer.key, now)
    sent = Sent(
        wamid=world.wamid(customer.wa_id or world.display(number), is_ours=True),
        number=number,
        to=request.to,
        customer=customer,
        body=request.original,
        at=now,
        callback_data=request.callback_data,
    )
    world.sent.append(sent)
    _plan(world, sent, request, _failure(world, sent, is_closed=is_closed), template)
    answer = build_accepted(
        wamid=sent.wamid,
        input=request.to or request.recipient or "",
        wa_id=customer.wa_id if request.to is not None else None,
        user_id=customer.user_id if request.recipient is not None else None,
        message_status="accepted" if template is not None else None,
    )
    return Outcome(answer, sent)


def mark_read(world: World, number: str, request: ReadRequest) -> Json:
    """Also marks everything before it; no webhook follows."""
    world.own_number(number)
    world.reads.append({"message_id": request.message_id, "number": number, "typing": request.typing, "at": rfc3339(world.now())})
    return {"success": True}


def _recipient(world: World, number: str, request: SendRequest) -> tuple[Customer, str | None]:
    """With both, `to` wins (cloud-api §3.1)."""
    if request.to is not None:
        digits = dialled(request.to, calling_code_of(world.display(number)), world.people)
        known = world.people.find(wa_id=digits)
        return known or world.people.meet(wa_id=canonical(digits)), digits
    known = world.people.find(user_id=request.recipient)
    if known is None:
        raise graph_error(131009, "The parameter recipient is not a user id of this portfolio")
    return known, None


def _check_media(world: World, request: SendRequest, now: datetime) -> None:
    name = word(object_of(request.original.get(request.type)).get("id"))
    if request.type in ("image", "video", "audio", "document", "sticker") and name and world.media.find(name, now) is None:
        raise graph_error(131009, f"The parameter {request.type}.id names no media: {name[:40]}")


def _failure(world: World, sent: Sent, *, is_closed: bool) -> int | None:
    """The code with which this message will fail after it was accepted."""
    customer, wa_id = sent.customer, sent.customer.wa_id
    fault = world.faults.find("fail_next", world.now())
    if fault is not None and fault.params.get("async"):
        world.faults.take("fail_next", world.now())
        return int(fault.number("code", fault.number("error_code", 131026)))
    if sent.number in customer.blocked_by:
        return 130403
    if not customer.is_reachable or (wa_id is not None and not 7 <= len(wa_id) <= 15):
        return 131026
    return 131047 if is_closed else None


def _plan(world: World, sent: Sent, request: SendRequest, failure: int | None, template: Json | None) -> None:
    """When which status is told. A reaction is only ever `sent`; with receipts off `delivered` is the last."""
    category = word(template.get("category")).lower() if template is not None else "service"
    if failure is not None:
        _later(world, sent, "failed", world.chance.uniform(0.3, 0.8), category, code=failure)
        return
    due = 0.0
    skips = world.faults.take("skip_delivered", world.now()) is not None
    steps: list[tuple[str, float]] = []
    for state, least, most in _USUAL:
        due += world.chance.uniform(least, most)
        if (state == "read" and not sent.customer.reads) or (state == "delivered" and skips):
            continue
        steps.append((state, due))
    if isinstance(request.content, Reaction):
        steps = steps[:1]
    if isinstance(request.content, Audio) and request.content.voice and sent.customer.reads:
        steps.append(("played", due + 3.0))
    if world.faults.take("late_statuses", world.now()) is not None:
        steps = [(state, when) for (state, _), (_, when) in zip(steps, reversed(steps), strict=True)]
    if world.faults.take("early_status", world.now()) is not None:
        tell_status(world, sent, "sent", category=category)
        steps = steps[1:]
    for state, when in steps:
        _later(world, sent, state, when, category)


def _later(world: World, sent: Sent, state: str, after: float, category: str, *, code: int | None = None) -> None:
    if not world.settings.statuses:
        return

    async def act() -> None:
        tell_status(world, sent, state, category=category, code=code)

    world.timeline.after(after * world.settings.pace, act)


def tell_status(
    world: World, sent: Sent, state: str, *, category: str = "service", code: int | None = None, at: datetime | None = None
) -> Any:
    """Post one status webhook; the delivery, or None when a fault keeps it back."""
    moment = at or world.now()
    customer = sent.customer
    status: Json = {"id": sent.wamid, "status": state, "timestamp": seconds(moment)}
    told = (("recipient_id", customer.shown_wa_id), ("recipient_user_id", customer.user_id))
    status |= {key: value for key, value in told if value}
    if sent.callback_data is not None:
        status["biz_opaque_callback_data"] = sent.callback_data
    value: Json = {"statuses": [status]}
    if code is not None:
        known = meaning(code)
        error: Json = {"code": code, "title": known.title, "message": known.title, "error_data": {"details": known.tell()}}
        status["errors"] = [{**error, "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"}]
    else:
        # Failed statuses have no contacts, and `sent` names no username (cloud-api §9).
        contact = customer.contact()
        if state == "sent":
            object_of(contact.get("profile")).pop("username", None)
        value = {"contacts": [contact], **value}
    if state in ("sent", "delivered"):
        kind = "free_customer_service" if category == "service" else "regular"
        status["pricing"] = {"billable": kind == "regular", "pricing_model": "PMP", "type": kind, "category": category}
        if world.settings.shape == "v23":
            status["conversation"] = {"id": f"{customer.key}-conversation", "origin": {"type": category}}
    sent.statuses.append({"status": state, "at": rfc3339(moment), **({"code": code} if code is not None else {})})
    return world.courier.tell([world.told(sent.number, value, "statuses")])
