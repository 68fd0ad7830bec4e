"""The palettes as data: named colours from styles/*.json, and what role wears which of them. Read by the first paint and by the app."""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

STYLES: Final = Path(__file__).parent / "styles"


class Palette(msgspec.Struct, frozen=True):
    """One theme. `colours` maps a name to `#rrggbb`."""

    name: str
    dark: bool
    colours: dict[str, str]


class Wear(msgspec.Struct, frozen=True):
    """What a role wears: the names of its colours (no `ground`: that of the line) and its attributes (bold, italic …)."""

    colour: str
    ground: str | None
    attributes: frozenset[str]


@cache
def load_palette(name: str) -> Palette:
    """The palette `dark` or `light`, or that of a theme whose name ends so (`wabiz-light`); any other name is dark."""
    file = STYLES / ("light.json" if name.endswith("light") else "dark.json")
    return msgspec.json.decode(file.read_bytes(), type=Palette)


@cache
def load_roles() -> dict[str, Wear]:
    written = msgspec.json.decode((STYLES / "roles.json").read_bytes(), type=dict[str, str])
    return {role: _parse_wear(text) for role, text in written.items()}


def _parse_wear(text: str) -> Wear:
    ink, _, ground = text.partition(" on ")
    colour, *attributes = ink.split()
    return Wear(colour, ground or None, frozenset(attributes))
