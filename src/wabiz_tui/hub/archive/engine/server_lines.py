"""How lines to PostgreSQL are opened: how long the server lets what comes over them last, and what becomes of text it cannot hold."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import psycopg

_NUL, _INSTEAD = "\x00", "\ufffd"


class Patience(NamedTuple):
    """Seconds; 0 is for ever. A transaction that stands idle holds the turn of every writer of its tenant."""

    statement: int
    lock: int
    idle_in_transaction: int

    @property
    def options(self) -> str:
        """For libpq, which sets them with the line."""
        named = {"statement_timeout": self.statement, "lock_timeout": self.lock}
        named["idle_in_transaction_session_timeout"] = self.idle_in_transaction
        return " ".join(f"-c {name}={seconds}s" for name, seconds in named.items())


BOUNDED = Patience(statement=60, lock=30, idle_in_transaction=120)
"""For what requests and folding do: seconds are long for it, and who waits is told and asks again."""
PATIENT = Patience(statement=0, lock=0, idle_in_transaction=0)
"""For migrations, rewriting the table of keys and months: cut halfway, they would begin anew for ever."""


class TextCursor(psycopg.Cursor[Any]):
    """PostgreSQL's text holds no NUL, so no id of the archive has one. What has one is looked for under a text that is as unknown, and
    would be kept with the sign for what cannot be shown."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        try:
            return super().execute(query, params, **options)
        except psycopg.DataError as error:
            # The driver's own refusal, before a byte was sent: the server's have a state.
            if error.sqlstate is not None or not _has_nul(params):
                raise
        return super().execute(query, _without_nul(params), **options)

    def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
        rows = list(params_seq)
        super().executemany(query, _without_nul(rows) if _has_nul(rows) else rows, **options)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return _NUL in value
    if isinstance(value, dict):
        return any(map(_has_nul, value.values()))  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType] any parameters
    return isinstance(value, list | tuple) and any(map(_has_nul, value))  # pyright: ignore[reportUnknownArgumentType] likewise


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(_NUL, _INSTEAD)
    if isinstance(value, dict):
        return {name: _without_nul(one) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType] likewise
    if isinstance(value, list | tuple):
        return [_without_nul(one) for one in value]  # pyright: ignore[reportUnknownVariableType] likewise
    return value
