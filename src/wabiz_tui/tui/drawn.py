"""A widget that shows lines: it is told new ones and redraws only the rows that changed."""

from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from wabiz_tui.tui.paper import Paper, paper_for
from wabiz_tui.tui.wording.spans import Line, line


class Drawn(Widget):
    """Draws `line_at(y)` for each of its rows; knows what stands on the screen, so that `redraw` sends what differs and no more."""

    ground = "base"
    wide = high = 0
    """The size in cells, kept here because Textual works it out anew whenever it is asked."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        # Here, since a widget may be drawn before it is told that it is mounted.
        self._shown: list[Line] = []

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._forget)

    def measured(self) -> None:
        """The size is known, or another than it was."""

    @property
    def paper(self) -> Paper:
        return paper_for(self.app.theme)

    def line_at(self, y: int) -> Line:
        """The line of row `y` of the widget."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        if y >= self.high:
            # Drawn before this widget is told that it has grown: what stood here when it was as large has gone.
            del self._shown[y:]
            return Strip([Segment(" " * self.wide, self.paper.style("text", self.ground))])
        shown = self.line_at(y)
        while len(self._shown) <= y:
            self._shown.append(line(ground=self.ground))
        self._shown[y] = shown
        return self.paper.strip(shown, self.wide)

    def redraw(self) -> None:
        """Refresh the rows whose line is no longer the one that stands there."""
        if not self.is_mounted:
            return
        for y in range(self.high):
            if y >= len(self._shown) or self._shown[y] != self.line_at(y):
                self.refresh(Region(0, y, self.wide, 1))

    def on_resize(self) -> None:
        self.wide, self.high = self.size
        self.measured()
        # Textual draws a widget of another size anew by itself; only what was drawn before the size was known here differs.
        self.redraw()

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def _forget(self, theme: Theme) -> None:
        self._shown = []
        self.refresh()


class Lines(Drawn):
    """Still lines, given from outside."""

    class Measured(Message):
        """The size is another than it was: lines made for the old one may not fill it."""

        def __init__(self, lines: "Lines") -> None:
            super().__init__()
            self.lines = lines

        @property
        def control(self) -> "Lines":
            return self.lines

    def __init__(self, *, id: str | None = None, ground: str = "base", classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.ground = ground
        self.lines: list[Line] = []

    def measured(self) -> None:
        self.post_message(self.Measured(self))

    def show(self, lines: list[Line]) -> None:
        self.lines = lines
        self.redraw()

    def line_at(self, y: int) -> Line:
        return self.lines[y] if y < len(self.lines) else line(ground=self.ground)
