"""Files of every earlier schema open, are brought to the newest one, and answer as if they had been made by it."""

from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.desk_samples import NOON, StillClock, conversation, holding, ident, item, message
from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.driver import open_connection
from wabiz_tui.desk.cache.migrations import Kind, newest_version
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import Document
from wabiz_tui.model.errors import StoreError
from wabiz_tui.model.secret import Secret

KEY = Secret(bytes(range(32)))
_CONVERSATION = "INSERT INTO conversations VALUES (?, ?, 'resolved', NULL, 0, ?, ?, ?, ?, ?)"
_MESSAGE = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, 1, NULL, ?)"
_NAMES = sorted(entry.name for entry in files("wabiz_tui.desk.cache").joinpath("schema", "cache").iterdir() if entry.name.endswith(".sql"))


def made_by(version: int, path: Path, kind: Kind = Kind.CACHE) -> None:
    """A file as the schema of that version made it, with the rows that version 1 knew already: columns are added at the end, or by it."""
    at = int(NOON.timestamp() * 1000)
    held, said = conversation(1, name="Zoë Old", status="resolved", resolved_at=NOON), message(1, 1, "the old cafés wording")
    file = message(2, 1, Document(filename="contract-77.pdf", caption="please sign"))
    connection = open_connection(path, KEY)
    for number, name in enumerate(sorted(_NAMES)[:version], start=1):
        connection.executescript(files("wabiz_tui.desk.cache").joinpath("schema", kind.folder, name).read_text(encoding="utf-8"))
        if number == 1:
            later = at + 10 * 86_400_000
            connection.execute(_CONVERSATION, (bytes.fromhex(held.id), bytes.fromhex(held.contact), at, at, later, later, encode(held)))
            for doc, value in ((at << 20, said), ((at << 20) + 1, file)):
                connection.execute(_MESSAGE, (doc, bytes.fromhex(value.id), bytes.fromhex(held.id), at, later, encode(value)))
                connection.execute("INSERT INTO words (rowid, body) VALUES (?, ?)", (doc, "the old cafés wording"))
    connection.execute(f"PRAGMA application_id = {kind.application_id}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache-1.db"


@pytest.mark.parametrize("version", range(1, len(_NAMES) + 1))
async def test_a_file_of_an_earlier_schema_is_brought_to_the_newest(path: Path, version: int) -> None:
    """Its rows are read, found by what the newest search looks at, and new ones go in beside them."""
    made_by(version, path)
    clock = StillClock()

    cache = Cache(path, KEY, epoch=1, now=clock.now, me=ident(7))
    try:
        if version < _version_of("search"):
            assert len(await cache.messages(ident(1))) == 2
            found = {words: len(await cache.search(words, limit=9)) for words in ("wording", "cafes", "contract", "please sign", "zoe")}
            assert found == {"wording": 1, "cafes": 1, "contract": 1, "please sign": 1, "zoe": 1}
        await cache.apply([item(conversation(2, name="Newer")), item(message(3, 2, "newer words"))], holding(), cursor=1)
        assert [len(await cache.search(words, limit=9)) for words in ("newer", "words")] == [2, 1]
        assert cache.database.read_now(lambda connection: connection.execute("PRAGMA user_version").fetchone()[0]) == len(_NAMES)
    finally:
        cache.close()


def _version_of(name: str) -> int:
    return next(number for number, file in enumerate(_NAMES, start=1) if name in file)


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be brought on is not half brought on: the next opening begins where this one did."""
    made_by(1, path)

    def fail(_: object) -> None:
        raise StoreError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("wabiz_tui.desk.cache.migrations._FILLED", {"search": fail})
        with pytest.raises(StoreError, match="no room"):
            Database(path, KEY, Kind.CACHE)
    connection = open_connection(path, KEY)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == _version_of("search") - 1
    connection.close()
    Database(path, KEY, Kind.CACHE).close()


def test_the_numbers_of_the_schemas_have_no_gap() -> None:
    """A file whose number is missing would never be reached."""
    for kind in Kind:
        names = [
            entry.name for entry in files("wabiz_tui.desk.cache").joinpath("schema", kind.folder).iterdir() if entry.name.endswith(".sql")
        ]
        assert sorted(int(name[:4]) for name in names) == list(range(1, newest_version(kind) + 1))
