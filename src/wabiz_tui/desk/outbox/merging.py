"""What the screen shows of a conversation: the cache's messages, then the outbox's letters the feed has not brought yet."""

from collections.abc import Sequence

from wabiz_tui.desk.cache.letters import Letter
from wabiz_tui.model.values import Message


def merged(messages: Sequence[Message], letters: Sequence[Letter]) -> list[Message]:
    """No message twice: one that the feed has brought is left out of the letters, by key or by the hub's id."""
    ids = {message.id for message in messages}
    keys = {message.key for message in messages if message.key is not None}
    waiting = [
        letter.content.shown
        for letter in letters
        if letter.content is not None and letter.key not in keys and letter.message not in ids and letter.content.shown.id not in ids
    ]
    return [*messages, *waiting]
