"""Judge a send as Meta does, accept it, and tell later what became of it."""

from datetime import datetime
from typing import Any

import msgspec

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import check
from wabiz_tui.graph.reading import Json, object_of, word
from wabiz_tui.graph.requests import ReadRequest, SendRequest
from wabiz_tui.graph.responses import build_accepted
from wabiz_tui.model.content import Template
from wabiz_tui.simulator.customers.people import Customer, calling_code_of, canonical, dialled
from wabiz_tui.simulator.webhooks.envelope import rfc3339
from wabiz_tui.simulator.webhooks.statuses import plan_statuses
from wabiz_tui.simulator.world import Sent, World


class Outcome(msgspec.Struct, frozen=True):
    """The answer to a send, and the record of it."""

    answer: dict[str, Any]
    sent: Sent


def accept(world: World, number: str, request: SendRequest, *, is_marketing: bool = False) -> Outcome:
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
    plan_statuses(world, sent, request, _failure(world, sent, is_closed=is_closed), template)
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
    fault = world.faults.take("fail_later", world.now())
    if fault is not None:
        return int(fault.number("code", fault.number("error_code", 131026)))
    if sent.number in customer.blocked_by:
        return 130403
    if not customer.is_reachable or (wa_id is not None and not 7 <= len(wa_id) <= 15):
        return 131026
    return 131047 if is_closed else None
