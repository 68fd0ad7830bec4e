"""How long each letter is left alone after it could not go: the pauses double, and are spread so that a hundred desks do not come back
at once."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from wabiz_tui.model.errors import Unreachable, WabizError
from wabiz_tui.model.shift import OFF_SHIFT

_LONGEST_SECONDS = 60.0


class Rest(NamedTuple):
    """Until when a letter is not asked for again, and why."""

    tries: int
    until: datetime
    why: WabizError

    @property
    def is_long(self) -> bool:
        """Whether whoever waits for the letter would wait in vain: the hub does not answer, or the shift is over."""
        return isinstance(self.why, Unreachable) or self.why.code == OFF_SHIFT


class Rests:
    """By the letters' ids; in memory alone, since a desk that starts anew tries everything at once."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._found: dict[str, Rest] = {}

    def __contains__(self, letter: str) -> bool:
        return letter in self._found

    def of(self, letter: str) -> Rest | None:
        return self._found.get(letter)

    def tries(self, letter: str) -> int:
        return self._found[letter].tries if letter in self._found else 0

    def begin(self, letter: str, why: WabizError, *, at_least: timedelta | None = None) -> None:
        tried = self.tries(letter) + 1
        pause = min(_LONGEST_SECONDS, 2.0 ** min(tried, 10) / 2) * random.uniform(0.5, 1.0)  # noqa: S311 spreading load is no secret
        wait = max(timedelta(seconds=pause), at_least or timedelta())
        self._found[letter] = Rest(tried, self._now() + wait, why)

    def end(self, letter: str) -> None:
        self._found.pop(letter, None)

    def end_all(self) -> None:
        self._found.clear()

    def cut_short(self, letter: str) -> Rest | None:
        """A long rest ends here and now; that rest, or None where there was none. Its tries still count."""
        rest = self._found.get(letter)
        if rest is None or not rest.is_long:
            return None
        self._found[letter] = ended = rest._replace(until=self._now())
        return ended
