"""Safe text: nothing that a terminal obeys comes out, nothing is hidden, and what people write stays as it was."""

import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.text import MARKS_SHOWN, safe_line, safe_text

OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb]")
HOSTILE = st.text(
    st.one_of(
        st.characters(categories=["Cc", "Cf", "Mn", "Me", "Mc", "Cs", "Zl", "Zp"]),
        st.sampled_from("aب‍‌🇬🇧👩👧❤️🏽1#⃣\n\r é‹›\U0001f3f4\U000e0067\U000e007fकष् "),
        st.characters(),
    )
)


@given(HOSTILE)
def test_nothing_obeyed(text: str) -> None:
    """No control, bidi control, invisible character or surrogate comes out of either function."""
    assert OBEYED.search(safe_text(text)) is None
    assert OBEYED.search(safe_line(text)) is None
    assert "\n" not in safe_line(text)


@given(HOSTILE)
def test_idempotent(text: str) -> None:
    """Cleaning what is clean changes nothing, so a text that passes twice is not marked twice."""
    assert safe_text(safe_text(text)) == safe_text(text)
    assert safe_line(safe_line(text)) == safe_line(text)


@given(HOSTILE, st.integers(min_value=1, max_value=40))
def test_limit_holds(text: str, limit: int) -> None:
    """A limited line is never longer than its limit, and says … when something is missing."""
    line = safe_line(text, limit=limit)
    assert len(line) <= limit
    assert line == safe_line(text) or line.endswith("…")
    assert safe_line(line, limit=limit) == line


@given(st.text(st.characters(categories=["Mn", "Me"]), max_size=40))
def test_marks_never_pile_up(marks: str) -> None:
    """At most four combining marks stand on one base, whatever was sent."""
    shown = safe_text("e" + marks)
    longest = max((len(run) for run in "".join("m" if unicodedata.category(c)[0] == "M" else " " for c in shown).split()), default=0)
    assert longest <= MARKS_SHOWN


@pytest.mark.parametrize(
    "text",
    [
        "Hello, world! Ça va? Ελληνικά кириллица",
        "line one\nline two",
        "مرحبا كيف حالك",
        "نَعَم",
        "می‌خواهم",
        "नमस्ते दुनिया",
        "क्‍ष",
        "日本語 한국어 中文",
        "ไทย",
        "👩‍👧 ❤️ 1️⃣ 🇬🇧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏽 👁️‍🗨️",
        "[b]not markup[/b] [@click=app.quit]x[/] :smile:",
        "e\u0301",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    """Scripts, joiners where they belong, emoji and flags come out as they went in."""
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("\x9b31m", "‹CSI›31m"),
        ("a\x7f", "a␡"),
        ("abc\u202efdp.exe", "abc‹RLO›fdp.exe"),
        ("\u202e\u202e\u202ex", "‹RLO×3›x"),
        ("\x00\x00", "␀×2"),
        ("pay\u200bpal", "pay‹ZWSP›pal"),
        ("x\u200dy", "x‹ZWJ›y"),
        ("\u0301x", "◌\u0301x"),
        ("e" + "\u0301" * 9, "e" + "\u0301" * 4 + "‹+5›"),
        ("\U0001f1ec", "‹RI G›"),
        ("\ud800", "‹U+D800›"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("\U000e0041", "‹U+E0041›"),
        ("a\tb", "a␉b"),
    ],
)
def test_hostile_is_shown(text: str, shown: str) -> None:
    """What would be obeyed or unseen stands there as a mark."""
    assert safe_text(text) == shown


def test_line_marks_line_breaks() -> None:
    """A name with a line break stays one line and shows where the break was."""
    assert safe_line("Ana\nLima\r\n") == "Ana␊Lima␍␊"


@pytest.mark.parametrize("unit", ["a", "\x1b[31m", "\u0301\u0302", "\u202ea", "\U0001f1ec", "👩\u200d", "\ud800"])
def test_a_long_text_costs_no_more_a_character(unit: str) -> None:
    """Cleaning costs the same per character for 250 000 as for 15 625, and a limited line costs next to nothing."""
    small, large = unit * (15_625 // len(unit)), unit * (250_000 // len(unit))

    def seconds(clean: Callable[[], str]) -> float:
        """The best of five in time of this thread on the processor: what else the machine does is not counted."""
        spent: list[float] = []
        for _ in range(5):
            begun = time.thread_time()
            clean()
            spent.append(time.thread_time() - begun)
        return min(spent)

    assert seconds(lambda: safe_text(large)) < 16 * seconds(lambda: safe_text(small)) * 4 + 0.05
    assert seconds(lambda: safe_line(large, limit=200)) < 0.05


def test_import_is_light() -> None:
    """The cleaner stands on the start-up path: it brings neither rich nor textual nor wcwidth."""
    code = "import sys, wabiz_tui.model.text; print([m for m in ('rich', 'textual', 'wcwidth', 'msgspec') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
