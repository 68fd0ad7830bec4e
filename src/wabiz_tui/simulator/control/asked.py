"""Read what a control request asks for: keys that are nearly right are told, those of no use are passed over."""

from collections.abc import Iterable
from difflib import SequenceMatcher

from wabiz_tui.graph.reading import Json
from wabiz_tui.model.document import nearest_name
from wabiz_tui.model.errors import BadInput

_NEARLY = 0.74


def refuse_slips(asked: Json, valid: Iterable[str], *, its: str = "") -> None:
    """Raises BadInput for a key that is nearly a valid one. `its` is one more valid key: a type's own object."""
    known = {*valid, its}
    for key in asked:
        near = None if key in known else nearest_name(key, known - {""})
        if near is not None and SequenceMatcher(None, key.lower(), near).ratio() >= _NEARLY:
            raise BadInput(f"There is no key {key[:60]!r} here: do you mean {near!r}?")


def choice_of(asked: Json, key: str, valid: Iterable[str]) -> str | None:
    """One of the valid words, None where nothing is said. Raises BadInput that names them."""
    value = asked.get(key)
    if value is None:
        return None
    words = tuple(valid)
    if value in words:
        return str(value)
    near = nearest_name(str(value)[:60], words)
    raise BadInput(f"`{key}` is one of {', '.join(words)}{f': do you mean {near!r}?' if near else '.'}")
