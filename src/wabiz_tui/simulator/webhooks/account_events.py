"""The webhook fields besides `messages`, each with a value as Meta sends it (cloud-api §10, §15, §16); named keys replace its own."""

from collections.abc import Callable

from wabiz_tui.graph.reading import Json, list_of, number_of, object_of, without, word
from wabiz_tui.model.document import nearest_name
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.customers.people import Customer, digits_of
from wabiz_tui.simulator.webhooks.envelope import Told, rfc3339, seconds
from wabiz_tui.simulator.world import World

Maker = Callable[[World, str, Customer | None, Json], Json]
_GROUP = "Y2FwaV9ncm91cDoxOTUwNTU1MDA3OToxMjAzNjMzOTQzMjAdOTY0MTUZD"
_ACCOUNT: dict[str, Json] = {
    "ACCOUNT_VIOLATION": {"violation_info": {"violation_type": "SPAM"}},
    "ACCOUNT_RESTRICTION": {"restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 0}]},
    "DISABLED_UPDATE": {"ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "November 22, 2026"}},
    "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE": {"country": "DE"},
    "VOLUME_BASED_PRICING_TIER_UPDATE": {
        "volume_tier_info": {
            "tier": "0:750000",
            "pricing_category": "UTILITY",
            "region": "Germany",
            "effective_month": "2026-11",
            "tier_update_time": 0,
        }
    },
}


def event_of(world: World, field: str, number: str, customer: Customer | None, asked: Json) -> Told:
    """The change of `field` with the keys of `asked` in place of its own. Raises BadInput for a field there is no short form of."""
    maker = _MAKERS.get(field)
    if maker is None:
        near = nearest_name(field, _MAKERS)
        hint = f": do you mean {near!r}?" if near else "."
        names = ", ".join(sorted(_MAKERS))
        raise BadInput(f"There is no short form of {field[:60]!r}{hint} There are: {names}. Any other goes as `field` and `value`.")
    value = maker(world, number, customer, asked)
    # Account-level errors come under `messages` (cloud-api §7).
    shown = "messages" if field == "errors" else field
    return Told(waba=world.options.waba_id, field=shown, value={**value, **without(asked, *_SHORT, "alert_info")})


_HOW = ("field", "from", "phone", "user_id", "number", "phone_number_id", "wait", "timeout", "waba", "value", "set")


def event_asked(world: World, asked: Json, number: str) -> Told:
    """The change a request or a scenario asks for: `field` with its usual value, single keys of it replaced, or all of it as `value`.
    Raises BadInput as `event_of` does."""
    field = word(asked.get("field"))
    if isinstance(asked.get("value"), dict):
        return Told(waba=word(asked.get("waba")) or world.options.waba_id, field=field, value=asked["value"])
    phone, user_id = digits_of(word(asked.get("from")) or word(asked.get("phone"))), word(asked.get("user_id"))
    customer = world.people.meet(wa_id=phone or None, user_id=user_id or None) if phone or user_id else None
    return event_of(world, field, number, customer, without(asked, *_HOW) | object_of(asked.get("set")))


_SHORT = ("limit", "text", "wamid", "wa_id", "call", "group", "kind", "messages", "subject", "preference")


def _account_update(world: World, number: str, _: Customer | None, asked: Json) -> Json:
    event = word(asked.get("event")) or "ACCOUNT_RESTRICTION"
    more = _ACCOUNT.get(event, {"waba_info": {"waba_id": world.options.waba_id}} if event.startswith("PARTNER") else {})
    if event == "ACCOUNT_RESTRICTION":
        until = int(world.now().timestamp()) + 7 * 86400
        more = {"restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": until}]}
    return {"phone_number": world.display(number), "event": event, **more}


def _account_alerts(world: World, number: str, _: Customer | None, asked: Json) -> Json:
    alert = {
        "alert_severity": "INFORMATIONAL",
        "alert_status": "NONE",
        "alert_type": "OBA_APPROVED",
        "alert_description": "Your official business account was approved.",
    }
    return {"entity_type": "PHONE_NUMBER", "entity_id": number, "alert_info": {**alert, **object_of(asked.get("alert_info"))}}


