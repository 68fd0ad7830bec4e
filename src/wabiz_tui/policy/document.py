"""The policy document: what one TOML text says about archive, cache, privacy, hours, service, work, sending, cases and approval."""

from datetime import timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from wabiz_tui.model.document import read_document
from wabiz_tui.model.values import Role
from wabiz_tui.policy.durations import Duration, parse_duration, parse_timedelta
from wabiz_tui.policy.service import Assignment, Service

Clipboard = Literal["off", "masked", "on"]
ReadReceipts = Literal["never", "on_view", "on_reply"]
OffShift = Literal["closed", "quiet", "open"]
HandOver = Literal["buddy", "team", "keep"]
MediaUse = Literal["off", "inline", "viewer", "save"]
MediaAhead = Literal["none", "mine", "all"]


class ArchiveRule(msgspec.Struct, frozen=True):
    """Retention of messages that match every key that is set: a label or team of the episode, a number's id, a kind of content."""

    retain: Duration
    label: str | None = None
    team: str | None = None
    number: str | None = None
    kind: str | None = None


class Archive(msgspec.Struct, frozen=True):
    """How long the hub keeps the record, counted from a message's own time. `max` caps everything but a hold."""

    retain: Duration = Duration(6, "y")
    media: Duration = Duration(1, "y")
    max: Duration = Duration(10, "y")
    rule: tuple[ArchiveRule, ...] = ()


class Cache(msgspec.Struct, frozen=True):
    """What an agent's machine may hold, and for how long. A `lease` of zero never opens without the hub."""

    window: timedelta = timedelta(days=14)
    after_resolve: timedelta = timedelta(hours=24)
    media: timedelta = timedelta(days=3)
    max_messages: int = 50_000
    lease: timedelta = timedelta(hours=8)
    idle_lock: timedelta = timedelta(minutes=5)
    purge_within: timedelta = timedelta(minutes=15)
    receipt_within: timedelta = timedelta(hours=24)
    disk: bool = True
    media_ahead: MediaAhead = "none"


class Privacy(msgspec.Struct, frozen=True):
    """What agents see of a contact. `reveal` names the roles that may unmask, with a reason, for a moment, audited.

    `media` is what an agent may do with a customer's file; each step allows those before it: nothing, see it inside wabiz, lend it
    to a viewer from memory, save it."""

    mask_numbers: bool = True
    reveal: tuple[Role, ...] = ("supervisor", "compliance")
    clipboard: Clipboard = "masked"
    read_receipts: ReadReceipts = "on_reply"
    media: MediaUse = "viewer"


class Span(msgspec.Struct, frozen=True, order=True):
    """Working hours within one local day, in minutes from its midnight; `end` is not part of it and may be 1440."""

    begin: int
    end: int

    def __str__(self) -> str:
        return f"{self.begin // 60:02}:{self.begin % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


Spans = tuple[Span, ...]


class Hours(msgspec.Struct, frozen=True):
    """Shifts in local time. A day that is not written is a day off; where no day is written there are no shifts at all.

    `hand_over` says who gets the work of somebody who goes off shift, or into a break longer than `hand_over_after`."""

    timezone: str = "Europe/London"
    holidays: str = "GB-ENG"
    monday: Spans | None = None
    tuesday: Spans | None = None
    wednesday: Spans | None = None
    thursday: Spans | None = None
    friday: Spans | None = None
    saturday: Spans | None = None
    sunday: Spans | None = None
    off_shift: OffShift = "closed"
    override: tuple[Role, ...] = ("supervisor",)
    auto_reply: str = "out_of_hours"
    hand_over: HandOver = "buddy"
    hand_over_after: timedelta = timedelta(minutes=15)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def week(self) -> tuple[Spans | None, ...]:
        """The days from Monday to Sunday."""
        return (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday)

    @property
    def has_shifts(self) -> bool:
        return any(day is not None for day in self.week)


class Sending(msgspec.Struct, frozen=True):
    """`undo` is how long a message written on the screen can be taken back before it leaves."""

    undo: timedelta = timedelta(seconds=5)


class Cases(msgspec.Struct, frozen=True):
    """Statutory clocks, from the day a request was received."""

    dsar: Duration = Duration(1, "month")
    foi: Duration = Duration(20, "working day")


class Approval(msgspec.Struct, frozen=True):
    """What can delete from the archive, or loosens, needs `people` in all (the one who applies it among them) and `grace`."""

    people: int = 2
    grace: timedelta = timedelta(hours=24)


class Policy(msgspec.Struct, frozen=True):
    """A whole policy. Its fields are the valid keys of the document, its defaults what a key that is not written means."""

    name: str = "unnamed"
    archive: Archive = Archive()
    cache: Cache = Cache()
    privacy: Privacy = Privacy()
    hours: Hours = Hours()
    service: Service = Service()
    assignment: Assignment = Assignment()
    sending: Sending = Sending()
    cases: Cases = Cases()
    approval: Approval = Approval()


def parse_policy(text: str, *, file: str = "policy.toml", accepted: bool = False) -> Policy:
    """The policy in `text`. Raises DocumentError with file, line, key and nearest valid name; its `others` hold further ones.

    A default that a written key makes impossible gives way (`window = "1d"` alone makes `media` one day too); a written key
    never does. `accepted` says that the hub checked this text when it was applied: the calendar of holidays, whose library
    takes half a second to load, is then not looked up again.
    """
    from wabiz_tui.policy.checks import find_problems, give_way

    return read_document(
        text,
        Policy,
        file=file,
        readers={Duration: _read_duration, timedelta: _read_timedelta, Span: _read_span},
        complete=give_way,
        check=lambda policy, written: find_problems(policy, written, look_up_holidays=not accepted),
    )


def parse_span(text: str) -> Span:
    """`08:30-17:30` as a Span. Raises ValueError with a sentence in plain words."""
    parts = text.replace(" ", "").replace("\u2013", "-").split("-")
    times = [_minutes(part) for part in parts]
    if len(times) != 2 or None in times:
        raise ValueError('Working hours are written "08:30-17:30".')
    begin, end = times
    if begin is None or end is None or begin >= end:
        raise ValueError("Working hours end after they begin; a night is written as two days, until 24:00 and from 00:00.")
    return Span(begin, end)


def _minutes(text: str) -> int | None:
    hours, found, minutes = text.partition(":")
    if not (found and len(minutes) == 2 and 1 <= len(hours) <= 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()):
        return None
    total = int(hours) * 60 + int(minutes)
    return total if int(minutes) < 60 and total <= 24 * 60 else None


def _read_duration(found: Any) -> Duration:
    if not isinstance(found, str):
        raise ValueError('This must be a span of time in quotes, such as "30d", "6y" or "1 month".')  # noqa: TRY004 readers raise ValueError
    return parse_duration(found)


def _read_timedelta(found: Any) -> timedelta:
    if (type(found) is int and found == 0) or found == "0":
        return timedelta()
    if not isinstance(found, str):
        raise ValueError('This must be a span of time in quotes, such as "15m", "8h" or "14d".')  # noqa: TRY004 readers raise ValueError
    return parse_timedelta(found)


def _read_span(found: Any) -> Span:
    if not isinstance(found, str):
        raise ValueError('Working hours are written "08:30-17:30", in quotes.')  # noqa: TRY004 readers raise ValueError
    return parse_span(found)
