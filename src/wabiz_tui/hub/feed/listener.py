"""One reader of the stream, and how an event is written to it without waiting."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.front.chunks import Chunk, WriteChunk
from wabiz_tui.hub.ingest.door import Send
from wabiz_tui.model.shift import ShiftStanding

WORKS = ShiftStanding("working")


class Listener:
    """One reader's open answer: where it stands, and what is being written to it. At most one event is under way."""

    __slots__ = (
        *("cursor", "ended", "flowed", "is_new", "is_parked", "loop", "reason", "send", "stands", "viewer"),
        *("write_chunk", "writing", "written_at"),
    )

    def __init__(
        self, viewer: Viewer, since: int, send: Send, loop: asyncio.AbstractEventLoop, *, write_chunk: WriteChunk | None = None
    ) -> None:
        self.viewer, self.cursor, self.send, self.loop, self.write_chunk = viewer, since, send, loop, write_chunk
        self.ended: asyncio.Future[None] = loop.create_future()
        self.reason = ""
        self.stands = WORKS
        """What the reader was told last of their shift."""
        self.flowed = since
        """Up to where policy, people and numbers were told while they are closed out."""
        self.is_parked = False
        self.is_new = True
        """Whether it was not told yet who is where."""
        self.writing: asyncio.Task[None] | None = None
        self.written_at = loop.time()

    @property
    def is_open(self) -> bool:
        return not self.reason

    @property
    def is_waiting(self) -> bool:
        """Whether it has caught up and took all that was written to it."""
        return self.is_parked and self.writing is None and not self.reason

    def end(self, reason: str) -> None:
        """The first reason counts."""
        if self.reason:
            return
        self.reason = reason
        if self.writing is not None and reason in ("gone", "slow"):
            self.writing.cancel()
        if not self.ended.done():
            self.ended.set_result(None)

    def write(self, event: Chunk, *, done: Callable[[], object]) -> None:
        """Write without waiting: at once where the line takes it, else by a task, after which `done` is called."""
        self.written_at = self.loop.time()
        if self.write_chunk is not None and self.write_chunk(event.framed):
            return
        steps = self.send(body_of(event.body)).__await__()
        try:
            awaited = next(steps)
        except StopIteration:
            return
        except OSError:
            self.end("gone")
            return
        self.writing = self.loop.create_task(_finished(steps, awaited))
        self.writing.add_done_callback(lambda task: self._written(task, done))

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing was written for so long."""
        return self.loop.time() - self.written_at >= seconds

    def is_too_slow(self, seconds: float) -> bool:
        """Whether what was written so long ago is still not taken."""
        return self.writing is not None and self.loop.time() - self.written_at > seconds

    def _written(self, task: asyncio.Task[None], done: Callable[[], object]) -> None:
        self.writing = None
        if task.cancelled() or task.exception() is not None:
            self.end("gone")
        done()


class _Continued:
    """A write that ran up to its first wait, to be awaited from there: so one that need not wait costs no task."""

    def __init__(self, steps: Generator[Any, Any, None], awaited: Any) -> None:
        self._steps, self._awaited = steps, awaited

    def __await__(self) -> Generator[Any, Any, None]:
        awaited = self._awaited
        try:
            while True:
                try:
                    yield awaited
                except BaseException as error:  # noqa: BLE001 cancelling must reach the write as it would by `await`
                    awaited = self._steps.throw(error)
                else:
                    awaited = next(self._steps)
        except StopIteration:
            return


async def _finished(steps: Generator[Any, Any, None], awaited: Any) -> None:
    await _Continued(steps, awaited)


def body_of(chunk: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}
