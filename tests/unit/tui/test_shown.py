"""What crosses the line is what is not there yet, and the screen is the same as if all of it had."""

from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.tui.test_rendition import shown as cells
from wabiz_tui.tui.shown import Shown, sent_row

ROWS, COLUMNS = 4, 24
_STYLES: tuple[str, ...] = ("\x1b[38;2;1;2;3;48;2;4;5;6m", "\x1b[1;31m", "\x1b[7m", "")


def piece(style: str, text: str) -> str:
    return f"{style}{text}\x1b[0m" if style else text


def full_row(words: Sequence[tuple[str, str]]) -> str:
    """Cells of those styles, filled to the width with the first style."""
    room, parts = COLUMNS, list[str]()
    for style, text in words:
        parts.append(piece(style, text[:room]))
        room -= len(text[:room])
    return "".join(parts) + (piece(_STYLES[0], " " * room) if room else "")


words = st.lists(st.tuples(st.sampled_from(_STYLES), st.sampled_from(["ab", "ab ", "x", "      ", "Customer 1 "])), max_size=4)
whole = st.lists(words.map(full_row), min_size=ROWS, max_size=ROWS).map(
    lambda rows: "\r\n".join(f"\x1b[{number};1H{row}" for number, row in enumerate(rows, start=1))
)
parts = st.tuples(st.integers(1, ROWS), st.integers(1, COLUMNS - 11), st.sampled_from(_STYLES), st.sampled_from(["ab", "x", "Customer 1 "]))
partial = st.lists(parts, min_size=1, max_size=3).map(
    lambda found: "".join(f"\x1b[{row};{column}H{piece(style, text)}" for row, column, style, text in found)
)
others = st.sampled_from(
    ["\x1b[?2026h", "\x1b[?2026l", "\x1b[2;3H", "\x1b[1H\x1b[2K\x1b[2H\x1b[2K", "\x1b[H\x1b[2J", "\x1b[3;2H\x1b[2X", "\x07"]
)
writes = st.lists(st.one_of(whole, partial, others), max_size=12)


@given(st.lists(whole, min_size=1, max_size=2), writes, st.lists(st.integers(0, 20), max_size=6))
@example(["\x1b[1;1H" + "ab" * 12], ["\x1b[1;3Hx", "\x1b[1;1H" + "ab" * 12], [])
def test_the_screen_is_as_if_all_had_been_written(pictures: list[str], between: list[str], again: list[int]) -> None:
    """Whole pictures, parts of them and other writes in any order, and any of them again."""
    outputs = [*pictures, *between]
    outputs += [outputs[number % len(outputs)] for number in again]
    standing = Shown()
    sent = [standing.lacks(output, columns=COLUMNS) for output in outputs]

    for end in range(1, len(outputs) + 1):
        assert cells("".join(sent[:end])) == cells("".join(outputs[:end]))


def test_nothing_is_sent_twice_in_a_row() -> None:
    """Neither a picture nor a part of the one that stands there; of another picture only the rows that differ."""
    rows = [full_row([(_STYLES[0], "one"), (_STYLES[1], "two")]), full_row([(_STYLES[0], "three")])]
    picture = f"\x1b[1;1H{rows[0]}\r\n\x1b[2;1H{rows[1]}"
    standing = Shown()
    standing.lacks(picture, columns=COLUMNS)

    assert standing.lacks(picture, columns=COLUMNS) == ""
    assert standing.lacks(f"\x1b[1;4H{piece(_STYLES[1], 'two')}", columns=COLUMNS) == ""
    assert standing.lacks(f"\x1b[1;4H{piece(_STYLES[0], 'two')}", columns=COLUMNS) != ""
    assert standing.lacks(picture, columns=COLUMNS) == f"\x1b[1;1H{rows[0]}"
    standing.forget()
    assert standing.lacks(picture, columns=COLUMNS) == picture.replace("\r\n", "")


@given(st.lists(words.map(full_row), min_size=ROWS, max_size=ROWS), st.lists(words.map(full_row), min_size=ROWS, max_size=ROWS))
def test_what_the_first_paint_put_there_is_not_sent_again(before: list[str], after: list[str]) -> None:
    """The app's first picture costs the rows that are otherwise, and looks as if it had been drawn whole."""
    painted = "\x1b[?1049h\x1b[H" + "".join(f"\x1b[{number}H{sent_row(number, row)}" for number, row in enumerate(before, start=1))
    picture = "".join(f"\x1b[{number};1H{row}" for number, row in enumerate(after, start=1))
    sent = Shown(painted + "\x1b[?2026l").lacks(picture, columns=COLUMNS)

    assert cells(painted + sent) == cells(picture)
    if before == after:
        assert sent == ""


def test_a_window_that_changes_before_the_app_draws_gets_all_of_it() -> None:
    """The first paint counts while the window has its height; after another one the same rows go out again."""
    rows = [full_row([(_STYLES[0], name)]) for name in ("one", "two", "three", "four")]
    painted = "".join(f"\x1b[{number}H{sent_row(number, row)}" for number, row in enumerate(rows, start=1))
    picture = "".join(f"\x1b[{number};1H{row}" for number, row in enumerate(rows, start=1))
    same, other = Shown(painted), Shown(painted)

    assert not any(same.resized(height) for height in (ROWS, ROWS))
    assert not any(other.resized(height) for height in (ROWS - 1, ROWS))
    assert same.lacks(picture, columns=COLUMNS) == ""
    assert other.lacks(picture, columns=COLUMNS) == picture
    assert same.resized(ROWS)
    assert same.lacks(picture, columns=COLUMNS) == picture


def test_the_width_is_counted_in_cells() -> None:
    """A row of wide characters is a whole one when it fills the screen."""
    standing = Shown()
    row = piece("\x1b[1m", "你") * (COLUMNS // 2)
    standing.lacks(f"\x1b[1;1H{row}", columns=COLUMNS)

    assert standing.lacks(f"\x1b[1;1H{row}", columns=COLUMNS) == ""
    assert standing.lacks("\x1b[1;3H" + piece("\x1b[1m", "你"), columns=COLUMNS) == ""
