"""Service levels and who gets the work: the tables `[service]` and `[assignment]` of a policy, and what they decide."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

import msgspec

from wabiz_tui.model.values import Priority, Role

LONGEST_LEVEL = timedelta(days=90)
MOST_OPEN = 10_000
MATCHERS = ("label", "team", "priority", "number")


class ServiceRule(msgspec.Struct, frozen=True):
    """Levels of the conversations that match every key that is set: a label, a team (its id or name), a priority, a number's id."""

    label: str | None = None
    team: str | None = None
    priority: Priority | None = None
    number: str | None = None
    first_response: timedelta | None = None
    next_response: timedelta | None = None
    resolution: timedelta | None = None

    def __str__(self) -> str:
        from wabiz_tui.policy.durations import format_timedelta

        matched = ", ".join(f"{key}={getattr(self, key)}" for key in MATCHERS if getattr(self, key) is not None)
        levels = ", ".join(f"{key} {format_timedelta(getattr(self, key))}" for key in CLOCKS if getattr(self, key) is not None)
        return f"{matched}: {levels}"


CLOCKS = ("first_response", "next_response", "resolution")


class Service(msgspec.Struct, frozen=True):
    """Levels in working time; a level that is not written has no clock. The first matching rule that names a level has the word."""

    first_response: timedelta | None = None
    next_response: timedelta | None = None
    resolution: timedelta | None = None
    rule: tuple[ServiceRule, ...] = ()

    @property
    def has_levels(self) -> bool:
        return bool(self.rule) or any(getattr(self, clock) is not None for clock in CLOCKS)


class Assignment(msgspec.Struct, frozen=True):
    """`balanced` gives new work to whoever of `roles` has the least of it, up to `most_open` conversations each; `sticky` to the one
    who had the customer last, where they work."""

    auto: Literal["off", "balanced"] = "off"
    most_open: int = 20
    sticky: bool = True
    roles: tuple[Role, ...] = ("agent",)


class Levels(NamedTuple):
    """What is promised for one conversation, in working time."""

    first_response: timedelta | None
    next_response: timedelta | None
    resolution: timedelta | None


def levels_for(
    service: Service, *, labels: Iterable[str] = (), team: Sequence[str] = (), priority: Priority = "none", number: str = ""
) -> Levels:
    """The levels of a conversation. `team` are the names by which its team may be written: id and name; names and labels are
    compared without regard to case."""
    folded, teams = {label.casefold() for label in labels}, {name.casefold() for name in team}
    matching = [
        rule
        for rule in service.rule
        if (rule.label is None or rule.label.casefold() in folded)
        and (rule.team is None or rule.team.casefold() in teams)
        and (rule.priority is None or rule.priority == priority)
        and (rule.number is None or rule.number == number)
    ]

    def first(clock: str) -> timedelta | None:
        named: Iterable[timedelta] = (getattr(rule, clock) for rule in matching if getattr(rule, clock) is not None)
        return next(iter(named), getattr(service, clock))

    return Levels(*(first(clock) for clock in CLOCKS))


class Candidate(NamedTuple):
    """Somebody who may be given work: `open` conversations are theirs, the last came at `last_ms`."""

    person: str
    open: int
    last_ms: int = 0


def choose(candidates: Iterable[Candidate], *, most_open: int, preferred: str | None = None) -> str | None:
    """Who gets the next conversation: the preferred one while they have room, else whoever has the fewest; among equals whoever has
    been without a new one for longest, then by id. None where nobody has room."""
    free = [one for one in candidates if one.open < most_open]
    if preferred is not None and any(one.person == preferred for one in free):
        return preferred
    return min(free, key=lambda one: (one.open, one.last_ms, one.person)).person if free else None
