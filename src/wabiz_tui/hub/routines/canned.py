"""Canned responses: kept for everybody or for a team, filled for one conversation and one writer."""

from typing import NamedTuple

from wabiz_tui.hub.archive.conversations import StoredConversation
from wabiz_tui.hub.archive.events import load_numbers
from wabiz_tui.hub.archive.routines import CANNED, MACROS
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.teams import load_teams
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.model.canned import FIELDS, check_shortcut, check_text, fill
from wabiz_tui.model.errors import BadInput, Conflict, NotFound
from wabiz_tui.model.work import Canned, NewCanned

MOST_CANNED = 2_000


class Author(NamedTuple):
    """Who writes, by id, and at which device."""

    person: str
    device: str


def visible_canned(reading: Reading, viewer: Viewer) -> list[Canned]:
    """What the viewer may use: everybody's, and their teams'; those who lead see all. By shortcut."""
    found = [one for one in CANNED.load(reading).values() if viewer.can_see_conversation(None, one.team)]
    return sorted(found, key=lambda one: (one.shortcut.casefold(), one.id))


def add_canned(writing: Writing, wanted: NewCanned, by: Author) -> Canned:
    """Raises BadInput for what is no shortcut, text or team, Conflict (`shortcut_taken`) where the team has the shortcut."""
    if CANNED.count(writing) >= MOST_CANNED:
        raise BadInput(f"There are {MOST_CANNED} canned responses; remove one first.", code="too_many_canned")
    return _save(writing, wanted, by, identifier=writing.new_id(), action="canned.added")


def change_canned(writing: Writing, identifier: str, wanted: NewCanned, by: Author) -> Canned:
    """Raises NotFound, and what adding raises."""
    if CANNED.find(writing, identifier) is None:
        raise no_such_canned()
    return _save(writing, wanted, by, identifier=identifier, action="canned.changed")


def remove_canned(writing: Writing, identifier: str, by: Author) -> None:
    """Raises NotFound, Conflict (`in_use`) while a macro sends it."""
    if CANNED.find(writing, identifier) is None:
        raise no_such_canned()
    if any(step.do == "canned" and step.value == identifier for macro in MACROS.load(writing).values() for step in macro.steps):
        raise Conflict("A macro sends this canned response; change the macro first.", code="in_use")
    CANNED.remove(writing, identifier)
    record(writing, Act("canned.removed", by=by.person, device=by.device, about=identifier))


def no_such_canned() -> NotFound:
    return NotFound("There is no such canned response.")


def check_team(reading: Reading, team: str | None) -> None:
    """Raises BadInput for a team that is none."""
    if team is not None and team not in load_teams(reading, [team]):
        raise BadInput("There is no such team; `GET /v1/teams` names them all.", code="unknown_team")


def fill_for(reading: Reading, text: str, conversation: StoredConversation, *, agent: str, business: str) -> str:
    """The text as it is sent. Raises BadInput (`missing_values`), which names the variables, where something is not known: nothing is
    ever sent half filled."""
    filled = fill(text, values_for(reading, conversation, agent=agent, business=business))
    if filled.missing:
        names = ", ".join(f"{{{{{name}}}}}" for name in filled.missing)
        raise BadInput(f"Nothing is known for {names}; fill it in by hand, or give the text a default.", code="missing_values")
    return filled.text


def values_for(reading: Reading, conversation: StoredConversation, *, agent: str, business: str) -> dict[str, str]:
    """What is known for the variables. The number of the customer is none of them: what is sent is seen by agents who see it masked.
    Without a name of the business the number's is taken."""
    contact, number = conversation.contact, conversation.value.number
    own_name = business or load_numbers(reading, [number]).get(number, ("", ""))[1]
    values = {"agent.name": agent, "business.name": own_name, "conversation.id": conversation.value.id}
    if contact is None:
        return values
    fields = {FIELDS + name: value for name, value in contact.fields.items()}
    return values | fields | {"contact.name": contact.name}


def _save(writing: Writing, wanted: NewCanned, by: Author, *, identifier: str, action: str) -> Canned:
    shortcut, text = check_shortcut(wanted.shortcut), check_text(wanted.text)
    check_team(writing, wanted.team)
    if CANNED.named(writing, shortcut, wanted.team) not in (None, identifier):
        raise Conflict("There is a canned response of this shortcut already.", code="shortcut_taken")
    kept = Canned(id=identifier, shortcut=shortcut, text=text, team=wanted.team, by=by.person, updated_at=writing.now)
    CANNED.save(writing, kept)
    record(writing, Act(action, by=by.person, device=by.device, about=identifier, details={"team": wanted.team or ""}))
    return kept
