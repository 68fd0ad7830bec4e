"""`POST /{number}/messages`: send, mark read, show that an answer is being written (cloud-api §3)."""

import asyncio

from wabiz_tui.graph.errors import graph_error, meaning
from wabiz_tui.graph.reading import Json
from wabiz_tui.graph.requests import ReadRequest, SendRequest, parse_request
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import Template
from wabiz_tui.model.errors import CloudError
from wabiz_tui.simulator.account.sending import accept, mark_read
from wabiz_tui.simulator.endpoints.call import Call, decoded
from wabiz_tui.simulator.endpoints.gate import Cut
from wabiz_tui.simulator.world import World

_TEXTS = ("to", "recipient", "type", "biz_opaque_callback_data", "message_id", "status")


def _body(call: Call) -> bytes:
    """Graph takes an object or a list also written out as text; some clients send the contents so."""
    return encode({key: value if key in _TEXTS else decoded(value) for key, value in call.given.items()})


async def messages(call: Call) -> Json:
    world, now = call.world, call.world.now()
    if (late := world.faults.take("latency", now)) is not None:
        await asyncio.sleep(late.number("seconds", 1.0))
    await _fail_before(world)
    asked = parse_request(_body(call))
    if isinstance(asked, ReadRequest):
        return mark_read(world, call.node, asked)
    return await _sent(call, asked)


async def marketing_messages(call: Call) -> Json:
    """The Marketing Messages API: the same body, for marketing templates only."""
    asked = parse_request(_body(call))
    if isinstance(asked, ReadRequest) or not isinstance(asked.content, Template):
        raise graph_error(131055, "Only marketing template messages can be sent through the Marketing Messages API")
    return await _sent(call, asked, is_marketing_api=True)


async def _sent(call: Call, asked: SendRequest, *, is_marketing_api: bool = False) -> Json:
    world, now = call.world, call.world.now()
    outcome = accept(world, call.node, asked, is_marketing_api=is_marketing_api)
    for hear in world.on_sent:
        await hear(outcome.sent)
    if (fault := world.faults.take("timeout", now, when="after")) is not None:
        await _never_answer(fault.number("seconds", 120.0))
    if world.faults.take("cut", now, when="after") is not None:
        raise Cut
    return outcome.answer


async def _fail_before(world: World) -> None:
    """Faults that strike before the message is accepted."""
    now = world.now()
    if world.faults.take("cut", now, when="before") is not None:
        raise Cut
    if (fault := world.faults.take("timeout", now, when="before")) is not None:
        await _never_answer(fault.number("seconds", 120.0))
    if (fault := world.faults.take("http_error", now)) is not None:
        code = int(fault.number("code", fault.number("error_code", 131000)))
        status = int(fault.number("status", fault.number("http_status", meaning(code).http_status)))
        raise CloudError("asked for", graph_code=code, http_status=status, details=fault.word("details"))
    if (fault := world.faults.take("fail_next", now)) is not None:
        raise graph_error(int(fault.number("code", fault.number("error_code", 131026))), fault.word("details"))


async def _never_answer(seconds: float) -> None:
    await asyncio.sleep(seconds)
    raise Cut