def _quality(world: World, number: str, _: Customer | None, asked: Json) -> Json:
    limit = word(asked.get("limit")) or "TIER_10K"
    return {
        "display_phone_number": world.display(number),
        "event": "ONBOARDING",
        "current_limit": limit,
        "max_daily_conversations_per_business": limit,
    }


def _name(world: World, number: str, _: Customer | None, __: Json) -> Json:
    told = {"decision": "APPROVED", "requested_verified_name": world.business, "rejection_reason": None}
    return {"display_phone_number": world.display(number), **told}


def _capability(_: World, __: str, ___: Customer | None, asked: Json) -> Json:
    return {"max_daily_conversations_per_business": asked.get("limit", 10_000), "max_phone_numbers_per_business": 20}


def _security(world: World, number: str, _: Customer | None, __: Json) -> Json:
    return {"display_phone_number": world.display(number), "event": "PIN_CHANGED", "requester": "61555822107539"}


def _preferences(world: World, number: str, customer: Customer | None, asked: Json) -> Json:
    """`preference` (or `text`) is stop, resume or signup."""
    person = _need(customer)
    choice = word(asked.get("preference")) or word(asked.get("text")) or "stop"
    preference = {
        **_ids(person),
        "detail": f"User requested to {choice} marketing messages",
        "category": "marketing_messages",
        "value": choice,
        "timestamp": int(world.now().timestamp()),
    }
    return {**_about(world, number), "contacts": [person.contact()], "user_preferences": [preference]}


def _flows(_: World, __: str, ___: Customer | None, ____: Json) -> Json:
    told = {"event": "FLOW_STATUS_CHANGE", "message": "Flow webhook: status changed", "flow_id": "6627390910605886"}
    return {**told, "old_status": "DRAFT", "new_status": "PUBLISHED"}


def _calls(world: World, number: str, customer: Customer | None, asked: Json) -> Json:
    """A customer's call opens the window, answered or not (cloud-api §13). `call` is connect or terminate."""
    person, event = _need(customer), word(asked.get("call")) or "connect"
    call: Json = {"id": world.wamid(person.key[-15:], is_ours=False).replace("wamid.", "wacid.", 1), "to": world.display(number)}
    if person.shown_wa_id:
        call["from"] = person.shown_wa_id
    if person.user_id:
        call["from_user_id"] = person.user_id
    call |= {"event": event, "timestamp": seconds(world.now()), "direction": "USER_INITIATED"}
    if event == "terminate":
        call |= {"status": "COMPLETED", "start_time": seconds(world.now()), "end_time": seconds(world.now()), "duration": 0}
    else:
        call["session"] = {"sdp_type": "offer", "sdp": "v=0\r\n"}
    person.note_incoming(number, world.now())
    return {**_about(world, number), "contacts": [person.contact()], "calls": [call]}


def _history(world: World, number: str, customer: Customer | None, asked: Json) -> Json:
    """Coexistence: one thread of what was said before. `messages` are texts or `{"text", "from": "business", "ago": seconds}`."""
    person, now = _need(customer), world.now().timestamp()
    rows: list[Json] = []
    given = list_of(asked.get("messages")) or ["Hello from before"]
    for index, told in enumerate(given):
        line = object_of(told) or {"text": word(told)}
        is_ours = line.get("from") == "business"
        at = now - (number_of(line.get("ago")) or 86_400.0 * (len(given) - index))
        wamid = world.wamid(
            person.wa_id or person.key[-15:], is_ours=is_ours, seed=f"history {person.key} {index} {word(line.get('text'))}"
        )
        ends = {"from": world.display(number), "to": person.shown_wa_id} if is_ours else {"from": person.shown_wa_id}
        row: Json = {key: value for key, value in ends.items() if value}
        row |= {"id": wamid, "timestamp": str(int(at)), "type": "text", "text": {"body": word(line.get("text"))}}
        rows.append({**row, "history_context": {"status": "READ"}})
    thread: Json = {"id": person.wa_id or person.key, "context": {**_ids(person)}, "messages": rows}
    chunk = {"metadata": {"phase": 0, "chunk_order": 1, "progress": 100}, "threads": [thread]}
    return {**_about(world, number), "history": [chunk]}


