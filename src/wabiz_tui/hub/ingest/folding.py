"""Fold what a webhook says into the archive: idempotent by wamid and status identity, in any order, in one transaction a batch."""

from datetime import datetime, timedelta

import msgspec

from wabiz_tui.graph.delivery import fold
from wabiz_tui.graph.parsed import EchoedMessage, HistoryMessage, Identity, IncomingMessage, OtherEvent, Parsed, StatusUpdate
from wabiz_tui.hub.archive.contacts import contact_of, set_opt_out
from wabiz_tui.hub.archive.conversations import (
    conversation_of,
    note_answered,
    note_call,
    note_incoming,
    note_message,
    set_status,
    status_of,
    touch_preview_of,
)
from wabiz_tui.hub.archive.erasure.returning import is_erased, is_erased_event, is_status_of_erased
from wabiz_tui.hub.archive.events import add_event, note_number, remove_event
from wabiz_tui.hub.archive.files import add_media
from wabiz_tui.hub.archive.messages import (
    add_message,
    await_target,
    find_by_wamid,
    find_filed,
    load_message,
    save_message,
    set_delivery,
    set_wamid,
    take_awaiting,
)
from wabiz_tui.hub.archive.parting import change_identity
from wabiz_tui.hub.archive.sealing import media_unit, month_of
from wabiz_tui.hub.archive.sends import is_ours
from wabiz_tui.hub.archive.statuses import add_status, is_known_status, status_event, take_waiting
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.archive.uploads import note_media_use
from wabiz_tui.model.content import Activity, Content, Edit, Media, Reaction, Revoke, Unsupported
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.notices import Call, Preference
from wabiz_tui.model.values import Direction, Event, Message
from wabiz_tui.policy.window import window_until

CALLBACK_PREFIX = "w1:"
MEDIA_LIFE = timedelta(days=7)  # ids that came by webhook work so long (cloud-api §2)


def fold_part(writing: Writing, part: Parsed) -> None:
    """Take one part of a webhook into the archive, unless it is there already."""
    if part.number and not isinstance(part, OtherEvent):
        note_number(writing, part.number, display=part.display_number)
    match part:
        case IncomingMessage():
            _fold_incoming(writing, part)
        case EchoedMessage():
            _fold_echo(writing, part)
        case HistoryMessage():
            _fold_history(writing, part)
        case StatusUpdate():
            _fold_status(writing, part)
        case OtherEvent():
            _fold_event(writing, part)


def _fold_incoming(writing: Writing, part: IncomingMessage) -> None:
    if find_by_wamid(writing, part.wamid) is not None or is_erased(writing, part):
        return
    if part.identity_change is not None:
        contact = change_identity(writing, part.identity_change, at=part.sent_at)
    else:
        contact = contact_of(writing, part.sender, at=part.sent_at)
    conversation = conversation_of(writing, part.number, contact)
    message = Message(
        id=writing.new_id(),
        conversation=conversation,
        direction=Direction.INCOMING,
        content=part.content,
        sent_at=part.sent_at,
        wamid=part.wamid,
        author_name=(part.sender.name or "") if part.sender.group_id else "",
        reply_to=part.reply_to,
        forwarded=part.forwarded,
        referral=part.referral,
        context=part.context,
        extra=part.extra,
        origin="customer",
    )
    if part.counts_unread:
        reopen(writing, conversation)
    add_message(writing, message, is_unread=part.counts_unread)
    until = window_until(part.sent_at) if part.opens_window else None
    note_incoming(writing, message, window_until=until, counts_unread=part.counts_unread)
    _settle(writing, message)


def reopen(writing: Writing, conversation: str) -> None:
    """A customer's message ends a snooze or a wait, and begins a new episode where the last was resolved."""
    was = status_of(writing, conversation)
    if was == "open":
        return
    set_status(writing, conversation, "open")
    if was == "resolved":
        add_activity(writing, conversation, Activity(verb="reopened", reason="the customer wrote"))


def add_activity(writing: Writing, conversation: str, activity: Activity, *, author: str | None = None) -> None:
    """Put a line about the work itself into the conversation."""
    message = Message(
        id=writing.new_id(),
        conversation=conversation,
        direction=Direction.ACTIVITY,
        content=activity,
        sent_at=writing.now,
        author=author,
        author_name=activity.by,
        origin="wabiz",
    )
    add_message(writing, message)


