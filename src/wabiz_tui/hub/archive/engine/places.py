"""Where an archive lies: what differs between its two engines, as the rest of the archive sees it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import sqlalchemy as sa

KeyTable = Literal["keys", "shares"]
"""The keys of content, and devices' shares of cache keys: apart from the content and from each other."""


KEYS_DESTROYED = "keys_destroyed"
"""What the processes are told when keys of a table went or were replaced: the name of the table."""


class Engines(NamedTuple):
    """`readers` begin snapshots, which never wait; `writer` begins transactions, of which a tenant has one at a time."""

    readers: sa.Engine
    writer: sa.Engine


class KeyRows(Protocol):
    """Wrapped keys by name. Not for several threads at once; errors are StoreError and its kin."""

    @property
    def name(self) -> str:
        """How messages call it."""
        ...

    def find(self, name: str) -> bytes | None: ...

    def find_many(self, names: Sequence[str]) -> list[tuple[str, bytes]]: ...

    def add(self, name: str, wrapped: bytes) -> bool:
        """In the transaction that `commit` ends, begun here if there is none. False when another process was first."""
        ...

    def put(self, name: str, wrapped: bytes) -> None:
        """As `add`, over what is there."""
        ...

    def page(self, after: str, limit: int) -> list[tuple[str, bytes]]:
        """The next rows after a name, in the order of their names."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def names(self, prefix: str) -> list[str]: ...

    def destroy(self, names: Iterable[str], *, replaced: Mapping[str, bytes] | None = None) -> int:
        """Delete these rows, put others in place of some, and rewrite what held them; how many there were."""
        ...

    def close(self) -> None: ...


class SealedEntry(NamedTuple):
    number: int
    day: str
    at_ms: int
    sealed: bytes


class JournalRows(Protocol):
    """Sealed bodies in the order of their commits. Reading and writing may go on in two threads; errors are StoreError and its kin."""

    @property
    def name(self) -> str: ...

    def add(self, day: str, at_ms: int, sealed: Sequence[bytes]) -> list[int]:
        """All of them durably, in one commit; their numbers, greater than every one committed before."""
        ...

    def after(self, number: int, limit: int) -> Iterator[SealedEntry]: ...

    def last(self) -> int: ...

    def check(self) -> None:
        """Write what changes nothing, to see whether anything can be written."""
        ...

    def skip_to(self, number: int) -> None:
        """Give what comes from now on numbers above this one."""
        ...

    def purge(self, before: str, folded: int) -> tuple[int, set[str]]:
        """Delete days before one, up to a number; how many entries went, and the days before it that still have some."""
        ...

    def close(self) -> None: ...


class Signals(Protocol):
    """What the processes over one archive tell each other: topics and short texts, which nobody keeps. See hub/processes/bus.py."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes may serve the same archive."""
        ...

    def put(self, connection: sa.Connection, told: Sequence[tuple[str, str]]) -> None:
        """Tell the others with the transaction that this connection is in: when it commits, or not at all."""
        ...

    def send(self, told: Sequence[tuple[str, str]]) -> None:
        """Tell the others at once. From one thread; raises StoreError and its kin."""
        ...

    def listen(self, hear: Callable[[str, str], object], missed: Callable[[], object]) -> None:
        """Give topics and texts of the others until `stop`; `missed` is called each time that listening begins (again)."""
        ...

    def stop(self) -> None: ...

    def close(self) -> None:
        """Once nobody listens or sends any more."""
        ...


class Seated(NamedTuple):
    """How a process sits: whether it leads, and whether its seat was taken (again) with this look."""

    leads: bool
    is_anew: bool


class Seat(Protocol):
    """A process's place among those that serve one archive; it ends with the process, however that ends. For one thread."""

    def look(self) -> Seated:
        """Keep the seat or take it again, and lead if nobody does. Raises StoreError and its kin, and leads no more then."""
        ...

    def living(self, processes: Collection[str]) -> set[str]:
        """Those of these processes that have their seats."""
        ...

    def claim(self, connection: sa.Connection, process: str) -> bool:
        """Keep a dead process from its seat until this transaction's end; False where it lives."""
        ...

    def close(self) -> None: ...


class Place(Protocol):
    """One database of one hub; what it opens is the caller's to close."""

    @property
    def media(self) -> Path:
        """The folder of sealed files."""
        ...

    def open(self, tenant: str) -> Engines:
        """Engines over the present schema. Raises WrongKey, ForeignFile, NewerSchema, StoreError and its kin."""
        ...

    def translated(self) -> AbstractContextManager[None]:
        """Turns the errors of engine and driver into errors of ours, with a sentence about this place."""
        ...

    @property
    def process(self) -> str:
        """The id of the process that this place is opened by; no other has it."""
        ...

    def open_signals(self, tenant: str) -> Signals: ...

    def take_seat(self, tenant: str) -> Seat: ...

    def open_keys(self, table: KeyTable, tenant: str) -> KeyRows: ...

    def open_journal(self, tenant: str) -> JournalRows: ...

    def prepare_months(self, months: Iterable[str]) -> None:
        """Make room for messages of these months (`2026-11`), where the engine wants to be told beforehand."""
        ...

    def served(self, tenant: str) -> AbstractContextManager[Callable[[], None]]:
        """Serve the archive as long as the context lasts: with others on a server, as the only process where it lies in files.
        Raises Conflict when somebody else holds it, alone or at all.

        Call what it gives now and then, from one thread at a time: it takes again what a broken line let go, and raises Conflict
        when another was quicker, StoreError while the place cannot be reached."""
        ...

    def held_alone(self, tenant: str) -> AbstractContextManager[Callable[[], None]]:
        """As `served`, with nobody beside: for what no hub may see half done. Raises Conflict while any hub serves the archive."""
        ...
