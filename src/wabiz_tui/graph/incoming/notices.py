"""Read the webhook fields beside `messages` into notices (cloud-api §10, §15, §16); the JSON itself is kept by the caller.

A value that has not the form its field has gives no notice; a wrong part of it costs that part only. Nothing here raises.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from wabiz_tui.graph.contents import read_errors
from wabiz_tui.graph.incoming.place import Place
from wabiz_tui.graph.reading import Json, instant_of, list_of, number_of, object_of, word, word_or_none
from wabiz_tui.model.notices import (
    AccountAlert,
    AccountReview,
    AccountUpdate,
    BusinessCapability,
    BusinessUsername,
    Call,
    FlowEvent,
    GroupEvent,
    HistoryProgress,
    Notice,
    NumberLimit,
    NumberName,
    Participant,
    PhoneBookEntry,
    Preference,
    Restriction,
    SecurityEvent,
    ServiceError,
    TemplateCategory,
    TemplateComponents,
    TemplateQuality,
    TemplateStatus,
)

_Reader = Callable[[Place, Json], Iterator[Notice]]


def read_notices(place: Place, field: str, value: Json) -> tuple[Notice, ...]:
    """What `value` tells, in its order; none for fields that are only stored and for what cannot be read."""
    # Meta's page shows a quality update under the field of the status update: the keys decide (cloud-api §10).
    reader = _template_quality if "new_quality_score" in value else _READERS.get(field)
    return () if reader is None else tuple(reader(place, value))


def read_service_errors(errors: Any) -> tuple[Notice, ...]:
    return tuple(ServiceError(error=error) for error in read_errors(errors))


def _template(value: Json) -> dict[str, Any]:
    return {
        "template": word(value.get("message_template_id")),
        "name": word(value.get("message_template_name")),
        "language": word(value.get("message_template_language")).replace("-", "_"),
    }


def _template_status(place: Place, value: Json) -> Iterator[Notice]:
    if not (event := word(value.get("event"))):
        return
    other, rejection = object_of(value.get("other_info")), object_of(value.get("rejection_info"))
    reason = word(value.get("reason"))
    yield TemplateStatus(
        event=event,
        category=word(value.get("message_template_category")),
        reason=word(rejection.get("reason")) if reason in ("", "NONE") else reason,
        title=word(other.get("title")),
        description=word(other.get("description")),
        recommendation=word(rejection.get("recommendation")),
        disable_date=word(object_of(value.get("disable_info")).get("disable_date")),
        **_template(value),
    )


def _template_quality(place: Place, value: Json) -> Iterator[Notice]:
    if quality := word(value.get("new_quality_score")):
        yield TemplateQuality(quality=quality, previous=word(value.get("previous_quality_score")), **_template(value))


def _template_components(place: Place, value: Json) -> Iterator[Notice]:
    named = _template(value)
    if not named["template"] and not named["name"]:
        return
    yield TemplateComponents(
        title=word(value.get("message_template_title")),
        body=word(value.get("message_template_element")),
        footer=word(value.get("message_template_footer")),
        buttons=tuple(object_of(button) for button in list_of(value.get("message_template_buttons")) if isinstance(button, dict)),
        **named,
    )


def _template_category(place: Place, value: Json) -> Iterator[Notice]:
    """While a change is only announced, `new_category` is the one still in force and `correct_category` the coming one."""
    if not (category := word(value.get("new_category"))):
        return
    yield TemplateCategory(
        category=category,
        previous=word(value.get("previous_category")),
        upcoming=word(value.get("correct_category")),
        upcoming_at=instant_of(value.get("category_update_timestamp")),
        **_template(value),
    )


def _account_update(place: Place, value: Json) -> Iterator[Notice]:
    if not (event := word(value.get("event"))):
        return
    restrictions = value.get("restriction_info")
    ban = object_of(value.get("ban_info"))
    yield AccountUpdate(
        event=event,
        violation=word(object_of(value.get("violation_info")).get("violation_type")),
        restrictions=tuple(
            Restriction(kind, instant_of(object_of(item).get("expiration")))
            for item in list_of(restrictions) or [restrictions]
            if (kind := word(object_of(item).get("restriction_type")))
        ),
        ban_state=word(ban.get("waba_ban_state")),
        ban_date=word(ban.get("waba_ban_date")),
        country=word(value.get("country")),
        volume_tier=object_of(value.get("volume_tier_info")) or None,
        waba=object_of(value.get("waba_info")) or None,
    )


def _account_alert(place: Place, value: Json) -> Iterator[Notice]:
    alert = object_of(value.get("alert_info")) or value
    if not (kind := word(alert.get("alert_type"))):
        return
    yield AccountAlert(
        alert=kind,
        severity=word(alert.get("alert_severity")),
        status=word(alert.get("alert_status")),
        description=word(alert.get("alert_description")),
        entity_type=word(value.get("entity_type")),
        entity=word(value.get("entity_id")),
    )


def _account_review(place: Place, value: Json) -> Iterator[Notice]:
    if decision := word(value.get("decision")):
        yield AccountReview(decision=decision)


def _business_capability(place: Place, value: Json) -> Iterator[Notice]:
    keys = ("max_daily_conversations_per_business", "max_daily_conversation_per_phone")
    limit = next((text for key in keys if (text := word(value.get(key)))), "")
    numbers = ("max_phone_numbers_per_business", "max_phone_numbers_per_waba")
    most = next((count for key in numbers if (count := _whole(value.get(key))) is not None), None)
    if limit or most is not None:
        yield BusinessCapability(daily_limit=limit, max_numbers=most)


def _number_limit(place: Place, value: Json) -> Iterator[Notice]:
    if not (event := word(value.get("event"))):
        return
    keys = ("max_daily_conversations_per_business", "current_limit")
    yield NumberLimit(
        event=event,
        display_number=word(value.get("display_phone_number")),
        limit=next((text for key in keys if (text := word(value.get(key)))), ""),
        previous=word(value.get("old_limit")),
    )


def _number_name(place: Place, value: Json) -> Iterator[Notice]:
    if not (decision := word(value.get("decision"))):
        return
    reason = word(value.get("rejection_reason"))
    yield NumberName(
        decision=decision,
        display_number=word(value.get("display_phone_number")),
        name=word(value.get("requested_verified_name")),
        reason="" if reason == "NONE" else reason,
    )


def _security(place: Place, value: Json) -> Iterator[Notice]:
    if event := word(value.get("event")):
        yield SecurityEvent(event=event, display_number=word(value.get("display_phone_number")), requester=word(value.get("requester")))


def _preferences(place: Place, value: Json) -> Iterator[Notice]:
    contacts = list_of(value.get("contacts"))
    preferences = [object_of(item) for item in list_of(value.get("user_preferences"))]
    for item in preferences:
        wish = word(item.get("value"))
        # One contact beside one preference are the same person; beside several it would be a guess.
        person = object_of(contacts[0]) if len(contacts) == len(preferences) == 1 else {}
        wa_id, user_id, parent = (word_or_none(item.get(key)) or word_or_none(person.get(key)) for key in _PERSON)
        if not wish or not (wa_id or user_id or parent):
            continue
        yield Preference(
            value=wish,
            category=word(item.get("category")),
            detail=word(item.get("detail")),
            signup=word(item.get("signup_id")),
            wa_id=wa_id,
            user_id=user_id,
            parent_user_id=parent,
            at=_instant(place, item.get("timestamp")),
        )


def _business_username(place: Place, value: Json) -> Iterator[Notice]:
    if status := word(value.get("status")):
        yield BusinessUsername(status=status, display_number=word(value.get("display_phone_number")), username=word(value.get("username")))


def _flow(place: Place, value: Json) -> Iterator[Notice]:
    if event := word(value.get("event")):
        yield FlowEvent(
            event=event,
            flow=word(value.get("flow_id")),
            message=word(value.get("message")),
            previous=word(value.get("old_status")),
            status=word(value.get("new_status")),
        )


def _calls(place: Place, value: Json) -> Iterator[Notice]:
    for item in list_of(value.get("calls")):
        yield from _call(place, object_of(item))
    for item in list_of(value.get("statuses")):
        status = object_of(item)
        if (call := word(status.get("id"))) and (event := word(status.get("status"))):
            wa_id, user_id, parent = (word_or_none(status.get(f"recipient_{key}")) for key in ("id", "user_id", "parent_user_id"))
            yield Call(
                call=call,
                event=event,
                is_from_customer=False,
                wa_id=wa_id,
                user_id=user_id,
                parent_user_id=parent,
                at=_instant(place, status.get("timestamp")),
            )
    yield from read_service_errors(value.get("errors"))


def _call(place: Place, item: Json) -> Iterator[Notice]:
    call, event = word(item.get("id")), word(item.get("event"))
    if not call or not event:
        return
    is_from_customer = {"USER_INITIATED": True, "BUSINESS_INITIATED": False}.get(word(item.get("direction")))
    side = "to" if is_from_customer is False else "from"
    yield Call(
        call=call,
        event=event,
        is_from_customer=is_from_customer,
        result=word(item.get("status")),
        wa_id=word_or_none(item.get(side)),
        user_id=word_or_none(item.get(f"{side}_user_id")),
        parent_user_id=word_or_none(item.get(f"{side}_parent_user_id")),
        at=_instant(place, item.get("timestamp")),
        began_at=instant_of(item.get("start_time")),
        ended_at=instant_of(item.get("end_time")),
        seconds=_whole(item.get("duration")),
        errors=read_errors(item.get("errors")),
    )


def _groups(place: Place, value: Json) -> Iterator[Notice]:
    for item in list_of(value.get("groups")):
        group = object_of(item)
        if not (event := word(group.get("type"))):
            continue
        people = [one for key in _PARTICIPANTS for one in list_of(group.get(key))]
        settings = {key: part for key, part in group.items() if "update_successful" in object_of(part)}
        yield GroupEvent(
            event=event,
            group=word(group.get("group_id")),
            request=word(group.get("request_id")) or word(group.get("join_request_id")),
            subject=word(group.get("subject")),
            description=word(group.get("description")),
            invite_link=word(group.get("invite_link")),
            initiated_by=word(group.get("initiated_by")),
            # A request to join names its one person beside the group.
            participants=tuple(_participant(one) for one in people or [group] if any(word(object_of(one).get(key)) for key in _NAMED)),
            failed=tuple(_participant(one) for one in list_of(group.get("failed_participants")) if isinstance(one, dict)),
            settings=settings or None,
            at=_instant(place, group.get("timestamp")),
            errors=read_errors(group.get("errors")),
        )


def _participant(item: Any) -> Participant:
    person = object_of(item)
    return Participant(
        input=word(person.get("input")),
        wa_id=word_or_none(person.get("wa_id")),
        user_id=word_or_none(person.get("user_id")),
        username=word_or_none(person.get("username")),
        errors=read_errors(person.get("errors")),
    )


def _history(place: Place, value: Json) -> Iterator[Notice]:
    for item in list_of(value.get("history")):
        chunk = object_of(item)
        if metadata := object_of(chunk.get("metadata")):
            phase, number, progress = (_whole(metadata.get(key)) for key in ("phase", "chunk_order", "progress"))
            if (phase, number, progress) != (None, None, None):
                yield HistoryProgress(phase=phase, chunk=number, progress=progress)
        yield from read_service_errors(chunk.get("errors"))


def _phone_book(place: Place, value: Json) -> Iterator[Notice]:
    for item in list_of(value.get("state_sync")):
        entry = object_of(item)
        contact, action = object_of(entry.get("contact")), word(entry.get("action"))
        if entry.get("type") not in (None, "contact") or not action or not contact:
            continue
        yield PhoneBookEntry(
            action=action,
            name=word(contact.get("full_name")),
            first_name=word(contact.get("first_name")),
            phone=word(contact.get("phone_number")),
            user_id=word_or_none(contact.get("user_id")),
            username=word_or_none(contact.get("username")),
            at=_instant(place, object_of(entry.get("metadata")).get("timestamp")),
        )


def _errors(place: Place, value: Json) -> Iterator[Notice]:
    yield from read_service_errors(value.get("errors"))


def _whole(value: Any) -> int | None:
    number = number_of(value)
    return int(number) if number is not None and number == int(number) else None


def _instant(place: Place, value: Any) -> datetime | None:
    told = instant_of(value)
    return None if told is None else place.believed(told)


_PERSON = ("wa_id", "user_id", "parent_user_id")
_NAMED = ("input", "wa_id", "user_id")
_PARTICIPANTS = ("added_participants", "removed_participants", "participants", "join_requests")
_READERS: dict[str, _Reader] = {
    "messages": _errors,
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "message_template_components_update": _template_components,
    "template_category_update": _template_category,
    "template_correct_category_detection": _template_category,
    "account_update": _account_update,
    "account_alerts": _account_alert,
    "account_review_update": _account_review,
    "business_capability_update": _business_capability,
    "phone_number_quality_update": _number_limit,
    "phone_number_name_update": _number_name,
    "security": _security,
    "user_preferences": _preferences,
    "business_username_update": _business_username,
    "business_username_updates": _business_username,
    "flows": _flow,
    "calls": _calls,
    "group_lifecycle_update": _groups,
    "group_participants_update": _groups,
    "group_settings_update": _groups,
    "group_status_update": _groups,
    "history": _history,
    "smb_app_state_sync": _phone_book,
}
