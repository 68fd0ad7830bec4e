"""Bring a database to the newest schema: numbered files, each in one transaction with its number; refuse what is not ours."""

import re
from enum import Enum
from functools import cache
from importlib.resources import files
from pathlib import Path
from sqlite3 import Connection

from wabiz_tui.desk.cache.driver import translated
from wabiz_tui.desk.cache.search.filling import fill_words
from wabiz_tui.model.errors import ForeignFile, NewerSchema

_NUMBERED = re.compile(r"(\d{4})_(\w+)\.sql")
_FILLED = {"search": fill_words}
"""What SQL alone cannot do: called after the file of that name, in its transaction."""


class Kind(Enum):
    """What a file is: the name of its schema folder and the application id in its header ("wzC1", "wzO1" in ASCII)."""

    CACHE = ("cache", 0x777A4331)
    OUTBOX = ("outbox", 0x777A4F31)

    @property
    def folder(self) -> str:
        return self.value[0]

    @property
    def application_id(self) -> int:
        return self.value[1]


@cache
def _steps(kind: Kind) -> tuple[tuple[str, str], ...]:
    """The name and the SQL of each, in order."""
    found: dict[int, tuple[str, str]] = {}
    for entry in files("wabiz_tui.desk.cache").joinpath("schema", kind.folder).iterdir():
        numbered = _NUMBERED.fullmatch(entry.name)
        if numbered is not None:
            found[int(numbered[1])] = numbered[2], entry.read_text(encoding="utf-8")
    return tuple(found[number] for number in range(1, len(found) + 1))


def newest_version(kind: Kind) -> int:
    return len(_steps(kind))


def migrate(connection: Connection, kind: Kind, path: Path) -> None:
    """Create or upgrade the schema. Raises ForeignFile and NewerSchema before anything is changed."""
    with translated(path):
        owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        is_new = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if owner != kind.application_id and not (is_new and owner == 0):
        raise ForeignFile(f"{path.name} is not a wabiz {kind.folder}; move it away.", path=path)
    if version > newest_version(kind):
        raise NewerSchema(
            f"{path.name} was written by a newer wabiz (schema {version}, this one knows {newest_version(kind)}); update wabiz.", path=path
        )
    for number, (name, step) in enumerate(_steps(kind)[version:], start=version + 1):
        with translated(path):
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{step}\nPRAGMA application_id = {kind.application_id};\nPRAGMA user_version = {number};"
            )
            if name in _FILLED:
                _FILLED[name](connection)
            connection.execute("COMMIT")
