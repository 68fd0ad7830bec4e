"""What was read and what was not."""

from wabiz_tui.hub.archive.conversations import refresh_unread
from wabiz_tui.hub.archive.messages import load_message, mark_last_unread, mark_read_up_to
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.model.errors import NotFound
from wabiz_tui.model.values import Message
from wabiz_tui.model.wire import ReadMark


def mark(writing: Writing, viewer: Viewer, conversation: str, wanted: ReadMark) -> Message | None:
    """Mark read or unread; the newest message that was unread and is read now, for telling Meta."""
    visible_conversation(writing, viewer, conversation)
    if wanted.unread:
        if mark_last_unread(writing, conversation):
            refresh_unread(writing, conversation)
        return None
    place: tuple[int, str] | None = None
    if wanted.up_to is not None:
        message = load_message(writing, wanted.up_to)
        if message is None or message.conversation != conversation:
            raise NotFound("There is no such message in this conversation.")
        place = (to_ms(message.sent_at), message.id)
    newest = mark_read_up_to(writing, conversation, place)
    if newest is not None:
        refresh_unread(writing, conversation)
    return newest
