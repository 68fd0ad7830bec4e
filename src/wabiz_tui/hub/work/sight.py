"""What of the work its viewer may see."""

from wabiz_tui.hub.archive.conversations import StoredConversation, load_conversation
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.model.errors import NotFound


def visible_conversation(reading: Reading, viewer: Viewer, conversation: str) -> StoredConversation:
    """Raises NotFound alike for what is not there and for what the viewer may not see."""
    stored = load_conversation(reading, conversation)
    if stored is None or not viewer.can_see_conversation(*stored.assigned):
        raise NotFound("There is no such conversation.")
    return stored