def _contact_sync(world: World, number: str, customer: Customer | None, asked: Json) -> Json:
    person = _need(customer)
    name = person.name or ""
    contact = {"full_name": name, "first_name": name.split(" ")[0], "phone_number": person.wa_id or "", "user_id": person.user_id}
    row = {
        "type": "contact",
        "contact": {key: value for key, value in contact.items() if value},
        "action": word(asked.get("kind")) or "add",
    }
    return {**_about(world, number), "state_sync": [{**row, "metadata": {"timestamp": seconds(world.now())}}]}


def _echoes(world: World, number: str, customer: Customer | None, asked: Json) -> Json:
    """Coexistence: what staff wrote on the phone."""
    person = _need(customer)
    message: Json = {"from": world.display(number), "to": person.shown_wa_id, "to_user_id": person.user_id}
    message |= {"id": word(asked.get("wamid")) or world.wamid(person.key[-15:], is_ours=True), "timestamp": seconds(world.now())}
    message |= {"type": "text", "text": {"body": word(asked.get("text")) or "Written on the phone"}}
    message = {key: value for key, value in message.items() if value is not None}
    return {**_about(world, number), "contacts": [person.contact()], "message_echoes": [message]}


def _group(kind: str) -> Maker:
    def made(world: World, number: str, customer: Customer | None, asked: Json) -> Json:
        group: Json = {"timestamp": seconds(world.now()), "group_id": word(asked.get("group")) or _GROUP}
        group["type"] = word(asked.get("kind")) or kind
        if group["type"] == "group_create":
            group |= {"request_id": "req-1", "subject": word(asked.get("subject")) or "Group", "invite_link": "https://chat.whatsapp.com/x"}
        elif group["type"].startswith("group_participants"):
            people = [{"input": customer.wa_id, **_ids(customer)}] if customer is not None else []
            added = "added_participants" if group["type"].endswith("add") else "removed_participants"
            group |= {"initiated_by": "participant", added: people}
        elif group["type"] == "group_settings_update":
            subject = {"text": word(asked.get("subject")) or "New subject", "update_successful": True}
            group |= {"request_id": "req-2", "group_subject": subject}
        return {**_about(world, number), "groups": [group]}

    return made


def _template(world: World, _: str, __: Customer | None, asked: Json) -> Json:
    first = world.templates.items[0]
    name, language = word(asked.get("message_template_name")) or first.get("name"), asked.get("message_template_language")
    told = {"event": "PAUSED", "message_template_id": 1, "message_template_name": name}
    return {**told, "message_template_language": language or first.get("language"), "reason": "NONE"}


def _errors(world: World, number: str, _: Customer | None, __: Json) -> Json:
    error = {"code": 130429, "title": "Rate limit hit", "message": "Rate limit hit", "error_data": {"details": "Message failed to send"}}
    return {**_about(world, number), "errors": [error]}


def _about(world: World, number: str) -> Json:
    return {"messaging_product": "whatsapp", "metadata": world.metadata(number)}


def _ids(person: Customer) -> Json:
    told = (("wa_id", person.shown_wa_id), ("user_id", person.user_id), ("username", person.username))
    return {key: value for key, value in told if value}


def _need(customer: Customer | None) -> Customer:
    if customer is None:
        raise BadInput("This event is about a customer: name them with `from` or `user_id`.")
    return customer


def _constant(**value: object) -> Maker:
    return lambda _, __, ___, ____: value


_MAKERS: dict[str, Maker] = {
    "account_alerts": _account_alerts,
    "account_review_update": _constant(decision="APPROVED"),
    "account_settings_update": lambda world, number, _, __: {"phone_number_id": number, "timestamp": rfc3339(world.now())},
    "account_update": _account_update,
    "business_capability_update": _capability,
    "business_username_update": lambda world, number, _, __: {"display_phone_number": world.display(number), "status": "approved"},
    "calls": _calls,
    "errors": _errors,
    "flows": _flows,
    "group_lifecycle_update": _group("group_create"),
    "group_participants_update": _group("group_participants_add"),
    "group_settings_update": _group("group_settings_update"),
    "group_status_update": _group("group_suspend"),
    "history": _history,
    "message_template_status_update": _template,
    "phone_number_name_update": _name,
    "phone_number_quality_update": _quality,
    "security": _security,
    "smb_app_state_sync": _contact_sync,
    "smb_message_echoes": _echoes,
    "user_preferences": _preferences,
}
EVENTS = tuple(sorted(_MAKERS))
