"""Client assertions (private_key_jwt, RFC 7523): a device proves itself to the hub with a JWT that lives a minute."""

import base64
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput, BadSignature, TooLarge
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.signing import sign_bytes

LIFETIME = timedelta(seconds=60)
LEEWAY = timedelta(seconds=60)
_MAX_TOKEN = 4096
_JTI = re.compile(r"[A-Za-z0-9_-]{16,64}")


def make_assertion(device: str, tenant: str, seed: Secret, now: datetime, random_bytes: Callable[[int], bytes]) -> str:
    """An EdDSA JWT that says "I am `device`" to the hub of `tenant`, from `now` for a minute, to be used once."""
    issued = int(now.timestamp())
    claims = {
        "iss": device,
        "sub": device,
        "aud": _audience(tenant),
        "jti": random_bytes(16).hex(),
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
    }
    # Written by hand: loading PyJWT takes a starting desk five times as long as signing with all it needs.
    signed = b".".join(_segment(encode(part)) for part in ({"alg": "EdDSA", "typ": "JWT"}, claims))
    return b".".join((signed, _segment(sign_bytes(seed, signed)))).decode()


def claimed_device(token: str) -> str:
    """Whom the assertion claims to come from, unverified: only good for finding the key to check it with. Raises BadInput."""
    issuer = _decode(token, None).get("iss")
    if not isinstance(issuer, str) or len(issuer) > 64:
        raise BadInput("The assertion names no device.")
    return issuer


def check_assertion(token: str, public: bytes, device: str, tenant: str, now: datetime) -> str:
    """The `jti` of a valid assertion; the caller refuses one it has seen within the last three minutes.

    Raises BadSignature for any wrong signature, algorithm or name; its code is `clock_skew` where only the times are off
    by more than a minute, so that the device can say that its clock is wrong.
    """
    claims = _decode(token, public)
    if claims.get("iss") != device or claims.get("sub") != device or claims.get("aud") != _audience(tenant):
        raise BadSignature("The assertion is made for another device or hub.")
    jti, issued, expires = claims.get("jti"), claims.get("iat"), claims.get("exp")
    if not isinstance(jti, str) or _JTI.fullmatch(jti) is None:
        raise BadInput("The assertion has no usable jti.")
    if type(issued) is not int or type(expires) is not int or not 0 < expires - issued <= LIFETIME.total_seconds():
        raise BadInput("The assertion must live between one second and one minute.")
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    if not issued - leeway <= at < expires + leeway:
        raise BadSignature("The assertion's time is not now: check the clock of this device.", code="clock_skew")
    return jti


def _segment(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _audience(tenant: str) -> str:
    return f"wabiz:{tenant}"


def _decode(token: str, public: bytes | None) -> dict[str, Any]:
    if len(token) > _MAX_TOKEN:
        raise TooLarge("The assertion is longer than 4096 characters.")
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        if public is None:
            return jwt.decode(token, options={"verify_signature": False})
        # Times and names are checked by the caller: PyJWT would ask the machine's clock, not the one handed in.
        return jwt.decode(
            token,
            Ed25519PublicKey.from_public_bytes(public),
            algorithms=["EdDSA"],
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.InvalidSignatureError as error:
        raise BadSignature("The assertion's signature is wrong.") from error
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise BadSignature("The assertion is no EdDSA token.") from error
