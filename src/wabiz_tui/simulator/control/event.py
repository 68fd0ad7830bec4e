"""Tell what happens to the account, its numbers and its people: every webhook field besides `messages`."""

from wabiz_tui.graph.reading import Json, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.outcome import number_asked, outcome_of
from wabiz_tui.simulator.webhooks.account_events import EVENTS, event_asked
from wabiz_tui.simulator.world import World


async def post_event(world: World, asked: Json) -> Json:
    """`field` and, if its value is not the usual one, single keys of it (or all of it as `value`)."""
    field = word(asked.get("field"))
    if not field:
        raise BadInput(f"Name the webhook field: `field`. Short forms: {', '.join(EVENTS)}.")
    number = number_asked(world, asked)
    return await outcome_of(world, asked, world.courier.tell([event_asked(world, asked, number)]), wamid=None)
