"""Messages beyond what the cache may hold: read live from the hub, shown from memory, never stored; the hub logs each reading."""

from urllib.parse import urlencode

import msgspec

from wabiz_tui.desk.cache.reading import is_from_customer
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.session.session import Session
from wabiz_tui.model.desk import TimelinePage
from wabiz_tui.model.errors import BadInput, Denied, NotFound, Unreachable
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.newer import decode_or_translate
from wabiz_tui.model.values import Message
from wabiz_tui.model.wire import HistoryPage

MOST = 500
"""Messages in one page, as the hub bounds it."""
_MOST_PAGES = 200
_SECONDS = 5.0
"""Between two signs of the hub: whoever asks has the cache to fall back on, and waits."""


async def read_page(link: Link, conversation: str, *, before: str | None, limit: int) -> HistoryPage:
    """The newest messages of a conversation at the hub, or those before a message, in rising time. Raises NotFound, Unreachable."""
    if not is_id(conversation) or not (before is None or is_id(before)):
        raise BadInput("A conversation and a message are named by 32 hexadecimal digits.")
    query = {"limit": str(min(max(limit, 1), MOST))} | ({} if before is None else {"before": before})
    path = f"/v1/conversations/{conversation}/messages?{urlencode(query)}"
    return decode_or_translate(await link.request("GET", path, timeout=_SECONDS), HistoryPage)


async def messages_with_history(session: Session, conversation: str, cached: list[Message], *, whole: bool = False) -> list[Message]:
    """All of a conversation: what the cache holds, after what the hub has from before. Left out is what this machine held once
    and has purged: it does not come back unasked. Without the hub: the cache alone, or with `whole` Unreachable, which is raised
    only after the hub was tried."""
    if not whole and not _may_answer(session):
        return cached
    forgotten = await session.use(Cache.forgotten_until)
    found: list[Message] = []
    before = cached[0].id if cached else None
    try:
        for _ in range(_MOST_PAGES):
            page = await read_page(session.link, conversation, before=before, limit=MOST)
            wanted = [message for message in page.messages if forgotten is None or message.sent_at > forgotten]
            found = wanted + found
            if not page.has_earlier or len(wanted) < len(page.messages):
                break
            before = page.messages[0].id
    except Unreachable:
        if whole:
            raise
        return cached
    except (NotFound, Denied):
        return cached
    return found + cached


async def timeline_with_history(session: Session, page: TimelinePage, *, before: str | None, limit: int) -> TimelinePage:
    """A slice that reached the beginning of what the cache holds, continued from the hub where a person looks for more:
    at once when the cache holds nothing of the conversation, else when asked for what was before the oldest message."""
    # One that was itself read live: the cache takes an unknown place for the newest.
    is_beyond = before is not None and await session.use(lambda cache: cache.message(before)) is None
    if page.has_earlier and not is_beyond:
        return page
    if is_beyond:
        page = msgspec.structs.replace(page, messages=[], has_earlier=False, has_later=True)
    if not _may_answer(session):
        return msgspec.structs.replace(page, earlier="unreachable")
    if page.messages:
        # Whether the hub has more is not known without asking, and asking is written into the log: only if a person scrolls on.
        return msgspec.structs.replace(page, has_earlier=True, earlier="hub")
    try:
        live = await read_page(session.link, page.conversation.id, before=before, limit=limit)
    except Unreachable:
        return msgspec.structs.replace(page, earlier="unreachable")
    except (NotFound, Denied):
        return page
    messages, has_earlier = live.messages, live.has_earlier
    if before is None:
        forgotten = await session.use(Cache.forgotten_until)
        messages = [message for message in live.messages if forgotten is None or message.sent_at > forgotten]
        has_earlier = has_earlier or len(messages) < len(live.messages)
    first_unread = page.first_unread if before is not None else _first_unread(messages, page.conversation.unread)
    return msgspec.structs.replace(
        page,
        messages=messages,
        has_earlier=has_earlier,
        has_later=before is not None,
        first_unread=first_unread,
        earlier="hub" if has_earlier else "none",
    )


def _may_answer(session: Session) -> bool:
    """Not only when online: a desk that has just started is connecting still, and the asking itself finds out."""
    return session.link_state in ("online", "connecting")


def _first_unread(messages: list[Message], unread: int) -> str | None:
    incoming = [message.id for message in messages if is_from_customer(message)]
    return incoming[-unread] if 0 < unread <= len(incoming) else None
