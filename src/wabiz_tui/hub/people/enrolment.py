"""People and their enrolment: an administrator's one-time code, a device's own key, short-lived tokens."""

import base64
from datetime import timedelta

from wabiz_tui.hub.archive import people as rows
from wabiz_tui.hub.archive.auditlog import was_recorded
from wabiz_tui.hub.archive.epochs import begin_epoch, outbox_share_name
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.people.devices import revoked
from wabiz_tui.hub.people.staff import named, team_ids
from wabiz_tui.model.errors import Conflict, Denied, NotFound
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Person
from wabiz_tui.model.wire import EnrollReply, EnrollRequest, EnrolmentCode, NewPerson, TokenReply, TokenRequest
from wabiz_tui.proof.armour import to_base64
from wabiz_tui.proof.assertions import LEEWAY, LIFETIME, check_assertion, claimed_device
from wabiz_tui.proof.enrolment import build_code, check_request, is_expected_hub, parse_code
from wabiz_tui.proof.signing import public_key

CODE_LIFE = timedelta(days=7)
TOKEN_LIFE = timedelta(minutes=15)
_LONGEST_NAME = 200
_MOST_CODES = 10


def invite(writing: Writing, wanted: NewPerson, *, by: str, device: str = "", policy_key: Secret) -> EnrolmentCode:
    """Add a person and make the code that enrols a device of theirs. Raises BadInput for what is no name and for unknown teams."""
    person = Person(id=writing.new_id(), name=named(wanted.name), role=wanted.role, teams=team_ids(writing, wanted.teams))
    rows.add_person(writing, person)
    record(writing, Act("person.added", by=by, device=device, about=person.id, details={"role": person.role}))
    return _new_code(writing, person.id, by=by, policy_key=policy_key)


def further_code(writing: Writing, person: str, *, by: str, device: str, policy_key: Secret) -> EnrolmentCode:
    """A code for one more device of a person. Raises NotFound, and Conflict where they left."""
    found = rows.find_person(writing, person)
    if found is None:
        raise NotFound("There is no such person.")
    if found.revoked_at is not None:
        raise Conflict("This person was revoked; add them anew.", code="revoked_person")
    if len([code for code in rows.living_codes(writing) if code.person == person]) >= _MOST_CODES:
        raise Conflict(f"This person has {_MOST_CODES} unused codes; withdraw one of them first.", code="too_many_codes")
    code = _new_code(writing, person, by=by, policy_key=policy_key)
    record(writing, Act("code.made", by=by, device=device, about=person, details={"code": code.id}))
    return code


def withdraw(writing: Writing, code: str, *, by: str, device: str) -> None:
    """End a code that was not used. Raises NotFound."""
    person = rows.withdraw_code(writing, code)
    if person is None:
        raise NotFound("There is no such code that could still be used.")
    record(writing, Act("code.withdrawn", by=by, device=device, about=person, details={"code": code}))


def _new_code(writing: Writing, person: str, *, by: str, policy_key: Secret) -> EnrolmentCode:
    """The code is told once: the archive keeps its hash."""
    # Base 32: a code that began with a dash would be an option to whoever types it after a command.
    secret = base64.b32encode(writing.archive.random_bytes(20)).decode().lower()
    expires_at = writing.now + CODE_LIFE
    code = rows.add_code(writing, secret, person, expires_at=expires_at, by=by)
    return EnrolmentCode(code=build_code(secret, public_key(policy_key)), person=person, expires_at=expires_at, id=code)


def enrol(writing: Writing, request: EnrollRequest, *, business: str, policy_key: Secret, audit_key: Secret) -> EnrollReply:
    """Make a device of whoever holds a living code and a key. Raises Denied for a code that is wrong, old or spent."""
    public = check_request(request)
    secret, _ = parse_code(request.code)
    person_id = rows.use_code(writing, secret) if is_expected_hub(request.code, public_key(policy_key)) else None
    if person_id is None:
        raise Denied(
            "This enrolment code is wrong, used or older than seven days; ask your administrator for a new one.", code="code_refused"
        )
    person = rows.load_people(writing)[person_id]
    device, cache_id = writing.new_id(), writing.archive.random_bytes(16).hex()
    name = " ".join(request.device_name.split())[:_LONGEST_NAME]
    rows.add_device(writing, device=device, person=person.id, name=name, public_key=public, cache_id=cache_id)
    begin_epoch(writing, device, 1)
    writing.archive.shares.make(outbox_share_name(device))
    record(writing, Act("device.enrolled", by=person.id, device=device, about=device))
    return EnrollReply(
        device=device,
        cache_id=cache_id,
        person=person.id,
        person_name=person.name,
        role=person.role,
        tenant=writing.tenant,
        business=business,
        policy_key=to_base64(public_key(policy_key)),
        audit_key=to_base64(public_key(audit_key)),
    )


def note_refused(writing: Writing, address: str, *, code: str) -> None:
    """Log that somebody at this address was refused enrolment: once an address and hour, the address as a keyed hash."""
    whence = writing.sealer.lookup("address", address).hex()[:16]
    if not was_recorded(writing, f"enrolment/{whence}/{writing.now:%Y-%m-%dT%H}"):
        record(writing, Act("enrolment.refused", result=code, details={"from": whence}))


def issue_token(writing: Writing, request: TokenRequest) -> TokenReply:
    """A bearer token for a device that proves its key. Raises Denied, Revoked; BadSignature with code `clock_skew`."""
    claimed = claimed_device(request.client_assertion)
    device = rows.find_device(writing, claimed)
    if device is None:
        raise Denied("The hub does not know this device; enrol it anew.", code="unknown_device")
    jti = check_assertion(request.client_assertion, device.public_key, device.id, writing.tenant, writing.now)
    if device.is_revoked:
        raise revoked()
    if not rows.use_assertion(writing, f"{device.id}/{jti}", expires_at=writing.now + LIFETIME + 2 * LEEWAY):
        raise Denied("This proof was used before; make a new one.", code="replayed")
    token = base64.urlsafe_b64encode(writing.archive.random_bytes(32)).decode().rstrip("=")
    rows.add_token(writing, token, device.id, expires_at=writing.now + TOKEN_LIFE)
    rows.note_device(writing, device.id, seen_ms=writing.now_ms)
    return TokenReply(access_token=token, expires_in=int(TOKEN_LIFE.total_seconds()))
