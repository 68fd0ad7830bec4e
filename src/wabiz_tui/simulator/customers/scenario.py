"""Read a scenario: who the customers are, what was said before, what they will say, and how they answer."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from wabiz_tui.graph.reading import Json, without, word
from wabiz_tui.graph.templates.creation import check_definition
from wabiz_tui.model.document import Problem, Written, load_text, nearest_name, read_document
from wabiz_tui.model.errors import BadInput, LimitBroken
from wabiz_tui.simulator.account.templates import STATUSES
from wabiz_tui.simulator.customers.characters import CHARACTERS
from wabiz_tui.simulator.customers.identity import CHANGES
from wabiz_tui.simulator.customers.talk import phrase_book
from wabiz_tui.simulator.spans import parse_span, span_of
from wabiz_tui.simulator.webhooks.account_events import EVENTS
from wabiz_tui.simulator.webhooks.faults import read_fault

_NONE = timedelta()
MAX_RANDOM = 10_000


class Line(msgspec.Struct, frozen=True):
    """Something said: `text`, or `message` (`type` with its object, as Meta spells them; media without an id gets a sample file)."""

    text: str = ""
    message: dict[str, Any] = {}
    ago: timedelta = _NONE
    """In a history: how long before the start."""
    after: timedelta = _NONE
    """In a script: how long after the start."""
    from_: Literal["customer", "business"] = msgspec.field(default="customer", name="from")
    edit: str = ""
    """In a script: the new words of what they wrote last."""
    revoke: bool = False
    """In a script: they delete what they wrote last."""
    tap: int = -1
    """In a script: they tap this button or row (counted from 0) of what the business sent them last."""
    change: dict[str, Any] = {}
    """In a script: what changes about them, as in `POST /_control/customer`."""

    def content(self) -> Json:
        """The part of a message object that says what."""
        return self.message or {"type": "text", "text": {"body": self.text}}


class Person(msgspec.Struct, frozen=True):
    """A customer. `character` says how they behave. Without `phone` they are known by `user_id` alone. `lines` are said one by one as
    arrivals come due, `answers` one by one to the agent's replies; when they are used up the language's are taken. Who is `quiet`
    writes only to answer."""

    name: str = ""
    phone: str = ""
    user_id: str = ""
    username: str = ""
    parent_user_id: str = ""
    character: str = ""
    language: str = "en"
    hide_phone: bool = False
    reads: bool = True
    on_whatsapp: bool = True
    online: bool = True
    quiet: bool = False
    number: str = ""
    history: tuple[Line, ...] = ()
    script: tuple[Line, ...] = ()
    lines: tuple[Line, ...] = ()
    answers: tuple[str, ...] = ()


class Arrivals(msgspec.Struct, frozen=True):
    """How often some customer writes of their own accord."""

    per_minute: float = 0.0


class Typing(msgspec.Struct, frozen=True):
    """How long a customer takes to answer."""

    least: timedelta = timedelta(seconds=2)
    most: timedelta = timedelta(seconds=6)


class Crowd(msgspec.Struct, frozen=True):
    """Random customers: how many, and how often one of them begins to write. Without `languages` or `characters` all there are."""

    customers: int = 0
    per_minute: float = 0.0
    languages: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    number: str = ""


class Time(msgspec.Struct, frozen=True):
    """The clock: where it starts, and how fast it runs (0 or `freeze`: it stands until it is moved)."""

    start: str = ""
    rate: float = 1.0
    freeze: bool = False


class Scenario(msgspec.Struct, frozen=True):
    """A whole scenario; its fields are the keys of the TOML document. `display` is the business number's own digits."""

    business: str = "Test Business"
    display: str = ""
    clock: Time = Time()
    settings: dict[str, Any] = {}
    """As in `POST /_control/settings`."""
    arrivals: Arrivals = Arrivals()
    typing: Typing = Typing()
    answers: dict[str, tuple[str, ...]] = {}
    """By language: what any customer may answer."""
    small_talk: dict[str, tuple[str, ...]] = {}
    """By language: what any customer may write of their own accord."""
    customer: tuple[Person, ...] = ()
    random: Crowd = Crowd()
    fault: tuple[dict[str, Any], ...] = ()
    """As in `POST /_control/fault`; `after` counts from the start."""
    event: tuple[dict[str, Any], ...] = ()
    """As in `POST /_control/event`; `after` counts from the start."""
    template: tuple[dict[str, Any], ...] = ()
    """As in `POST /{waba}/message_templates`, with a `status` (APPROVED): they are there from the start."""


