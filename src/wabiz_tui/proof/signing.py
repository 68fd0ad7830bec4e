"""Ed25519 signatures, each bound to what it is for by a context line, so that none can be passed off as another."""

from collections.abc import Callable

from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.secret import Secret

SEED_SIZE = 32
PUBLIC_KEY_SIZE = 32
SIGNATURE_SIZE = 64


def generate(random_bytes: Callable[[int], bytes]) -> Secret:
    """A new private key as its 32-byte seed (RFC 8032)."""
    seed = random_bytes(SEED_SIZE)
    if len(seed) != SEED_SIZE:
        raise UsageError("The random source gave too few bytes for a key.")
    return Secret(seed)


def public_key(seed: Secret) -> bytes:
    """The 32 bytes of the public key of `seed`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed.reveal()).public_key().public_bytes_raw()


def sign(seed: Secret, context: str, message: bytes) -> bytes:
    """The signature over `context`, a line feed and `message`. A context is one line, such as `wabiz/receipt/v1`."""
    return sign_bytes(seed, _bind(context, message))


def verify(public: bytes, context: str, message: bytes, signature: bytes) -> bool:
    """Whether `signature` was made by `sign` with these arguments; False for keys and signatures of a wrong size too."""
    return verify_bytes(public, _bind(context, message), signature)


def sign_bytes(seed: Secret, message: bytes) -> bytes:
    """A signature without a context, for formats that fix their own bytes (proof/notes.py)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed.reveal()).sign(message)


def verify_bytes(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(public) != PUBLIC_KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bind(context: str, message: bytes) -> bytes:
    # A line feed inside a context would let one context and message be read as another pair.
    if not context or "\n" in context:
        raise UsageError("A signature's context is one line and not empty.")
    return context.encode() + b"\n" + message
