"""`/{number}/message_history`: the states of a message and whether its webhooks arrived; never what was in it (cloud-api §2)."""

from datetime import datetime

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, word
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.paging import page
from wabiz_tui.simulator.world import Sent, World

_STATES = {"sent": "SENT", "delivered": "DELIVERED", "read": "READ", "played": "READ", "failed": "FAILED"}
_PREFIX = "77"


async def listed(call: Call) -> Json:
    wanted = call.word("message_id")
    rows = [
        {"id": history_id(index), "message_id": sent.wamid, "events": {"data": _events(call.world, index, sent)}}
        for index, sent in enumerate(call.world.sent)
        if sent.number == call.node and wanted in ("", sent.wamid)
    ]
    return page(call, rows, lambda row: word(row["id"]))


async def events(call: Call) -> Json:
    """`GET /{message history}/events`."""
    index = index_of(call.world, call.node)
    states = set(_STATES.values())
    wanted = call.word("status_filter")
    if wanted and wanted not in states:
        raise graph_error(100, "Param status_filter must be one of {" + ", ".join(sorted(states)) + "}")
    rows = [row for row in _events(call.world, index or 0, call.world.sent[index or 0]) if wanted in ("", row["delivery_status"])]
    nodes = [{"node": {**row, "occurrence_timestamp": row["timestamp"], "status_timestamp": row["timestamp"]}} for row in rows]
    return page(call, nodes, lambda row: word(row["node"]["id"]))


def history_id(index: int) -> str:
    return f"{_PREFIX}{index:012d}"


def index_of(world: World, name: str) -> int | None:
    """Which send a history id stands for."""
    if not name.startswith(_PREFIX) or len(name) != 14 or not name.isdecimal():
        return None
    index = int(name[len(_PREFIX) :])
    return index if index < len(world.sent) else None


def is_history(world: World, name: str) -> bool:
    return index_of(world, name) is not None


def _events(world: World, index: int, sent: Sent) -> list[Json]:
    callback = world.courier.callback
    rows: list[Json] = []
    for place, status in enumerate(sent.statuses):
        state = _STATES.get(word(status["status"]))
        if state is None:
            continue
        row: Json = {
            "id": f"{history_id(index)}{place:02d}",
            "delivery_status": state,
            "timestamp": int(datetime.fromisoformat(word(status["at"])).timestamp()),
            "application": {"id": world.options.app_id},
            "webhook_update_state": _update_state(world, f"{sent.wamid} {word(status['status'])}"),
        }
        if callback is not None:
            row["webhook_uri"] = callback.url
        if "code" in status:
            row["error_description"] = f"Failed with {status['code']}"
        rows.append(row)
    return rows


def _update_state(world: World, name: str) -> str:
    delivery = next((one for one in reversed(world.courier.deliveries) if name in one.ids), None)
    if delivery is None or delivery.is_dropped or (delivery.status is None and not delivery.attempts):
        return "PENDING" if delivery is None or not delivery.is_dropped else "FAILED"
    return "DELIVERED" if delivery.is_delivered else "RETRYING"
