"""Columns on terminals that count otherwise."""

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.text import safe_line
from wabiz_tui.tui.align import aligned
from wabiz_tui.tui.wording.spans import cell_width, clip, fit, wrap


@pytest.mark.parametrize("text", ["👨‍👩‍👧", "नमस्ते, क्या", "🇬🇧", "👍🏽 ok", "é", "ក្រុង", "❤️"])
def test_what_follows_stands_where_it_should(text: str) -> None:
    """After text that this terminal draws in another width, the next column is still the right one."""
    screen = pyte.Screen(40, 2)
    pyte.Stream(screen).feed(aligned(f"\x1b[1;3H{fit(text, 20)}|end"))

    assert screen.buffer[0][22].data == "|"
    assert screen.buffer[0][25].data == "d"


def test_plain_output_is_not_touched() -> None:
    """Output without disputed characters goes out as it is."""
    output = "\x1b[1;1H\x1b[38;5;79mAna ✓✓ 你好 Ελλ\x1b[0m\r\nmore"

    assert aligned(output) == output


@given(st.text(max_size=30), st.integers(min_value=1, max_value=20))
def test_fit_is_exact(raw: str, width: int) -> None:
    """Cutting and padding gives exactly the width, by the same table as Textual's."""
    text = safe_line(raw)

    assert cell_width(fit(text, width)) == width
    assert cell_width(clip(text, width)) <= width


@given(st.text(st.sampled_from("ab  \n你👍🏽éनमस्ते"), max_size=80), st.integers(min_value=2, max_value=20))
def test_wrapped_lines_fit_and_lose_nothing(raw: str, width: int) -> None:
    """Every wrapped line fits, and all that is not blank is still there."""
    text = safe_line(raw)
    lines = wrap(text, width)

    assert all(cell_width(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
