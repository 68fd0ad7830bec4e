"""What a person types into a search: words, "phrases" and filters such as from:anna, has:media or before:2026-05-01.

Pure. Whatever is typed is data: of the full-text index's own query language nothing gets through, for every term is quoted.
"""

import difflib
import re
from datetime import date, datetime, time
from typing import Literal, NamedTuple, get_args

from wabiz_tui.desk.cache.words import indexed
from wabiz_tui.model.errors import UsageError
from wabiz_tui.policy.durations import parse_duration

_MOST_PARTS = 32
_LONGEST = 2_000
_PART = re.compile(
    r"""(?P<key>[A-Za-z]{2,12}):(?!//)(?:"(?P<quoted>[^"]*)"?|(?P<value>[^\s"]*))
    |"(?P<phrase>[^"]*)(?P<end>"?)
    |(?P<word>[^\s"]+)""",
    re.VERBOSE,
)

Name = Literal["from", "to", "label", "before", "after", "has", "is"]
NAMES: tuple[Name, ...] = get_args(Name)
HAS = ("media", "image", "video", "audio", "document", "sticker", "location", "contact", "link")
IS = ("open", "pending", "snoozed", "resolved", "unread", "mine", "unassigned", "held", "note", "incoming", "outgoing", "failed")


class Term(NamedTuple):
    """A word or phrase, as the index has it; one that `begins` finds what goes on, too."""

    text: str
    begins: bool


class Filter(NamedTuple):
    """`value` as typed, for `has` and `is` one of the lists above; `at` is the instant of `before` and `after`."""

    name: Name
    value: str
    at: datetime | None = None


class Question(NamedTuple):
    """All of it must hold."""

    terms: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.terms and not self.filters

    def expression(self) -> str | None:
        """For FTS5's MATCH: quoted strings, each alone or followed by the star of a beginning; None without a term."""
        return match_of(self.terms)


def match_of(terms: tuple[Term, ...]) -> str | None:
    return " ".join(f'"{term.text}"*' if term.begins else f'"{term.text}"' for term in terms) or None


def ask(typed: str, *, now: datetime) -> Question:
    """What `typed` asks for. The last word counts as a beginning, for it may still be being typed, and so does one with a star. A filter
    without its value asks for nothing yet. Dates are days of this machine's time zone. Raises UsageError for a filter or value that does
    not exist, with the nearest that does."""
    terms: list[Term] = []
    filters: list[Filter] = []
    is_last_open = False
    for part in list(_PART.finditer(typed[:_LONGEST]))[:_MOST_PARTS]:
        key, value = part["key"], part["quoted"] if part["quoted"] is not None else part["value"]
        is_last_open = False
        if key is not None and (value.strip() or key.lower() in NAMES):
            if value.strip():
                filters.append(_filter(key.lower(), value.strip(), now))
            continue
        if part["phrase"] is not None:
            terms.extend(terms_of(part["phrase"], begins=not part["end"]))
            continue
        word = part[0]
        terms.extend(terms_of(word, begins=word.endswith("*")))
        is_last_open = True
    if is_last_open and terms:
        terms[-1] = terms[-1]._replace(begins=True)
    return Question(tuple(terms), tuple(filters))


def terms_of(text: str, *, begins: bool) -> tuple[Term, ...]:
    """One term, or none where there is nothing that the index would hold."""
    plain = indexed(text).replace('"', " ").strip()
    return (Term(plain, begins),) if any(character.isalnum() for character in plain) else ()


def _filter(key: str, value: str, now: datetime) -> Filter:
    if key not in NAMES:
        near = _nearest(key, NAMES)
        others = f"Did you mean '{near}:'?" if near else f"There are {_listed(tuple(f'{name}:' for name in NAMES))}."
        raise UsageError(f"There is no filter '{key}:'. {others} Put the text in quotes to search for it as it is.")
    match key:
        case "before" | "after":
            return Filter(key, value, _instant(value, key, now))
        case "has":
            return Filter(key, _one_of(value, HAS, key))
        case "is":
            return Filter(key, _one_of(value, IS, key))
        case "from" | "to" | "label":
            return Filter(key, value)


def _one_of(value: str, allowed: tuple[str, ...], name: str) -> str:
    wanted = value.lower()
    if wanted in allowed:
        return wanted
    near = _nearest(wanted, allowed)
    did = f"Did you mean '{name}:{near}'?" if near else f"There are {_listed(allowed)}."
    raise UsageError(f"'{name}:' does not know that value. {did}")


def _nearest(word: str, allowed: tuple[str, ...]) -> str | None:
    begun = [name for name in allowed if name.startswith(word)]
    return next(iter(begun or difflib.get_close_matches(word, allowed, n=1, cutoff=0.5)), None)


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _instant(value: str, name: str, now: datetime) -> datetime:
    def ago(written: str) -> datetime:
        return now - parse_duration(written).mean

    for read in (_day, _moment, ago):
        try:
            return read(value)
        except (ValueError, OverflowError):
            continue
    raise UsageError(f"'{name}:' takes a date (2026-05-01), a time (2026-05-01T09:30:00Z) or how long ago (7d, 12h).")


def _day(value: str) -> datetime:
    if len(value) != 10:
        raise ValueError
    return datetime.combine(date.fromisoformat(value), time()).astimezone()


def _moment(value: str) -> datetime:
    # `astimezone` takes what names no zone for a time of this machine's.
    return datetime.fromisoformat(value).astimezone()
