"""Tell a status by hand."""

from wabiz_tui.graph.reading import Json, number_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.outcome import outcome_of
from wabiz_tui.simulator.control.times import read_time
from wabiz_tui.simulator.customers.people import Customer, digits_of
from wabiz_tui.simulator.webhooks.statuses import tell_status
from wabiz_tui.simulator.world import Sent, World


async def post_status(world: World, asked: Json) -> Json:
    wamid, state = word(asked.get("wamid")) or word(asked.get("id")), word(asked.get("status")) or word(asked.get("state"))
    if not wamid or not state:
        raise BadInput("Name the message and its state: `wamid` and `status`.")
    sent = world.sent.find(wamid)
    if sent is None:
        phone = digits_of(word(asked.get("to")) or word(asked.get("from")))
        number = word(asked.get("number")) or world.options.phone_number_ids[0]
        customer = world.people.meet(wa_id=phone) if phone else Customer(wa_id=None)
        sent = Sent(wamid, number, phone or None, customer, {}, world.now(), word(asked.get("callback_data")) or None)
    code = number_of(asked.get("error_code", asked.get("code")))
    if code is None and state == "failed":
        code = 131026
    delivery = tell_status(world, sent, state, code=int(code) if code is not None else None, at=read_time(world, asked.get("at")))
    return await outcome_of(world, asked, delivery, wamid=wamid)
