"""Signed statements: the canonical JSON of a value as text, and a signature over it; shared by receipts and policies."""

from typing import Any, TypeVar, cast

from wabiz_tui.model.codec import decode, encode_canonical
from wabiz_tui.model.errors import BadInput, BadSignature, TooLarge
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.armour import from_base64, to_base64
from wabiz_tui.proof.signing import SIGNATURE_SIZE, sign, verify

T = TypeVar("T")


def state(value: object, seed: Secret, context: str) -> tuple[str, str]:
    """The canonical JSON text of `value` and its signature in base64."""
    text = encode_canonical(value)
    return text.decode(), to_base64(sign(seed, context, text))


def verify_statement(text: str, signature: str, public: bytes, context: str, kind: type[T], *, what: str, limit: int) -> T:
    """The value that was stated. The signature is checked before anything is parsed.

    Raises TooLarge beyond `limit` characters, BadSignature, and BadInput where the text is not canonical JSON of a `kind`
    (keys this version does not know are allowed: a newer one may have signed them).
    """
    if len(text) > limit:
        raise TooLarge(f"{what} is longer than {limit} characters.")
    raw = text.encode(errors="replace")
    if not verify(public, context, raw, from_base64(signature, size=SIGNATURE_SIZE, what=f"{what}'s signature")):
        raise BadSignature(f"{what}'s signature is wrong.")
    # One text per value: doubled keys or blanks would let two readers see two things.
    if encode_canonical(decode(raw, cast("type[Any]", Any))) != raw:
        raise BadInput(f"{what} is not in canonical form.")
    return decode(raw, kind)
