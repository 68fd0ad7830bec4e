"""Safe text: what came from outside, as characters that a terminal, a log or a page can only show and never obey.

Nothing is hidden: C0 controls become their control pictures, what is invisible or turns the reading direction becomes a
short named mark such as ‹RLO›, runs are folded with a count. Joiners and variation selectors stay where a script or an emoji
needs them. The exact original stays in the archive. `safe_line` and `safe_text` are idempotent and run in linear time.
"""

import re
import unicodedata
from functools import cache
from typing import Final

MARKS_SHOWN: Final = 4
"""Combining marks shown on one base; what is stacked above is counted."""

_NAMES: Final = {
    0x7F: "␡",
    0x85: "‹NEL›",
    0x90: "‹DCS›",
    0x98: "‹SOS›",
    0x9B: "‹CSI›",
    0x9C: "‹ST›",
    0x9D: "‹OSC›",
    0x9E: "‹PM›",
    0x9F: "‹APC›",
    0xAD: "‹SHY›",
    0x034F: "‹CGJ›",
    0x061C: "‹ALM›",
    0x115F: "‹HF›",
    0x1160: "‹HF›",
    0x180E: "‹MVS›",
    0x200B: "‹ZWSP›",
    0x200C: "‹ZWNJ›",
    0x200D: "‹ZWJ›",
    0x200E: "‹LRM›",
    0x200F: "‹RLM›",
    0x2028: "‹LS›",
    0x2029: "‹PS›",
    0x202A: "‹LRE›",
    0x202B: "‹RLE›",
    0x202C: "‹PDF›",
    0x202D: "‹LRO›",
    0x202E: "‹RLO›",
    0x2060: "‹WJ›",
    0x2066: "‹LRI›",
    0x2067: "‹RLI›",
    0x2068: "‹FSI›",
    0x2069: "‹PDI›",
    0x3164: "‹HF›",
    0xFEFF: "‹BOM›",
    0xFFA0: "‹HF›",
}

# Text of these characters alone needs no work: printable ASCII, Latin, Greek, Cyrillic, Hebrew and Arabic letters, kana, ideographs,
# hangul syllables, common punctuation, and emoji that stand alone.
_PLAIN: Final = (
    "\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u05d0-\u05ea\u0620-\u064a\u0660-\u066f\u0671-\u06d3\u2010-\u2027\u2030-\u205e"
    "\u20a0-\u20bf\u2190-\u23f9\u2400-\u2426\u2500-\u27bf\u3000-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uac00-\ud7a3"
    "\uff01-\uff5e\U0001f300-\U0001f3f3\U0001f3f5-\U0001f3fa\U0001f400-\U0001f64f\U0001f680-\U0001f6c5\U0001f900-\U0001f9ff"
)


# Compiled when the first text asks for it: the screen is painted before that where all of it is ASCII.
@cache
def _all_plain(line_break: str) -> re.Pattern[str]:
    return re.compile(f"[{line_break}{_PLAIN}]*")


# The three flags of subdivisions that are in general use: England, Scotland, Wales.
_TAGGED: Final = "\U0001f3f4(?:{})\U000e007f".format(
    "|".join("".join(chr(0xE0000 + ord(letter)) for letter in name) for name in ("gbeng", "gbsct", "gbwls"))
)
_EMOJI: Final = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
# Scripts whose spelling needs the joiners: Arabic and its neighbours, the Indic scripts, Myanmar, Khmer, Mongolian.
_JOINED: Final = "\u0600-\u07ff\u0840-\u0dff\u1000-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc"
# The blocks of combining marks that stack on anything, taken in one go: a megabyte of them must not take seconds.
_STACKED: Final = "\u0300-\u034e\u0350-\u036f\u0483-\u0489\u1ab0-\u1ace\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"


@cache
def _token() -> re.Pattern[str]:
    return re.compile(
        f"(?P<plain>[{_PLAIN}]+)"
        f"|(?P<flag>{_TAGGED}|[\U0001f1e6-\U0001f1ff]{{2}})"
        "|(?P<keycap>(?<=[#*0-9])\ufe0f\u20e3)"
        f"|(?P<joiner>(?<=[{_JOINED}])[\u200c\u200d](?=[{_JOINED}])|(?<=[\u1800-\u18af])[\u180b-\u180e])"
        f"|(?P<emoji>(?<=[{_EMOJI}])[\ufe0e\ufe0f](?!\ufe0e|\ufe0f)|(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}]))"
        f"|(?P<marks>[{_STACKED}]+)"
        r"|(?P<run>(?P<one>.)(?P=one)*+)",
        re.DOTALL,
    )


