"""The people who work here: their names, roles, teams and buddies, and what ends with them when they leave."""

from msgspec.structs import replace

from wabiz_tui.hub.archive import people as rows
from wabiz_tui.hub.archive.sight import note_person_changed
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.teams import load_teams
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.people import devices
from wabiz_tui.hub.work.handover import hand_over
from wabiz_tui.model.document import nearest_name
from wabiz_tui.model.errors import BadInput, Conflict, NotFound
from wabiz_tui.model.naming import name_key, spelled
from wabiz_tui.model.staff import PersonChange, PersonRevoked
from wabiz_tui.model.values import Person
from wabiz_tui.policy.permissions import can

_LONGEST_NAME = 200
_MOST_TEAMS = 32


def named(name: str) -> str:
    """Raises BadInput for what is no name of a person."""
    return spelled(name, limit=_LONGEST_NAME, what="person's name")


def team_ids(reading: Reading, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of teams given by name or id, each once. Raises BadInput with the nearest name for one that is not there."""
    if len(wanted) > _MOST_TEAMS:
        raise BadInput(f"A person belongs to {_MOST_TEAMS} teams at most.")
    teams = load_teams(reading) if wanted else {}
    by_name = {name_key(team.name): team.id for team in teams.values()}
    return tuple(dict.fromkeys(_team(one, by_name, {team.id: team.name for team in teams.values()}) for one in wanted))


def change(writing: Writing, person: str, wanted: PersonChange, *, by: Viewer) -> Person:
    """Raises NotFound, BadInput, and Conflict for who left and for the last administrator's role."""
    before = _working(writing, person)
    after = replace(
        before,
        name=before.name if wanted.name is None else named(wanted.name),
        role=before.role if wanted.role is None else wanted.role,
        teams=before.teams if wanted.teams is None else team_ids(writing, wanted.teams),
        buddy=_buddy(writing, before, wanted),
    )
    changed = [name for name in ("name", "role", "teams", "buddy") if getattr(before, name) != getattr(after, name)]
    if not changed:
        return after
    if before.role != after.role:
        _keep_an_admin(writing, before)
    rows.save_person(writing, after)
    note_person_changed(writing, before, after)
    if not can(after.role, "message.send"):
        _hand_on(writing, person, by=by)
    details = {"changed": changed, "role": after.role, "teams": list(after.teams)}
    record(writing, Act("person.changed", by=by.person, device=by.device, about=person, details=details))
    return after


def revoke(writing: Writing, person: str, *, by: Viewer) -> tuple[PersonRevoked, list[str]]:
    """End a person's access for good: their codes and devices with all shares; what they had is handed on. The devices that ended.

    Integrations stay: their keys are the business's. Again it does nothing. Raises NotFound, and Conflict for the last administrator."""
    found = rows.find_person(writing, person)
    if found is None:
        raise NotFound("There is no such person.")
    if found.revoked_at is not None:
        return PersonRevoked(person, "revoked", 0, 0), []
    _keep_an_admin(writing, found)
    # Codes before devices: a device that is being enrolled by one of them is there when the devices are ended, or never.
    rows.withdraw_codes_of(writing, person)
    rows.save_person(writing, replace(found, revoked_at=writing.now))
    ended = rows.devices_of(writing, person)
    for device in ended:
        devices.revoke(writing, device, by=by.person)
    released = _hand_on(writing, person, by=by)
    writing.touch("person", person)
    details = {"devices": len(ended), "conversations": released}
    record(writing, Act("person.revoked", by=by.person, device=by.device, about=person, details=details))
    return PersonRevoked(person, "revoked", len(ended), released), ended


def _hand_on(writing: Writing, person: str, *, by: Viewer) -> int:
    """All their open work to their buddy or to nobody; how many conversations."""
    giver = rows.find_person(writing, by.person)
    moved = 0
    while True:
        outcome = hand_over(writing, person, by=giver, device=by.device)
        moved += outcome.given + outcome.queued
        if not outcome.has_more:
            return moved


def _working(reading: Reading, person: str) -> Person:
    found = rows.find_person(reading, person)
    if found is None:
        raise NotFound("There is no such person.")
    if found.revoked_at is not None:
        raise Conflict("This person was revoked; add them anew.", code="revoked_person")
    return found


def _keep_an_admin(reading: Reading, person: Person) -> None:
    if person.role == "admin" and rows.is_last(reading, person):
        raise Conflict("This is the last administrator; make somebody else one first.", code="last_admin")


def _buddy(reading: Reading, person: Person, wanted: PersonChange) -> str | None:
    if not isinstance(wanted.buddy, str):
        return None if wanted.buddy is None else person.buddy
    found = rows.find_person(reading, wanted.buddy)
    if found is None or found.revoked_at is not None or found.id == person.id or not can(found.role, "message.send"):
        raise BadInput("A buddy is another agent or supervisor who works here.")
    return found.id


def _team(wanted: str, by_name: dict[str, str], names: dict[str, str]) -> str:
    if wanted in names:
        return wanted
    found = by_name.get(name_key(wanted[:_LONGEST_NAME].strip()))
    if found is None:
        near = nearest_name(wanted[:_LONGEST_NAME], names.values())
        hint = f"did you mean '{near}'?" if near else "`wabiz teams list` names them."
        raise BadInput(f"There is no such team: {hint}")
    return found
