"""The archive in a PostgreSQL database: content in its own schema, keys, journal and the months of messages each in one beside it."""

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from threading import Lock
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import conninfo, errors, sql
from sqlalchemy import event, pool

from wabiz_tui.hub.archive.engine.locks import lock_number
from wabiz_tui.hub.archive.engine.places import KEYS_DESTROYED, Engines, KeyTable
from wabiz_tui.hub.archive.engine.server_lines import BOUNDED, PATIENT, Patience, TextCursor
from wabiz_tui.hub.archive.engine.server_rows import JournalTable, KeysTable, Line
from wabiz_tui.hub.archive.engine.server_seat import ServerSeat
from wabiz_tui.hub.archive.engine.server_signals import Channel, ServerSignals
from wabiz_tui.hub.archive.engine.sql import WRITER, migrate, translated_sql
from wabiz_tui.model.errors import Conflict, StoreError, StoreFull, UsageError
from wabiz_tui.model.secret import Secret

_OLDEST = 150_000
_MONTH = re.compile(r"\d{4}-\d{2}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# A server that fell silent is given up after half a minute; the system's own patience is hours.
_LOST_LINE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
_REFUSED = (
    "The address of the archive holds a password, which every user of this machine could read; take it out and put it into the file"
    " archive_password (mode 0600) of the secrets' folder, or into libpq's password file (PGPASSFILE)."
)


def checked_address(address: str) -> str:
    """The address of a database, without its password. Raises UsageError, which never shows the address."""
    try:
        parts = conninfo.conninfo_to_dict(address)
    except psycopg.ProgrammingError as error:
        raise UsageError("The address of the archive is no PostgreSQL address; write postgresql://user@host/database.") from error
    if parts.get("password") or parts.get("sslpassword"):
        raise UsageError(_REFUSED)
    return address


class PostgresqlPlace:
    """One database; `media` is the folder of sealed files. Several tenants may share it."""

    def __init__(self, address: str, password: Secret | None, media: Path) -> None:
        self._address, self._password, self._media = checked_address(address), password, media
        parts = conninfo.conninfo_to_dict(address)
        self._options: dict[str, Any] = {"connect_timeout": 10, "application_name": "wabiz-hub", **_LOST_LINE}
        host = str(parts.get("host") or parts.get("hostaddr") or os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR") or "")
        if "sslmode" not in parts and "PGSSLMODE" not in os.environ and not _is_on_this_machine(parts):
            self._options["sslmode"] = "require"
        self._own_options = str(parts.get("options") or os.environ.get("PGOPTIONS") or "")
        self._options = {name: value for name, value in self._options.items() if name not in parts}
        self.name = f"the database {parts.get('dbname') or parts.get('user') or 'of this user'} at {host or 'the local socket'}"
        # Of this process alone, whatever chance the archive was given.
        self.process = secrets.token_hex(16)
        self._months: set[str] = set()
        self._months_lock = Lock()

    @property
    def media(self) -> Path:
        return self._media

    def open(self, tenant: str) -> Engines:
        """Readers see one snapshot. A tenant has one writer at a time, whichever process it is in: it holds a lock until its commit."""
        with self._line() as line:
            self._check_version(line)
        self._migrate(tenant)
        engine = self._engine(BOUNDED, poolclass=pool.QueuePool, pool_size=8, max_overflow=4, pool_pre_ping=True)
        writer = engine.execution_options(**{WRITER: tenant})
        return Engines(engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True), writer)

    def _migrate(self, tenant: str) -> None:
        """Whoever comes while another migrates waits for it, whichever tenant either is of."""
        engine = self._engine(PATIENT, poolclass=pool.NullPool)
        try:
            with self._line() as line:
                line.execute("SELECT pg_advisory_lock(%s)", (lock_number("migrations"),))
                migrate(engine.execution_options(**{WRITER: tenant}), self, name=self.name)
        finally:
            engine.dispose()

    def _engine(self, patience: Patience, **pooled: Any) -> sa.Engine:
        engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=lambda: self._connect(patience, autocommit=False),
            hide_parameters=True,
            # Whatever the database's default is: what a writer reads must be what stands there once its turn has come.
            isolation_level="READ COMMITTED",
            **pooled,
        )

        @event.listens_for(engine, "begin")
        def begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction] the event keeps it
            writes_for = connection.get_execution_options().get(WRITER)
            if writes_for is not None:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_number(f"write/{writes_for}"))))

        return engine

    def translated(self) -> contextlib.AbstractContextManager[None]:
        return translated_sql(self._store_error)

    def open_signals(self, tenant: str) -> ServerSignals:
        return ServerSignals(self._new_line(), self._new_line(), self._channel(tenant))

    def take_seat(self, tenant: str) -> ServerSeat:
        return ServerSeat(self._new_line(), tenant, self.process)

    def open_keys(self, table: KeyTable, tenant: str) -> KeysTable:
        channel = self._channel(tenant)
        return KeysTable(self._new_line(), table, tenant, tell=lambda connection: channel.tell(connection, [(KEYS_DESTROYED, table)]))

    def open_journal(self, tenant: str) -> JournalTable:
        number = lock_number(f"journal/{tenant}")
        return JournalTable(self._new_line(), self._new_line(), tenant, number)

    def prepare_months(self, months: Iterable[str]) -> None:
        """Make the partitions that are not there yet, each in a transaction of its own: attaching one stops neither reader nor writer."""
        missing = set(months) - self._months
        if not missing:
            return
        with self._months_lock, self._line() as line:
            for month in sorted(missing):
                if _MONTH.fullmatch(month) is None:
                    raise StoreError("A message's month must be written as 2026-11.")
                with line.transaction():
                    line.execute("SELECT pg_advisory_xact_lock(%s)", (lock_number("months"),))
                    _add_month(line, month)
                self._months.add(month)

    def served(self, tenant: str) -> contextlib.AbstractContextManager[Callable[[], None]]:
        """Beside other hubs, and not while somebody holds it alone."""
        return self._held(tenant, "pg_advisory_lock_shared", f"Another program holds {self.name} alone; wait for its end.")

    def held_alone(self, tenant: str) -> contextlib.AbstractContextManager[Callable[[], None]]:
        return self._held(tenant, "pg_advisory_lock", f"A hub serves {self.name}; end it first.")

    @contextlib.contextmanager
    def _held(self, tenant: str, take: str, refusal: str) -> Generator[Callable[[], None]]:
        """The server lets go when this process or its line ends. It notices the end of a killed one a moment late: that is waited for."""
        line = self._new_line()
        held: list[psycopg.Connection[Any]] = []

        def hold() -> None:
            with self.translated():
                if held:
                    with contextlib.suppress(psycopg.OperationalError):
                        held[0].execute("SELECT 1")
                        return
                    line.close()
                connection = line.open()
                connection.execute("SET lock_timeout = '5s'")
                try:
                    connection.execute(sql.SQL("SELECT {}(%s)").format(sql.Identifier(take)), (lock_number(f"hub/{tenant}"),))
                except errors.LockNotAvailable as error:
                    raise Conflict(refusal, code="hub_runs") from error
                held[:] = [connection]

        try:
            hold()
            yield hold
        finally:
            line.close()

    def _channel(self, tenant: str) -> Channel:
        return Channel(f"wabiz_{lock_number(f'signals/{tenant}'):x}", self.process)

    def _new_line(self, patience: Patience = BOUNDED) -> Line:
        return Line(self.name, lambda: self._connect(patience), self.translated)

    @contextlib.contextmanager
    def _line(self) -> Generator[psycopg.Connection[Any]]:
        with self.translated(), contextlib.closing(self._connect(PATIENT)) as line:
            yield line

    def _connect(self, patience: Patience, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        # The password is handed over here alone, so that neither address nor engine ever holds it.
        password = {} if self._password is None else {"password": self._password.text()}
        # What the operator's own options say counts.
        options: dict[str, Any] = {**self._options, **password, "options": f"{patience.options} {self._own_options}".strip()}
        return psycopg.connect(self._address, autocommit=autocommit, cursor_factory=TextCursor, **options)

    def _check_version(self, line: psycopg.Connection[Any]) -> None:
        found = line.info.server_version
        if found < _OLDEST:
            raise StoreError(f"PostgreSQL {found // 10_000} is too old for {self.name}; wabiz needs 15 or later.")

    def _store_error(self, error: BaseException) -> StoreError | None:
        """Never the server's own words: they may quote what was written."""
        match error:
            case errors.DiskFull() | errors.ReadOnlySqlTransaction():
                return StoreFull(f"There is no room left to write {self.name}, or it may not be written; nothing half-written was kept.")
            case errors.InvalidPassword() | errors.InvalidAuthorizationSpecification():
                return StoreError(f"{self.name[0].upper()}{self.name[1:]} refuses this user; check user name and archive_password.")
            case errors.InsufficientPrivilege():
                return StoreError(f"This user may not do what the hub needs in {self.name}; make it the database's owner.")
            case psycopg.OperationalError() if error.sqlstate is None:
                return StoreError(
                    f"{self.name[0].upper()}{self.name[1:]} cannot be reached; check address, user and password, and that it runs."
                )
            case psycopg.Error():
                return StoreError(f"{self.name[0].upper()}{self.name[1:]} could not be used ({type(error).__name__}).")
            case _:
                return None


def _is_on_this_machine(parts: dict[str, Any]) -> bool:
    """Whether libpq goes to a socket or to loopback, by what the address leaves to the environment too. A service may name any host."""
    if parts.get("service") or os.environ.get("PGSERVICE"):
        return False
    named = [str(parts.get(name) or os.environ.get(variable) or "") for name, variable in (("host", "PGHOST"), ("hostaddr", "PGHOSTADDR"))]
    hosts = [host for several in named for host in several.split(",") if host]
    return all(host.startswith(("/", "@")) or host in _LOOPBACK for host in hosts)


def _add_month(line: psycopg.Connection[Any], month: str) -> None:
    """Attach an empty table as the partition of a month. Made apart and attached, because CREATE … PARTITION OF would wait for every
    reader and make all others wait."""
    name = sql.Identifier("wabiz_months", f"message_{month.replace('-', '_')}")
    row = line.execute("SELECT to_regclass(%s)", (name.as_string(),)).fetchone()
    if row is not None and row[0] is not None:
        return
    line.execute("CREATE SCHEMA IF NOT EXISTS wabiz_months")
    line.execute(sql.SQL("CREATE TABLE {} (LIKE message INCLUDING ALL)").format(name))
    line.execute(sql.SQL("ALTER TABLE message ATTACH PARTITION {} FOR VALUES IN ({})").format(name, sql.Literal(month)))