_KEPT, _MARK, _COMBINING = range(3)
_STANDING: Final = {"marks": _COMBINING}


class _Kinds(dict[str, int]):
    """What to do with a character, remembered once it was asked."""

    def __missing__(self, character: str) -> int:
        self[character] = kind = _kind(character)
        return kind


def _kind(character: str) -> int:
    code = ord(character)
    if code in _NAMES or 0xFE00 <= code <= 0xFE0F or 0x1F1E6 <= code <= 0x1F1FF:
        return _MARK
    if 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE or 0xE0000 <= code <= 0xE0FFF:
        return _MARK
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Zl", "Zp"):
        return _MARK
    if category == "Cf":
        # The Arabic and Kaithi number signs are format characters that are seen.
        return _KEPT if unicodedata.bidirectional(character) in ("AN", "AL", "L") and code < 0x11100 else _MARK
    return _COMBINING if category[0] == "M" else _KEPT


_kinds: Final = _Kinds()


def safe_line(text: str, *, limit: int | None = None) -> str:
    """`text` as one line: line breaks are marked as any control is. With `limit`, at most that many characters, the last one …"""
    kept = _shorten(text, limit)
    if not _is_plain(kept, ""):
        kept = _clean(kept, "")
    return _cut(kept, limit, was_longer=limit is not None and len(text) > 8 * limit + 64)


def safe_text(text: str, *, limit: int | None = None) -> str:
    """`text` with its lines: CR LF counts as a line break, a lone CR is marked. With `limit`, at most that many characters."""
    kept = _shorten(text, limit).replace("\r\n", "\n")
    if not _is_plain(kept, "\n"):
        kept = _clean(kept, "\n")
    return _cut(kept, limit, was_longer=limit is not None and len(text) > 8 * limit + 64)


def _is_plain(text: str, line_break: str) -> bool:
    return (text.isascii() and text.isprintable()) or _all_plain(line_break).fullmatch(text) is not None


def _shorten(text: str, limit: int | None) -> str:
    """Enough of `text` for `limit` shown characters, so that a megabyte costs no more than what is seen of it."""
    return text if limit is None else text[: 8 * limit + 64]


def _clean(text: str, line_break: str) -> str:
    shown: list[str] = []
    has_base, stacked = False, 0
    for token in _token().finditer(text):
        run, one = token[0], token["one"]
        kind = _STANDING.get(token.lastgroup or "", _KEPT) if one is None or one == line_break else _kinds[one]
        if kind == _KEPT:
            shown.append(run)
            has_base, stacked = one is None or one != line_break, 0
        elif kind == _MARK:
            shown.append(_named(run[0], len(run)))
            has_base, stacked = False, 0
        else:
            if not has_base:
                shown.append("◌")
                has_base = True
            shown.append(run[: max(0, MARKS_SHOWN - stacked)])
            stacked += len(run)
            if stacked > MARKS_SHOWN and not _goes_on(text, token.end()):
                shown.append(f"‹+{stacked - MARKS_SHOWN}›")
                has_base, stacked = False, 0
    return "".join(shown)


def _goes_on(text: str, position: int) -> bool:
    return position < len(text) and _kinds[text[position]] == _COMBINING


def _named(character: str, count: int) -> str:
    code = ord(character)
    if 0x1F1E6 <= code <= 0x1F1FF:
        mark = f"‹RI {chr(code - 0x1F1E6 + 65)}›"
    elif code < 0x20:
        mark = chr(0x2400 + code)
    else:
        mark = _NAMES.get(code) or f"‹U+{code:04X}›"
    if count == 1:
        return mark
    return f"{mark[:-1]}×{count}›" if mark.endswith("›") else f"{mark}×{count}"


def _cut(text: str, limit: int | None, *, was_longer: bool) -> str:
    if limit is None or (len(text) <= limit and not was_longer):
        return text
    kept = text[: max(0, limit - 1)]
    # A half flag or a joiner with nothing to join would be marked by a second cleaning.
    while kept and (kept[-1] in "\u200c\u200d\ufe0e\ufe0f" or 0x1F1E6 <= ord(kept[-1]) <= 0x1F1FF or ord(kept[-1]) >= 0xE0000):
        kept = kept[:-1]
    return f"{kept}…"
