"""The feed of changes: pages by request and on a stream, each value read when it is sent, as its reader may see it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
import structlog

from wabiz_tui.hub.archive.contacts import load_contacts
from wabiz_tui.hub.archive.conversations import StoredConversation, assignees_of, conversations_with, load_conversations
from wabiz_tui.hub.archive.events import load_events, load_numbers, own_numbers
from wabiz_tui.hub.archive.messages import load_messages
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.store import Archive, ChangeRow, Reading, changes_since, feed_head
from wabiz_tui.hub.metrics import Metrics
from wabiz_tui.hub.policy import InForce
from wabiz_tui.hub.webhooks import Receive, Send
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import Edit, System, Unsupported, kind_of
from wabiz_tui.model.feed import Change, ChangesPage
from wabiz_tui.model.values import Conversation, Direction, Event, Message, Number, Role
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.permissions import can, can_see
from wabiz_tui.policy.privacy import mask_contact, mask_identities, mask_numbers_in, mask_user_ids_in

MOST_CHANGES = 1000
MOST_BYTES = 8 * 1024 * 1024
HEARTBEAT = 15.0
SLOWEST_WRITE = 10.0

_ABOUT_THE_BUSINESS = ("account_", "business_", "phone_number_", "message_template_", "template_", "security", "partner_", "flows")
"""How the fields begin whose values name the business and its own numbers, never a customer (cloud-api §10)."""

log = structlog.get_logger("hub.feed")


class Viewer(NamedTuple):
    """Who reads: what they may see depends on role and on what is assigned to them."""

    person: str
    role: Role
    device: str = ""

    def can_see_conversation(self, assignee: str | None) -> bool:
        return can(self.role, "conversation.read_all") or (can(self.role, "conversation.read") and assignee in (None, self.person))


def page_for(reading: Reading, viewer: Viewer, policy: InForce, *, since: int, limit: int) -> ChangesPage:
    """The next changes for this reader. What they may never see is left out; what left their sight comes without a value."""
    limit = min(max(limit, 1), MOST_CHANGES)
    rows = changes_since(reading, since, limit)
    head = feed_head(reading)
    values = _Values(reading, viewer, policy)
    values.load(rows)
    changes: list[Change] = []
    size, reached = 0, since
    for row in rows:
        if size > MOST_BYTES:
            break
        reached = row.seq
        if not can_see(viewer.role, row.entity):
            continue
        value = values.of(row)
        raw = None if value is None else encode(value)
        size += 0 if raw is None else len(raw)
        changes.append(Change(row.seq, row.entity, row.id, None if raw is None else msgspec.Raw(raw)))
    return ChangesPage(changes=changes, next=reached, head=head, more=reached < head, at=reading.now)


class _Values:
    """The values of one page, loaded a kind at a time."""

    def __init__(self, reading: Reading, viewer: Viewer, policy: InForce) -> None:
        self._reading, self._viewer, self._policy = reading, viewer, policy
        self._found: dict[str, dict[str, Any]] = {}

    def load(self, rows: Iterable[ChangeRow]) -> None:
        ids: dict[str, list[str]] = {}
        for row in rows:
            if can_see(self._viewer.role, row.entity):
                ids.setdefault(row.entity, []).append(row.id)
        loaders: dict[str, Callable[[list[str]], dict[str, Any]]] = {
            "contact": self._contacts,
            "conversation": self._conversations,
            "message": self._messages,
            "event": self._events,
            "number": self._numbers,
            "policy": lambda wanted: dict.fromkeys(wanted, self._policy.signed),
            "person": lambda _wanted: dict(load_people(self._reading)),
        }
        self._found = {entity: loaders[entity](wanted) for entity, wanted in ids.items()}

    def of(self, row: ChangeRow) -> Any | None:
        return self._found[row.entity].get(row.id)

    def _contacts(self, ids: list[str]) -> dict[str, Any]:
        stored = load_contacts(self._reading, ids)
        conversations = conversations_with(self._reading, stored)
        assignees = assignees_of(self._reading, (one for several in conversations.values() for one in several))
        visible = {
            contact
            for contact, several in conversations.items()
            if any(self._viewer.can_see_conversation(assignees.get(one)) for one in several)
        }
        return {
            contact: mask_contact(found.value(), self._policy.policy, self._viewer.role)
            for contact, found in stored.items()
            if contact in visible
        }

    def _conversations(self, ids: list[str]) -> dict[str, Any]:
        stored = load_conversations(self._reading, ids)
        return {
            conversation: seen_conversation(found, self._policy.policy, self._viewer.role)
            for conversation, found in stored.items()
            if self._viewer.can_see_conversation(found.value.assignee)
        }

    def _messages(self, ids: list[str]) -> dict[str, Any]:
        messages, ours = load_messages(self._reading, ids), own_numbers(self._reading)
        assignees = assignees_of(self._reading, (message.conversation for message in messages.values()))
        return {
            message.id: seen_message(message, self._policy.policy, ours)
            for message in messages.values()
            if message.conversation in assignees and self._viewer.can_see_conversation(assignees[message.conversation])
        }

    def _events(self, ids: list[str]) -> dict[str, Any]:
        ours = own_numbers(self._reading)
        return {event: seen_event(found, self._policy.policy, ours) for event, found in load_events(self._reading, ids).items()}

    def _numbers(self, ids: list[str]) -> dict[str, Any]:
        found = load_numbers(self._reading, ids)
        return {number: Number(id=number, display=display, name=name) for number, (display, name) in found.items()}


def seen_conversation(stored: StoredConversation, policy: Policy, role: Role) -> Conversation:
    """The conversation with the name its reader may see; Meta's own lines are masked in its preview as in the message."""
    value = stored.value
    if policy.privacy.mask_numbers and value.preview_kind == kind_of(System()):
        value = msgspec.structs.replace(value, preview=_told(value.preview))
    if stored.contact is None:
        return value
    seen = mask_contact(stored.contact, policy, role)
    name = seen.name or seen.username or seen.phone or seen.user_id or ""
    return msgspec.structs.replace(value, name=name, is_masked_contact=seen.is_masked)


