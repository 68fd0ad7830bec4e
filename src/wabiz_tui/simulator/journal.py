"""A record that keeps the newest of what happened and counts all of it."""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Generic, TypeVar

Row = TypeVar("Row")

KEPT = 50_000
"""How many sends, and how many read marks, are kept."""


class Journal(Generic[Row]):
    """Oldest first. Above `most` rows the oldest is forgotten; positions count on, so that a reader's position stays true."""

    def __init__(self, key: Callable[[Row], str], most: int = KEPT) -> None:
        self._key, self._most = key, most
        self._rows: deque[Row] = deque()
        self._newest: dict[str, Row] = {}
        self.told = 0
        """How many there ever were: the position behind the newest."""

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def append(self, row: Row) -> None:
        self._rows.append(row)
        self._newest[self._key(row)] = row
        self.told += 1
        if len(self._rows) > self._most:
            oldest = self._rows.popleft()
            if self._newest.get(self._key(oldest)) is oldest:
                del self._newest[self._key(oldest)]

    def find(self, key: str) -> Row | None:
        """The newest row of that key; None where there was none or it is forgotten."""
        return self._newest.get(key)

    def since(self, position: int) -> Iterator[Row]:
        """What came after a position."""
        return islice(self._rows, max(0, position - self._forgotten), None)

    def numbered(self) -> Iterator[tuple[int, Row]]:
        """Each row with the position it has for good."""
        return enumerate(self._rows, self._forgotten)

    def at(self, position: int) -> Row | None:
        """The row of a position that `numbered` gave; None where it is forgotten or never was."""
        place = position - self._forgotten
        return self._rows[place] if 0 <= place < len(self._rows) else None

    @property
    def _forgotten(self) -> int:
        return self.told - len(self._rows)
