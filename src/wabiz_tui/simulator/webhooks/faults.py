"""What goes wrong on demand: faults with a count or a time, taken by the parts that act them out."""

import itertools
from datetime import datetime, timedelta
from typing import Any

from wabiz_tui.graph.reading import Json, number_of, word
from wabiz_tui.model.errors import BadInput

WEBHOOK_KINDS = ("duplicate", "reorder", "delay", "drop", "bad_signature", "missing_signature", "batch", "pad", "hold_statuses")
SEND_KINDS = ("http_error", "fail_next", "timeout", "cut", "latency", "early_status", "skip_delivered", "late_statuses")
OTHER_KINDS = ("token_expired", "media_fail", "burst", "replay")
# permission_lost: 10, or 200 with `code`. account_locked: 131031. payment_missing: 131042. upgrade: 131057, for a minute.
ACCOUNT_KINDS = ("permission_lost", "account_locked", "payment_missing", "upgrade")
KINDS = (*WEBHOOK_KINDS, *SEND_KINDS, *OTHER_KINDS, *ACCOUNT_KINDS)
UPGRADE_SECONDS = 60.0
_ALIASES: dict[str, tuple[str, Json]] = {
    "duplicates": ("duplicate", {}),
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
_LASTING = ("token_expired", "hold_statuses", "latency", "batch", "reorder", *ACCOUNT_KINDS)


class Fault:
    """One fault asked for. `left` None: no count; `until` None: no end."""

    def __init__(self, name: int, kind: str, params: Json, *, left: int | None, until: datetime | None) -> None:
        self.name, self.kind, self.params, self.left, self.until = name, kind, params, left, until

    def describe(self) -> Json:
        until = self.until.isoformat().replace("+00:00", "Z") if self.until is not None else None
        return {"id": self.name, "kind": self.kind, "left": self.left, "until": until, **self.params}

    def number(self, key: str, default: float) -> float:
        value = number_of(self.params.get(key))
        return default if value is None else value

    def word(self, key: str, default: str = "") -> str:
        return word(self.params.get(key)) or default


class Faults:
    """The faults asked for and not yet used up, oldest first."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self._names = itertools.count(1)

    def add(self, asked: Json, now: datetime) -> Fault:
        """Raises BadInput for an unknown kind, naming those there are."""
        told = word(asked.get("kind")).replace("-", "_")
        kind, implied = _ALIASES.get(told, (told, {}))
        if kind not in KINDS:
            raise BadInput("The fault's kind must be one of: " + ", ".join((*KINDS, "clear")) + ".")
        count, seconds = number_of(asked.get("count", asked.get("times"))), number_of(asked.get("for_seconds"))
        if kind == "upgrade" and count is None and seconds is None:
            seconds = UPGRADE_SECONDS
        left = int(count) if count is not None else None if seconds is not None or kind in _LASTING else 1
        until = now + timedelta(seconds=seconds) if seconds is not None else None
        params: dict[str, Any] = {**implied, **{key: asked[key] for key in asked if key not in ("kind", "count", "times", "for_seconds")}}
        fault = Fault(next(self._names), kind, params, left=left, until=until)
        self._active.append(fault)
        return fault

    def clear(self, kind: str = "") -> int:
        """Forget all faults, or those of one kind; how many there were."""
        before = len(self._active)
        self._active = [fault for fault in self._active if kind and fault.kind != kind]
        return before - len(self._active)

    def find(self, kind: str, now: datetime) -> Fault | None:
        """The oldest living fault of `kind`, not used up by looking."""
        self._active = [
            fault for fault in self._active if (fault.left is None or fault.left > 0) and (fault.until is None or now < fault.until)
        ]
        return next((fault for fault in self._active if fault.kind == kind), None)

    def take(self, kind: str, now: datetime, *, when: str = "") -> Fault | None:
        """As `find`, and it counts as having happened. With `when`, only a fault that names this moment (or names none)."""
        fault = self.find(kind, now)
        if fault is None or (when and fault.word("when", "after") != when):
            return None
        if fault.left is not None:
            fault.left -= 1
        return fault

    def describe(self, now: datetime) -> list[Json]:
        self.find("", now)
        return [fault.describe() for fault in self._active]
