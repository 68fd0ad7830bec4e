"""Integration keys: `wbk_<integration id>_<secret>`. Made once, shown once, kept as a hash, compared in constant time."""

import base64
import hmac
import re
from datetime import datetime, timedelta

from wabiz_tui.hub.archive.events import load_numbers
from wabiz_tui.hub.archive.integrations import (
    Integration,
    add_integration,
    find_integration,
    list_integrations,
    revoke_integration,
)
from wabiz_tui.hub.archive.people import hashed
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.model.errors import BadInput, NotFound
from wabiz_tui.model.wire import IntegrationInfo, IntegrationKey, NewIntegration
from wabiz_tui.policy.permissions import INTEGRATION_ACTIONS

PREFIX = "wbk_"
_KEY = re.compile(r"wbk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
_LONGEST_NAME = 200
_HIGHEST_RATE = 1000
_BURST = 2
"""Seconds' worth of requests that a key may make at once."""


def is_key(token: str) -> bool:
    return token.startswith(PREFIX)


def integration_of(reading: Reading, key: str) -> Integration | None:
    """Whose key this is; None for one that is wrong, was never given or is revoked."""
    parts = _KEY.fullmatch(key)
    if parts is None:
        return None
    known = find_integration(reading, parts[1])
    # Without a row something is compared all the same: the time taken tells nobody which ids there are.
    is_right = hmac.compare_digest(hashed(key), known.key_hash if known is not None else bytes(32))
    return known if is_right and known is not None and not known.is_revoked else None


def make_integration(writing: Writing, wanted: NewIntegration, *, by: str, device: str) -> IntegrationKey:
    """Add a program and make its key, which is told here and never again. Raises BadInput."""
    name = " ".join(wanted.name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadInput(f"An integration's name is one line of 1 to {_LONGEST_NAME} printable characters.")
    numbers = tuple(dict.fromkeys(wanted.numbers))
    unknown = sorted(set(numbers) - set(load_numbers(writing, numbers)))
    if not numbers or unknown:
        raise BadInput("A key is bound to one or more business numbers of this hub" + (f"; {unknown[0]} is none." if unknown else "."))
    strange = sorted(set(wanted.permissions) - INTEGRATION_ACTIONS)
    if not wanted.permissions or strange:
        raise BadInput(f"An integration's permissions are one or more of: {', '.join(sorted(INTEGRATION_ACTIONS))}.")
    if not 1 <= wanted.rate <= _HIGHEST_RATE:
        raise BadInput(f"An integration's rate is 1 to {_HIGHEST_RATE} requests a second.")
    identifier = writing.new_id()
    secret = base64.urlsafe_b64encode(writing.archive.random_bytes(32)).decode().rstrip("=")
    key = f"{PREFIX}{identifier}_{secret}"
    integration = Integration(
        identifier, name, hashed(key), numbers, frozenset(wanted.permissions), wanted.rate, wanted.any_hour, is_revoked=False
    )
    add_integration(writing, integration, by=by)
    details = {"numbers": list(numbers), "permissions": sorted(integration.permissions), "any_hour": wanted.any_hour, "rate": wanted.rate}
    record(writing, Act("integration.added", by=by, device=device, about=identifier, details=details))
    return IntegrationKey(id=identifier, name=name, key=key)


def revoke(writing: Writing, integration: str, *, by: str, device: str) -> None:
    """End the key for good; again it does nothing. Raises NotFound."""
    if find_integration(writing, integration) is None:
        raise NotFound("There is no such integration.")
    if revoke_integration(writing, integration):
        record(writing, Act("integration.revoked", by=by, device=device, about=integration))


def integrations(reading: Reading) -> list[IntegrationInfo]:
    return list_integrations(reading)


class KeyRates:
    """How many requests each key has made lately, in this process: a bucket a key, filled at its rate."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, datetime]] = {}

    def take(self, integration: Integration, now: datetime) -> None:
        """Count one request. Raises CloudError 130429 with the wait when the key has used up its rate."""
        most = float(integration.rate * _BURST)
        left, at = self._buckets.get(integration.id, (most, now))
        left = min(most, left + max(0.0, (now - at).total_seconds()) * integration.rate)
        if left < 1:
            wait = timedelta(seconds=(1 - left) / integration.rate)
            raise refuse("rate_limited", f"This key may make {integration.rate} requests a second", retry_after=wait)
        self._buckets[integration.id] = (left - 1, now)
