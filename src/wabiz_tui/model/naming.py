"""Names that people give to labels, teams and fields: one spelling and one key for what looks the same."""

import unicodedata

from wabiz_tui.model.errors import BadInput

_JOINERS = "\u200c\u200d"


def spelled(text: str, *, limit: int, what: str) -> str:
    """The name in NFC, trimmed, with single spaces between its words. Raises BadInput, which names `what` and never the text."""
    if len(text) > 4 * limit:
        raise BadInput(f"A {what} has at most {limit} characters.")
    # Spaces alone: of tabs and line breaks the name is refused, not mended.
    name = " ".join(word for word in unicodedata.normalize("NFC", text).split(" ") if word)
    if not name.strip(_JOINERS):
        raise BadInput(f"A {what} must not be empty.")
    if len(name) > limit:
        raise BadInput(f"A {what} has at most {limit} characters.")
    if any(_is_hidden(character) for character in name):
        raise BadInput(f"A {what} is one line without control characters.")
    return name


def name_key(name: str) -> str:
    """By which two spellings are the same name: canonical caseless matching (Unicode 16, section 3.13, D145)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _is_hidden(character: str) -> bool:
    """Control, format, unassigned and surrogate characters, and breaks of lines; joiners are part of words and emoji."""
    return character not in _JOINERS and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")
