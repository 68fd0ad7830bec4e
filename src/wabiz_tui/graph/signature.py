"""Make and verify the signature Meta puts on a webhook: HMAC-SHA256 of the raw body under the app secret."""

import hmac
import re
from collections.abc import Sequence

from wabiz_tui.model.secret import Secret

HEADER = "X-Hub-Signature-256"
_FORM = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)


def sign(raw: bytes, secret: Secret) -> str:
    """The value of the `X-Hub-Signature-256` header for `raw`."""
    return "sha256=" + hmac.digest(secret.reveal(), raw, "sha256").hex()


def is_signed(raw: bytes, header: str | None, secrets: Sequence[Secret]) -> bool:
    """Whether `header` signs exactly these bytes under any of the secrets. No header, no secret, an empty secret: False.

    Every secret is tried whether or not an earlier one matched, so the time taken tells nothing about which one did.
    """
    if header is None or _FORM.fullmatch(header) is None:
        return False
    matches = [hmac.compare_digest(sign(raw, secret).encode(), header.encode()) for secret in secrets if secret]
    return any(matches)
