"""Read a scenario: who the customers are, what was said before, what they will say, and how they answer."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from wabiz_tui.graph.reading import Json
from wabiz_tui.model.document import load_text, read_document

_SPAN = re.compile(r"(?:(\d{1,4})w)?(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?")
_NONE = timedelta()


class Line(msgspec.Struct, frozen=True):
    """Something said: `text`, or `message` (`type` with its object, as Meta spells them; media without an id gets a sample file)."""

    text: str = ""
    message: dict[str, Any] = {}
    ago: timedelta = _NONE
    """In a history: how long before the start."""
    after: timedelta = _NONE
    """In a script: how long after the start."""
    from_: Literal["customer", "business"] = msgspec.field(default="customer", name="from")

    def content(self) -> Json:
        """The part of a message object that says what."""
        return self.message or {"type": "text", "text": {"body": self.text}}


class Person(msgspec.Struct, frozen=True):
    """A customer. Without `phone` they are known by `user_id` alone. `lines` are said one by one as arrivals come due, `answers` one
    by one to the agent's replies; when they are used up the language's are taken. Who is `quiet` writes only to answer."""

    name: str = ""
    phone: str = ""
    user_id: str = ""
    username: str = ""
    language: str = "en"
    hide_phone: bool = False
    reads: bool = True
    on_whatsapp: bool = True
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


class Scenario(msgspec.Struct, frozen=True):
    """A whole scenario; its fields are the keys of the TOML document. `display` is the business number's own digits."""

    business: str = "Test Business"
    display: str = ""
    arrivals: Arrivals = Arrivals()
    typing: Typing = Typing()
    answers: dict[str, tuple[str, ...]] = {}
    """By language: what any customer may answer."""
    small_talk: dict[str, tuple[str, ...]] = {}
    """By language: what any customer may write of their own accord."""
    customer: tuple[Person, ...] = ()


def load_scenario(path: Path) -> Scenario:
    """Raises DocumentError with file, line, key and the nearest valid name."""
    return parse_scenario(load_text(path), file=str(path))


def parse_scenario(text: str, *, file: str = "scenario.toml") -> Scenario:
    readers: dict[Any, Any] = {timedelta: _span, dict[str, Any]: _table}
    return read_document(text, Scenario, file=file, readers=readers)


def _span(value: Any) -> timedelta:
    matched = _SPAN.fullmatch(value) if isinstance(value, str) and value else None
    if matched is None:
        raise ValueError("It must be a time span such as 2d3h, 90m or 20s.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in matched.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _table(value: Any) -> Json:
    if not isinstance(value, dict):
        raise ValueError("It must be a table.")  # noqa: TRY004 readers refuse with ValueError
    return value  # pyright: ignore[reportUnknownVariableType] TOML keys are texts
