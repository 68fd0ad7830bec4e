"""Signatures, encodings and key derivation against the vectors of their RFCs."""

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.errors import BadInput, UsageError
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.armour import from_base64, parse_public_key, to_base64
from wabiz_tui.proof.derivation import cache_key, outbox_key
from wabiz_tui.proof.fingerprint import fingerprint
from wabiz_tui.proof.signing import generate, public_key, sign, sign_bytes, verify, verify_bytes

# RFC 8032, section 7.1, test 2.
SEED = Secret(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
LOCAL, SHARE, CACHE = Secret(b"l" * 32), Secret(b"s" * 32), "0123456789abcdef" * 2


def test_ed25519_is_that_of_the_rfc():
    """Key and signature are those of RFC 8032."""
    assert public_key(SEED) == PUBLIC
    assert sign_bytes(SEED, b"\x72") == SIGNATURE
    assert verify_bytes(PUBLIC, b"\x72", SIGNATURE)


@given(st.binary(max_size=200), st.integers(0, 511))
def test_any_flipped_bit_breaks_a_signature(message: bytes, bit: int):
    """A signature with one changed bit verifies nothing."""
    signature = sign(SEED, "wabiz/test/v1", message)
    changed = (int.from_bytes(signature, "big") ^ (1 << bit)).to_bytes(64, "big")

    assert verify(PUBLIC, "wabiz/test/v1", message, signature)
    assert not verify(PUBLIC, "wabiz/test/v1", message, changed)


def test_a_signature_is_bound_to_its_context():
    """What was signed as one thing does not pass as another, not even by shifting the border of context and message."""
    signature = sign(SEED, "wabiz/receipt/v1", b"body")

    assert not verify(PUBLIC, "wabiz/policy/v1", b"body", signature)
    with pytest.raises(UsageError):
        verify(PUBLIC, "wabiz/receipt/v1\nbody", b"", signature)


@pytest.mark.parametrize(("public", "signature"), [(b"", SIGNATURE), (PUBLIC[:31], SIGNATURE), (PUBLIC, b""), (PUBLIC, SIGNATURE + b"\0")])
def test_keys_and_signatures_of_a_wrong_size_are_refused(public: bytes, signature: bytes):
    """Wrong sizes are a plain no."""
    assert not verify_bytes(public, b"\x72", signature)


def test_a_key_needs_32_bytes_of_chance():
    """A random source that gives too little makes no key."""
    assert len(generate(lambda size: b"r" * size)) == 32
    with pytest.raises(UsageError):
        generate(lambda size: b"r" * (size - 1))


def test_hkdf_is_that_of_the_rfc():
    """The library's HKDF gives the output of RFC 5869, test case 1."""
    derived = HKDF(algorithm=SHA256(), length=42, salt=bytes(range(13)), info=bytes.fromhex("f0f1f2f3f4f5f6f7f8f9")).derive(b"\x0b" * 22)

    assert derived.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_the_cache_key_is_the_documented_derivation():
    """Whoever has both halves can derive the key with any HKDF, from what the threat model says."""
    expected = HKDF(algorithm=SHA256(), length=32, salt=bytes.fromhex(CACHE), info=b"wabiz/cache/v1|agent|device|3").derive(
        b"l" * 32 + b"s" * 32
    )

    assert cache_key(LOCAL, SHARE, cache_id=CACHE, agent="agent", device="device", epoch=3).reveal() == expected


def test_every_part_changes_the_key():
    """Another half, cache, agent, device, epoch or purpose gives another key."""
    keys = [
        cache_key(LOCAL, SHARE, cache_id=CACHE, agent="a", device="d", epoch=1),
        cache_key(SHARE, LOCAL, cache_id=CACHE, agent="a", device="d", epoch=1),
        cache_key(LOCAL, SHARE, cache_id=CACHE[::-1], agent="a", device="d", epoch=1),
        cache_key(LOCAL, SHARE, cache_id=CACHE, agent="b", device="d", epoch=1),
        cache_key(LOCAL, SHARE, cache_id=CACHE, agent="a", device="e", epoch=1),
        cache_key(LOCAL, SHARE, cache_id=CACHE, agent="a", device="d", epoch=2),
        outbox_key(LOCAL, SHARE, cache_id=CACHE, agent="a", device="d"),
    ]

    assert len({key.reveal() for key in keys}) == len(keys)


@pytest.mark.parametrize(
    ("local", "cache", "agent", "epoch"),
    [(Secret(b"short"), CACHE, "a", 1), (LOCAL, "xyz", "a", 1), (LOCAL, CACHE, "a|d", 1), (LOCAL, CACHE, "", 1), (LOCAL, CACHE, "a", -1)],
)
def test_parts_of_a_wrong_form_are_refused_without_naming_a_secret(local: Secret, cache: str, agent: str, epoch: int):
    """A half of a wrong size, an odd cache id, an ambiguous name or a negative epoch gives no key."""
    with pytest.raises(UsageError) as refused:
        cache_key(local, SHARE, cache_id=cache, agent=agent, device="d", epoch=epoch)

    assert "short" not in str(refused.value)


@given(st.binary(min_size=32, max_size=32))
def test_base64_has_one_form(value: bytes):
    """Only the canonical text of a value is read; other spellings of it are refused."""
    text = to_base64(value)
    assert from_base64(text, size=32, what="It") == value
    assert parse_public_key(f" {value.hex().upper()}\n") == value == parse_public_key(text)
    for wrong in (text[:-1], text + "=", "\n" + text[1:], text[:-2] + ("/" if text[-2] != "/" else "+") + "="):
        with pytest.raises(BadInput):
            from_base64(wrong, size=32, what="It")


def test_a_fingerprint_is_sixteen_digits_of_sha256():
    """The fingerprint is the beginning of the key's SHA-256."""
    assert fingerprint(b"abc") == "ba7816bf8f01cfea"
