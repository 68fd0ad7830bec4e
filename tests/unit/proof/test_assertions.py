"""A device's JWT: accepted once for its minute and hub, refused in every other way."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wabiz_tui.model.errors import BadInput, BadSignature, TooLarge
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.assertions import check_assertion, claimed_device, make_assertion
from wabiz_tui.proof.signing import public_key

SEED = Secret(b"d" * 32)
PUBLIC = public_key(SEED)
DEVICE, TENANT = "d" * 32, "102290129340398"
NOW = datetime(2031, 5, 5, 12, tzinfo=UTC)
TOKEN = make_assertion(DEVICE, TENANT, SEED, NOW, lambda size: b"\x07" * size)


def claims(**changes: object) -> str:
    """A token signed with the device's key whose claims are those of a good one, changed."""
    good = {"iss": DEVICE, "sub": DEVICE, "aud": f"wabiz:{TENANT}", "jti": "j" * 32, "iat": int(NOW.timestamp())}
    good |= {"exp": int(NOW.timestamp()) + 60} | changes
    return jwt.encode(
        {key: value for key, value in good.items() if value is not None}, Ed25519PrivateKey.from_private_bytes(SEED.reveal()), "EdDSA"
    )


def test_a_good_assertion_gives_its_jti():
    """The clock is the one handed in, years from the machine's; the jti is the random part."""
    assert check_assertion(TOKEN, PUBLIC, DEVICE, TENANT, NOW) == "07" * 16
    assert claimed_device(TOKEN) == DEVICE


def test_it_follows_rfc_7523():
    """Issuer and subject are the device, the audience is the hub's business, and it lives a minute."""
    found = jwt.decode(TOKEN, options={"verify_signature": False})

    assert found["iss"] == found["sub"] == DEVICE
    assert found["aud"] == f"wabiz:{TENANT}"
    assert found["exp"] - found["iat"] == 60
    assert jwt.get_unverified_header(TOKEN)["alg"] == "EdDSA"


@pytest.mark.parametrize("seconds", [-60, 0, 59, 119])
def test_a_minute_of_skew_is_forgiven(seconds: int):
    """Clocks may differ by a minute."""
    assert check_assertion(TOKEN, PUBLIC, DEVICE, TENANT, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-61, 121, 86400])
def test_beyond_that_the_clock_is_named(seconds: int):
    """An old or future assertion is refused with its own code, so that the device can say why."""
    with pytest.raises(BadSignature) as refused:
        check_assertion(TOKEN, PUBLIC, DEVICE, TENANT, NOW + timedelta(seconds=seconds))

    assert refused.value.code == "clock_skew"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "e" * 32},
        {"sub": "e" * 32},
        {"aud": "wabiz:1"},
        {"aud": [f"wabiz:{TENANT}", "wabiz:1"]},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"iat": None},
        {"exp": None},
        {"exp": int(NOW.timestamp()) + 61},
        {"exp": int(NOW.timestamp())},
        {"iat": True},
    ],
)
def test_other_claims_are_refused(changes: dict[str, object]):
    """Another device, hub, lifetime or a missing jti is refused though the device's key signed it."""
    assert check_assertion(claims(), PUBLIC, DEVICE, TENANT, NOW)
    with pytest.raises(BadInput):
        check_assertion(claims(**changes), PUBLIC, DEVICE, TENANT, NOW)


def test_another_key_is_refused():
    """A token signed by any other key is refused."""
    with pytest.raises(BadSignature, match="signature"):
        check_assertion(TOKEN, public_key(Secret(b"x" * 32)), DEVICE, TENANT, NOW)


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_no_other_algorithm_passes():
    """Neither no signature at all, nor an HMAC under the public key, passes for EdDSA."""
    body = TOKEN.split(".")[1]
    unsigned = f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{body}."
    hashed = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{body}"
    mac = base64.urlsafe_b64encode(hmac.digest(PUBLIC, hashed.encode(), "sha256")).rstrip(b"=").decode()

    for token in (unsigned, f"{hashed}.{mac}"):
        with pytest.raises(BadSignature):
            check_assertion(token, PUBLIC, DEVICE, TENANT, NOW)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "....", TOKEN[:-4], "\ud800.a.b"])
def test_what_is_no_token_is_refused(token: str):
    """Anything else is refused in words, never with an error of the library."""
    with pytest.raises(BadInput):
        check_assertion(token, PUBLIC, DEVICE, TENANT, NOW)


def test_giants_are_refused_unread():
    """A token beyond 4096 characters is too large."""
    with pytest.raises(TooLarge):
        claimed_device("x" * 5000)
