"""The signature of a webhook."""

import pytest

from wabiz_tui.graph.signature import is_signed, sign
from wabiz_tui.model.secret import Secret

SECRET = Secret("test_app_secret")
VECTORS = [
    (b'{"object":"whatsapp_business_account","entry":[]}', "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"),
    (
        rb'{"object":"whatsapp_business_account","entry":[{"t":"ol\u00e1 \ud83d\udc4d https:\/\/x.y"}]}',
        "a081e5e9a0a062f4f380ffc7ae796f75f2e31272a466fd3a0b56e479ca01d5e7",
    ),
]


@pytest.mark.parametrize(("raw", "digest"), VECTORS)
def test_vectors(raw: bytes, digest: str) -> None:
    """The reference's vectors sign and verify."""
    assert sign(raw, SECRET) == f"sha256={digest}"
    assert is_signed(raw, f"sha256={digest}", [SECRET])


def test_rotation() -> None:
    """During rotation either secret verifies, and a foreign one does not."""
    raw = b"{}"
    secrets = [Secret("old"), Secret("new")]

    assert is_signed(raw, sign(raw, Secret("old")), secrets)
    assert is_signed(raw, sign(raw, Secret("new")), secrets)
    assert not is_signed(raw, sign(raw, Secret("other")), secrets)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha1=" + "0" * 40,
        "é" * 71,
        sign(b"{}", SECRET)[7:],
        sign(b"{}", SECRET) + "\n",
        "x" * 10**6,
    ],
)
def test_refused_headers(header: str | None) -> None:
    """A missing, short, foreign or oddly spelled header is refused and never raises."""
    assert not is_signed(b"{}", header, [SECRET])


def test_no_secret_verifies_nothing() -> None:
    """Without a secret, or with an empty one, nothing is signed, not even what an empty key signs."""
    assert not is_signed(b"{}", sign(b"{}", Secret("")), [])
    assert not is_signed(b"{}", sign(b"{}", Secret("")), [Secret("")])


def test_one_byte_changes_everything() -> None:
    """The signature covers the bytes, so that equal JSON in another spelling is refused."""
    assert not is_signed(b'{"a": 1}', sign(b'{"a":1}', SECRET), [SECRET])
