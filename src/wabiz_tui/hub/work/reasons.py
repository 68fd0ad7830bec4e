"""The reason somebody gives for an act, as the conversation shows it."""

from wabiz_tui.model.work import LONGEST_REASON


def short(reason: str) -> str:
    """At most LONGEST_REASON characters, on one line: a longer one is cut, since no act should fail for its reason."""
    words = " ".join(reason[: 4 * LONGEST_REASON].split())
    return words if len(words) <= LONGEST_REASON else words[: LONGEST_REASON - 1] + "…"
