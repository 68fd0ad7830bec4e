"""`/{waba}/message_templates` and the templates themselves (cloud-api §5)."""

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, list_of, word
from wabiz_tui.simulator.account.template_life import begin_review, tell_components, unpause
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.fields import parse_fields, shown
from wabiz_tui.simulator.endpoints.numbers import health_of_account
from wabiz_tui.simulator.endpoints.paging import page
from wabiz_tui.simulator.refusals import invalid

TYPE = "WhatsAppMessageTemplate"
_MORE = (
    "correct_category",
    "previous_category",
    "sub_category",
    "message_send_ttl_seconds",
    "library_template_name",
    "bid_spec",
    "cta_url_link_tracking_opted_out",
    "degrees_of_freedom_spec",
)
_LISTED = ("status", "category", "quality_score", "language")


async def listed(call: Call) -> Json:
    """`name` and `content` are sought inside, the others must be equal; each may be a list."""
    items = [one for one in call.world.templates.items if _is_asked_for(call, one)]
    fields = parse_fields(call.word("fields"))
    answer = page(call, items, lambda item: word(item["id"]), show=lambda item: shown(_whole(call, item), fields, tuple(item), TYPE))
    if "summary" in call.given:
        own = call.world.templates
        counts = {"total_count": len(items), "message_template_count": len(own.items), "message_template_limit": own.most}
        answer["summary"] = {**counts, "are_translations_complete": True}
    return answer


def _is_asked_for(call: Call, item: Json) -> bool:
    name, content = call.word("name") or call.word("name_or_content"), call.word("content")
    if name and name.lower() not in word(item["name"]):
        return False
    if content and content.lower() not in str(item["components"]).lower():
        return False
    for key in _LISTED:
        asked = call.given.get(key)
        wanted = [word(one).upper() for one in list_of(asked)] or [one.strip().upper() for one in word(asked).split(",") if one.strip()]
        actual = item[key]["score"] if key == "quality_score" else item[key]
        if wanted and word(actual).upper() not in wanted:
            return False
    return True


def _whole(call: Call, item: Json) -> Json:
    return {**dict.fromkeys(_MORE), "health_status": health_of_account(call.world), **item}


async def look_up(call: Call) -> Json:
    found = call.world.templates.get(call.node)
    return shown(_whole(call, found), parse_fields(call.word("fields")), tuple(found), TYPE)


async def create(call: Call) -> Json:
    """PENDING, and approved after a while; the review tells by webhook."""
    made = call.world.templates.create(call.given, call.world.now())
    begin_review(call.world, made)
    return {"id": made["id"], "status": made["status"], "category": made["category"]}


async def edit(call: Call) -> Json:
    found = call.world.templates.get(call.node)
    if not any(key in call.given for key in ("components", "category", "message_send_ttl_seconds")):
        raise graph_error(100, "One of components, category or message_send_ttl_seconds is required.")
    call.world.templates.edit(found, call.given, call.world.now())
    begin_review(call.world, found)
    if "components" in call.given:
        tell_components(call.world, found)
    return {"success": True, "id": found["id"], "name": found["name"], "category": found["category"]}


async def delete(call: Call) -> Json:
    """`DELETE /{waba}/message_templates?name=[&hsm_id=]`."""
    call.world.templates.delete(call.required("name"), call.word("hsm_id"), call.world.now())
    return {"success": True}


async def unpaused(call: Call) -> Json:
    if not unpause(call.world, call.world.templates.get(call.node)):
        invalid(2388094, "Template isn't paused", "Only a paused template can be unpaused.")
    return {"success": True}