def seen_message(message: Message, policy: Policy, ours: frozenset[str]) -> Message:
    """The message without the customer's identity in what Meta said around it; what the customer wrote stays as it is.
    `ours` are the business's own numbers."""
    if not policy.privacy.mask_numbers:
        return message
    content = message.content
    # One value: whoever one part names is masked in the others too.
    parts: dict[str, Any] = {"context": message.context, "extra": message.extra}
    match content:
        case System():
            parts["content"] = {key: getattr(content, key) for key in ("wa_id", "user_id", "parent_user_id", "other")}
        case Unsupported():
            parts["content"] = {"json": content.json}
        case Edit():
            parts["content"] = {"message": content.message}
        case _:
            pass
    parts = mask_identities(parts, ours=ours)
    content = msgspec.structs.replace(content, **parts.get("content", {}))
    if isinstance(content, System):
        content = msgspec.structs.replace(content, body=_told(content.body))
    is_named = message.direction is Direction.INCOMING and message.author_name
    return msgspec.structs.replace(
        message,
        content=content,
        context=parts["context"],
        extra=parts["extra"],
        author_name=mask_numbers_in(message.author_name) if is_named else message.author_name,
    )


def seen_event(event: Event, policy: Policy, ours: frozenset[str]) -> Event:
    """The event without its customers' identities; `ours` are the business's own numbers."""
    if not policy.privacy.mask_numbers or event.field.startswith(_ABOUT_THE_BUSINESS):
        return event
    return msgspec.structs.replace(event, value=mask_identities(event.value, ours=ours))


