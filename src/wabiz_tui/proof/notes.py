"""Checkpoints of the audit log as C2SP signed notes, which any transparency-log tool reads.

Formats: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint
"""

import base64
import binascii
import hashlib
import re
from typing import NamedTuple

from wabiz_tui.model.errors import BadInput, BadSignature, TooLarge, UsageError
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.armour import from_base64, to_base64
from wabiz_tui.proof.merkle import HASH_SIZE
from wabiz_tui.proof.signing import public_key, sign_bytes, verify_bytes

_ED25519 = b"\x01"
_DASH = "\u2014 "
_MAX_NOTE = 64 * 1024
_MAX_SIGNATURES = 100
_NAME = re.compile(r"[^\s+]{1,255}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class Checkpoint(NamedTuple):
    """The state of a log: whose (`origin`), how many entries, and their Merkle root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The note's text: the bytes that are signed."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes that tell which key of `name` signed."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def verifier_key(name: str, public: bytes) -> str:
    """The public key in the form other note tools take: `name+hex key id+base64`."""
    return f"{_checked_name(name)}+{key_id(name, public).hex()}+{to_base64(_ED25519 + public)}"


def sign_note(text: str, seed: Secret, *, name: str) -> str:
    """`text`, which ends with a line feed, as a note signed by the key `name`."""
    _checked_name(name)
    if not text.endswith("\n") or "\n\n" in text or _has_controls(text):
        raise UsageError("The text of a note is lines without control characters, none of them empty.")
    signed = key_id(name, public_key(seed)) + sign_bytes(seed, text.encode())
    return f"{text}\n{_DASH}{name} {to_base64(signed)}\n"


def open_note(note: str, *, name: str, public: bytes) -> str:
    """The text of a note that the key `public` named `name` signed. Signatures of other keys are ignored.

    Raises BadInput where the note has another form, BadSignature where that key did not sign it.
    """
    text, lines = _split(note)
    mine = key_id(name, public)
    for found_name, blob in map(_parse_signature, lines):
        if found_name == name and blob[:4] == mine:
            if verify_bytes(public, text.encode(), blob[4:]):
                return text
            raise BadSignature("The note's signature is wrong.")
    raise BadSignature("The note is not signed by the expected key.")


def build_checkpoint(checkpoint: Checkpoint, seed: Secret, *, name: str | None = None) -> str:
    """The signed note; the key is named like the log's origin unless `name` says otherwise."""
    if len(checkpoint.root) != HASH_SIZE or checkpoint.size < 0:
        raise UsageError("A checkpoint holds a size and a root of 32 bytes.")
    return sign_note(checkpoint.text(), seed, name=checkpoint.origin if name is None else name)


def verify_checkpoint(note: str, *, origin: str, public: bytes, name: str | None = None) -> Checkpoint:
    """The checkpoint in `note`, of the log `origin`, signed by the key `public`. Raises BadInput, BadSignature as `open_note`."""
    checkpoint = _parse(open_note(note, name=origin if name is None else name, public=public))
    if checkpoint.origin != origin:
        raise BadInput("The checkpoint is of another log.")
    return checkpoint


def _split(note: str) -> tuple[str, list[str]]:
    if len(note) > _MAX_NOTE:
        raise TooLarge("The note is longer than 64 KiB.")
    # The last blank line parts text and signatures, so nothing unsigned can hide between them.
    text, found, tail = note.rpartition("\n\n")
    if not found or not text or not tail.endswith("\n") or _has_controls(note):
        raise BadInput("This is not a signed note.")
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise TooLarge("The note has more than 100 signatures.")
    return text + "\n", lines


def _parse(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise BadInput("A checkpoint has three lines: origin, size and root.")
    origin, size, root, *extensions = lines
    if _SIZE.fullmatch(size) is None:
        raise BadInput("The checkpoint's size is no decimal number.")
    return Checkpoint(origin, int(size), from_base64(root, size=HASH_SIZE, what="The checkpoint's root"), tuple(extensions))


def _parse_signature(line: str) -> tuple[str, bytes]:
    name, found, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not found or _NAME.fullmatch(name) is None:
        raise BadInput("The note has a line that is no signature.")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput("The note has a signature that is not base64.") from error
    if len(blob) < 5:
        raise BadInput("The note has a signature that is too short.")
    return name, blob


def _has_controls(text: str) -> bool:
    return any(ord(character) < 32 and character != "\n" for character in text)


def _checked_name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise UsageError("The name of a note's key holds no blanks and no plus sign.")
    return name
