"""Put a small database under another key: a whole copy takes its place by one rename, so that a kill leaves the one or the other."""

import os
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection

from wabiz_tui.desk.cache.driver import open_connection, translated
from wabiz_tui.desk.cache.letters import ASKED_KEY, asked_key
from wabiz_tui.desk.files import destroy, sync_folder
from wabiz_tui.model.errors import StoreError, WrongKey
from wabiz_tui.model.secret import Secret

_COPIED = ("application_id", "user_version")


def rekey_outbox(path: Path, old: Secret, new: Secret) -> None:
    """Under `new` when it returns, whichever of the two it was under. Nobody may have it open.

    What is left of an attempt that was killed is destroyed first. `PRAGMA rekey` would rewrite the pages in place, which leaves
    old ones in the log and in slack. Raises WrongKey when neither key opens it, StoreFull."""
    draft, former = (path.with_name(f"{path.stem}-{what}{path.suffix}") for what in ("rekeyed", "former"))
    if former.exists() and path.exists() and former.samefile(path):
        # A kill came before the copy took its place: this is a second name of the only outbox there is.
        former.unlink()
    for left in (draft, former):
        destroy(left)
    if not path.exists() or _opens(path, new):
        return
    with closing(open_connection(path, old)) as connection:
        _copy(connection, path, draft, old, new)
    # The last connection folds its log into the file as it closes. A log that stayed would be read into the file that comes.
    if path.with_name(path.name + "-wal").exists():
        raise StoreError(f"{path.name} is open elsewhere; its key could not be changed.", path=path)
    os.link(path, former)
    draft.replace(path)
    sync_folder(path.parent)
    destroy(former)


def _opens(path: Path, key: Secret) -> bool:
    try:
        open_connection(path, key).close()
    except WrongKey:
        return False
    return True


def _copy(connection: Connection, path: Path, draft: Path, old: Secret, new: Secret) -> None:
    with translated(path):
        # SQLite makes the file with the mode of its folder's maker; its own is set before anything is in it.
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        connection.execute("ATTACH DATABASE ? AS made KEY ?", (str(draft), f"x'{new.reveal().hex()}'"))
        connection.execute("PRAGMA made.cipher_hmac_algorithm = HMAC_SHA256")
        connection.execute("SELECT sqlcipher_export('made')")
        # The letters' fingerprints were made with a key derived from the old one; it goes with them.
        connection.execute("INSERT OR IGNORE INTO made.meta (name, value) VALUES (?, ?)", (ASKED_KEY, asked_key(old)))
        for pragma in _COPIED:
            value = int(connection.execute(f"PRAGMA main.{pragma}").fetchone()[0])
            connection.execute(f"PRAGMA made.{pragma} = {value}")
        connection.execute("DETACH DATABASE made")
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
