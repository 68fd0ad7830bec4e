"""The same picture in fewer bytes: a change of style says only what changes (SGR, ECMA-48 §8.3.117).

Textual ends every piece of text with a reset and begins the next with all of its colours, some 35 bytes for a word; two thirds of a
screen are that. Over SSH they are what an agent waits for.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

_SGR: Final = re.compile(r"\x1b\[([0-9;:]*)m")
_MOVES: Final = r"(?:\r?\n)?\x1b\[\d*(?:;\d*)?H|\x1b\[\d*G"
_UNSTYLED: Final = re.compile(rf"(?:{_MOVES})+")
"""What no style shows on: moves to a place that is named."""
_BLANK: Final = re.compile(rf"(?:{_MOVES}| )+")
_SEEN_WHEN_BLANK: Final = frozenset(("4", "5", "7", "9"))
"""Underlined, blinking, reversed, struck."""
_ON: Final = frozenset("123456789")
_OFF: Final = {"22": "12", "23": "3", "24": "4", "25": "56", "27": "7", "28": "8", "29": "9"}
_STYLES, _CHANGES = 1024, 8192


class _Style(NamedTuple):
    """Parameters as they are sent; empty is the terminal's own colour."""

    text: str = ""
    ground: str = ""
    attributes: frozenset[str] = frozenset()

    @property
    def is_seen_when_blank(self) -> bool:
        return not self.attributes.isdisjoint(_SEEN_WHEN_BLANK)


_PLAIN: Final = _Style()


def condensed(output: str) -> str:
    """`output`, which begins and leaves the terminal in its plain style, so that the screen looks the same. What holds a style that is
    not known here is left as it is. Costs a microsecond or two for each change of style."""
    parts = _SGR.split(output)
    written = [parts[0]]
    current = wanted = _PLAIN
    for parameters, text in zip(parts[1::2], parts[2::2], strict=True):
        style = _after(wanted, parameters)
        if style is None:
            return output
        wanted = style
        if not text:
            continue
        if wanted is not current and wanted != current and _UNSTYLED.fullmatch(text) is None:
            change, current = _change(current, wanted, is_blank=_BLANK.fullmatch(text) is not None)
            written.append(change)
        written.append(text)
    if current != _PLAIN:
        written.append("\x1b[m")
    return "".join(written)


@lru_cache(_STYLES)
def _after(style: _Style, parameters: str) -> _Style | None:
    """The style after these parameters; None where one is not known."""
    text, ground, attributes = style
    rest = parameters.split(";")
    while rest:
        one = rest.pop(0)
        match one:
            case "" | "0":
                text, ground, attributes = _PLAIN
            case "38" | "48":
                count = {"5": 1, "2": 3}.get(rest[0] if rest else "", -1)
                if not 0 < count < len(rest):
                    return None
                colour = ";".join((one, *rest[: count + 1]))
                del rest[: count + 1]
                text, ground = (colour, ground) if one == "38" else (text, colour)
            case _ if one in _ON:
                attributes |= {one}
            case _ if one in _OFF:
                attributes -= frozenset(_OFF[one])
            case _ if len(one) == 2 and one[0] in "39" and one[1] in "012345679":
                text = "" if one == "39" else one
            case _ if len(one) == 2 and one[0] == "4" and one[1] in "012345679":
                ground = "" if one == "49" else one
            case _ if len(one) == 3 and one.startswith("10") and one[2] in "01234567":
                ground = one
            case _:
                return None
    return _Style(text, ground, attributes)


@lru_cache(_CHANGES)
def _change(current: _Style, wanted: _Style, *, is_blank: bool) -> tuple[str, _Style]:
    """What to send, and the style that the terminal has then. On blanks only the ground is seen, unless they are underlined or the like."""
    if is_blank and not current.is_seen_when_blank and not wanted.is_seen_when_blank:
        wanted = current._replace(ground=wanted.ground)
    if wanted == current:
        return "", current
    anew = ["0", *sorted(wanted.attributes), *filter(None, (wanted.text, wanted.ground))]
    if current.attributes <= wanted.attributes:
        added = [*sorted(wanted.attributes - current.attributes)]
        added += [wanted.text or "39"] if wanted.text != current.text else []
        added += [wanted.ground or "49"] if wanted.ground != current.ground else []
        return f"\x1b[{min(';'.join(added), ';'.join(anew), key=len)}m", wanted
    return f"\x1b[{';'.join(anew)}m", wanted
