"""The schema of an empty embedded archive, put there by the statements that the migrations ran the first time in this process: of a
test's time to begin, finding and running all migrations takes half. PostgreSQL, and what is not empty, always gets the migrations."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event

from wabiz_tui.hub.archive.engine import sql

_PLACE = "_migrate"
MIGRATE: Callable[[sa.Connection, str], None] = getattr(sql, _PLACE)
"""The migrations themselves."""


@contextmanager
def schema_replayed() -> Generator[None]:
    recorded: list[tuple[str, Any]] = []

    def migrate_or_replay(connection: sa.Connection, name: str) -> None:
        if connection.dialect.name != "sqlite" or MigrationContext.configure(connection).get_current_revision() is not None:
            MIGRATE(connection, name)
        elif recorded:
            for statement, parameters in recorded:
                connection.exec_driver_sql(statement, parameters)
        else:
            recorded.extend(_recording(connection, lambda: MIGRATE(connection, name)))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sql, _PLACE, migrate_or_replay)
        yield


def _recording(connection: sa.Connection, work: Callable[[], None]) -> list[tuple[str, Any]]:
    """What `work` wrote; what it read is left out."""
    found: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, _context: object, _is_many: bool) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            found.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(connection, "before_cursor_execute", note)
    return found
