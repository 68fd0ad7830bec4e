"""The keys as they are now, by what they are for."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from wabiz_tui.tui.actions import ACTIONS, GROUPS, Keymap
from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.wording.spans import Line, Span, fit, line, spans_width

READLINE = (
    ("Ctrl+A  Ctrl+E", "begin, end of line"),
    ("Ctrl+W  Ctrl+U  Ctrl+K", "cut word, to begin, to end"),
    ("Ctrl+Y", "paste what was cut"),
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
        self.keymap, self.top = keymap, 0

    def compose(self) -> ComposeResult:
        yield Lines(id="help", ground="float", classes="float")

    def on_mount(self) -> None:
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _blocks(self, width: int) -> list[list[Line]]:
        blocks: list[list[Line]] = []
        for group in GROUPS:
            block = [line(Span("  "), Span(group.upper(), "faint"), ground="float")]
            block += [
                _entry(self.keymap.shown(action.id), action.title, width)
                for action in ACTIONS
                if action.group == group and self.keymap.keys[action.id]
            ]
            if group == "Compose":
                block += [_entry(keys, title, width) for keys, title in READLINE]
            blocks.append([*block, line(ground="float")])
        return blocks

    def _draw(self) -> None:
        box = self.query_one("#help", Lines)
        width, height = box.size.width, box.size.height
        columns = 2 if width >= 96 else 1
        blocks = self._blocks(width // columns)
        lines = [each for block in blocks for each in block]
        if columns == 2:
            lines = _two_columns(blocks, width // 2)
        head = [
            line(ground="float"),
            line(Span("  "), Span("Keys", "title"), Span("   j k scroll   Esc close", "faint"), ground="float"),
            line(ground="float"),
        ]
        self.top = max(0, min(self.top, len(lines) - (height - 4)))
        box.show([*head, *lines[self.top : self.top + height - 4]])

    def action_scroll(self, count: int) -> None:
        self.top += count
        self._draw()

    def action_leave(self) -> None:
        self.dismiss(None)


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
