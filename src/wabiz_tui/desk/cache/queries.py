"""Load named queries from the .sql files of this package: `-- name: what_it_is` opens each."""

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)[ \t]*\n", re.MULTILINE)


@cache
def load_queries(file: str) -> dict[str, str]:
    """The queries of one file by name, such as `load_queries("cache.sql")`."""
    text = files("wabiz_tui.desk.cache").joinpath(file).read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {name: query.strip() for name, query in zip(parts[::2], parts[1::2], strict=True)}
