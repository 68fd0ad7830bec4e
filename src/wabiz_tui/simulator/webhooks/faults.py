"""What goes wrong on demand: faults with a count, a time or a chance, taken by the parts that act them out."""

import itertools
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from wabiz_tui.graph.reading import Json, list_of, number_of, without, word
from wabiz_tui.model.document import nearest_name
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.spans import span_of
from wabiz_tui.simulator.webhooks.envelope import rfc3339

WEBHOOK_KINDS = ("duplicate", "reorder", "delay", "drop", "bad_signature", "missing_signature", "batch", "pad", "hold_statuses", "replay")
SEND_KINDS = (
    "http_error", "fail_next", "fail_later", "timeout", "cut", "latency", "early_status", "skip_delivered", "late_statuses",
    "failed_after_sent",
)  # fmt: skip
ACCOUNT_KINDS = ("token_expired", "permission_lost", "account_locked", "payment_missing", "upgrade")
MEDIA_KINDS = ("media_fail", "media_expired", "media_hash", "media_slow")
KINDS = (*WEBHOOK_KINDS, *SEND_KINDS, *ACCOUNT_KINDS, *MEDIA_KINDS, "burst")
_ALIASES: dict[str, tuple[str, Json]] = {
    "duplicates": ("duplicate", {}),
    "loss": ("drop", {}),
    "lose": ("drop", {}),
    "invalid_signature": ("bad_signature", {}),
    "no_signature": ("missing_signature", {}),
    "unsigned": ("missing_signature", {}),
    "error": ("http_error", {}),
    "fail": ("fail_next", {}),
    "timeout_after_accept": ("timeout", {"when": "after"}),
    "timeout_before_accept": ("timeout", {"when": "before"}),
    "cut_connection": ("cut", {}),
    "connection_cut": ("cut", {}),
    "cut_before": ("cut", {"when": "before"}),
    "cut_before_accept": ("cut", {"when": "before"}),
    "cut_after": ("cut", {"when": "after"}),
    "cut_after_accept": ("cut", {"when": "after"}),
    "expired_token": ("token_expired", {}),
    "media_failure": ("media_fail", {}),
    "hold": ("hold_statuses", {}),
    "status_before_response": ("early_status", {}),
}
# Faults that last until cleared unless a count or a time is given; the others happen once.
_LASTING = (
    "token_expired", "permission_lost", "account_locked", "payment_missing", "hold_statuses", "latency", "batch", "reorder", "media_slow",
)  # fmt: skip
_UPGRADE_SECONDS = 60.0
_COMMON = ("kind", "count", "times", "for_seconds", "for", "after", "chance")
PARAMS: dict[str, tuple[str, ...]] = {
    "duplicate": ("copies", "later", "only"),
    "reorder": ("size", "within", "order", "only"),
    "delay": ("seconds", "only"),
    "drop": ("only",),
    "bad_signature": ("only",),
    "missing_signature": ("only",),
    "batch": ("size", "within", "entries"),
    "pad": ("bytes",),
    "http_error": ("code", "error_code", "status", "http_status", "details"),
    "fail_next": ("code", "error_code", "details", "async"),
    "fail_later": ("code", "error_code", "details", "async"),
    "failed_after_sent": ("code", "error_code", "seconds"),
    "timeout": ("seconds", "when"),
    "cut": ("when",),
    "latency": ("seconds",),
    "permission_lost": ("scope", "code", "details"),
    "media_fail": ("status",),
    "media_slow": ("seconds",),
    "burst": ("rate", "customers", "number", "text"),
}
MAX_ACTIVE = 1000


class Fault:
    """One fault asked for. `left` None: no count; `until` None: no end; before `since` it is not there yet; `chance` is how likely it
    strikes each time it could."""

    def __init__(self, name: int, kind: str, params: Json, *, dice: random.Random) -> None:
        self.name, self.kind, self.params = name, kind, params
        self.left: int | None = None
        self.since: datetime | None = None
        self.until: datetime | None = None
        self.chance = 1.0
        self._dice = dice
        self._is_struck = False

    def describe(self) -> Json:
        since, until = (rfc3339(at) if at is not None else None for at in (self.since, self.until))
        return {"id": self.name, "kind": self.kind, "left": self.left, "since": since, "until": until, "chance": self.chance, **self.params}

    def number(self, key: str, default: float) -> float:
        """A parameter; of a pair `[least, most]` a number in between, by chance."""
        value = self.params.get(key)
        pair = [number_of(one) for one in list_of(value)]
        if len(pair) == 2 and pair[0] is not None and pair[1] is not None:
            return self._dice.uniform(pair[0], pair[1])
        number = number_of(value)
        return default if number is None else number

    def word(self, key: str, default: str = "") -> str:
        return word(self.params.get(key)) or default

    def is_there(self, now: datetime) -> bool:
        return (self.since is None or now >= self.since) and not self.is_over(now)

    def is_over(self, now: datetime) -> bool:
        return (self.left is not None and self.left <= 0) or (self.until is not None and now >= self.until)

    def strikes(self) -> bool:
        """Throws the dice; once it strikes it stays struck until `used`."""
        self._is_struck = self._is_struck or self.chance >= 1 or self._dice.random() < self.chance
        return self._is_struck

    def used(self) -> None:
        self._is_struck = False
        if self.left is not None:
            self.left -= 1


