"""What both engines of the archive share: bringing the schema up to date, translating errors, putting rows."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import exc

from wabiz_tui.hub.archive.engine.direct import Direct, upsert
from wabiz_tui.hub.archive.engine.places import Place
from wabiz_tui.model.errors import NewerSchema, StoreError

if TYPE_CHECKING:
    from alembic.config import Config

WRITER = "wabiz_writer"
"""The option of a writer's connection: the tenant it writes for."""
MIGRATIONS = Path(__file__).parent.parent / "migrations"


def migrate(writer: sa.Engine, place: Place, *, name: str) -> None:
    """Bring the schema to this program's, in one transaction. Raises NewerSchema when it is beyond."""
    with place.translated(), writer.begin() as connection:
        _migrate(connection, name)


def _migrate(connection: sa.Connection, name: str) -> None:
    from alembic import command
    from alembic.runtime.migration import MigrationContext

    known, newest = _revisions()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == newest:
        return
    if current is not None and current not in known:
        raise NewerSchema(f"{name} was written by a newer wabiz (schema {current}); update this installation.")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@functools.cache
def _revisions() -> tuple[frozenset[str], str | None]:
    """All revisions that this program knows, and the newest: finding them imports every migration."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    return frozenset(script.revision for script in scripts.walk_revisions()), scripts.get_current_head()


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


class translated_sql:  # noqa: N801 read as a verb: with translated_sql(...)
    """Turn what the driver raised, wrapped by SQLAlchemy or not, into an error of ours."""

    def __init__(self, translate: Callable[[BaseException], StoreError | None]) -> None:
        self._translate = translate

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        if isinstance(cause, exc.TimeoutError):
            raise StoreError("The archive is busy: all its lines are in use; ask again in a moment.") from error
        if isinstance(cause, exc.PendingRollbackError):
            raise StoreError("The line to the archive broke amid a transaction; nothing of it was kept.") from error
        translated = None if cause is None or isinstance(cause, StoreError) else self._translate(cause)
        if translated is not None:
            raise translated from error


def put(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows, which all name the same columns; a row whose primary key is there already is replaced by these columns."""
    if rows:
        _putting(table, tuple(rows[0])).run(connection, rows)


@functools.cache
def _putting(table: sa.Table, names: tuple[str, ...]) -> Direct:
    return Direct(upsert(table, names))
