"""Make this machine a device of a hub, remember which, and speak to that hub as the device."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.files import read_small, write_private
from wabiz_tui.desk.keys.bundle import Bundle, make_bundle
from wabiz_tui.desk.keys.stores import find_store, load_bundle, open_store, save_bundle
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.config import Config, ca_file
from wabiz_tui.model.errors import BadInput, BadSignature, Conflict, Denied, Revoked
from wabiz_tui.model.paths import Paths, make_private
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Role
from wabiz_tui.model.wire import EnrollReply

if TYPE_CHECKING:
    from wabiz_tui.desk.link.line import Wire
    from wabiz_tui.desk.link.link import Link

_MAX_FILE = 64 * 1024


class Enrolment(msgspec.Struct, frozen=True):
    """What a device knows of itself and its hub; nothing in it is secret. `key_store` is where its bundle lies, `other_store`
    where a change of stores that was cut off may have left one (desk/keys/rotation.py)."""

    hub_url: str
    device: str
    cache_id: str
    person: str
    person_name: str
    role: Role
    tenant: str
    business: str
    policy_key: str
    audit_key: str
    public_key: str
    key_store: str
    enrolled_at: datetime
    revoked: bool = False
    version: int = 1
    other_store: str = ""


async def enroll(
    hub_url: str,
    code: str,
    *,
    paths: Paths,
    config: Config,
    passphrase: Secret | None,
    clock: Clock,
    device_name: str = "",
    random_bytes: Callable[[int], bytes] = os.urandom,
    wire: "Wire | None" = None,
) -> Enrolment:
    """Spend a one-time code. The key store is found and proved first, so that a code is not lost to a machine that cannot keep a key.

    Raises Conflict when the machine is enrolled already, NoKeyStore, BadSignature when the hub is not the one the code was
    made for, Denied for a code that is spent or over, Unreachable.
    """
    from wabiz_tui.desk.link.line import check_url
    from wabiz_tui.proof.armour import from_base64, to_base64
    from wabiz_tui.proof.enrolment import build_request, is_expected_hub, parse_code
    from wabiz_tui.proof.signing import public_key

    address = check_url(hub_url)
    parse_code(code)
    known = find_enrolment(paths)
    if known is not None and not known.revoked:
        raise Conflict("This machine is a device already; `wabiz wipe` makes it forget that first.")
    make_private(paths.data)
    found = await asyncio.to_thread(find_store, config, paths.data, passphrase, random_bytes=random_bytes)
    bundle = make_bundle(random_bytes)
    link = open_link(address, "", "", bundle.seed, DeskClock(clock), config=config, paths=paths, wire=wire)
    try:
        reply = await link.enroll(build_request(code, bundle.seed, device_name=device_name or socket.gethostname()[:100]))
    finally:
        await link.close()
    if not is_expected_hub(code, from_base64(reply.policy_key, size=32, what="The hub's policy key")):
        raise BadSignature("The hub that answered is not the one this code was made for: check its address, and tell the administrator.")
    enrolment = _enrolment(address, reply, to_base64(public_key(bundle.seed)), found.store.name, clock.now())
    await asyncio.to_thread(save_bundle, found.store, reply.device, bundle)
    # Last: a machine with this file is enrolled, and everything it needs is in place.
    write_private(paths.enrolment_file, encode(enrolment))
    bundle.forget()
    return enrolment


def _enrolment(hub_url: str, reply: EnrollReply, public: str, store: str, now: datetime) -> Enrolment:
    return Enrolment(
        hub_url=hub_url,
        device=reply.device,
        cache_id=reply.cache_id,
        person=reply.person,
        person_name=reply.person_name,
        role=reply.role,
        tenant=reply.tenant,
        business=reply.business,
        policy_key=reply.policy_key,
        audit_key=reply.audit_key,
        public_key=public,
        key_store=store,
        enrolled_at=now,
    )


def find_enrolment(paths: Paths) -> Enrolment | None:
    file = paths.enrolment_file
    try:
        return decode(read_small(file, _MAX_FILE), Enrolment)
    except FileNotFoundError:
        return None
    except BadInput as error:
        raise BadInput(f"{file.name} in {file.parent} is damaged; run `wabiz wipe` and enrol again: the hub has every message.") from error


def get_enrolment(paths: Paths, *, is_revoked_too: bool = False) -> Enrolment:
    """Raises Denied when this machine is no device yet, Revoked when it is none any more and that is not asked for too."""
    enrolment = find_enrolment(paths)
    if enrolment is None:
        raise Denied(
            "This machine is not enrolled: ask an administrator for a code and run `wabiz enroll HUB_URL CODE`.", code="not_enrolled"
        )
    if enrolment.revoked and not is_revoked_too:
        raise Revoked("This device was revoked and what it held is destroyed; with a new code, `wabiz enroll` makes it a device again.")
    return enrolment


def mark_revoked(enrolment: Enrolment, paths: Paths) -> None:
    """From now on this machine says that it was revoked instead of asking for keys that are gone."""
    write_enrolment(msgspec.structs.replace(enrolment, revoked=True), paths)


def write_enrolment(enrolment: Enrolment, paths: Paths) -> None:
    """Durable when it returns; a crash leaves the one before or this one."""
    write_private(paths.enrolment_file, encode(enrolment))


def open_link(
    hub_url: str,
    device: str,
    tenant: str,
    seed: Secret | Callable[[], Awaitable[Secret]],
    clock: DeskClock,
    *,
    config: Config,
    paths: Paths,
    wire: "Wire | None" = None,
) -> "Link":
    from wabiz_tui.desk.link.link import Link

    authorities: Path | None = ca_file(config, paths)
    return Link(hub_url, device=device, tenant=tenant, seed=seed, clock=clock, authorities=authorities, wire=wire)


async def open_bundle(enrolment: Enrolment, *, paths: Paths, config: Config, passphrase: Secret | None, now: datetime) -> Bundle:
    """The device's secrets: from the warm kernel keyring, else from its key store. Raises NoKeyStore, WrongKey."""
    from wabiz_tui.desk.keys import warm

    kept = warm.find(enrolment.device, now=now) if passphrase is None else None
    if kept is not None and kept.bundle is not None:
        return kept.bundle

    def load() -> Bundle:
        return load_bundle(open_store(enrolment.key_store, config, paths.data, passphrase), enrolment.device)

    return await asyncio.to_thread(load)


async def request_as_device(
    method: str,
    path: str,
    body: bytes | None,
    *,
    paths: Paths,
    config: Config,
    passphrase: Secret | None,
    clock: Clock,
    wire: "Wire | None" = None,
) -> bytes:
    """One request to the hub as this device, without a desk: for the commands of administrators. Raises as Link.request."""
    enrolment = get_enrolment(paths)
    bundle = await open_bundle(enrolment, paths=paths, config=config, passphrase=passphrase, now=clock.now())
    link = open_link(
        enrolment.hub_url, enrolment.device, enrolment.tenant, bundle.seed, DeskClock(clock), config=config, paths=paths, wire=wire
    )
    try:
        return await link.request(method, path, body)
    finally:
        await link.close()
        bundle.forget()
