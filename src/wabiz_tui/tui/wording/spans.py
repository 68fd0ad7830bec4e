"""Lines of spans: text with the name of its role and ground, measured in terminal cells, cut and wrapped without breaking a character."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

# Characters of one or two cells that never join with a neighbour: for these a table in the interpreter is enough.
ALONE: Final = (
    "\x20-\x7e\xa0-\xa8\xaa-\xac\xaf-\u02ff\u0370-\u0482\u048a-\u052f\u05d0-\u05ea\u0620-\u064a\u0660-\u066f\u0671-\u06d3"
    "\u2010-\u2027\u2030-\u203b\u203d-\u2048\u20a0-\u20bf\u2190-\u2193\u21a9\u21b3\u2400-\u2426\u2500-\u259f\u25a0-\u25fc\u2713-\u2717"
    "\u2315\u2316\u2691\u263a\u266a\u23f8"
    "\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e\U0001f400-\U0001f43e\U0001f600-\U0001f64f"
)
"""As the inside of a class of a pattern."""
UNDISPUTED: Final = re.compile(rf"[{ALONE}\x00-\x1f\x7f-\x9f]*")
"""Matches text of such characters in full, controls among them. One pattern for all: so large a class takes milliseconds to compile."""


class Span(NamedTuple):
    """Text in one role. `ground` overrides the ground of the line it stands on."""

    text: str
    role: str = "text"
    ground: str = ""


class Line(NamedTuple):
    """What one row of the screen shows; what is left of the width is filled with `ground`."""

    spans: tuple[Span, ...] = ()
    ground: str = "base"


def line(*spans: Span | str, ground: str = "base") -> Line:
    """A line of spans; a bare string stands in the role `text`."""
    return Line(tuple(Span(part) if isinstance(part, str) else part for part in spans), ground)


def cell_width(text: str) -> int:
    """Cells that `text` (already safe) takes on a terminal."""
    if text.isascii():
        return len(text)
    if UNDISPUTED.fullmatch(text):
        return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    # Rich's table, because Textual cuts and fills rows by it; this one module of Rich is light.
    from rich.cells import cell_len

    return cell_len(text)


def clusters(text: str) -> Iterator[str]:
    """The characters of `text` as a person counts them: an emoji with its joiners is one."""
    if text.isascii() or UNDISPUTED.fullmatch(text):
        yield from text
        return
    from rich.cells import split_graphemes

    for begin, end, _ in split_graphemes(text)[0]:
        yield text[begin:end]


def clip(text: str, width: int) -> str:
    """`text` in at most `width` cells, the last one … where something is missing."""
    if len(text) * 2 <= width or cell_width(text) <= width:
        return text
    if width <= 0:
        return ""
    kept: list[str] = []
    used = 0
    for cluster in clusters(text[: width * 12 + 12]):
        taken = cell_width(cluster)
        if used + taken > width - 1:
            break
        kept.append(cluster)
        used += taken
    return "".join(kept).rstrip(" ") + "…"


def clip_middle(name: str, width: int) -> str:
    """A file name in at most `width` cells, shortened in the middle, so that its true ending is always seen."""
    if cell_width(name) <= width:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or cell_width(ending) > min(16, width // 2):
        return clip(name, width)
    return clip(stem, width - cell_width(ending) - 1) + dot + ending


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` clipped and padded to exactly `width` cells."""
    shown = clip(text, width)
    padding = " " * max(0, width - cell_width(shown))
    return padding + shown if right else shown + padding


def spans_width(spans: Iterable[Span]) -> int:
    return sum(cell_width(span.text) for span in spans)


def clip_spans(spans: Iterable[Span], width: int) -> list[Span]:
    """As many of `spans` as `width` cells hold, the last one clipped."""
    kept: list[Span] = []
    left = width
    for span in spans:
        taken = cell_width(span.text)
        if taken > left:
            if left > 0:
                kept.append(span._replace(text=clip(span.text, left)))
            break
        kept.append(span)
        left -= taken
    return kept


def spread(left: Iterable[Span], right: Iterable[Span], width: int, *, ground: str = "base") -> Line:
    """A line with `left` at its beginning and `right` at its end; where both do not fit the left one gives way."""
    ending = clip_spans(right, width)
    beginning = clip_spans(left, max(0, width - spans_width(ending) - (1 if ending else 0)))
    gap = max(0, width - spans_width(beginning) - spans_width(ending))
    return Line((*beginning, Span(" " * gap), *ending), ground)


def wrap(text: str, width: int) -> list[str]:
    """The lines of `text`, each at most `width` cells, broken at spaces where there are any. Linear in the length."""
    wrapped: list[str] = []
    for paragraph in text.split("\n"):
        wrapped.extend(_wrap_paragraph(paragraph, max(2, width)))
    return wrapped


def _wrap_paragraph(paragraph: str, width: int) -> list[str]:
    if paragraph.isascii() and len(paragraph) <= width:
        return [paragraph.rstrip(" ")]
    rows: list[str] = []
    row, used = "", 0
    for word in re.findall(r" +|[^ ]+", paragraph):
        taken = cell_width(word)
        if used + taken <= width:
            row, used = row + word, used + taken
            continue
        if word.isspace():
            rows.append(row)
            row, used = "", 0
            continue
        if row.strip():
            rows.append(row.rstrip(" "))
        row, used = "", 0
        if taken <= width:
            row, used = word, taken
            continue
        *full, row = _chop(word, width)
        rows.extend(full)
        used = cell_width(row)
    rows.append(row.rstrip(" "))
    return rows


def _chop(word: str, width: int) -> list[str]:
    pieces: list[str] = []
    piece: list[str] = []
    used = 0
    for cluster in clusters(word):
        taken = cell_width(cluster)
        if used + taken > width and piece:
            pieces.append("".join(piece))
            piece, used = [], 0
        piece.append(cluster)
        used += taken
    pieces.append("".join(piece))
    return pieces
