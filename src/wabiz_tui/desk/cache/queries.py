"""Load named queries from the .sql files of this package: `-- name: what_it_is` opens each."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from sqlite3 import Connection
from typing import Any

_AT_ONCE = 500

_NAME = re.compile(r"^-- name: (\w+)[ \t]*\n", re.MULTILINE)


@cache
def load_queries(file: str) -> dict[str, str]:
    """The queries of one file by name, such as `load_queries("cache.sql")`."""
    text = files("wabiz_tui.desk.cache").joinpath(file).read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {name: query.strip() for name, query in zip(parts[::2], parts[1::2], strict=True)}


def rows_of(connection: Connection, query: str, keys: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
    """The rows that a query finds for any of these `:keys`. The statement is the same for all full batches, so that it is compiled
    once."""
    rest = iter(keys)
    while chunk := list(islice(rest, _AT_ONCE)):
        chunk += [b""] * (_AT_ONCE - len(chunk) if len(chunk) > 1 else 0)
        yield from connection.execute(query.replace(":keys", ",".join("?" * len(chunk))), chunk).fetchall()
