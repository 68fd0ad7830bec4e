"""Judge a send as Meta does, accept it, and tell later what became of it."""

from datetime import datetime
from typing import Any

import msgspec

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import check
from wabiz_tui.graph.reading import Json
from wabiz_tui.graph.requests import ReadRequest, SendRequest
from wabiz_tui.graph.responses import build_accepted
from wabiz_tui.model.content import Template
from wabiz_tui.simulator.account.judging import (
    Recipient,
    check_account,
    check_files,
    check_template_reach,
    failure_of,
    find_recipient,
)
from wabiz_tui.simulator.account.known import AGE, find_incoming
from wabiz_tui.simulator.account.template_life import hold
from wabiz_tui.simulator.webhooks.envelope import rfc3339
from wabiz_tui.simulator.webhooks.statuses import plan_statuses
from wabiz_tui.simulator.world import Sent, World

HELD = "held_for_quality_assessment"


class Outcome(msgspec.Struct, frozen=True):
    """The answer to a send, and the record of it."""

    answer: dict[str, Any]
    sent: Sent


def accept(world: World, number: str, request: SendRequest, *, is_marketing_api: bool = False) -> Outcome:
    """Accept a message and put its statuses on the timeline. Raises CloudError when it is refused at once."""
    now = world.now()
    world.own_number(number)
    check_account(world, number)
    check(request)
    if request.is_group:
        raise graph_error(131041, "The group is not known")
    recipient = find_recipient(world, number, request)
    template = world.templates.check(request.content, now) if isinstance(request.content, Template) else None
    if template is not None:
        check_template_reach(world, request, template, is_marketing_api=is_marketing_api)
    check_files(world, number, request)
    late = _late(world, number, recipient, template, now)
    world.rates.take(number, recipient.customer.key, now, per_second=world.account.numbers[number].per_second)
    sent = Sent(
        wamid=world.wamid(recipient.customer.wa_id or world.display(number), is_ours=True),
        number=number,
        to=request.to,
        customer=recipient.customer,
        body=request.original,
        at=now,
        callback_data=request.callback_data,
    )
    world.sent.append(sent)
    failure = failure_of(world, number, recipient, request, template) or late
    if failure is None and template is not None:
        _note_reach(world, number, recipient, now)
    return Outcome(_answer(sent, request, recipient, _status(world, sent, request, failure, template)), sent)


def _late(world: World, number: str, recipient: Recipient, template: Json | None, now: datetime) -> int | None:
    """The code of a closed window (131047) or a spent messaging limit (131048), which fails the message later, or refuses it at once in
    the mode `sync` (cloud-api §3.2, §11)."""
    if world.settings.window == "off" or recipient.customer.is_window_open(number, now):
        return None
    if template is None:
        code, details = 131047, "More than 24 hours have passed since the customer last replied to this number"
    elif not world.account.reach.is_within(recipient.customer.key, now):
        code = 131048
        details = f"The messaging limit {world.account.reach.tier} is reached: no more customers outside a window within 24 hours"
    else:
        return None
    if world.settings.window == "sync":
        raise graph_error(code, details)
    return code


def _note_reach(world: World, number: str, recipient: Recipient, now: datetime) -> None:
    """Whoever is reached outside a window counts towards the messaging limit."""
    if not recipient.customer.is_window_open(number, now):
        world.account.reach.note(recipient.customer.key, now)


def _status(world: World, sent: Sent, request: SendRequest, failure: int | None, template: Json | None) -> str | None:
    """What the answer says of a template send; the statuses are planned, or kept back by pacing."""

    def plan() -> None:
        plan_statuses(world, sent, request, failure, template)

    life = world.templates.life(template) if template is not None else None
    if template is None or life is None or failure is not None or life.held < 1:
        plan()
        return "accepted" if template is not None else None
    life.held -= 1
    hold(world, template, sent, plan)
    return HELD


def _answer(sent: Sent, request: SendRequest, recipient: Recipient, message_status: str | None) -> dict[str, Any]:
    return build_accepted(
        wamid=sent.wamid,
        input=request.to or request.recipient or "",
        wa_id=recipient.customer.wa_id if request.to is not None else None,
        user_id=recipient.customer.user_id if request.recipient is not None else None,
        message_status=message_status,
    )


def mark_read(world: World, number: str, request: ReadRequest) -> Json:
    """Also marks everything before it; no webhook follows. Raises CloudError 131009 for a message no customer wrote to this number, and
    for one older than 30 days."""
    world.own_number(number)
    check_account(world, number)
    known = find_incoming(world, request.message_id)
    if known is None or known.number not in ("", number):
        raise graph_error(131009, f"The parameter message_id names no message to this number: {request.message_id[:60]}")
    if world.now() - known.at > AGE:
        raise graph_error(131009, "The parameter message_id names a message older than 30 days")
    world.reads.append({"message_id": request.message_id, "number": number, "typing": request.typing, "at": rfc3339(world.now())})
    return {"success": True}
