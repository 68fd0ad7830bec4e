"""`/{number}/message_history`: the states of a message and whether its webhooks arrived; never what was in it (cloud-api §2)."""

from datetime import datetime

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, word
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.paging import page
from wabiz_tui.simulator.refusals import no_object
from wabiz_tui.simulator.webhooks.delivery import Delivery
from wabiz_tui.simulator.world import Sent, World

_STATES = {"sent": "SENT", "delivered": "DELIVERED", "read": "READ", "played": "READ", "failed": "FAILED"}
_PREFIX = "77"


async def listed(call: Call) -> Json:
    wanted, world = call.word("message_id"), call.world
    rows = [
        {"id": history_id(index), "sent": sent}
        for index, sent in world.sent.numbered()
        if sent.number == call.node and wanted in ("", sent.wamid)
    ]
    told = _deliveries(world)

    def show(row: Json) -> Json:
        sent: Sent = row["sent"]
        return {"id": row["id"], "message_id": sent.wamid, "events": {"data": _events(world, row["id"], sent, told)}}

    return page(call, rows, lambda row: word(row["id"]), show=show)


async def events(call: Call) -> Json:
    """`GET /{message history}/events`."""
    states = set(_STATES.values())
    wanted = call.word("status_filter")
    if wanted and wanted not in states:
        raise graph_error(100, "Param status_filter must be one of {" + ", ".join(sorted(states)) + "}")
    sent = sent_of(call.world, call.node)
    if sent is None:
        raise no_object(call.node)
    rows = [row for row in _events(call.world, call.node, sent, _deliveries(call.world)) if wanted in ("", row["delivery_status"])]
    nodes = [{"node": {**row, "occurrence_timestamp": row["timestamp"], "status_timestamp": row["timestamp"]}} for row in rows]
    return page(call, nodes, lambda row: word(row["node"]["id"]))


def _deliveries(world: World) -> dict[str, Delivery]:
    """By what they tell: `WAMID STATUS`. One walk through the log for a whole page."""
    return {name: delivery for delivery in world.courier.deliveries for name in delivery.ids}


def history_id(index: int) -> str:
    return f"{_PREFIX}{index:012d}"


def sent_of(world: World, name: str) -> Sent | None:
    """The send a history id stands for."""
    if not name.startswith(_PREFIX) or len(name) != 14 or not (name.isascii() and name.isdecimal()):
        return None
    return world.sent.at(int(name[len(_PREFIX) :]))


def is_history(world: World, name: str) -> bool:
    return sent_of(world, name) is not None


def _events(world: World, name: str, sent: Sent, told: dict[str, Delivery]) -> list[Json]:
    callback = world.courier.callback
    rows: list[Json] = []
    for place, status in enumerate(sent.statuses):
        state = _STATES.get(word(status["status"]))
        if state is None:
            continue
        row: Json = {
            "id": f"{name}{place:02d}",
            "delivery_status": state,
            "timestamp": int(datetime.fromisoformat(word(status["at"])).timestamp()),
            "application": {"id": world.options.app_id},
            "webhook_update_state": _update_state(told.get(f"{sent.wamid} {word(status['status'])}")),
        }
        if callback is not None:
            row["webhook_uri"] = callback.url
        if "code" in status:
            row["error_description"] = f"Failed with {status['code']}"
        rows.append(row)
    return rows


def _update_state(delivery: Delivery | None) -> str:
    if delivery is None or not (delivery.attempts or delivery.is_dropped):
        return "PENDING"
    if delivery.is_dropped:
        return "FAILED"
    return "DELIVERED" if delivery.is_delivered else "RETRYING"
