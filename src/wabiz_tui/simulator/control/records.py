"""Read what happened, and wait for it."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from wabiz_tui.graph.reading import Json, list_of, number_of
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.asked import refuse_slips
from wabiz_tui.simulator.control.callback import callback_of
from wabiz_tui.simulator.control.clock import clock_of
from wabiz_tui.simulator.control.customer import customer_row
from wabiz_tui.simulator.control.outcome import patience_of
from wabiz_tui.simulator.control.times import read_time
from wabiz_tui.simulator.customers.people import digits_of
from wabiz_tui.simulator.switches import settings_of
from wabiz_tui.simulator.webhooks.delivery import KEPT, Delivery
from wabiz_tui.simulator.world import Sent, World

_LOOK_EVERY = 0.02
_MOST_BODIES = 1000
_MOST_CUSTOMERS = 1000
_COMMON = ("wait", "count", "limit", "since", "after", "number")


async def sent_rows(world: World, request: Request) -> Json:
    """Accepted sends, oldest first; with `wait` not before `count` of them match."""
    asked = _query(request, (*_COMMON, "wamid", "to", "type", "status", "text"))
    since, to, after = read_time(world, asked.get("since")), digits_of(asked.get("to", "")), _whole(asked, "after", 0)

    def wanted(one: Sent) -> bool:
        if to and to not in (one.customer.wa_id, digits_of(one.to or "")) and asked["to"] != one.customer.user_id:
            return False
        told = one.describe() if "status" in asked or "text" in asked else {}
        pairs = (("wamid", one.wamid), ("number", one.number), ("type", one.body.get("type", "text")), ("status", told.get("status")))
        if any(asked.get(key, value) != value for key, value in pairs):
            return False
        return (since is None or one.at >= since) and asked.get("text", "") in (told.get("text") or "")

    rows = await _awaited(asked, lambda: [one for one in world.sent.since(after) if wanted(one)])
    return {"sent": [one.describe() for one in rows[-_limit(asked, KEPT) :]], "count": len(rows), "position": world.sent.told}


async def delivery_rows(world: World, request: Request) -> Json:
    """Every POST of a webhook, oldest first; with `wait` not before `count` of them match."""
    asked = _query(request, (*_COMMON, "body", "wamid", "field", "type", "delivered", "id"))
    since, after = read_time(world, asked.get("since")), _whole(asked, "after", 0)
    with_body = asked.get("body") in ("1", "true")

    def wanted(one: Delivery) -> bool:
        if one.name <= after or (since is not None and one.at < since):
            return False
        kinds = {*one.kinds, *one.fields}
        if any(key in asked and asked[key] not in kinds for key in ("field", "type")):
            return False
        if "wamid" in asked and not any(name.split(" ")[0] == asked["wamid"] for name in one.ids):
            return False
        is_named = asked.get("id", str(one.name)) == str(one.name) and asked.get("number", one.number) == one.number
        return is_named and asked.get("delivered", _flag(one.is_delivered)) in (_flag(one.is_delivered), str(int(one.is_delivered)))

    rows = await _awaited(asked, lambda: [one for one in world.courier.deliveries if wanted(one)])
    shown = rows[-_limit(asked, _MOST_BODIES if with_body else KEPT) :]
    return {
        "deliveries": [one.describe(with_body=with_body) for one in shown],
        "count": len(rows),
        "undelivered": sum(not one.is_settled for one in world.courier.deliveries),
        "position": world.courier.deliveries.told,
    }


async def read_rows(world: World, request: Request) -> Json:
    """What was marked as read, and typing indicators."""
    asked = _query(request, (*_COMMON, "wamid"))
    after = _whole(asked, "after", 0)
    rows = await _awaited(
        asked, lambda: [one for one in world.reads.since(after) if asked.get("wamid", one["message_id"]) == one["message_id"]]
    )
    return {"reads": rows[-_limit(asked, KEPT) :], "count": len(rows), "position": world.reads.told}


def state_of(world: World, _: Request) -> Json:
    """Everything else at a glance; of more than a thousand customers the newest."""
    now = world.now()
    people = world.people.all()
    told = callback_of(world)
    return {
        **clock_of(world),
        "waba_id": world.options.waba_id,
        "phone_number_ids": list(world.options.phone_number_ids),
        "business": world.business,
        "callback": told["callback"],
        "overrides": told["overrides"],
        "fields": told["fields"],
        "settings": settings_of(world),
        "faults": world.faults.describe(now),
        "customers": [customer_row(world, one) for one in people[-_MOST_CUSTOMERS:]],
        "people": len(people),
        "incoming": world.incoming,
        "sent": world.sent.told,
        "deliveries": len(world.courier.deliveries),
        "undelivered": sum(not one.is_settled for one in world.courier.deliveries),
        "media": len(world.media),
        "templates": [
            {"name": one["name"], "language": one["language"], "status": one["status"]} for one in list_of(world.templates.items)
        ],
    }


async def _awaited(asked: dict[str, str], look: Callable[[], list[Any]]) -> list[Any]:
    """What matches; with `wait`, as soon as `count` (1) match, at the latest when it is over."""
    wanted = _whole(asked, "count", 1)
    deadline = asyncio.get_running_loop().time() + patience_of(dict(asked), "wait", 0.0)
    rows = look()
    while len(rows) < wanted and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_LOOK_EVERY)
        rows = look()
    return rows


def _query(request: Request, valid: tuple[str, ...]) -> dict[str, str]:
    asked = dict(request.query_params)
    refuse_slips(dict(asked), valid)
    return asked


def _limit(asked: dict[str, str], most: int) -> int:
    return max(1, min(_whole(asked, "limit", most), most))


def _whole(asked: dict[str, str], key: str, usual: int) -> int:
    number = number_of(asked.get(key)) if key in asked else float(usual)
    if number is None or number < 0:
        raise BadInput(f"`{key}` is a number not below 0.")
    return int(number)


def _flag(value: bool) -> str:
    return "true" if value else "false"
