"""A field and what matches it: the palette of actions, finding messages, finding a conversation."""

from collections.abc import Awaitable, Callable
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input
from textual.worker import Worker

from wabiz_tui.model.errors import WabizError
from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.typeahead import TakesText
from wabiz_tui.tui.wording.spans import Line, Span, clip_spans, line, spread


class Match(NamedTuple):
    """A line of the list: what is at its left and right, and the value it answers with."""

    value: str
    left: tuple[Span, ...]
    right: tuple[Span, ...] = ()


Search = Callable[[str], Awaitable[list[Match]]]


class Finder(TakesText, ModalScreen[str | None]):
    """Answers with the value of the match, or None. `search` is asked after every letter; only its last answer counts."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n,ctrl+j", "move(1)", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
        Binding("escape", "leave", show=False, priority=True),
    ]

    def __init__(self, title: str, hint: str, search: Search) -> None:
        super().__init__()
        self.heading, self.hint, self.search = title, hint, search
        self.matches: list[Match] = []
        self.at = self.top = 0
        self.said = ""
        self._looking: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="float finder"):
            yield Lines(id="heading", ground="float")
            yield Input(placeholder=self.hint, id="words", compact=True, select_on_focus=False)
            yield Lines(id="matches", ground="float")

    def on_mount(self) -> None:
        self.query_one("#heading", Lines).show([line(ground="float"), line(Span("  "), Span(self.heading, "title"), ground="float")])
        self._look("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._look(event.value)

    @property
    def takes_keys(self) -> bool:
        return isinstance(self.focused, Input)

    @property
    def is_writing(self) -> bool:
        return self.takes_keys

    @property
    def takes_choice(self) -> bool:
        """Whether the matches shown are those of the words typed."""
        return self._looking is None or self._looking.is_finished

    def _look(self, words: str) -> None:
        self._looking = self.run_worker(self._fetch(words), exclusive=True, group="finder")

    async def _fetch(self, words: str) -> None:
        try:
            self.matches, self.said = await self.search(words), "" if words else self.hint
        except WabizError as error:
            self.matches, self.said = [], error.sentence
        self.at = self.top = 0
        self._draw()

    def _draw(self) -> None:
        box = self.query_one("#matches", Lines)
        width, height = box.size.width, max(1, box.size.height)
        self.top = min(max(self.top, self.at - height + 1), self.at)
        lines: list[Line] = []
        for number, match in enumerate(self.matches[self.top : self.top + height], start=self.top):
            is_here = number == self.at
            left = [Span("▌ " if is_here else "  ", "accent"), *match.left]
            right = [*match.right, Span("  ")]
            lines.append(spread(left, right, width, ground="selected" if is_here else "float"))
        if not self.matches:
            words = self.query_one(Input).value
            lines = [
                line(
                    *clip_spans([Span("  "), Span("Nothing matches." if words and not self.said else self.said, "muted")], width),
                    ground="float",
                )
            ]
        box.show(lines)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def action_move(self, step: int) -> None:
        self.at = max(0, min(len(self.matches) - 1, self.at + step))
        self._draw()

    @on(Input.Submitted)
    def _chosen(self) -> None:
        if self.matches:
            self.dismiss(self.matches[self.at].value)

    def action_leave(self) -> None:
        self.dismiss(None)
