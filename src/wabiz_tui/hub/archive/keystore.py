"""Keys by name, each wrapped by the seal key: content keys and devices' shares, apart from the content and from each other.

A key row is committed before anything sealed by it, and its destruction is what erases: rows are deleted and what held them
is rewritten, so no page of it holds the wrapped key any more. They are small against the archive and have their own,
short-lived backup.

While the rest of a unit is sealed anew, its row holds two keys: the new one, which seals, and the old one, which still opens.
Beside the keys stand *notes*: tombstones of what was erased, which must live as long as the keys and apart from the content too.
"""

from collections.abc import Callable, Iterable, Sequence
from threading import RLock

from wabiz_tui.hub.archive.engine.places import KeyRows
from wabiz_tui.model.errors import BadInput, StoreError
from wabiz_tui.model.secret import Secret

_CACHED = 20_000
_AT_ONCE = 500
_LENGTH = 32


class KeyStore:
    """Random 32-byte keys by name, each wrapped (AES-256-GCM) by the seal key. Safe to use from several threads.

    `make` joins an open transaction that `commit` ends; reading sees it at once. Keys are cached unwrapped in memory."""

    def __init__(self, rows: KeyRows, wrap_key: Secret, *, tenant: str, random_bytes: Callable[[int], bytes]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._rows, self._tenant, self._random = rows, tenant, random_bytes
        self._wrapper = AESGCM(wrap_key.reveal())
        self._lock = RLock()
        self._cache: dict[str, tuple[bytes, ...]] = {}
        self._fresh: set[str] = set()
        self._has_lost = False

    def find(self, name: str) -> bytes | None:
        """The key that seals, or None when there is none (any more)."""
        found = self.find_all(name)
        return found[0] if found else None

    def find_all(self, name: str, *, anew: bool = False) -> tuple[bytes, ...]:
        """The keys that open what is sealed under that name, the one that seals first. `anew` reads them again from their store."""
        with self._lock:
            cached = self._cache.get(name)
            if cached is not None and (not anew or name in self._fresh):
                return cached
            wrapped = self._rows.find(name)
            if wrapped is None:
                self._cache.pop(name, None)
                return ()
            return self._remember(name, self._unwrap(name, wrapped))

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
            if not self._rows.add(name, self._wrap(name, fresh)):
                return self.make(name, key=key)
            self._fresh.add(name)
            return self._remember(name, (fresh,))[0]

    def renew(self, name: str) -> bool:
        """Put a new key before the one there is: from now on it seals, and both open until `settle`. False where there is none.

        In the open transaction; a second call before `settle` changes nothing."""
        with self._lock:
            present = self.find_all(name, anew=True)
            if len(present) == 1:
                self._rows.put(name, self._wrap(name, self._random(_LENGTH) + present[0]))
                self._fresh.add(name)
                self._cache.pop(name, None)
            return bool(present)

    def renewed(self) -> list[str]:
        """The names that have more than one key. Cost: reading all of them."""
        found: list[str] = []
        after = ""
        while rows := self.page(after):
            after = rows[-1][0]
            # Nonce and tag stand beside the keys.
            found += [name for name, wrapped in rows if not name.startswith(_NOTES) and len(wrapped) >= 28 + 2 * _LENGTH]
        return found

    def settle(self, renewed: Iterable[str], destroyed: Iterable[str], notes: Iterable[str] = ()) -> int:
        """Destroy what `renew` replaced and these keys as a whole, with these notes, and rewrite what held them; how many keys.

        Durable when it returns; a second call finds nothing to do. Cost: the size of all keys."""
        with self._lock:
            self.commit()
            gone = list(destroyed)
            older: dict[str, bytes] = {}
            for name in renewed:
                present = self.find_all(name, anew=True)
                if len(present) > 1:
                    older[name] = self._wrap(name, present[0])
                self._cache.pop(name, None)
            for name in gone:
                self._cache.pop(name, None)
            return self._rows.destroy([*gone, *(_note(one) for one in notes)], replaced=older)

    def take_in(self, name: str, wrapped: bytes) -> None:
        """Keys from a backup, behind those that are there, in the open transaction. Raises BadInput for another hub's."""
        with self._lock:
            present = self.find_all(name)
            further = [key for key in self._unwrap(name, wrapped) if key not in present]
            if further:
                self._rows.put(name, self._wrap(name, b"".join((*present, *further))))
                self._fresh.add(name)
                self._cache.pop(name, None)

    def put_back(self, name: str, wrapped: bytes) -> None:
        """A key from a backup in place of what is there, in the open transaction. Raises BadInput for another hub's."""
        with self._lock:
            self._unwrap(name, wrapped)
            self._rows.put(name, wrapped)
            self._fresh.add(name)
            self._cache.pop(name, None)

    def note(self, name: str, value: bytes) -> None:
        """Set a note, in the open transaction."""
        with self._lock:
            self._rows.put(_note(name), value)

    def notes(self, names: Sequence[str]) -> dict[str, bytes]:
        """Those of these notes that are set."""
        with self._lock:
            wanted = [_note(name) for name in names]
            chunks = (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))
            return {name.removeprefix(_NOTES): value for chunk in chunks for name, value in self._rows.find_many(chunk)}

    def note_names(self, prefix: str) -> list[str]:
        return [name.removeprefix(_NOTES) for name in self.names(_note(prefix))]

    def has_notes(self, prefix: str) -> bool:
        """Whether there is a note that begins so; costs one look."""
        with self._lock:
            found = self._rows.page(_note(prefix), 1)
            return bool(found) and found[0][0].startswith(_note(prefix))

    def page(self, after: str, limit: int = _AT_ONCE) -> list[tuple[str, bytes]]:
        """Rows as they lie there, keys (wrapped) and notes, in the order of their names after one."""
        with self._lock:
            return self._rows.page(after, limit)

    def forget_cached(self) -> None:
        """Read keys again: another process may have renewed or destroyed some."""
        with self._lock:
            self._cache = {name: keys for name, keys in self._cache.items() if name in self._fresh}

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
        return self.settle((), names)

    def close(self) -> None:
        with self._lock:
            self.rollback()
            self._cache.clear()
            self._rows.close()

    def _about(self, name: str) -> bytes:
        return f"wabiz/key/v1\n{self._tenant}\n{name}".encode()

    def _wrap(self, name: str, keys: bytes) -> bytes:
        nonce = self._random(12)
        return nonce + self._wrapper.encrypt(nonce, keys, self._about(name))

    def _unwrap(self, name: str, wrapped: bytes) -> tuple[bytes, ...]:
        from cryptography.exceptions import InvalidTag

        try:
            keys = self._wrapper.decrypt(wrapped[:12], wrapped[12:], self._about(name))
        except InvalidTag as error:
            raise BadInput(f"A key in {self._rows.name} does not open with this hub's seal key.") from error
        return tuple(keys[start : start + _LENGTH] for start in range(0, len(keys), _LENGTH))

    def _remember(self, name: str, keys: tuple[bytes, ...]) -> tuple[bytes, ...]:
        if len(self._cache) >= _CACHED:
            self._cache.pop(next(iter(self._cache)))
        self._cache[name] = keys
        return keys


_NOTES = "note/"


def _note(name: str) -> str:
    return f"{_NOTES}{name}"
