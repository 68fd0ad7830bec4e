"""Tell what happens to the account, its numbers and its people: every webhook field besides `messages`."""

from wabiz_tui.graph.reading import Json, object_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.outcome import number_asked, outcome_of
from wabiz_tui.simulator.customers.people import Customer, digits_of
from wabiz_tui.simulator.webhooks.account_events import EVENTS, event_of
from wabiz_tui.simulator.webhooks.envelope import Told
from wabiz_tui.simulator.world import World

_HOW = ("field", "from", "phone", "user_id", "number", "phone_number_id", "wait", "timeout", "waba", "value", "set")


async def post_event(world: World, asked: Json) -> Json:
    """`field` and, if its value is not the usual one, single keys of it (or all of it as `value`)."""
    field = word(asked.get("field"))
    if not field:
        raise BadInput(f"Name the webhook field: `field`. Short forms: {', '.join(EVENTS)}.")
    number = number_asked(world, asked)
    if isinstance(asked.get("value"), dict):
        told = Told(waba=word(asked.get("waba")) or world.options.waba_id, field=field, value=asked["value"])
    else:
        keys = {key: value for key, value in asked.items() if key not in _HOW} | object_of(asked.get("set"))
        told = event_of(world, field, number, _customer(world, asked), keys)
    return await outcome_of(world, asked, world.courier.tell([told]), wamid=None)


def _customer(world: World, asked: Json) -> Customer | None:
    phone, user_id = digits_of(word(asked.get("from")) or word(asked.get("phone"))), word(asked.get("user_id"))
    return world.people.meet(wa_id=phone or None, user_id=user_id or None) if phone or user_id else None
