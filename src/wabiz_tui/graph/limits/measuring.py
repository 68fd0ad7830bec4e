"""Walk a body that is to be sent and hold its parts against limits, each refusal naming the field as it stands on the wire."""

import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, NoReturn, cast

import msgspec

from wabiz_tui.graph.reading import Json, number_of, object_of, word
from wabiz_tui.model.errors import LimitBroken

MISSING = 131008
NOT_VALID = 131009
# Meta's own examples spell the scheme "http(s)".
_LINK = re.compile(r"https?(?:\(s\))?://[^\s/][^\s]*", re.IGNORECASE)

# Half of a surrogate pair: what arguments of a command with broken bytes turn into.
_HALF = re.compile("[\ud800-\udfff]")


class Bounds(NamedTuple):
    """The numbers on which sources differ (cloud-api §18.9): what we send keeps the smaller, what others send may have the larger.

    `is_ours` also turns on what Meta advises but does not enforce at once.
    """

    contacts: int
    coupon: int
    payload: int
    card_reply_id: int
    is_ours: bool = False


OURS = Bounds(contacts=5, coupon=15, payload=128, card_reply_id=20, is_ours=True)
THEIRS = Bounds(contacts=257, coupon=20, payload=256, card_reply_id=256)


class Part(msgspec.Struct, frozen=True):
    """An object inside a body, and its place there. Every method raises LimitBroken; null counts as absent everywhere."""

    json: Json
    path: str = ""
    bounds: Bounds = THEIRS

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        return self.json.get(key) is not None

    def text(self, key: str, most: int, *, is_needed: bool = True, code: int = NOT_VALID) -> str:
        """The text under `key`; `code` is for one that is too long."""
        value = self.json.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
            self.refuse(key, "must be text", limit="text")
        text = word(value)
        if self.bounds.is_ours and _HALF.search(text):
            self.refuse(key, "must not hold half characters, which cannot be written in UTF-8", limit="UTF-8")
        if is_needed and not text:
            self.miss(key)
        if len(text) > most:
            self.refuse(key, f"must be at most {most} characters long, not {len(text)}", limit=most, value=len(text), code=code)
        return text

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """One of `allowed`, compared without regard to case; in lower case."""
        value = self.json.get(key)
        if value is None:
            self.miss(key)
        chosen = word(value).lower()
        if chosen not in allowed:
            self.refuse(key, "must be one of " + ", ".join(sorted(allowed)), limit=", ".join(sorted(allowed)))
        return chosen

    def number(self, key: str, least: float, most: float) -> float:
        """A number, also where it is written as text."""
        value = self.json.get(key)
        if value is None:
            self.miss(key)
        number = number_of(value)
        if number is None:
            self.refuse(key, "must be a number", limit="a number")
        if not least <= number <= most:
            self.refuse(key, f"must be {least:g} to {most:g}, not {number:g}", limit=f"{least:g} to {most:g}", value=number)
        return number

    def whole(self, key: str, least: int, most: int) -> int:
        """A whole number, also where it is written as text."""
        number = self.number(key, least, most)
        if number != int(number):
            self.refuse(key, "must be a whole number", limit="a whole number")
        return int(number)

    def link(self, key: str, most: int = 2000) -> None:
        if not _LINK.fullmatch(self.text(key, most)):
            self.refuse(key, "must be an http(s) URL", limit="an http(s) URL")

    def part(self, key: str) -> "Part":
        """The object under `key`."""
        value = self.json.get(key)
        if value is None:
            self.miss(key)
        if not isinstance(value, dict):
            self.refuse(key, "must be an object", limit="an object")
        return Part(object_of(value), self.at(key), self.bounds)

    def parts(self, key: str, least: int, most: int, *, code: int = NOT_VALID) -> "list[Part]":
        """The objects of the list under `key`; `code` is for too few or too many."""
        value = self.json.get(key)
        if value is None and least:
            self.miss(key)
        if value is not None and not isinstance(value, list | tuple):
            self.refuse(key, "must be a list", limit="a list")
        items = cast("Sequence[Any]", value or ())
        self.count(key, len(items), least, most, code=code)
        parts: list[Part] = []
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                self.refuse(f"{key}[{index}]", "must be an object", limit="an object")
            parts.append(Part(object_of(item), self.at(f"{key}[{index}]"), self.bounds))
        return parts

    def count(self, key: str, number: int, least: int, most: int, *, code: int = NOT_VALID) -> None:
        if not least <= number <= most:
            allowed = f"{least} to {most}" if least != most else str(most)
            limit = most if number > most else least
            self.refuse(key, f"must hold {allowed} items, not {number}", limit=limit, value=number, code=code)

    def unique(self, key: str, texts: Sequence[str], what: str) -> None:
        """Refused when the `what` of the parts of `key` (absent ones aside) repeat."""
        told = [text for text in texts if text]
        repeated = len(told) - len(set(told))
        if repeated:
            self.refuse(key, f"must not repeat {what}", limit="unique", value=repeated)

    def forbid(self, *keys: str, why: str = "is not allowed here") -> None:
        for key in keys:
            if self.has(key):
                self.refuse(key, why, limit="absent")

    def miss(self, key: str) -> NoReturn:
        raise LimitBroken(self.at(key), "is required", limit="required", graph_code=MISSING)

    def refuse(self, key: str, why: str, *, limit: int | float | str, value: int | float | None = None, code: int = NOT_VALID) -> NoReturn:
        raise LimitBroken(self.at(key) if key else self.path, why, limit=limit, value=value, graph_code=code)
