"""Text as the full-text index wants it: one spelling for what looks the same, and single characters where no spaces are written.

The tokenizer splits at spaces, which Chinese, Japanese, Thai and their neighbours do not write: their characters are indexed one by
one and searched as phrases, which finds every part of a word at no cost in size (reference: limits, tokenizers). Accents, points
of Hebrew and Arabic, letters of one sound and digits of any script are folded here, alike in the index and in the question.
"""

import re
import unicodedata

from wabiz_tui.model.content import Content, Media, plain_text

_SINGLE = re.compile(
    r"([\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff])"
)
_LONGEST_INDEXED = 65_536


def _folding() -> dict[int, str | None]:
    marks = [*range(0x300, 0x370), *range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7]
    marks += [*range(0x610, 0x61B), 0x640, *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6DD), *range(0x6DF, 0x6E5), 0x6E7, 0x6E8]
    marks += range(0x6EA, 0x6EE)
    unseen = [0xAD, *range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), *range(0xFE00, 0xFE10), 0xFEFF]
    table: dict[int, str | None] = dict.fromkeys([*marks, *unseen])
    # Written one for the other: final and other forms of ya, ta marbuta for ha, the Persian kaf.
    table |= {0x649: "\u064a", 0x6CC: "\u064a", 0x629: "\u0647", 0x6A9: "\u0643"}
    for zero in (0x660, 0x6F0, 0x966, 0x9E6):
        table |= {zero + digit: str(digit) for digit in range(10)}
    return table


_FOLDING = _folding()


def folded(text: str) -> str:
    """`text` by which two spellings are the same word. ASCII is left to the tokenizer, which folds its case."""
    if text.isascii():
        return text
    # Decomposed, so that marks fall away; composed again, for Hangul and kana.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", text).casefold().translate(_FOLDING))


def indexed(text: str) -> str:
    """`text` as it goes into the index, and as a question must be put to it."""
    cut = text[:_LONGEST_INDEXED].replace("\0", " ")
    # Folding costs as much as the rest of what is done for a message, and most messages are ASCII.
    return cut if cut.isascii() else _SINGLE.sub(r" \1 ", folded(cut))


def words_of(content: Content) -> str:
    """What a message is found by: its words, and of a file both caption and name."""
    if isinstance(content, Media):
        return f"{content.caption} {content.filename}" if content.caption and content.filename else content.caption or content.filename
    return plain_text(content)
