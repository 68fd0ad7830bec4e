"""Who else is at the conversation that stands open, in one line."""

from collections.abc import Sequence
from typing import Final

from wabiz_tui.model.text import safe_line
from wabiz_tui.model.work import Presence
from wabiz_tui.tui.wording.spans import Span, clip, clip_spans

LONGEST_NAME: Final = 20
"""Cells of a name: two names and the words fit into 80."""


def company_spans(others: Sequence[Presence], width: int) -> list[Span]:
    """Who types, then who looks; nothing where nobody is. In at most `width` cells."""
    typing = [_name(other) for other in others if other.doing == "typing"]
    looking = [_name(other) for other in others if other.doing == "viewing"]
    spans: list[Span] = []
    if typing:
        spans.append(Span(f"{_names(typing)} {_are(typing)} typing…", "warn.strong"))
    if looking:
        spans += [Span("  ")] if typing else []
        spans.append(Span(f"{_names(looking)} {_are(looking)} looking{'' if typing else ' at this'} too", "muted"))
    return clip_spans(spans, width)


def _name(other: Presence) -> str:
    return clip(safe_line(other.name, limit=60), LONGEST_NAME) or "Somebody"


def _names(names: Sequence[str]) -> str:
    """One or two by name, more by number."""
    return " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} others"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
