"""Read the times a request names."""

from datetime import UTC, datetime
from typing import Any

from wabiz_tui.graph.reading import instant_of, word
from wabiz_tui.model.clock import parse_ahead
from wabiz_tui.model.errors import BadInput, WabizError
from wabiz_tui.simulator.world import World


def read_time(world: World, value: Any) -> datetime | None:
    """RFC 3339 text, Unix seconds, or a duration ago (`-2d`, `2d ago`); None where nothing is said. Raises BadInput for anything else."""
    if value is None:
        return None
    told = instant_of(value)
    if told is not None:
        return told
    text = word(value).strip()
    try:
        if text.startswith("-") or text.endswith("ago"):
            return world.now() - parse_ahead(text.removeprefix("-").removesuffix("ago").strip())
        moment = datetime.fromisoformat(text)
    except (ValueError, WabizError) as error:
        raise BadInput("A time is RFC 3339 (2026-11-22T10:00:00Z), Unix seconds, or a duration ago such as -2d.") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
