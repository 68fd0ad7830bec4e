"""`/{waba}/message_templates` and the templates themselves (cloud-api §5)."""

from wabiz_tui.graph.reading import Json, word
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.fields import parse_fields, shown
from wabiz_tui.simulator.endpoints.paging import page
from wabiz_tui.simulator.refusals import no_object

TYPE = "WhatsAppMessageTemplate"
FILTERS = ("name", "status", "category", "language")


async def listed(call: Call) -> Json:
    wanted = {key: call.word(key) for key in FILTERS if call.word(key)}
    items = [one for one in call.world.templates.items if all(one[key] == value for key, value in wanted.items())]
    fields = parse_fields(call.word("fields"))
    return page(call, items, lambda item: word(item["id"]), show=lambda item: shown(item, fields, tuple(item), TYPE))


async def look_up(call: Call) -> Json:
    found = next((one for one in call.world.templates.items if one["id"] == call.node), None)
    if found is None:
        raise no_object(call.node)
    return shown(found, parse_fields(call.word("fields")), tuple(found), TYPE)
