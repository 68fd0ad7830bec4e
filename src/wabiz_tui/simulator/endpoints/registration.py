"""`/{number}/register` and what belongs to it: the code that proves a number, the PIN that guards it (cloud-api §2)."""

import re

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.numbers import number_of_call


async def register(call: Call) -> Json:
    call.product()
    number_of_call(call).register(call.required("pin"), call.world.now())
    return {"success": True}


async def deregister(call: Call) -> Json:
    number_of_call(call).deregister(call.world.now())
    return {"success": True}


async def request_code(call: Call) -> Json:
    if call.required("code_method") not in ("SMS", "VOICE"):
        raise graph_error(100, "Param code_method must be one of {SMS, VOICE}")
    if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", call.required("language")):
        raise graph_error(100, "Param language must be a locale such as en_US.")
    number_of_call(call).request_code()
    return {"success": True}


async def verify_code(call: Call) -> Json:
    number_of_call(call).verify(call.required("code").replace("-", ""))
    return {"success": True, "id": call.node}
