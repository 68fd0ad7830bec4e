"""Seal content under the key of its unit and personal data under the key of its contact; keyed hashes for looking things up.

A *unit* is conversation × month × text│media: destroying its key erases all of it at once, in the write-ahead log, in
replicas and in old backups alike. The month is that of Meta's time stamp, in UTC.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from wabiz_tui.hub.archive.keystore import KeyStore
from wabiz_tui.model.errors import DamagedStore
from wabiz_tui.model.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_REMEMBERED = 4096


def month_of(at: datetime) -> str:
    in_utc = at.astimezone(UTC)
    return f"{in_utc.year:04}-{in_utc.month:02}"


def text_unit(conversation: str, month: str) -> str:
    return f"unit/{conversation}/{month}/text"


def media_unit(conversation: str, month: str) -> str:
    return f"unit/{conversation}/{month}/media"


def contact_unit(contact: str) -> str:
    return f"contact/{contact}"


def event_unit(month: str) -> str:
    return f"event/{month}"


def waiting_unit(month: str) -> str:
    """What belongs to no conversation yet: statuses of unknown messages, quarantined bodies."""
    return f"waiting/{month}"


def derive(seal_key: Secret, purpose: str) -> Secret:
    """A 32-byte key for one purpose, from the hub's seal key."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return Secret(HKDF(SHA256(), 32, salt=None, info=f"wabiz/{purpose}/v1".encode()).derive(seal_key.reveal()))


class Sealer:
    """Seals and opens bytes under named keys. `about` (table and row id) is authenticated, so sealed bytes cannot change places."""

    def __init__(self, keys: KeyStore, index_key: Secret, *, tenant: str, random_bytes: Callable[[int], bytes]) -> None:
        self._keys, self._index_key, self._tenant, self._random = keys, index_key, tenant, random_bytes
        # Each value of a batch is asked for when it is read ahead and when it is folded.
        self._looked_up = lru_cache(_REMEMBERED)(self._lookup)

    def seal(self, unit: str, plain: bytes, *, about: str) -> bytes:
        """Nonce and ciphertext (AES-256-GCM). Makes the unit's key where there is none yet."""
        nonce = self._random(12)
        return nonce + _aead(self._keys.make(unit)).encrypt(nonce, plain, self.bound(unit, about))

    def open(self, unit: str, sealed: bytes, *, about: str) -> bytes | None:
        """What was sealed; None when the unit's key is destroyed. Raises DamagedStore when the bytes are not what was sealed here."""
        keys = self._keys.find_all(unit)
        if not keys:
            return None
        bound = self.bound(unit, about)
        plain = _opened(keys, sealed, bound)
        if plain is None:
            # Another process may have renewed the unit's key since it was read.
            keys = self._keys.find_all(unit, anew=True)
            plain = _opened(keys, sealed, bound)
        if plain is None and keys:
            raise DamagedStore(f"A sealed value of the archive ({about}) is damaged or stands in the wrong row.")
        return plain

    def opening(self, units: Iterable[str]) -> "Opening":
        """To open many values of these units: their keys are read in few statements, and a cipher is made once a key."""
        wanted = dict.fromkeys(units)
        self._keys.load(wanted)
        return Opening(self, {unit: [_aead(key) for key in self._keys.find_all(unit)] for unit in wanted})

    def bound(self, unit: str, about: str) -> bytes:
        """What is authenticated with a value: whose it is, under which key, and in which row."""
        return f"wabiz/sealed/v1\n{self._tenant}\n{unit}\n{about}".encode()

    def opens(self, unit: str, sealed: bytes, *, about: str) -> bool:
        """Whether what is sealed opens under a key that there is."""
        return _opened(self._keys.find_all(unit), sealed, self.bound(unit, about)) is not None

    def has_key(self, unit: str) -> bool:
        return self._keys.find(unit) is not None

    def lookup(self, kind: str, value: str) -> bytes:
        """16 bytes that stand for a value in an index; without the hub's key nobody can test a guess."""
        return self._looked_up(kind, value)

    def _lookup(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._index_key.reveal(), f"{self._tenant}\n{kind}\n{value}".encode(), hashlib.sha256)[:16]


class Opening:
    """Opens values of one snapshot as Sealer.open does. Not to be kept: it would hold keys that are destroyed meanwhile."""

    def __init__(self, sealer: Sealer, ciphers: "dict[str, list[AESGCM]]") -> None:
        from cryptography.exceptions import InvalidTag

        self._sealer, self._wrong_key = sealer, InvalidTag
        self._first = {unit: (several[0], sealer.bound(unit, "")) for unit, several in ciphers.items() if several}

    def open(self, unit: str, sealed: bytes, *, about: str) -> bytes | None:
        first = self._first.get(unit)
        if first is not None:
            cipher, bound = first
            try:
                return cipher.decrypt(sealed[:12], sealed[12:], bound + about.encode())
            except self._wrong_key:
                pass  # an older key of the unit, or one renewed meanwhile
        return self._sealer.open(unit, sealed, about=about)


def _opened(keys: Iterable[bytes], sealed: bytes, about: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    for key in keys:
        try:
            return _aead(key).decrypt(sealed[:12], sealed[12:], about)
        except InvalidTag:
            continue
    return None


def _aead(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
