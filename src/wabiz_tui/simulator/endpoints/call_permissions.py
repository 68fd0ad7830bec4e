"""`/{number}/call_permissions`: whether somebody may be called, and may be asked (cloud-api §16).

The states are those of Meta's page on user call permissions, which pywa reads (`no_permission`, `temporary`, `permanent`); the OpenAPI
file has others (`granted`, `denied` …)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, object_of
from wabiz_tui.simulator.customers.people import Customer, digits_of
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.world import Sent

_ASKS = (("PT24H", timedelta(days=1), 1), ("P7D", timedelta(days=7), 2))
_CALLS_A_DAY = 10


async def look_up(call: Call) -> Json:
    """`user_wa_id` or `recipient` (a user id) names the person; nobody known is nobody who allowed it. Raises CloudError 100 without."""
    phone, user_id = digits_of(call.word("user_wa_id")), call.word("recipient")
    if not phone and not user_id:
        raise graph_error(100, "The parameter user_wa_id or recipient is required.")
    world, number = call.world, call.node
    customer = world.people.find(wa_id=phone or None, user_id=user_id or None)
    permission = _permission(customer, number, world.now())
    may_call = permission["status"] != "no_permission"
    asked = [one for one in world.sent if customer is not None and one.customer is customer and one.number == number and _is_request(one)]
    asks = [_limit(asked, world.now(), *one) for one in _ASKS]
    may_ask = permission["status"] != "permanent" and all(one["current_usage"] < one["max_allowed"] for one in asks)
    calls: Json = {"time_period": "PT24H", "max_allowed": _CALLS_A_DAY, "current_usage": 0}
    return {
        "messaging_product": "whatsapp",
        "permission": permission,
        "actions": [
            {"action_name": "send_call_permission_request", "can_perform_action": may_ask, "limits": asks},
            {"action_name": "start_call", "can_perform_action": may_call, "limits": [calls]},
        ],
    }


def _permission(customer: Customer | None, number: str, now: datetime) -> Json:
    if customer is None or number not in customer.calls_until:
        return {"status": "no_permission"}
    until = customer.calls_until[number]
    if until is None:
        return {"status": "permanent"}
    return {"status": "temporary", "expiration_time": int(until.timestamp())} if now < until else {"status": "no_permission"}


def _limit(asked: Sequence[Sent], now: datetime, period: str, length: timedelta, most: int) -> Json:
    counted = [one.at for one in asked if one.at > now - length]
    reset: Json = {"limit_expiration_time": int((counted[0] + length).timestamp())} if counted else {}
    return {"time_period": period, "max_allowed": most, "current_usage": len(counted), **reset}


def _is_request(sent: Sent) -> bool:
    return object_of(sent.body.get("interactive")).get("type") == "call_permission_request"