def load_scenario(path: Path) -> Scenario:
    """Raises DocumentError with file, line, key and the nearest valid name."""
    return parse_scenario(load_text(path), file=str(path))


def parse_scenario(text: str, *, file: str = "scenario.toml") -> Scenario:
    readers: dict[Any, Any] = {timedelta: _span, dict[str, Any]: _table}
    return read_document(text, Scenario, file=file, readers=readers, check=_problems)


def starting_time(scenario: Scenario) -> datetime | None:
    """Raises ValueError for what is no instant with a zone."""
    if not scenario.clock.start:
        return None
    moment = datetime.fromisoformat(scenario.clock.start)
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _problems(scenario: Scenario, _: Written) -> list[Problem]:
    """What single values cannot show: names of characters, languages and changes, faults, the start."""
    found: list[Problem] = []
    for index, person in enumerate(scenario.customer):
        found += _unknown(("customer", index, "character"), person.character, CHARACTERS)
        for place, line in enumerate(person.script):
            found += [
                problem for key in line.change for problem in _unknown(("customer", index, "script", place, "change", key), key, CHANGES)
            ]
    for character in scenario.random.characters:
        found += _unknown(("random", "characters"), character, CHARACTERS)
    for language in scenario.random.languages:
        found += _unknown(("random", "languages"), language, phrase_book())
    if not 0 <= scenario.random.customers <= MAX_RANDOM:
        found.append(Problem(("random", "customers"), f"It must be 0 to {MAX_RANDOM}."))
    if scenario.random.per_minute < 0 or scenario.arrivals.per_minute < 0 or scenario.clock.rate < 0:
        found.append(Problem(("random",), "Rates must not be below 0."))
    for index, asked in enumerate(scenario.fault):
        try:
            read_fault(asked, datetime.now(UTC), name=0, dice=random.Random(0))  # noqa: S311 a play's dice
        except BadInput as error:
            found.append(Problem(("fault", index), error.sentence))
    found += _wrong_events(scenario) + _wrong_templates(scenario)
    try:
        starting_time(scenario)
    except ValueError:
        found.append(Problem(("clock", "start"), "It must be an instant such as 2026-11-22T12:00:00Z."))
    return found


def _wrong_events(scenario: Scenario) -> list[Problem]:
    found: list[Problem] = []
    for index, asked in enumerate(scenario.event):
        field = word(asked.get("field"))
        if not isinstance(asked.get("value"), dict):
            found += _unknown(("event", index, "field"), field or "nothing", EVENTS)
        elif not field:
            found.append(Problem(("event", index), "Name the webhook field: `field`."))
        try:
            span_of(asked.get("after"), "after")
        except BadInput as error:
            found.append(Problem(("event", index, "after"), error.sentence))
    return found


def _wrong_templates(scenario: Scenario) -> list[Problem]:
    found: list[Problem] = []
    for index, asked in enumerate(scenario.template):
        found += _unknown(("template", index, "status"), word(asked.get("status")), STATUSES)
        try:
            check_definition(without(asked, "status"))
        except LimitBroken as broken:
            found.append(Problem(("template", index), f"`{broken.field}` {broken.why}."))
    return found


def _unknown(path: tuple[str | int, ...], name: str, valid: Any) -> list[Problem]:
    if not name or name in valid:
        return []
    return [Problem(path, f"There is no {name[:60]!r} here; there are {', '.join(sorted(valid))}.", nearest_name(name, valid))]


def _span(value: Any) -> timedelta:
    return parse_span(value if isinstance(value, str) else "")


def _table(value: Any) -> Json:
    if not isinstance(value, dict):
        raise ValueError("It must be a table.")  # noqa: TRY004 readers refuse with ValueError
    return value  # pyright: ignore[reportUnknownVariableType] TOML keys are texts