def _fold_echo(writing: Writing, part: EchoedMessage) -> None:
    if find_by_wamid(writing, part.wamid) is not None or is_erased(writing, part):
        return
    conversation = conversation_of(writing, part.number, contact_of(writing, part.recipient, at=part.sent_at))
    message = Message(
        id=writing.new_id(),
        conversation=conversation,
        direction=Direction.OUTGOING,
        content=part.content,
        sent_at=part.sent_at,
        wamid=part.wamid,
        delivery=fold(None, "accepted", part.sent_at),
        reply_to=part.reply_to,
        forwarded=part.forwarded,
        referral=part.referral,
        context=part.context,
        extra=part.extra,
        origin="phone_app",
    )
    add_message(writing, message)
    note_message(writing, message)
    note_answered(writing, conversation, at=message.sent_at)
    _settle(writing, message)


def _fold_history(writing: Writing, part: HistoryMessage) -> None:
    """From before the hub: no window, no unread, nobody waits."""
    known = find_by_wamid(writing, part.wamid)
    if known is not None:
        _fill_placeholder(writing, known, part)
        return
    if is_erased(writing, part):
        return
    conversation = conversation_of(writing, part.number, contact_of(writing, part.contact, at=part.sent_at))
    delivery = fold(None, (part.status or "accepted").lower(), part.sent_at) if part.is_ours else None
    message = Message(
        id=writing.new_id(),
        conversation=conversation,
        direction=Direction.OUTGOING if part.is_ours else Direction.INCOMING,
        content=part.content,
        sent_at=part.sent_at,
        wamid=part.wamid,
        delivery=delivery,
        reply_to=part.reply_to,
        forwarded=part.forwarded,
        referral=part.referral,
        context=part.context,
        extra=part.extra,
        origin="history",
    )
    add_message(writing, message)
    note_message(writing, message)
    _settle(writing, message)


def _fill_placeholder(writing: Writing, known: str, part: HistoryMessage) -> None:
    """Files of a history follow their place in it under the same wamid (cloud-api §10); all else under a known wamid is a repeat."""
    message = load_message(writing, known)
    if message is None or not _is_placeholder(message.content) or _is_placeholder(part.content):
        return
    extra = {**(part.extra or {}), **(message.extra or {})} or None
    filled = msgspec.structs.replace(message, content=part.content, reply_to=part.reply_to or message.reply_to, extra=extra)
    save_message(writing, filled)
    _await_file(writing, filled)
    touch_preview_of(writing, filled)


def _is_placeholder(content: Content) -> bool:
    return isinstance(content, Unsupported) and content.type == "media_placeholder"


def _settle(writing: Writing, message: Message) -> None:
    """What a new message does to others, and what waited for it does to it."""
    apply_to_target(writing, message)
    _await_file(writing, message)
    if message.wamid is None:
        return
    for waiting in take_awaiting(writing, message.wamid):
        apply_to_target(writing, waiting)
    join_waiting_statuses(writing, message, message.wamid)


def _await_file(writing: Writing, message: Message) -> None:
    if isinstance(message.content, Media) and message.content.id:
        unit = media_unit(message.conversation, month_of(message.sent_at))
        add_media(writing, message.id, unit, expires_at=message.sent_at + MEDIA_LIFE)
        note_media_use(writing, message.content.id, message.id)


def join_waiting_statuses(writing: Writing, message: Message, wamid: str) -> None:
    """Fold in the statuses that overtook their message, which is given as it now is."""
    for update in take_waiting(writing, wamid, message):
        delivery = fold(message.delivery, update.state, update.at, update.error)
        message = msgspec.structs.replace(message, delivery=delivery)
        set_delivery(writing, message.id, delivery)
        remove_event(writing, identity=status_event(update))


def apply_to_target(writing: Writing, message: Message) -> None:
    """Show a reaction, edit or revoke on the message it is about; it stays archived as the message it is, too."""
    target_wamid = _target_of(message.content)
    if not target_wamid:
        return
    found = find_by_wamid(writing, target_wamid)
    target = load_message(writing, found) if found is not None else None
    if target is None:
        await_target(writing, target_wamid, message.id)
        return
    changed = _changed(target, message)
    if changed is not None:
        save_message(writing, changed)
        touch_preview_of(writing, changed)


def _target_of(content: Content) -> str | None:
    match content:
        case Reaction(message_id=target) | Edit(original_message_id=target) | Revoke(original_message_id=target):
            return target
        case _:
            return None


def _changed(target: Message, message: Message) -> Message | None:
    match message.content:
        case Reaction(emoji=emoji):
            who = "customer" if message.direction is Direction.INCOMING else message.author or "us"
            return _with_reaction(target, who, emoji, message)
        case Edit() if target.edited_at is None or message.sent_at >= target.edited_at:
            return msgspec.structs.replace(target, edited_at=message.sent_at)
        case Revoke():
            return msgspec.structs.replace(target, revoked_at=min(target.revoked_at or message.sent_at, message.sent_at))
        case _:
            return None


