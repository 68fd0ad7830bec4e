"""Shifts as they travel under /v1 and on the stream."""

from datetime import datetime
from typing import Literal

import msgspec

OFF_SHIFT = "off_shift"
"""The code of the refusal that the policy closes the inbox to this person now."""

ShiftState = Literal["working", "break", "off"]


class ShiftChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/shift: what a worker says of their own shift. `break` may have an `until`; `end` lasts to the next shift's start;
    `start` ends a break or an early end, never the hours of the policy."""

    state: Literal["start", "break", "end"]
    until: datetime | None = None
    reason: str = ""


class ShiftOverride(msgspec.Struct, frozen=True):
    """POST /v1/people/{id}/override: lets a person work outside the hours until an instant. The reason is told to the worker and logged."""

    until: datetime
    reason: str


class ShiftStanding(msgspec.Struct, frozen=True, omit_defaults=True):
    """GET /v1/shift, and event `shift` of the stream: how the reader's shift stands. `is_closed`: no content leaves the hub for them.
    `is_quiet`: content does, but nothing that calls for them (no unread counts, no presence)."""

    state: ShiftState
    is_closed: bool = False
    is_quiet: bool = False
    until: datetime | None = None
    """When this state ends, where that is known."""
    resumes_at: datetime | None = None
    reason: str = ""
    by: str = ""
    """Who gave the override, by name."""
