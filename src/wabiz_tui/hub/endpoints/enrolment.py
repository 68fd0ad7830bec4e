"""What a device does for itself: enrol, prove its key, fetch its share, hand in receipts."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.archive.epochs import list_receipts
from wabiz_tui.hub.archive.store import Writing, feed_head
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.front.addresses import client_group
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people import devices, enrolment
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json, whole_number
from wabiz_tui.model.errors import BadInput, Denied, TooMany
from wabiz_tui.model.wire import EnrollReply, EnrollRequest, ReceiptReply, ShareReply, SignedReceipt, TokenReply, TokenRequest, WhoAmI
from wabiz_tui.policy.permissions import can
from wabiz_tui.proof.assertions import claimed_device

T = TypeVar("T")
R = TypeVar("R")
_LONGEST_CODE = 200


class NextEpoch(msgspec.Struct, frozen=True):
    after: int


async def enroll(hub: Hub, request: Request) -> Response:
    keys, business = hub.secrets, hub.settings.hub.business
    address = client_group(request.scope)
    try:
        reply = await _counted(
            hub,
            request,
            EnrollRequest,
            lambda wanted: wanted.code[:_LONGEST_CODE],
            lambda writing, wanted: enrolment.enrol(
                writing, wanted, business=business, policy_key=keys.policy_key, audit_key=keys.audit_key
            ),
        )
    except (Denied, BadInput) as error:
        code = error.code
        with contextlib.suppress(TooMany):
            hub.rates.told.take(address)
            hub.rates.told_at_all.take()
            await hub.archive.write(lambda writing: enrolment.note_refused(writing, address, code=code))
        raise
    return json_answer(reply)


async def token(hub: Hub, request: Request) -> Response:
    reply = await _counted(hub, request, TokenRequest, lambda wanted: claimed_device(wanted.client_assertion), enrolment.issue_token)
    return json_answer(reply)


async def _counted(hub: Hub, request: Request, kind: type[T], named: Callable[[T], str], work: Callable[[Writing, T], R]) -> R:
    """What `work` makes of the request, whose `named` is the code or device it speaks of. Raises TooMany before any work is done."""
    address, rates = client_group(request.scope), hub.rates
    rates.doors.take(address)
    rates.failures.check(address)
    try:
        wanted = await read_json(request, kind)
        rates.asked.take(address, named(wanted))
        return await hub.archive.write(lambda writing: work(writing, wanted))
    except (Denied, BadInput):
        with contextlib.suppress(TooMany):
            rates.failures.take(address)
        raise


async def me(hub: Hub, caller: Caller, _request: Request) -> Response:
    person = caller.person
    # The head tells how much happened, which is not told to who is closed out.
    is_closed = hub.shifts.is_closed(person.id, person.role)
    head = 0 if is_closed else await hub.archive.read(feed_head)
    return json_answer(
        WhoAmI(
            device=caller.device.id,
            person=person.id,
            name=person.name,
            role=person.role,
            tenant=hub.archive.tenant,
            head=head,
            policy=hub.policy.version,
            at=hub.clock.now(),
        )
    )


async def share(hub: Hub, caller: Caller, request: Request) -> Response:
    hub.shifts.check(caller.person)  # no share, so that no cache opens until work resumes
    asked = whole_number(request, "epoch", -1)
    device, current, epoch = caller.device.id, hub.policy, None if asked < 0 else asked
    return json_answer(
        await hub.archive.write(
            lambda writing: devices.give_share(writing, device, current.policy, policy_version=current.version, epoch=epoch)
        )
    )


async def epochs(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, NextEpoch)
    device, current = caller.device.id, hub.policy

    def begin(writing: Writing) -> ShareReply:
        if not devices.begins_anew(writing, device, wanted.after):
            # The share of a cache that there may be already, receipt or not: this would be another way to ask for it.
            hub.shifts.check(caller.person)
        is_closed = hub.shifts.is_closed(caller.person.id, caller.person.role)
        return devices.begin_next_epoch(writing, device, wanted.after, current.policy, policy_version=current.version, is_closed=is_closed)

    return json_answer(await hub.archive.write(begin))


async def send_receipt(hub: Hub, caller: Caller, request: Request) -> Response:
    signed = await read_json(request, SignedReceipt)
    key = hub.secrets.audit_key
    return json_answer(await hub.archive.write(lambda writing: devices.accept_receipt(writing, caller.device, signed, audit_key=key)))


async def receipts(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = request.query_params.get("device") or None
    if wanted is None and not can(caller.person.role, "receipts.read"):
        wanted = caller.device.id
    if wanted != caller.device.id and not can(caller.person.role, "receipts.read"):
        raise Denied("You may see the receipts of your own device only.", code="forbidden")
    return json_answer(await hub.archive.read(lambda reading: list_receipts(reading, wanted)))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/v1/enroll", "", "Make a device of whoever holds a one-time code and a key.", enroll, EnrollRequest, EnrollReply),
    Endpoint("POST", "/v1/token", "", "A short-lived bearer token for a device that proves its key.", token, TokenRequest, TokenReply),
    Endpoint("GET", "/v1/me", "me.read", "The calling device, its person and the feed's head.", me, answer=WhoAmI),
    Endpoint(
        "GET", "/v1/device/share", "share.read", "The key share of the current epoch, or of ?epoch=N while it lives.", share,
        answer=ShareReply, parameters=("epoch",),
    ),
    Endpoint("POST", "/v1/device/epochs", "share.begin_epoch", "Begin the next purge epoch.", epochs, NextEpoch, ShareReply),
    Endpoint(
        "POST", "/v1/receipts", "receipts.send", "Record a purge receipt and destroy its epoch's share.", send_receipt,
        SignedReceipt, ReceiptReply,
    ),
    Endpoint(
        "GET", "/v1/receipts", "receipts.read_own", "Receipts of a device; of others with receipts.read.", receipts,
        answer=list[SignedReceipt], parameters=("device",),
    ),
)  # fmt: skip
