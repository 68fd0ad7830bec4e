"""Who asks: the bearer token of a request becomes a device and its person, or a refusal."""

from typing import NamedTuple

from wabiz_tui.hub.archive.people import DeviceRecord, device_of_token
from wabiz_tui.hub.archive.store import Archive, Reading
from wabiz_tui.hub.feed.viewer import Viewer, viewer_of
from wabiz_tui.hub.people.devices import current_device, revoked
from wabiz_tui.model.errors import Denied
from wabiz_tui.model.values import Person
from wabiz_tui.policy.permissions import can

_LONGEST_TOKEN = 256


class Caller(NamedTuple):
    """An authenticated device and whose it is."""

    device: DeviceRecord

    @property
    def person(self) -> Person:
        return self.device.person

    @property
    def viewer(self) -> Viewer:
        return viewer_of(self.person, self.device.id)


class Unauthorized(Denied):
    """No token, or one the hub does not know (any more): a new one may help."""

    code = "invalid_token"


def bearer_token(authorization: str | None) -> str:
    """The token of an Authorization header; raises Unauthorized when there is none, or one that no hub ever gave."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST_TOKEN or not token.isascii():
        raise Unauthorized("This needs the access token of an enrolled device.")
    return token


async def authenticate(archive: Archive, authorization: str | None) -> Caller:
    """Raises Unauthorized, Revoked."""
    token = bearer_token(authorization)
    device = await archive.read(lambda reading: device_of_token(reading, token))
    if device is None:
        raise Unauthorized("The access token has run out or was never given; ask for a new one.")
    if device.is_revoked:
        raise revoked()
    return Caller(device)


def require(caller: Caller, permission: str) -> None:
    """Raises Denied unless the caller's role may do this."""
    if not can(caller.person.role, permission):
        raise Denied(f"Your role ({caller.person.role}) may not do this.", code="forbidden")


def check_still(reading: Reading, caller: Caller, permission: str) -> None:
    """The same of the device and its person as they stand in this transaction. Raises Revoked, Denied."""
    require(Caller(current_device(reading, caller.device.id)), permission)
