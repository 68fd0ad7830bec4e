"""What is asked at the beginning of an act's first transaction, where nothing can come between the answer and the act."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from wabiz_tui.hub.archive.store import Writing

T = TypeVar("T")


class _Beginning:
    """Of one task: what it starts goes on by itself, whatever becomes of the one who asked for it."""

    def __init__(self, check: "Callable[[Writing], object]") -> None:
        self._check: Callable[[Writing], object] | None = check
        self._task = asyncio.current_task()

    def before(self, work: "Callable[[Writing], T]") -> "Callable[[Writing], T]":
        check = self._check
        if check is None or asyncio.current_task() is not self._task:
            return work
        self._check = None

        def checked(writing: "Writing") -> T:
            check(writing)
            return work(writing)

        return checked


_current: ContextVar[_Beginning | None] = ContextVar("beginning", default=None)


@contextmanager
def beginning_with(check: "Callable[[Writing], object]") -> Generator[None]:
    """The first transaction that this task writes within begins with `check`; where that raises nothing is written. Later ones
    belong to an act that has begun: to refuse them would leave half of it."""
    token = _current.set(_Beginning(check))
    try:
        yield
    finally:
        _current.reset(token)


def with_check(work: "Callable[[Writing], T]") -> "Callable[[Writing], T]":
    """`work`, after the check that is due, if one is."""
    beginning = _current.get()
    return work if beginning is None else beginning.before(work)
