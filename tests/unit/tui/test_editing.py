"""The composer's text and cursor, without a screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.tui.conversation.editing import Buffer
from wabiz_tui.tui.wording.spans import cell_width

VERBS = (
    "left", "right", "word_left", "word_right", "line_begin", "line_end", "delete_left", "delete_right", "kill_word", "kill_begin",
    "kill_end", "yank",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "cursor", "verbs", "shown"),
    [
        ("one two", 7, ["kill_word"], "one |"),
        ("one two", 7, ["word_left", "kill_end"], "one |"),
        ("one two", 3, ["kill_begin", "line_end", "yank"], " twoone|"),
        ("a\nb", 3, ["line_begin", "delete_left"], "a|b"),
        ("a\nb", 1, ["kill_end"], "a|b"),
        ("👨‍👩‍👧x", 6, ["left", "delete_left"], "|x"),
        ("e\u0301", 2, ["delete_left"], "|"),
        ("", 0, ["delete_left", "delete_right", "left", "right", "kill_word", "kill_begin", "kill_end", "yank"], "|"),
        ("one two", 0, ["word_right", "word_right"], "one two|"),
    ],
)
def test_readline(text: str, cursor: int, verbs: list[str], shown: str) -> None:
    """The moves and cuts do what readline's do, whole characters at a time."""
    buffer = Buffer(text)
    buffer.cursor = cursor
    for verb in verbs:
        assert buffer.edit(verb)

    assert f"{buffer.text[: buffer.cursor]}|{buffer.text[buffer.cursor :]}" == shown


def test_pasted_controls_are_dropped() -> None:
    """A paste brings its words and line breaks, and nothing a terminal obeys."""
    buffer = Buffer("a")
    buffer.insert("\x1b[31mred\r\nb\tc\x07\u202e\ud800")

    assert buffer.text == "a[31mred\nb    c"


@given(st.text(st.sampled_from("ab  \n你👍🏽é"), max_size=60), st.lists(st.sampled_from(VERBS), max_size=20), st.integers(2, 12))
def test_cursor_stays_in_the_text_and_rows_cover_it(text: str, verbs: list[str], width: int) -> None:
    """Whatever is done, the cursor is in the text, the rows hold all of it in order, each within the width."""
    buffer = Buffer(text)
    for verb in verbs:
        buffer.edit(verb)
        assert 0 <= buffer.cursor <= len(buffer.text)
    rows = buffer.rows(width)

    assert "\n".join(buffer.text.split("\n")).replace("\n", "") == "".join(buffer.text[row.begin : row.end] for row in rows).replace(
        "\n", ""
    )
    assert all(cell_width(buffer.text[row.begin : row.end]) <= width for row in rows)
    number, cell = buffer.place(rows)
    assert 0 <= number < len(rows)
    assert cell <= width


def test_up_and_down_keep_the_cell() -> None:
    """Moving a row up and down comes back to the same place."""
    buffer = Buffer("first line\nsecond\nthird line")

    assert buffer.move_row(-1, 40)
    assert buffer.text[: buffer.cursor].endswith("second")
    assert buffer.move_row(-1, 40)
    assert not buffer.move_row(-1, 40)
