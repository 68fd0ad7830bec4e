"""What the business is told of a message it sent: which statuses, when, and in what words."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from wabiz_tui.graph.errors import meaning
from wabiz_tui.graph.reading import Json, object_of, word
from wabiz_tui.graph.requests import SendRequest
from wabiz_tui.model.content import Audio, Reaction
from wabiz_tui.simulator.customers.people import WINDOW, Customer
from wabiz_tui.simulator.webhooks.envelope import rfc3339, seconds
from wabiz_tui.simulator.world import Sent, World

NOT_ON_WHATSAPP = 131026
KEPT_FOR = timedelta(days=30)
"""How long a message waits for a phone that is off; then it is dropped, and nothing tells of it (cloud-api §3.1)."""
_USUAL = (("sent", 0.2, 0.5), ("delivered", 0.5, 1.5), ("read", 1.0, 4.0))


def plan_statuses(world: World, sent: Sent, request: SendRequest, failure: int | None, template: Json | None) -> None:
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
    if (fault := world.faults.take("failed_after_sent", world.now())) is not None:
        steps = steps[:1]
        code = int(fault.number("code", fault.number("error_code", 131026)))
        _later(world, sent, "failed", steps[0][1] + fault.number("seconds", 5.0), category, code=code)
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
        if state == "sent" or code is not None or sent.customer.is_online:
            tell_status(world, sent, state, category=category, code=code)
        else:
            sent.customer.waiting.append(act_when_on)

    def act_when_on() -> None:
        if world.now() - sent.at <= KEPT_FOR:
            tell_status(world, sent, state, category=category)

    world.timeline.after(after * world.settings.pace, act)


def _contact(customer: Customer, state: str, code: int | None) -> Json:
    """`sent` names no username (cloud-api §9). A failure names nobody, and a number that is not on WhatsApp has no user id: so Meta
    tells it since August 2026 (pywa issue 227), where its page of February had no contacts at all."""
    contact = customer.contact()
    if state == "sent":
        object_of(contact.get("profile")).pop("username", None)
    if code is not None:
        shown = ("wa_id",) if code == NOT_ON_WHATSAPP else ("wa_id", "user_id")
        contact = {key: contact[key] for key in shown if key in contact}
    return contact


def _conversation(sent: Sent, state: str, category: str, moment: datetime) -> Json:
    """As before v24: in each status, an id per message; its end only with `sent` (cloud-api §9)."""
    name = hashlib.sha256(f"conversation {sent.wamid}".encode()).hexdigest()[:32]
    end = {"expiration_timestamp": seconds(moment + WINDOW)} if state == "sent" else {}
    return {"id": name, **end, "origin": {"type": category}}


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
    if contact := _contact(customer, state, code):
        value = {"contacts": [contact], **value}
    if state in ("sent", "delivered"):
        kind = "free_customer_service" if category == "service" else "regular"
        status["pricing"] = {"billable": kind == "regular", "pricing_model": "PMP", "type": kind, "category": category}
    if world.settings.shape == "v23" and code is None:
        status["conversation"] = _conversation(sent, state, category, moment)
    sent.statuses.append({"status": state, "at": rfc3339(moment), **({"code": code} if code is not None else {})})
    return world.courier.tell([world.told(sent.number, value, "statuses")])