def _with_reaction(target: Message, who: str, emoji: str, message: Message) -> Message | None:
    """The last reaction of a person wins by Meta's time; the times are kept in `extra`, since webhooks come in any order."""
    times: dict[str, str] = dict((target.extra or {}).get("wabiz_reaction_times", {}))
    at = message.sent_at.isoformat()
    if times.get(who, "") > at:
        return None
    times[who] = at
    reactions = {name: shown for name, shown in target.reactions.items() if name != who}
    if emoji:
        reactions[who] = emoji
    return msgspec.structs.replace(target, reactions=reactions, extra={**(target.extra or {}), "wabiz_reaction_times": times})


def _fold_status(writing: Writing, part: StatusUpdate) -> None:
    if is_known_status(writing, part):
        return
    named = find_by_wamid(writing, part.wamid)
    found = named or _by_callback(writing, part)
    message = find_filed(writing, found) if found is not None else None
    if message is None and is_status_of_erased(writing, part, found):
        return
    add_status(writing, part, message)
    if message is None:
        _show_unjoined(writing, part)
        return
    if named is None:
        _learn_wamid(writing, message.id, part.wamid)
    set_delivery(writing, message.id, fold(message.delivery, part.state, part.at, part.error))
    touch_preview_of(writing, message)


def _learn_wamid(writing: Writing, message: str, wamid: str) -> None:
    """Meta's answer to this send, which would have named it, was lost."""
    loaded = load_message(writing, message)
    if loaded is not None and loaded.wamid is None:
        set_wamid(writing, loaded, wamid)


def _by_callback(writing: Writing, part: StatusUpdate) -> str | None:
    """Our own id comes back in each status: the only tie when Meta's answer was lost (cloud-api §3.1)."""
    data = part.callback_data or ""
    message = data.removeprefix(CALLBACK_PREFIX)
    if not data.startswith(CALLBACK_PREFIX) or not is_id(message) or not is_ours(writing, message):
        return None
    return message


def _show_unjoined(writing: Writing, part: StatusUpdate) -> None:
    """A status of a message that is not in the archive (sent by another program) is shown as an event until that comes."""
    event = Event(
        id=writing.new_id(),
        field="messages",
        at=part.at,
        number=part.number,
        summary=f"status {part.state}",
        value={"statuses": [_as_told(part)]},
        received_at=writing.now,
    )
    add_event(writing, event, identity=status_event(part))


def _as_told(part: StatusUpdate) -> dict[str, object]:
    """The status in Meta's own keys."""
    told: dict[str, object] = {"id": part.wamid, "status": part.state, "timestamp": str(int(part.at.timestamp()))}
    recipient = part.recipient
    named = {
        "recipient_id": recipient.group_id or recipient.wa_id,
        "recipient_user_id": recipient.user_id,
        "recipient_parent_user_id": recipient.parent_user_id,
        "biz_opaque_callback_data": part.callback_data,
        "pricing": part.pricing,
        "conversation": part.conversation,
        "errors": [msgspec.to_builtins(part.error)] if part.error else None,
    }
    return told | {key: value for key, value in named.items() if value is not None} | (part.extra or {})


def _fold_event(writing: Writing, part: OtherEvent) -> None:
    event = Event(
        id=writing.new_id(),
        field=part.field,
        at=part.at or writing.now,
        number=part.number,
        summary=part.summary,
        value=part.value,
        received_at=writing.now,
    )
    if is_erased_event(writing, part.identity) or not add_event(writing, event, identity=part.identity):
        return
    if part.identity_change is not None:
        change_identity(writing, part.identity_change, at=event.at)
    for notice in part.notices:
        match notice:
            case Preference(category="marketing_messages", value="stop" | "resume"):
                _fold_preference(writing, notice, at=notice.at or event.at)
            case Call() if part.number and _opens_window(notice):
                _fold_call(writing, part.number, notice, at=notice.at or event.at)
            case _:
                pass


def _fold_preference(writing: Writing, told: Preference, *, at: datetime) -> None:
    """Also of somebody who has not written yet: who stops marketing must be known before the first is sent."""
    set_opt_out(writing, contact_of(writing, _person_of(told), at=at), is_out=told.value == "stop", at=at)


def _opens_window(call: Call) -> bool:
    """A customer's call does, answered or not, as does ours once they accept it (cloud-api §13)."""
    if not _person_of(call).is_known:
        return False
    return call.event == "connect" if call.is_from_customer else call.event == "ACCEPTED"


def _fold_call(writing: Writing, number: str, call: Call, *, at: datetime) -> None:
    conversation = conversation_of(writing, number, contact_of(writing, _person_of(call), at=at))
    note_call(writing, conversation, at=at)


def _person_of(notice: Preference | Call) -> Identity:
    return Identity(wa_id=notice.wa_id, user_id=notice.user_id, parent_user_id=notice.parent_user_id)
