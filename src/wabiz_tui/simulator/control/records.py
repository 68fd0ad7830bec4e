"""Read what happened."""

from starlette.requests import Request

from wabiz_tui.graph.reading import Json, list_of
from wabiz_tui.simulator.control.settings import settings_of
from wabiz_tui.simulator.webhooks.envelope import rfc3339
from wabiz_tui.simulator.world import World


def sent_rows(world: World, request: Request) -> Json:
    wanted = request.query_params.get("wamid")
    rows = [one.describe() for one in world.sent if wanted in (None, one.wamid)]
    return {"sent": rows, "count": len(rows)}


def delivery_rows(world: World, request: Request) -> Json:
    with_body = request.query_params.get("body") in ("1", "true")
    rows = [one.describe(with_body=with_body) for one in world.courier.deliveries]
    return {
        "deliveries": rows,
        "count": len(rows),
        "undelivered": sum(not one.is_delivered and not one.is_dropped for one in world.courier.deliveries),
    }


def state_of(world: World, _: Request) -> Json:
    callback = world.courier.callback
    now = world.now()
    customers = [
        {
            "wa_id": one.wa_id,
            "user_id": one.user_id,
            "name": one.name,
            "username": one.username,
            "hide_phone": one.is_phone_hidden,
            "windows": {number: one.is_window_open(number, now) for number in one.last_incoming},
        }
        for one in world.people.all()
    ]
    return {
        "now": rfc3339(now),
        "waba_id": world.options.waba_id,
        "phone_number_ids": list(world.options.phone_number_ids),
        "business": world.business,
        "callback": {"url": callback.url, "verified": callback.is_verified} if callback is not None else None,
        "settings": settings_of(world),
        "faults": world.faults.describe(now),
        "customers": customers,
        "incoming": world.incoming,
        "sent": len(world.sent),
        "deliveries": len(world.courier.deliveries),
        "media": len(world.media),
        "waiting": world.timeline.waiting,
        "templates": [
            {"name": one["name"], "language": one["language"], "status": one["status"]} for one in list_of(world.templates.items)
        ],
    }
