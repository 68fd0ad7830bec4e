"""The talk: laid out in lines, one message under the cursor, earlier pages fetched as the top comes near."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from textual import events
from textual.message import Message as Fact

from wabiz_tui.model.desk import Earlier, TimelinePage
from wabiz_tui.model.values import Message
from wabiz_tui.tui.drawn import Drawn
from wabiz_tui.tui.wording.bubbles import Laid
from wabiz_tui.tui.wording.rows import name_of
from wabiz_tui.tui.wording.spans import Line, Span, line

PAGE: Final = 50
NEAR: Final = 20
"""Lines from the top at which the page before is asked for."""


class Timeline(Drawn, can_focus=True):
    """Shows one conversation. The view stays where it is when messages come, unless it stands at the end."""

    class EarlierWanted(Fact):
        pass

    def __init__(self, now: Callable[[], datetime], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.now = now
        self.laid = Laid()
        self._clear()

    def _clear(self) -> None:
        self.messages: list[Message] = []
        self.conversation, self.contact = "", ""
        self.first_unread: str | None = None
        self.cursor: str | None = None
        self.has_earlier = self._is_asking = False
        self.earlier: Earlier = "none"
        self.unfolded: frozenset[str] = frozenset()
        self.top, self.is_at_end = 0, True

    @property
    def current(self) -> Message | None:
        return next((message for message in self.messages if message.id == self.cursor), None)

    def begin(self, page: TimelinePage) -> None:
        """Another conversation: at its first unread message, else at its end."""
        self._clear()
        self.conversation, self.contact = page.conversation.id, name_of(page.conversation)
        self.first_unread, self.has_earlier, self.earlier = page.first_unread, page.has_earlier, page.earlier
        self.messages = list(page.messages)
        self.cursor = page.first_unread if any(each.id == page.first_unread for each in self.messages) else self._last_id()
        self._lay()
        self._go_to_begin()
        self.redraw()

    def clear(self) -> None:
        self._clear()
        self._lay()
        self.redraw()

    def put_newest(self, page: TimelinePage) -> None:
        """The end of the conversation as it is now; what stands before it stays."""
        if page.conversation.id != self.conversation:
            return
        was_last = self.cursor == self._last_id()
        if not self.messages or (self.earlier != "none" and page.earlier != "none"):
            # The hub is there again, or no more.
            self.has_earlier, self.earlier = page.has_earlier, page.earlier
        begins = page.messages[0].id if page.messages else ""
        known = {message.id for message in page.messages}
        before = [each for each in self.messages if each.id not in known and (each.sent_at, each.id) < _place(page.messages, begins)]
        self.messages = before + list(page.messages) if page.has_earlier else list(page.messages)
        if was_last or self.current is None:
            self.cursor = self._last_id()
        self._lay()
        if self.is_at_end:
            self.top = self._last_top()
        self.redraw()

    def put_earlier(self, page: TimelinePage) -> None:
        """The page before; what is seen does not move."""
        self._is_asking = False
        if page.conversation.id != self.conversation:
            return
        self.has_earlier, self.earlier = page.has_earlier, page.earlier
        below = len(self.laid.lines) - self.top
        known = {message.id for message in self.messages}
        self.messages = [each for each in page.messages if each.id not in known] + self.messages
        self._lay()
        self.top = max(0, len(self.laid.lines) - below)
        self.redraw()

    def _lay(self) -> None:
        self.laid.lay(
            self.messages,
            max(20, self.wide),
            self.now(),
            contact=self.contact,
            first_unread=self.first_unread,
            unfolded=self.unfolded,
            beyond=self.earlier,
        )

    def _last_id(self) -> str | None:
        return self.messages[-1].id if self.messages else None

    def _last_top(self) -> int:
        return max(0, len(self.laid.lines) - self.high)

    def _go_to_begin(self) -> None:
        self.top = self._last_top()
        if self.first_unread in self.laid.starts:
            # Two lines above: the separator stands there.
            self.top = min(self.top, max(0, self.laid.starts[self.first_unread][0] - 4))
        self._settle()

    def _settle(self) -> None:
        self.top = max(0, min(self.top, self._last_top()))
        self.is_at_end = self.top >= self._last_top()
        is_wanted = (self.top < NEAR and self.has_earlier) or (self.top == 0 and self.earlier == "unreachable")
        if is_wanted and not self._is_asking and self.messages:
            self._is_asking = True
            self.post_message(self.EarlierWanted())

    def line_at(self, y: int) -> Line:
        # A short talk stands at the bottom, beside the composer.
        at = self.top + y - max(0, self.high - len(self.laid.lines))
        if not 0 <= at < len(self.laid.lines):
            return line()
        shown = self.laid.lines[at]
        if self.laid.owners[at] is None or self.laid.owners[at] != self.cursor or not self.has_focus:
            return shown
        return Line((Span("▌", "accent"), *_without_first_cell(shown.spans)), shown.ground)

    def move(self, step: int) -> None:
        """The cursor `step` messages on; a message taller than the screen is scrolled through first."""
        if not self.messages:
            return
        at = next((number for number, each in enumerate(self.messages) if each.id == self.cursor), len(self.messages) - 1)
        begin, end = self.laid.starts.get(self.messages[at].id, (0, 0))
        half = max(1, self.high // 2)
        if step > 0 and end > self.top + self.high:
            self.scroll_lines(half)
            return
        if step < 0 and begin < self.top:
            self.scroll_lines(-half)
            return
        self.cursor = self.messages[max(0, min(len(self.messages) - 1, at + step))].id
        self._show_cursor()

    def scroll_lines(self, count: int) -> None:
        self.top += count
        self._settle()
        self.redraw()

    def half(self, sign: int) -> None:
        """Half a page on, the cursor with it."""
        self.page(sign, self.high // 2)

    def page(self, sign: int, height: int) -> None:
        height = max(1, height)
        was = self.top
        self.top += sign * height
        self._settle()
        if self.top == was:
            self.cursor = (self.messages[-1] if sign > 0 else self.messages[0]).id if self.messages else None
        else:
            seen = [owner for owner in self.laid.owners[self.top : self.top + self.high] if owner is not None]
            if seen and self.cursor not in seen:
                self.cursor = seen[0] if sign > 0 else seen[-1]
        self.redraw()

    def to_end(self, *, is_top: bool) -> None:
        if self.messages:
            self.cursor = self.messages[0 if is_top else -1].id
            self.top = 0 if is_top else self._last_top()
            self._settle()
            self.redraw()

    def _show_cursor(self) -> None:
        begin, end = self.laid.starts.get(self.cursor or "", (0, 0))
        height = self.high
        if begin < self.top:
            self.top = max(0, min(begin - 1, end - height // 2))
        elif end > self.top + height:
            self.top = min(begin - 1, end - height // 2) if end - begin < height else begin
        if self.cursor == self._last_id():
            self.top = max(self.top, self._last_top()) if end - begin < height else self.top
        self._settle()
        self.redraw()

    def toggle_fold(self) -> None:
        """Show all lines of the message under the cursor, or fold it again."""
        if self.cursor is not None:
            self.unfolded = self.unfolded ^ {self.cursor}
            self._lay()
            self._show_cursor()

    def step(self, verb: str) -> None:
        """One of the moves of the key map: next, previous, half_down …"""
        match verb:
            case "next" | "previous":
                self.move(1 if verb == "next" else -1)
            case "half_down" | "half_up":
                self.half(1 if verb == "half_down" else -1)
            case "page_down" | "page_up":
                self.page(1 if verb == "page_down" else -1, self.high - 2)
            case _:
                self.to_end(is_top=verb == "top")

    def measured(self) -> None:
        was_at_end = self.is_at_end
        self._lay()
        if was_at_end:
            self.top = self._last_top()
            if self.first_unread in self.laid.starts and self.cursor == self.first_unread:
                self._go_to_begin()
        self._settle()

    def tick(self) -> None:
        """Time went on: days and ages may read otherwise."""
        self._lay()
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        at = self.top + event.y - max(0, self.high - len(self.laid.lines))
        if 0 <= at < len(self.laid.owners) and self.laid.owners[at] is not None:
            self.cursor = self.laid.owners[at]
            self.redraw()

    def on_mouse_scroll_down(self) -> None:
        self.scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_lines(-3)


def _place(messages: list[Message], identifier: str) -> tuple[datetime, str]:
    first = next(each for each in messages if each.id == identifier)
    return first.sent_at, first.id


def _without_first_cell(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans of a line whose first cell is the gutter (always a blank of its own making)."""
    first, *rest = spans
    return (first._replace(text=first.text[1:]), *rest)
