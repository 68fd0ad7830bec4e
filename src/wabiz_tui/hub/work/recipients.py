"""To whom work can be given."""

from wabiz_tui.hub.archive.sight import Assigned
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.values import Person
from wabiz_tui.policy.permissions import can


def check_recipient(person: Person | None, *, is_self: bool = False) -> Person:
    """The person, if they can be given work at all. Raises BadInput, with a sentence that says why not. To oneself work can be given
    in a break too."""
    if person is None:
        raise BadInput("There is no such person; `GET /v1/people` names them all.", code="unknown_person")
    if person.revoked_at is not None:
        raise BadInput(f"{person.name} does not work here any more; give it to somebody else.", code="person_left")
    if not can(person.role, "message.send"):
        raise BadInput("A conversation can be given to an agent or a supervisor only.", code="wrong_role")
    if person.state == "off" and not is_self:
        raise BadInput(f"{person.name} is off shift; give it to somebody else or to a team.", code="off_duty")
    if person.state == "break" and not is_self:
        raise BadInput(f"{person.name} is on a break; give it to somebody else or to a team.", code="off_duty")
    return person


def may_have(person: Person, team: str | None) -> bool:
    """Whether what is with this team may be given to the person: they would see it if nobody had it."""
    return Assigned(None, team).is_seen_by(person)
