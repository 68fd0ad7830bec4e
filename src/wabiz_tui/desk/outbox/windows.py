"""Letters that wait while their customer's window closes: told in time, and given back with their words once it has closed."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from wabiz_tui.desk.cache.letters import Letter
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.model.content import Template
from wabiz_tui.model.errors import CloudError, NotFound
from wabiz_tui.model.values import DeliveryState
from wabiz_tui.policy.window import left

TOLD_BEFORE = timedelta(minutes=15)
WINDOW_CLOSED = "window_closed"
_WINDOW_CODE = 131047
"""Meta's code for free text outside of the window (cloud-api §10)."""
WindowOf = Callable[[str], Awaitable[datetime | None]]
"""When the window of a conversation shuts; None where it never opened. Raises NotFound for one that is not in sight."""


class Looked(NamedTuple):
    """`closed`: their windows have shut. `closing`: they shut soon and do not say so yet; each as it shall be shown. `look_again`:
    when the next of the others comes near its end."""

    closed: list[Letter]
    closing: list[Letter]
    look_again: datetime | None


async def window_in(cache: Cache, conversation: str) -> datetime | None:
    """As this machine knows it. Raises NotFound."""
    return (await cache.conversation(conversation)).window_until


async def look(letters: list[Letter], window_of: WindowOf, now: datetime) -> Looked:
    """Only what has certainly not left is judged: what may have arrived is the hub's to tell, and templates need no window."""
    closed: list[Letter] = []
    closing: list[Letter] = []
    again: list[datetime] = []
    known: dict[str, datetime | None] = {}
    for letter in letters:
        if letter.state != "queued" or letter.attempts or letter.content is None or isinstance(letter.content.shown.content, Template):
            continue
        try:
            if letter.conversation not in known:
                known[letter.conversation] = await window_of(letter.conversation)
        except NotFound:
            continue
        until = known[letter.conversation]
        rest = left(until, now)
        if until is None or not rest:
            closed.append(letter)
            continue
        again.append(now + (rest if rest <= TOLD_BEFORE else rest - TOLD_BEFORE))
        if rest <= TOLD_BEFORE and not is_told(letter):
            closing.append(_told(letter, until))
    return Looked(closed, closing, min(again, default=None))


def shut() -> CloudError:
    """What a letter is told whose window closed while it waited."""
    sentence = "The 24-hour window closed while this waited; its text is kept: choose a template, or wait until the customer writes."
    return CloudError(sentence, graph_code=_WINDOW_CODE, code=WINDOW_CLOSED)


def is_shut_out(letter: Letter) -> bool:
    """Whether a letter failed for its window, here or at the hub."""
    delivery = None if letter.content is None else letter.content.shown.delivery
    return letter.state == "failed" and delivery is not None and delivery.error is not None and delivery.error.code == _WINDOW_CODE


def notice(letters: list[Letter]) -> str:
    """The one sentence that whoever waits for these letters must see; empty where all is well."""
    closing = [letter for letter in letters if letter.state == "queued" and is_told(letter)]
    if closing:
        return _counted(len(closing), "message waits", "messages wait") + " while the window is about to close."
    shut_out = sum(is_shut_out(letter) for letter in letters)
    if shut_out:
        return _counted(shut_out, "message was", "messages were") + " not sent: the window closed meanwhile; choose a template."
    return ""


def is_told(letter: Letter) -> bool:
    """Whether the letter already says that its window closes."""
    delivery = None if letter.content is None else letter.content.shown.delivery
    return delivery is not None and delivery.state is DeliveryState.QUEUED and bool(delivery.sentence)


def _told(letter: Letter, until: datetime) -> Letter:
    content = letter.content
    assert content is not None  # noqa: S101 only letters with words are judged
    delivery = content.shown.delivery
    assert delivery is not None  # noqa: S101 every letter begins as queued
    sentence = f"Still waiting to be sent; the window closes at {until.astimezone():%H:%M}."
    shown = msgspec.structs.replace(content.shown, delivery=msgspec.structs.replace(delivery, sentence=sentence))
    return msgspec.structs.replace(letter, content=msgspec.structs.replace(content, shown=shown))


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