class Faults:
    """The faults asked for and not yet used up, oldest first. Chance is seeded."""

    def __init__(self, seed: int = 1) -> None:
        self._active: list[Fault] = []
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """None, and the dice as at the start."""
        self._active.clear()
        self._names = itertools.count(1)
        self._dice = random.Random(f"faults {self._seed}")  # noqa: S311 a play's dice

    def add(self, asked: Json, now: datetime) -> Fault:
        """Raises BadInput for an unknown kind, key or value, naming those there are."""
        fault = read_fault(asked, now, name=next(self._names), dice=self._dice)
        if len(self._active) >= MAX_ACTIVE:
            raise BadInput(f"There are {MAX_ACTIVE} faults already: clear some first.")
        self._active.append(fault)
        return fault

    def clear(self, kind: str = "") -> int:
        """Forget all faults, or those of one kind; how many there were. Raises BadInput for a kind that is none."""
        kind = _ALIASES.get(kind, (kind, {}))[0]
        if kind and kind not in KINDS:
            raise _unknown_kind(kind)
        before = len(self._active)
        self._active = [fault for fault in self._active if kind and fault.kind != kind]
        return before - len(self._active)

    def find(self, kind: str, now: datetime, *, where: Callable[[Fault], bool] = lambda _: True) -> Fault | None:
        """The oldest living fault of `kind` that strikes, not used up by looking."""
        self._forget_those_over(now)
        return next((one for one in self._active if one.kind == kind and one.is_there(now) and where(one) and one.strikes()), None)

    def take(self, kind: str, now: datetime, *, when: str = "", where: Callable[[Fault], bool] = lambda _: True) -> Fault | None:
        """As `find`, and it counts as having happened. With `when`, only a fault that names this moment (or names none)."""
        fault = self.find(kind, now, where=lambda one: (not when or one.word("when", "after") == when) and where(one))
        if fault is not None:
            fault.used()
        return fault

    def describe(self, now: datetime) -> list[Json]:
        self._forget_those_over(now)
        return [fault.describe() for fault in self._active]

    def _forget_those_over(self, now: datetime) -> None:
        if any(fault.is_over(now) for fault in self._active):
            self._active = [fault for fault in self._active if not fault.is_over(now)]


def read_fault(asked: Json, now: datetime, *, name: int, dice: random.Random) -> Fault:
    """Raises BadInput with a sentence that names what is wrong and what is valid."""
    told = word(asked.get("kind")).strip().lower().replace("-", "_")
    kind, implied = _ALIASES.get(told, (told, {}))
    if kind not in KINDS:
        raise _unknown_kind(told)
    if kind == "fail_next" and asked.get("async"):
        kind = "fail_later"
    _refuse_slips(kind, asked)
    fault = Fault(name, kind, {**implied, **without(asked, *_COMMON)}, dice=dice)
    _check_numbers(fault)
    count, chance = _number(asked, "count", "times"), _number(asked, "chance")
    lasts = span_of(asked.get("for_seconds", asked.get("for")), "for")
    if chance is not None and not 0 <= chance <= 1:
        raise BadInput("`chance` is a probability from 0 to 1.")
    fault.chance = 1.0 if chance is None else chance
    if lasts is None and kind == "upgrade" and count is None:
        lasts = timedelta(seconds=_UPGRADE_SECONDS)
    is_lasting = lasts is not None or kind in _LASTING or chance is not None
    fault.left = int(count) if count is not None else None if is_lasting else 1
    after = span_of(asked.get("after"), "after")
    fault.since = now + after if after is not None else None
    fault.until = (fault.since or now) + lasts if lasts is not None else None
    return fault


def _refuse_slips(kind: str, asked: Json) -> None:
    """A key that is nearly a valid one is a slip of the pen; any other is kept, for whoever acts the fault out."""
    valid = (*_COMMON, *PARAMS.get(kind, ()))
    for key in asked:
        near = None if key in valid else nearest_name(key, valid)
        if near is not None:
            raise BadInput(f"The fault {kind} has no key {key[:60]!r}: do you mean {near!r}? It takes {', '.join(valid)}.")


def _check_numbers(fault: Fault) -> None:
    for key in (
        "copies",
        "later",
        "size",
        "within",
        "seconds",
        "bytes",
        "code",
        "error_code",
        "status",
        "http_status",
        "rate",
        "customers",
    ):
        value: Any = fault.params.get(key)
        if value is None:
            continue
        numbers = [number_of(one) for one in (list_of(value) or [value])]
        if any(number is None or number < 0 for number in numbers) or len(numbers) > 2:
            raise BadInput(f"`{key}` must be a number (or a pair [least, most]) not below 0.")
    code = fault.params.get("status", fault.params.get("http_status"))
    if code is not None and not 200 <= (number_of(code) or 0) <= 599:
        raise BadInput("`status` must be an HTTP status from 200 to 599.")


def _number(asked: Json, *keys: str) -> float | None:
    key = next((one for one in keys if asked.get(one) is not None), None)
    if key is None:
        return None
    number = number_of(asked[key])
    if number is None or number < 0:
        raise BadInput(f"`{key}` must be a number not below 0.")
    return number


def _unknown_kind(told: str) -> BadInput:
    near = nearest_name(told, (*KINDS, *_ALIASES))
    suggestion = f" Do you mean {near!r}?" if near else ""
    return BadInput(f"There is no fault {told[:60]!r}.{suggestion} The fault's kind must be one of: {', '.join((*KINDS, 'clear'))}.")