def _told(sentence: str) -> str:
    """A sentence of Meta's about who somebody was and is now."""
    return mask_numbers_in(mask_user_ids_in(sentence))


class Feed:
    """The open streams. They are woken by commits, never by the clock, and each reads on from its own cursor."""

    def __init__(self, archive: Archive, in_force: Callable[[], InForce], metrics: Metrics) -> None:
        self._archive, self._in_force, self._metrics = archive, in_force, metrics
        self._streams: set[_Stream] = set()
        self._shared: dict[tuple[object, ...], bytes] = {}
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on commits wake the streams of this loop."""
        self._loop = loop
        self._archive.listeners.append(self._committed)

    async def page(self, viewer: Viewer, *, since: int, limit: int) -> ChangesPage:
        policy = self._in_force()
        return await self._archive.read(lambda reading: page_for(reading, viewer, policy, since=since, limit=limit))

    async def stream(self, viewer: Viewer, since: int, receive: Receive, send: Send) -> None:
        """Serve one reader until it leaves, is revoked, is too slow, or the hub closes. A dropped reader resumes from its cursor."""
        stream = _Stream(viewer)
        self._streams.add(stream)
        self._metrics.streams.inc()
        gone = asyncio.ensure_future(_until_gone(receive, stream))
        try:
            await _start(send)
            await self._follow(stream, since, send)
        except (TimeoutError, OSError):
            log.info("stream_dropped", device=viewer.device)
        finally:
            gone.cancel()
            self._streams.discard(stream)
            self._metrics.streams.dec()

    def revoke(self, device: str) -> None:
        """End the device's streams at once, with the reason."""
        for stream in self._streams:
            if stream.viewer.device == device:
                stream.is_revoked = True
                stream.woken.set()

    def close(self) -> None:
        self._is_closed = True
        self._wake()

    def _committed(self, _head: int) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._shared.clear()
        for stream in self._streams:
            stream.woken.set()

    async def _follow(self, stream: "_Stream", since: int, send: Send) -> None:
        cursor = since
        while not (self._is_closed or stream.is_gone):
            if stream.is_revoked:
                await _write(send, b"event: revoked\ndata: {}\n\n", more=False)
                return
            stream.woken.clear()
            event, cursor, has_more = await self._next(stream.viewer, cursor)
            if stream.is_revoked:
                continue
            if event:
                await _write(send, event)
            if has_more:
                continue
            try:
                await asyncio.wait_for(stream.woken.wait(), HEARTBEAT)
            except TimeoutError:
                await _write(send, b": still here\n\n")
        if not stream.is_gone:
            await _write(send, b"", more=False)

    async def _next(self, viewer: Viewer, since: int) -> tuple[bytes, int, bool]:
        """The next event of this reader as bytes, encoded once for all who see the same."""
        policy = self._in_force()
        sees_all = can(viewer.role, "conversation.read_all")
        key = (viewer.role, "" if sees_all else viewer.person, since, policy.version)
        shared = self._shared.get(key)
        if shared is not None:
            page = msgspec.json.decode(shared.split(b"data: ", 1)[1], type=_Cursor)
            return shared, page.next, page.more
        page = await self.page(viewer, since=since, limit=MOST_CHANGES)
        if page.next == since:
            return b"", since, False
        event = b"event: changes\nid: %d\ndata: %s\n\n" % (page.next, encode(page))
        self._shared[key] = event
        return event, page.next, page.more


class _Cursor(msgspec.Struct):
    next: int
    more: bool


class _Stream:
    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.woken = asyncio.Event()
        self.is_revoked = False
        self.is_gone = False


async def _until_gone(receive: Receive, stream: _Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.is_gone = True
    stream.woken.set()


async def _start(send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await _write(send, b": wabiz\n\n")


async def _write(send: Send, chunk: bytes, *, more: bool = True) -> None:
    async with asyncio.timeout(SLOWEST_WRITE):
        await send({"type": "http.response.body", "body": chunk, "more_body": more})
