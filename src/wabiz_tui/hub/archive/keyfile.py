"""The files of keys beside the archive: content keys in `<archive>.keys`, devices' shares in `<archive>.shares`.

A key row is committed before anything sealed by it, and its destruction is what erases: rows are deleted, the file rebuilt
and its log cut, so no page of it holds the wrapped key any more. Both files are small against the archive and have their own,
short-lived backup.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from threading import RLock

from wabiz_tui.hub.archive.cipher import KEYS_ID, check_version, connect, translated
from wabiz_tui.model.errors import BadInput, DamagedStore
from wabiz_tui.model.secret import Secret

VERSION = 1
_CACHED = 20_000
_AT_ONCE = 500


class KeyFile:
    """Random 32-byte keys by name, each wrapped (AES-256-GCM) by the seal key. Safe to use from several threads.

    `make` joins an open transaction that `commit` ends; reading sees it at once. Keys are cached unwrapped in memory."""

    def __init__(self, path: Path, file_key: Secret, wrap_key: Secret, *, tenant: str, random_bytes: Callable[[int], bytes]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._path, self._tenant, self._random = path, tenant, random_bytes
        self._wrapper = AESGCM(wrap_key.reveal())
        self._lock = RLock()
        self._cache: dict[str, bytes] = {}
        self._fresh: set[str] = set()
        self._connection = connect(path, file_key, application_id=KEYS_ID)
        with translated(path):
            if check_version(self._connection, path, known=VERSION) < VERSION:
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS sealed_key (tenant TEXT NOT NULL, name TEXT NOT NULL, wrapped BLOB NOT NULL,"
                    " PRIMARY KEY (tenant, name)) WITHOUT ROWID"
                )
                self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def find(self, name: str) -> bytes | None:
        """The key, or None when there is none (any more)."""
        with self._lock:
            cached = self._cache.get(name)
            if cached is not None:
                return cached
            with translated(self._path):
                row = self._connection.execute(
                    "SELECT wrapped FROM sealed_key WHERE tenant = ? AND name = ?", (self._tenant, name)
                ).fetchone()
            return None if row is None else self._remember(name, self._unwrap(name, row[0]))

    def load(self, names: Iterable[str]) -> None:
        """Read these keys into memory, as far as they are there, in few statements."""
        with self._lock:
            missing = [name for name in dict.fromkeys(names) if name not in self._cache]
            for start in range(0, len(missing), _AT_ONCE):
                chunk = missing[start : start + _AT_ONCE]
                marks = ", ".join("?" * len(chunk))
                with translated(self._path):
                    rows = self._connection.execute(
                        f"SELECT name, wrapped FROM sealed_key WHERE tenant = ? AND name IN ({marks})",  # noqa: S608 question marks alone
                        (self._tenant, *chunk),
                    ).fetchall()
                for name, wrapped in rows:
                    self._remember(name, self._unwrap(name, wrapped))

    def make(self, name: str, *, key: bytes | None = None) -> bytes:
        """The key of that name, made now if there is none. Not durable before `commit`."""
        with self._lock:
            present = self.find(name)
            if present is not None:
                return present
            fresh = key if key is not None else self._random(32)
            nonce = self._random(12)
            wrapped = nonce + self._wrapper.encrypt(nonce, fresh, self._about(name))
            with translated(self._path):
                if not self._connection.in_transaction:
                    self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute("INSERT INTO sealed_key VALUES (?, ?, ?)", (self._tenant, name, wrapped))
            self._fresh.add(name)
            return self._remember(name, fresh)

    def make_now(self, name: str) -> bytes:
        """As `make`, and durable at once (with whatever else the open transaction made, which harms nothing)."""
        with self._lock:
            key = self.find(name)
            if key is None or name in self._fresh:
                key = self.make(name)
                self.commit()
            return key

    def commit(self) -> None:
        with self._lock:
            if self._connection.in_transaction:
                with translated(self._path):
                    self._connection.execute("COMMIT")
            self._fresh.clear()

    def rollback(self) -> None:
        with self._lock:
            if self._connection.in_transaction:
                with translated(self._path):
                    self._connection.execute("ROLLBACK")
            for name in self._fresh:
                self._cache.pop(name, None)
            self._fresh.clear()

    def names(self, prefix: str) -> list[str]:
        """The names that begin with `prefix`, sorted."""
        with self._lock, translated(self._path):
            rows = self._connection.execute(
                "SELECT name FROM sealed_key WHERE tenant = ? AND name >= ? AND name < ? ORDER BY name",
                (self._tenant, prefix, prefix + "\U0010ffff"),
            ).fetchall()
        return [row[0] for row in rows]

    def destroy(self, names: Iterable[str]) -> int:
        """Delete these keys and rebuild the file without them; how many there were. Durable when it returns. Cost: the file's size."""
        with self._lock:
            self.commit()
            wanted = list(names)
            for name in wanted:
                self._cache.pop(name, None)
            with translated(self._path):
                self._connection.execute("BEGIN IMMEDIATE")
                deleted = sum(
                    self._connection.execute("DELETE FROM sealed_key WHERE tenant = ? AND name = ?", (self._tenant, name)).rowcount
                    for name in wanted
                )
                self._connection.execute("COMMIT")
                if deleted:
                    # secure_delete alone leaves copies in page slack and in the log (security.md §2.3)
                    self._connection.execute("VACUUM")
                    busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    if busy:
                        raise DamagedStore(f"{self._path.name} is in use by another program; its log could not be cut.", path=self._path)
            return deleted

    def close(self) -> None:
        with self._lock:
            self.rollback()
            self._cache.clear()
            self._connection.close()

    def _about(self, name: str) -> bytes:
        return f"wabiz/key/v1\n{self._tenant}\n{name}".encode()

    def _unwrap(self, name: str, wrapped: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._wrapper.decrypt(wrapped[:12], wrapped[12:], self._about(name))
        except InvalidTag as error:
            raise BadInput(f"A key in {self._path.name} does not open with this hub's seal key.") from error

    def _remember(self, name: str, key: bytes) -> bytes:
        if len(self._cache) >= _CACHED:
            self._cache.pop(next(iter(self._cache)))
        self._cache[name] = key
        return key
