"""Choose one of a few: by its key, or by moving and Enter."""

from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.wording.spans import Span, fit, line


class Choice(NamedTuple):
    key: str
    title: str
    value: str
    note: str = ""


class Choose(ModalScreen[str | None]):
    """Answers with the value of the choice, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("enter", "choose", show=False),
        Binding("escape,q", "leave", show=False),
    ]

    def __init__(self, title: str, choices: list[Choice], *, at: str | None = None) -> None:
        """The cursor begins at the choice with the value `at`."""
        super().__init__()
        self.heading, self.choices = title, choices
        self.at = next((number for number, choice in enumerate(choices) if choice.value == at), 0)

    def compose(self) -> ComposeResult:
        yield Lines(id="choices", ground="float", classes="float")

    def on_mount(self) -> None:
        box = self.query_one("#choices", Lines)
        box.styles.height = len(self.choices) + 4
        self._draw()

    def _draw(self) -> None:
        lines = [line(ground="float"), line(Span("  "), Span(self.heading, "title"), ground="float")]
        for number, choice in enumerate(self.choices):
            is_here = number == self.at
            spans = [
                Span("▌ " if is_here else "  ", "accent"),
                Span(fit(choice.key, 3), "key"),
                Span(fit(choice.title, 20)),
                Span(choice.note, "muted"),
            ]
            lines.append(line(*spans, ground="selected" if is_here else "float"))
        self.query_one("#choices", Lines).show(lines)

    def action_move(self, step: int) -> None:
        self.at = (self.at + step) % len(self.choices)
        self._draw()

    def action_choose(self) -> None:
        self.dismiss(self.choices[self.at].value)

    def action_leave(self) -> None:
        self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        chosen = next((choice for choice in self.choices if choice.key == event.character), None)
        if chosen is not None:
            event.stop()
            self.dismiss(chosen.value)
