"""What differs between the archive's two engines stands here: how to connect, how a writer begins, how a row is put or replaced."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc, pool

from wabiz_tui.hub.archive.cipher import ARCHIVE_ID, connect, store_error, translated
from wabiz_tui.model.errors import NewerSchema, UsageError
from wabiz_tui.model.secret import Secret

WRITER = "wabiz_writer"
MIGRATIONS = Path(__file__).parent / "migrations"


def archive_path(archive: str) -> Path:
    """The file an `--archive` value names. Raises UsageError for engines this hub cannot open."""
    if archive.startswith(("postgresql://", "postgresql+", "postgres://")):
        raise UsageError("This version keeps its archive in an SQLCipher file; give --archive a path (PostgreSQL comes later).")
    for scheme in ("sqlcipher:///", "sqlite:///", "file://"):
        if archive.startswith(scheme):
            return Path(archive[len(scheme) :]).expanduser().absolute()
    if "://" in archive:
        raise UsageError(f"--archive does not know the kind of URL '{archive.split('://', 1)[0]}'; give it a path.")
    if not archive.strip():
        raise UsageError("--archive needs a path.")
    return Path(archive).expanduser().absolute()


def open_sqlcipher(path: Path, key: Secret) -> sa.Engine:
    """An engine over the archive's file; readers never wait for the writer (WAL), writers begin IMMEDIATE so they never deadlock."""
    from sqlcipher3 import dbapi2

    connect(path, key, application_id=ARCHIVE_ID).close()  # refusals come here, as errors of ours
    engine = sa.create_engine(
        "sqlite+pysqlite://",
        module=dbapi2,
        creator=lambda: connect(path, key, application_id=ARCHIVE_ID),
        poolclass=pool.QueuePool,
        pool_size=8,
        max_overflow=4,
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction] the event keeps it
        writes = connection.get_execution_options().get(WRITER, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def migrate(engine: sa.Engine, path: Path) -> None:
    """Bring the schema to this program's, in one transaction. Raises NewerSchema when it is beyond."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with translated_sql(path), engine.execution_options(**{WRITER: True}).begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise NewerSchema(f"{path.name} was written by a newer wabiz (schema {current}); update this installation.", path=path)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class translated_sql:  # noqa: N801 read as a verb: with translated_sql(path)
    """As `cipher.translated`, for errors that SQLAlchemy wrapped."""

    def __init__(self, path: Path) -> None:
        self._inner, self._path = translated(path), path

    def __enter__(self) -> None:
        self._inner.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, exc.DBAPIError) and error.orig is not None:
            raise store_error(error.orig, self._path) from error
        self._inner.__exit__(kind, error, trace)


def put(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows; a row whose primary key is there already is replaced by the given columns."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    statement: Any = insert(table)
    keys = [column.name for column in table.primary_key]
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if replaced:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced), list(rows))
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=keys), list(rows))
