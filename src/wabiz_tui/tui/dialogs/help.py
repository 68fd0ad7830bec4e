"""The keys as they are now, by what they are for."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip

from wabiz_tui.tui.actions import ACTIONS, GROUPS, Keymap
from wabiz_tui.tui.drawn import Drawn
from wabiz_tui.tui.wording.spans import Line, Span, fit, line, spans_width

READLINE = (
    ("Ctrl+A  Ctrl+E", "begin, end of line"),
    ("Ctrl+W  Ctrl+U  Ctrl+K", "cut word, to begin, to end"),
    ("Ctrl+Y", "paste what was cut"),
)
_HEAD = (
    line(ground="float"),
    line(Span("  "), Span("Keys", "title"), Span("   j k scroll   Esc close", "faint"), ground="float"),
    line(ground="float"),
)


class Help(ModalScreen[None]):
    """One column at 80 cells, two where there is room; scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
        Binding("ctrl+d,pagedown,space", "scroll(12)", show=False),
        Binding("ctrl+u,pageup", "scroll(-12)", show=False),
        Binding("escape,q,question_mark,f1,enter", "leave", show=False),
    ]

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self.keymap = keymap

    def compose(self) -> ComposeResult:
        yield _Page(self.keymap, id="help", classes="float")

    def action_scroll(self, count: int) -> None:
        self.query_one(_Page).scroll_lines(count)

    def action_leave(self) -> None:
        self.dismiss(None)


class _Page(Drawn):
    ground = "float"

    def __init__(self, keymap: Keymap, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._keymap, self._top = keymap, 0
        self._lines: list[Line] = []

    def render_line(self, y: int) -> Strip:
        if not self.high:
            # The first picture is drawn before anybody is told of a size: without words it would cross the line for nothing.
            self.wide, self.high = self.size
            self.measured()
        return super().render_line(y)

    def measured(self) -> None:
        columns = 2 if self.wide >= 96 else 1
        blocks = self._blocks(self.wide // columns)
        self._lines = _two_columns(blocks, self.wide // 2) if columns == 2 else [each for block in blocks for each in block]
        self._top = self._within(self._top)

    def line_at(self, y: int) -> Line:
        if y < len(_HEAD):
            return _HEAD[y]
        at = self._top + y - len(_HEAD)
        return self._lines[at] if at < len(self._lines) and y < self.high - 1 else line(ground="float")

    def scroll_lines(self, count: int) -> None:
        self._top = self._within(self._top + count)
        self.redraw()

    def _within(self, top: int) -> int:
        return max(0, min(top, len(self._lines) - (self.high - len(_HEAD) - 1)))

    def _blocks(self, width: int) -> list[list[Line]]:
        blocks: list[list[Line]] = []
        for group in GROUPS:
            block = [line(Span("  "), Span(group.upper(), "faint"), ground="float")]
            block += [
                _entry(self._keymap.shown(action.id), action.title, width)
                for action in ACTIONS
                if action.group == group and self._keymap.keys[action.id]
            ]
            if group == "Compose":
                block += [_entry(keys, title, width) for keys, title in READLINE]
            blocks.append([*block, line(ground="float")])
        return blocks


def _entry(keys: str, title: str, width: int) -> Line:
    return line(Span("  "), Span(fit(keys, 20), "key"), Span(fit(title, max(8, width - 24))), ground="float")


def _two_columns(blocks: list[list[Line]], width: int) -> list[Line]:
    half = sum(len(block) for block in blocks) / 2
    left: list[Line] = []
    right: list[Line] = []
    for block in blocks:
        (left if len(left) < half - 4 else right).extend(block)
    rows: list[Line] = []
    for number in range(max(len(left), len(right))):
        first = left[number].spans if number < len(left) else ()
        second = right[number].spans if number < len(right) else ()
        rows.append(Line((*first, Span(" " * max(0, width - spans_width(first))), *second), "float"))
    return rows
