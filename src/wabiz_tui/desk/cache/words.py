"""Prepare text for the full-text index, and a person's words for a query on it.

The tokenizer splits at spaces, which Chinese, Japanese and Korean do not write: their characters are indexed one by one
and searched as phrases, which finds every two-character word at no cost in size (reference: limits, tokenizers).
"""

import re

_SINGLE = re.compile(
    r"([\u1100-\u11ff\u2e80-\u2fdf\u3040-\u30ff\u3100-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff])"
)
_LONGEST_INDEXED = 65_536
_MOST_TERMS = 16


def indexed(text: str) -> str:
    """`text` as it goes into the index."""
    cut = text[:_LONGEST_INDEXED].replace("\0", " ")
    # Looking for single characters costs as much as the rest of what is done for a message, and ASCII has none.
    return cut if cut.isascii() else _SINGLE.sub(r" \1 ", cut)


def match_expression(words: str) -> str | None:
    """An FTS5 expression that wants every word, the last one as a beginning; None when there is no word in it.

    Whatever is typed is data: each term is quoted, so operators and columns of the query language have no meaning."""
    terms = [_SINGLE.sub(r" \1 ", term).strip() for term in words.replace("\0", " ").split()[:_MOST_TERMS]]
    terms = [term for term in terms if any(character.isalnum() for character in term)]
    if not terms:
        return None
    quoted = ['"' + term.replace('"', '""') + '"' for term in terms]
    return " ".join(quoted) + "*"
