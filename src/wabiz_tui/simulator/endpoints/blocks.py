"""`/{number}/block_users`: whom the business wants to hear nothing of (cloud-api §2)."""

from wabiz_tui.graph.errors import build_error, graph_error
from wabiz_tui.graph.reading import Json, list_of, object_of, word
from wabiz_tui.simulator.customers.people import Customer, digits_of
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.gate import Answer, json_response
from wabiz_tui.simulator.endpoints.paging import page

MOST = 64_000


async def blocked(call: Call) -> Json:
    people = [one for one in call.world.people.all() if call.node in one.blocked_by]
    return page(call, [_row(one) for one in people], lambda row: word(row.get("wa_id")) or word(row.get("user_id")))


async def block(call: Call) -> Answer:
    return _change(call, is_blocking=True)


async def unblock(call: Call) -> Answer:
    return _change(call, is_blocking=False)


def _row(person: Customer) -> Json:
    # `input` is on no page of Meta's for this list, and pywa reads it.
    name = person.shown_wa_id or person.user_id
    told = (("messaging_product", "whatsapp"), ("input", name), ("wa_id", person.shown_wa_id), ("user_id", person.user_id))
    return {key: value for key, value in told if value}


def _change(call: Call, *, is_blocking: bool) -> Answer:
    """Part of a list may fail: HTTP 400 with both lists and error 139100."""
    call.product()
    asked = list_of(call.given.get("block_users"))
    if not asked:
        raise graph_error(100, "The parameter block_users is required and must be a list of users.")
    done: list[Json] = []
    failed: list[Json] = []
    for item in asked:
        given = word(object_of(item).get("user_id")) or word(object_of(item).get("user"))
        person = call.world.people.find(wa_id=digits_of(given) or None, user_id=given or None)
        row: Json = {"input": given}
        if person is not None:
            row |= {key: value for key, value in (("wa_id", person.shown_wa_id), ("user_id", person.user_id)) if value}
        wrong = _obstacle(call, person, is_blocking=is_blocking)
        if wrong is not None or person is None:
            failed.append({**row, "errors": [wrong]})
            continue
        (person.blocked_by.add if is_blocking else person.blocked_by.discard)(call.node)
        done.append(row)
    lists: Json = {"added_users" if is_blocking else "removed_users": done}
    if not failed:
        return {"messaging_product": "whatsapp", "block_users": lists}
    error = build_error(139100, "Failed to block or unblock some users", call.world.trace())
    return json_response({"messaging_product": "whatsapp", "block_users": {**lists, "failed_users": failed}, **error}, 400)


def _obstacle(call: Call, person: Customer | None, *, is_blocking: bool) -> Json | None:
    """Only who wrote within 24 hours can be blocked, and only so many."""
    if person is None or not person.is_reachable:
        return _error(131026, "Message undeliverable", "The user is not on WhatsApp")
    if not is_blocking:
        return None
    if not person.is_window_open(call.node, call.world.now()):
        return _error(131047, "Re-engagement message", "Users can be blocked only if they wrote to the business in the last 24 hours")
    if sum(call.node in one.blocked_by for one in call.world.people.all()) >= MOST:
        return _error(139101, "Block list limit reached", f"At most {MOST} users can be blocked")
    return None


def _error(code: int, message: str, details: str) -> Json:
    return {"message": message, "code": code, "error_data": {"details": details}}
