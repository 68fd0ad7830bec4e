"""Messages of one conversation straight from the archive, for what a cache may not hold; each such reading is in the log."""

from wabiz_tui.hub.archive.auditlog import was_recorded
from wabiz_tui.hub.archive.events import own_numbers
from wabiz_tui.hub.archive.messages import load_message, page_of_messages
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.seen import names_in, seen_message
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.model.errors import NotFound
from wabiz_tui.model.wire import HistoryPage
from wabiz_tui.policy.document import Policy

MOST_MESSAGES = 500


def read_history(writing: Writing, viewer: Viewer, conversation: str, *, before: str | None, limit: int, policy: Policy) -> HistoryPage:
    """The newest messages, or those before the message id `before`, in rising time; one entry a person, conversation and day."""
    visible_conversation(writing, viewer, conversation)
    place: tuple[int, str] | None = None
    if before is not None:
        message = load_message(writing, before)
        if message is None or message.conversation != conversation:
            raise NotFound("There is no such message in this conversation.")
        place = (to_ms(message.sent_at), message.id)
    wanted = min(max(limit, 1), MOST_MESSAGES)
    messages = page_of_messages(writing, conversation, before=place, limit=wanted + 1)
    has_earlier = len(messages) > wanted
    shown = messages[1:] if has_earlier else messages
    day = writing.now.date().isoformat()
    if shown and not was_recorded(writing, f"history/{viewer.person}/{conversation}/{day}"):
        record(writing, Act("history.read", by=viewer.person, device=viewer.device, about=conversation, details={"day": day}))
    ours, names = own_numbers(writing), names_in(writing, [conversation]).get(conversation, frozenset())
    return HistoryPage(messages=[seen_message(message, policy, ours, names) for message in shown], has_earlier=has_earlier)
