"""Macros: steps of work kept under a name, and taken together as one act of whoever runs them."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, NamedTuple, get_args

from msgspec import UNSET

from wabiz_tui.hub.archive.conversations import StoredConversation, load_conversation
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.routines import CANNED, MACROS, StoredRun, add_run, find_run
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.routines.canned import Author, check_team, fill_for
from wabiz_tui.hub.work.assignment import assign, assign_team
from wabiz_tui.hub.work.labels import change_labels, change_priority
from wabiz_tui.hub.work.notes import write_note
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.hub.work.status import change_status
from wabiz_tui.model.errors import BadInput, Conflict, Denied, NotFound
from wabiz_tui.model.naming import spelled
from wabiz_tui.model.values import Person, Priority, Status
from wabiz_tui.model.wire import Assignment, StatusChange
from wabiz_tui.model.work import (
    LONGEST_LABEL,
    LONGEST_NOTE,
    LabelChange,
    Macro,
    MacroStep,
    NewMacro,
    NewNote,
    PriorityChange,
    Step,
    TeamAssignment,
)
from wabiz_tui.policy.durations import parse_timedelta
from wabiz_tui.policy.permissions import can

MOST_MACROS = 1_000
MOST_STEPS = 20
MOST_SENDS = 3
LONGEST_NAME = 64
LONGEST_KEY = 200
PERMISSIONS: Final[dict[Step, str]] = {
    "assign": "conversation.assign",
    "team": "conversation.assign",
    "label": "conversation.label",
    "unlabel": "conversation.label",
    "status": "conversation.status",
    "priority": "conversation.priority",
    "note": "note.write",
    "canned": "message.send",
}
"""What each step needs of whoever runs it."""
_SNOOZED = re.compile(r"snoozed(?: ([0-9]+[smhdw]))?")


class Send(NamedTuple):
    """A text that a run sends, filled; `step` is its place in the macro."""

    step: int
    text: str


class Begun(NamedTuple):
    """A run whose work stands, with what it has to send; `earlier` is the answer that its first request was given."""

    run: str
    macro: Macro
    number: str
    sends: tuple[Send, ...]
    earlier: bytes | None = None


def visible_macros(reading: Reading, viewer: Viewer) -> list[Macro]:
    """What the viewer may use: everybody's, and their teams'; those who lead see all. By name."""
    found = [one for one in MACROS.load(reading).values() if viewer.can_see_conversation(None, one.team)]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def add_macro(writing: Writing, wanted: NewMacro, by: Author) -> Macro:
    """Raises BadInput for what is no name, step or team, Conflict (`name_taken`) where the team has the name."""
    if MACROS.count(writing) >= MOST_MACROS:
        raise BadInput(f"There are {MOST_MACROS} macros; remove one first.", code="too_many_macros")
    return _save(writing, wanted, by, identifier=writing.new_id(), action="macro.added")


def change_macro(writing: Writing, identifier: str, wanted: NewMacro, by: Author) -> Macro:
    """Raises NotFound, and what adding raises."""
    if MACROS.find(writing, identifier) is None:
        raise _no_such_macro()
    return _save(writing, wanted, by, identifier=identifier, action="macro.changed")


def remove_macro(writing: Writing, identifier: str, by: Author) -> None:
    """Raises NotFound."""
    if MACROS.find(writing, identifier) is None:
        raise _no_such_macro()
    MACROS.remove(writing, identifier)
    record(writing, Act("macro.removed", by=by.person, device=by.device, about=identifier))


def run(writing: Writing, viewer: Viewer, person: Person, conversation: str, macro: str, *, key: str | None, business: str) -> Begun:
    """Do all of the macro's work, or none of it, as this person; what it sends is filled here and sent by the caller.

    What can take the conversation out of the caller's sight (assignee and team) is done last, as one step. Under a key that was used
    before nothing is done again. Raises NotFound for what the caller may not see, Denied for a step they may not take, BadInput and
    Conflict as the steps do."""
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
        raise BadInput(f"A key is 1 to {LONGEST_KEY} printable characters.")
    earlier = find_run(writing, viewer.device, key) if key is not None else None
    if earlier is not None and (earlier.macro, earlier.conversation) != (macro, conversation):
        raise Conflict("This key was used for another run; make a new one for each.", code="key_reused")
    if earlier is not None and earlier.answer is not None:
        return Begun(earlier.run, Macro(id=macro, name="", steps=()), "", (), earlier.answer)
    kept = MACROS.find(writing, macro)
    if kept is None or not viewer.can_see_conversation(None, kept.team):
        raise _no_such_macro()
    _check_permissions(person, kept.steps)
    # The work of an earlier request stands, and may have given the conversation away; what it had to send goes under its own key.
    stored = visible_conversation(writing, viewer, conversation) if earlier is None else load_conversation(writing, conversation)
    if stored is None:
        raise NotFound("There is no such conversation.")
    sends = _filled(writing, person, stored, kept, business)
    if earlier is not None:
        return Begun(earlier.run, kept, stored.value.number, sends)
    made = StoredRun(writing.new_id(), macro, conversation, None)
    for step in kept.steps:
        _take(writing, viewer, person, conversation, step)
    _hand_on(writing, viewer, person, conversation, kept.steps)
    record(writing, Act("macro.run", by=person.id, device=viewer.device, about=conversation, details={"macro": macro, "run": made.run}))
    if key is not None:
        add_run(writing, viewer.device, key, made)
    return Begun(made.run, kept, stored.value.number, sends)


def _filled(reading: Reading, person: Person, stored: StoredConversation, macro: Macro, business: str) -> tuple[Send, ...]:
    wanted = [(place, step.value) for place, step in enumerate(macro.steps) if step.do == "canned"]
    texts = CANNED.load(reading, [identifier for _, identifier in wanted])
    if any(identifier not in texts for _, identifier in wanted):
        raise BadInput("A canned response of this macro is gone; change the macro.", code="stale_macro")
    return tuple(
        Send(place, fill_for(reading, texts[identifier].text, stored, agent=person.name, business=business)) for place, identifier in wanted
    )


def _take(writing: Writing, viewer: Viewer, person: Person, conversation: str, step: MacroStep) -> None:
    match step.do:
        case "label":
            change_labels(writing, viewer, person, conversation, LabelChange(add=(step.value,)))
        case "unlabel":
            change_labels(writing, viewer, person, conversation, LabelChange(remove=(step.value,)))
        case "priority":
            change_priority(writing, viewer, person, conversation, PriorityChange(_priority(step.value)))
        case "status":
            status, until = _status(step.value, writing.now)
            change_status(writing, viewer, person, conversation, StatusChange(status, until=until))
        case "note":
            write_note(writing, viewer, person, conversation, NewNote(text=step.value))
        case "assign" | "team" | "canned":
            pass


def _hand_on(writing: Writing, viewer: Viewer, person: Person, conversation: str, steps: Iterable[MacroStep]) -> None:
    """Assignee and team in one act, the last of each: whoever has it when the macro runs is who was expected."""
    last = {step.do: step.value for step in steps if step.do in ("assign", "team")}
    current = visible_conversation(writing, viewer, conversation).value.assignee if last else None
    if "assign" in last:
        to = person.id if last["assign"] == "me" else last["assign"] or None
        team = (last["team"] or None) if "team" in last else UNSET
        assign(writing, viewer, person, conversation, Assignment(to, expected=current, team=team))
    elif "team" in last:
        assign_team(writing, viewer, person, conversation, TeamAssignment(last["team"] or None))


def _check_permissions(person: Person, steps: Iterable[MacroStep]) -> None:
    for number, step in enumerate(steps, start=1):
        if not can(person.role, PERMISSIONS[step.do]):
            raise Denied(f"Your role ({person.role}) may not take step {number} of this macro ({step.do}).", code="forbidden")


def _save(writing: Writing, wanted: NewMacro, by: Author, *, identifier: str, action: str) -> Macro:
    name = spelled(wanted.name, limit=LONGEST_NAME, what="macro's name")
    check_team(writing, wanted.team)
    if not 1 <= len(wanted.steps) <= MOST_STEPS:
        raise BadInput(f"A macro has 1 to {MOST_STEPS} steps.", code="bad_step")
    if sum(step.do == "canned" for step in wanted.steps) > MOST_SENDS:
        raise BadInput(f"A macro sends {MOST_SENDS} canned responses at most.", code="bad_step")
    for number, step in enumerate(wanted.steps, start=1):
        _check_step(writing, number, step, wanted.team)
    if MACROS.named(writing, name, wanted.team) not in (None, identifier):
        raise Conflict("There is a macro of this name already.", code="name_taken")
    kept = Macro(id=identifier, name=name, steps=wanted.steps, team=wanted.team, by=by.person, updated_at=writing.now)
    MACROS.save(writing, kept)
    details = {"team": wanted.team or "", "steps": [step.do for step in wanted.steps]}
    record(writing, Act(action, by=by.person, device=by.device, about=identifier, details=details))
    return kept


def _check_step(reading: Reading, number: int, step: MacroStep, team: str | None) -> None:
    """Raises BadInput, which names the step, for a value that it cannot have."""
    try:
        _CHECKS[step.do](reading, step.value, team)
    except BadInput as error:
        raise BadInput(f"Step {number} ({step.do}): {error.sentence}", code="bad_step") from error


def _check_assignee(reading: Reading, value: str, _team: str | None) -> None:
    if value in ("", "me"):
        return
    person = load_people(reading).get(value)
    if person is None or not can(person.role, "message.send"):
        raise BadInput('It names an agent or a supervisor by id, "me", or nobody by an empty value.')


def _check_canned(reading: Reading, value: str, team: str | None) -> None:
    found = CANNED.find(reading, value)
    if found is None:
        raise BadInput("There is no such canned response.")
    if found.team not in (None, team):
        raise BadInput("The canned response is another team's; keep it for everybody, or the macro for that team.")


def _check_note(_reading: Reading, value: str, _team: str | None) -> None:
    if not value.strip() or len(value) > LONGEST_NOTE:
        raise BadInput(f"A note is 1 to {LONGEST_NOTE} characters.")


def _check_label(_reading: Reading, value: str, _team: str | None) -> None:
    spelled(value, limit=LONGEST_LABEL, what="label")


_CHECKS: Final[dict[Step, Callable[[Reading, str, str | None], object]]] = {
    "assign": _check_assignee,
    "team": lambda reading, value, _: check_team(reading, value or None),
    "label": _check_label,
    "unlabel": _check_label,
    "status": lambda reading, value, _: _status(value, reading.now),
    "priority": lambda _reading, value, _: _priority(value),
    "note": _check_note,
    "canned": _check_canned,
}


def _priority(value: str) -> Priority:
    for priority in get_args(Priority):
        if value == priority:
            return priority
    raise BadInput(f"A priority is one of {', '.join(get_args(Priority))}.")


def _status(value: str, now: datetime) -> tuple[Status, datetime | None]:
    """`open`, `pending`, `resolved`, `snoozed` (until the customer writes) or `snoozed 4h`."""
    for status in get_args(Status):
        if value == status:
            return status, None
    snoozed = _SNOOZED.fullmatch(value)
    if snoozed is None:
        raise BadInput('A status is open, pending, resolved, snoozed (until the customer writes) or for a time: "snoozed 4h".')
    try:
        return "snoozed", now + parse_timedelta(snoozed[1])
    except (ValueError, OverflowError) as error:
        raise BadInput("A snooze lasts some time that there is.") from error


def _no_such_macro() -> NotFound:
    return NotFound("There is no such macro.")
