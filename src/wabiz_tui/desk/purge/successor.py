"""The cache of the next epoch while it is made: filled beside the one that is used, then put in its place."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wabiz_tui.desk.cache.database import MEMORY, Database
from wabiz_tui.desk.cache.marks import Pending
from wabiz_tui.desk.cache.migrations import Kind
from wabiz_tui.desk.cache.rebuilding import Rebuilding
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.secret import Secret


class Successor:
    """Of `old`, for `pending.next_epoch`; on the disk, or in memory where the policy wants no file. All calls block."""

    def __init__(
        self,
        old: Cache,
        old_key: Secret,
        pending: Pending,
        key: Secret,
        *,
        in_memory: bool,
        shelf: Shelf,
        open_cache: Callable[[int, Path], Cache],
    ) -> None:
        """Begin it, empty. Raises what Database raises."""
        self._pending, self._shelf, self._open_cache = pending, shelf, open_cache
        self._epoch = pending.next_epoch
        self._in_memory: Cache | None = None
        if in_memory:
            self._in_memory = open_cache(self._epoch, MEMORY)
            self._database = self._in_memory.database
        else:
            shelf.destroy_file(shelf.draft(self._epoch))
            self._database = Database(shelf.draft(self._epoch), key, Kind.CACHE, is_draft=True)
        self._rebuilding = Rebuilding(old.database, old_key, self._database, now=pending.started_at)

    def fill(self) -> None:
        """Copy what may stay; whoever reads or writes the old cache goes on. Raises StoreFull, DamagedStore."""
        self._rebuilding.copy()
        if self._in_memory is None:
            # Here, and not at the switch, goes most of what must be on the disk before the new name is.
            self._shelf.flush(self._epoch)

    def take_over(self) -> Cache:
        """Copy the last of it and put the file in place. Nobody may write to the old cache from here on."""
        self._rebuilding.finish(self._pending)
        if self._in_memory is not None:
            return self._in_memory
        self._database.close()
        self._shelf.publish(self._epoch)
        return self._open_cache(self._epoch, self._shelf.path(self._epoch))

    def give_up(self) -> None:
        """Nothing of it stays; the old cache goes on as if nothing had been begun. For use before it took over."""
        self._rebuilding.give_up()
        with suppress(WabizError):
            self._database.close()
        if self._in_memory is None:
            self._shelf.destroy_file(self._shelf.draft(self._epoch))
