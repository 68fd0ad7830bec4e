"""Tombstones: keyed hashes of what was erased, kept with the keys, so that neither redelivery nor a restore brings it back.

Of wamids, media ids, events and of our own ids a tombstone holds for ever. Of the names of a person (aliases) it says until when
everything is erased: nobody is banned, and who writes again is a new contact.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from wabiz_tui.hub.archive.keystore import KeyStore

TombstoneKind = Literal["wamid", "message", "media", "event", "quarantine", "conversation", "contact", "alias", "key", "renewed"]
"""`key` names keys that are destroyed, `renewed` those that were replaced: under what they were before, nothing opens any more."""
PREFIX: Final = "tombstone/"


class Tombstones:
    """Those of one transaction or snapshot; what was looked up is remembered as long."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._found: dict[str, int | None] = {}
        self._has_any: bool | None = None

    def load(self, kind: TombstoneKind, hashes: Iterable[bytes]) -> None:
        """Look all of these up in few statements; none at all where nothing was ever erased."""
        if not self.has_any():
            return
        missing = [name for name in dict.fromkeys(_name(kind, one) for one in hashes) if name not in self._found]
        notes = self._keys.notes(missing)
        self._found |= {name: int.from_bytes(notes[name], "big") if name in notes else None for name in missing}

    def until(self, kind: TombstoneKind, hashed: bytes) -> int | None:
        """When it was erased (ms); None when it was not."""
        if not self.has_any():
            return None
        name = _name(kind, hashed)
        if name not in self._found:
            self.load(kind, (hashed,))
        return self._found[name]

    def among(self, kind: TombstoneKind, hashes: Sequence[bytes]) -> list[bytes]:
        """Those of them that have one, in their order; nothing is remembered of so many."""
        found = self._keys.notes([_name(kind, one) for one in hashes]) if self.has_any() else {}
        return [one for one in hashes if _name(kind, one) in found]

    def has_any(self) -> bool:
        """Whether anything was ever erased here."""
        if self._has_any is None:
            self._has_any = self._keys.has_notes(PREFIX)
        return self._has_any

    def put(self, kind: TombstoneKind, hashes: Iterable[bytes], *, at_ms: int) -> None:
        """In the open transaction of the keys, which commits before the content's."""
        for hashed in hashes:
            self._keys.note(_name(kind, hashed), at_ms.to_bytes(8, "big"))
            self._found[_name(kind, hashed)] = at_ms
            self._has_any = True


def _name(kind: TombstoneKind, hashed: bytes) -> str:
    return f"{PREFIX}{kind}/{hashed.hex()}"
