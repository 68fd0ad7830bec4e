"""A hub process's seat at a PostgreSQL database: session locks that end with it, however it ends."""

import contextlib
from collections.abc import Collection

import psycopg
import sqlalchemy as sa

from wabiz_tui.hub.archive.engine.locks import lock_number
from wabiz_tui.hub.archive.engine.places import Seated
from wabiz_tui.hub.archive.engine.server_rows import Connection, Line

# The server gives up a machine that fell silent within seconds: its work waits for others.
_SETTINGS = (
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = '5s'",
    "SET statement_timeout = '5s'",
)
_HELD = (
    "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class ServerSeat:
    def __init__(self, line: Line, tenant: str, process: str) -> None:
        self._line, self._tenant, self._process = line, tenant, process
        self._seated_on: Connection | None = None
        self._leads = False

    def look(self) -> Seated:
        is_anew = False
        try:
            with self._line.translated():
                connection = self._line.open()
                if connection is not self._seated_on:
                    self._leads, self._seated_on = False, None
                    for setting in _SETTINGS:
                        connection.execute(setting.encode())
                    # A line that the server has not given up yet may hold it still: then this process is seen to live all the same.
                    if not _try(connection, self._number(self._process)):
                        self._line.close()
                        return Seated(leads=False, is_anew=True)
                    self._seated_on, is_anew = connection, True
                if self._leads:
                    connection.execute("SELECT 1")
                else:
                    self._leads = _try(connection, lock_number(f"leader/{self._tenant}"))
        except BaseException:
            self._leads, self._seated_on = False, None
            self._line.close()
            raise
        return Seated(leads=self._leads, is_anew=is_anew)

    def living(self, processes: Collection[str]) -> set[str]:
        with self._line.translated():
            held = {row[0] for row in self._line.open().execute(_HELD)}
        return {process for process in processes if self._number(process) in held}

    def claim(self, connection: sa.Connection, process: str) -> bool:
        taken = connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(self._number(process)))).scalar()
        return bool(taken)

    def close(self) -> None:
        """Gives up what it held at once: a line's end is noticed by the server a moment later."""
        if self._seated_on is not None:
            with contextlib.suppress(psycopg.Error):
                self._seated_on.execute("SELECT pg_advisory_unlock_all()")
        self._leads, self._seated_on = False, None
        self._line.close()

    def _number(self, process: str) -> int:
        return lock_number(f"process/{self._tenant}/{process}")


def _try(connection: Connection, number: int) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()
    return row is not None and bool(row[0])
