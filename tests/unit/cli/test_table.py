"""Tables in the width of a terminal, whatever stands in them."""

from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.cli.table import GAP, Layout
from wabiz_tui.model.text import safe_line
from wabiz_tui.tui.wording.spans import cell_width

CELLS = st.text(max_size=60).map(safe_line)
ID = "01a2" * 8


@given(
    rows=st.integers(1, 6).flatmap(lambda columns: st.lists(st.lists(CELLS, min_size=columns, max_size=columns), min_size=1, max_size=4)),
    width=st.integers(24, 140),
)
def test_no_line_is_wider_than_the_terminal(rows: list[list[str]], width: int) -> None:
    """Whatever the cells hold, wide, joined or hostile characters too, and every column stands in its place."""
    layout = Layout([f"c{index}" for index in range(len(rows[0]))], rows, width)

    lines = [line for row in rows for line in layout.lines(row)]

    assert layout.width <= width
    assert all(cell_width(line) <= layout.width for line in lines)


@given(row=st.lists(CELLS, min_size=3, max_size=3), width=st.integers(24, 140))
def test_nothing_of_a_cell_is_lost_by_wrapping(row: list[str], width: int) -> None:
    """Every character of every cell but the spaces is on the screen."""
    layout = Layout(("a", "b", "c"), [row], width)

    shown = "".join(layout.lines(row))

    assert sorted(shown.replace(" ", "")) == sorted("".join(row).replace(" ", ""))


def test_a_time_is_not_wrapped_while_the_others_have_room() -> None:
    """A long name gives way before a column of times does."""
    row = (ID, "Maximiliane Augusta", "2026-11-22 22:08")
    layout = Layout(("conversation", "name", "last"), [row], len(ID) + 2 * GAP + 16 + 11)

    assert list(layout.lines(row)) == [f"{ID}  Maximiliane  2026-11-22 22:08", f"{'':32}  Augusta"]


def test_only_the_first_id_is_kept_whole() -> None:
    """A second id beside it is for programs, and gives way like any other cell."""
    row = (ID, "b" * 32, "words and more words")
    layout = Layout(("message", "conversation", "text"), [row], 60)

    first = next(iter(layout.lines(row)))
    assert first.startswith(f"{ID}  bb")
    assert "b" * 32 not in first
