"""Keys by name, each wrapped by the seal key: content keys and devices' shares, apart from the content and from each other.

A key row is committed before anything sealed by it, and its destruction is what erases: rows are deleted and what held them
is rewritten, so no page of it holds the wrapped key any more. They are small against the archive and have their own,
short-lived backup.
"""

from collections.abc import Callable, Iterable
from threading import RLock

from wabiz_tui.hub.archive.engine.places import KeyRows
from wabiz_tui.model.errors import BadInput, StoreError
from wabiz_tui.model.secret import Secret

_CACHED = 20_000
_AT_ONCE = 500


class KeyStore:
    """Random 32-byte keys by name, each wrapped (AES-256-GCM) by the seal key. Safe to use from several threads.

    `make` joins an open transaction that `commit` ends; reading sees it at once. Keys are cached unwrapped in memory."""

    def __init__(self, rows: KeyRows, wrap_key: Secret, *, tenant: str, random_bytes: Callable[[int], bytes]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._rows, self._tenant, self._random = rows, tenant, random_bytes
        self._wrapper = AESGCM(wrap_key.reveal())
        self._lock = RLock()
        self._cache: dict[str, bytes] = {}
        self._fresh: set[str] = set()
        self._has_lost = False

    def find(self, name: str) -> bytes | None:
        """The key, or None when there is none (any more)."""
        with self._lock:
            cached = self._cache.get(name)
            if cached is not None:
                return cached
            wrapped = self._rows.find(name)
            return None if wrapped is None else self._remember(name, self._unwrap(name, wrapped))

    def load(self, names: Iterable[str]) -> None:
        """Read these keys into memory, as far as they are there, in few statements."""
        with self._lock:
            missing = [name for name in dict.fromkeys(names) if name not in self._cache]
            for start in range(0, len(missing), _AT_ONCE):
                for name, wrapped in self._rows.find_many(missing[start : start + _AT_ONCE]):
                    self._remember(name, self._unwrap(name, wrapped))

    def make(self, name: str, *, key: bytes | None = None) -> bytes:
        """The key of that name, made now if there is none. Not durable before `commit`."""
        with self._lock:
            present = self.find(name)
            if present is not None:
                return present
            fresh = key if key is not None else self._random(32)
            nonce = self._random(12)
            if not self._rows.add(name, nonce + self._wrapper.encrypt(nonce, fresh, self._about(name))):
                return self.make(name, key=key)
            self._fresh.add(name)
            return self._remember(name, fresh)

    def make_now(self, name: str) -> bytes:
        """As `make`, and durable at once (with whatever else the open transaction made, which harms nothing)."""
        with self._lock:
            key = self.find(name)
            if key is None or name in self._fresh:
                others = self._fresh - {name}
                try:
                    key = self.make(name)
                    self.commit()
                except BaseException:
                    self.rollback()
                    # Whoever made those must not believe that they were kept.
                    self._has_lost = bool(others)
                    raise
            return key

    def commit(self) -> None:
        """Raises StoreError, and keeps nothing, where keys of the open transaction are lost."""
        with self._lock:
            if self._has_lost:
                raise StoreError(f"New keys could not be kept in {self._rows.name}; nothing that they seal was.")
            self._rows.commit()
            self._fresh.clear()

    def rollback(self) -> None:
        with self._lock:
            self._has_lost = False
            for name in self._fresh:
                self._cache.pop(name, None)
            self._fresh.clear()
            self._rows.rollback()

    def names(self, prefix: str) -> list[str]:
        """The names that begin with `prefix`, sorted."""
        with self._lock:
            return self._rows.names(prefix)

    def destroy(self, names: Iterable[str]) -> int:
        """Delete these keys and rewrite what held them; how many there were. Durable when it returns. Cost: the size of all keys."""
        with self._lock:
            self.commit()
            wanted = list(names)
            for name in wanted:
                self._cache.pop(name, None)
            return self._rows.destroy(wanted)

    def close(self) -> None:
        with self._lock:
            self.rollback()
            self._cache.clear()
            self._rows.close()

    def _about(self, name: str) -> bytes:
        return f"wabiz/key/v1\n{self._tenant}\n{name}".encode()

    def _unwrap(self, name: str, wrapped: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._wrapper.decrypt(wrapped[:12], wrapped[12:], self._about(name))
        except InvalidTag as error:
            raise BadInput(f"A key in {self._rows.name} does not open with this hub's seal key.") from error

    def _remember(self, name: str, key: bytes) -> bytes:
        if len(self._cache) >= _CACHED:
            self._cache.pop(next(iter(self._cache)))
        self._cache[name] = key
        return key
