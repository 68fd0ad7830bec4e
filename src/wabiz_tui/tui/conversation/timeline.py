"""The talk: laid out in lines, one message under the cursor, earlier pages fetched as the top comes near."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from textual import events
from textual.message import Message as Fact

from wabiz_tui.model.desk import TimelinePage
from wabiz_tui.model.values import Message
from wabiz_tui.tui.conversation.held import Held, nearest
from wabiz_tui.tui.drawn import Drawn
from wabiz_tui.tui.wording.bubbles import Laid
from wabiz_tui.tui.wording.rows import name_of
from wabiz_tui.tui.wording.spans import Line, Span, line

PAGE: Final = 50
NEAR: Final = 20
"""Lines from either end at which the page beyond it is asked for."""


class Timeline(Drawn, can_focus=True):
    """Shows one conversation. The view stays where it is when messages come, unless it stands at the end."""

    class EarlierWanted(Fact):
        pass

    class LaterWanted(Fact):
        pass

    class EndWanted(Fact):
        """The end of the conversation, which is not among what is shown."""

    def __init__(self, now: Callable[[], datetime], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.now = now
        self.laid = Laid()
        self._clear()

    def _clear(self, held: Held | None = None) -> None:
        self.held = held or Held()
        self.contact = ""
        self.first_unread: str | None = None
        self.cursor: str | None = None
        self._is_asking = False
        self.marked: str | None = None
        self.unfolded: frozenset[str] = frozenset()
        self.top, self.is_at_end = 0, True

    @property
    def messages(self) -> list[Message]:
        return self.held.messages

    @property
    def has_later(self) -> bool:
        return self.held.has_later

    @property
    def current(self) -> Message | None:
        return next((message for message in self.messages if message.id == self.cursor), None)

    def begin(self, page: TimelinePage) -> None:
        """Another conversation: at its first unread message, else at its end."""
        self._take(page)
        self.first_unread = page.first_unread
        self.cursor = page.first_unread if any(each.id == page.first_unread for each in self.messages) else self.held.last
        self._lay()
        self._go_to_begin()
        self.redraw()

    def begin_at(self, page: TimelinePage, message: str) -> None:
        """A slice of a conversation, with the cursor and a mark at one of its messages, in the middle where there is room."""
        self._take(page)
        self.cursor = self.marked = message
        self._lay()
        self._go_to_middle()
        self.redraw()

    def _take(self, page: TimelinePage) -> None:
        self._clear(Held(page))
        self.contact = name_of(page.conversation)

    def forget_live(self) -> None:
        """Policy changed: what was read at the hub is to be asked for again."""
        self.held.forget_live()

    def unmark(self) -> None:
        self.marked = None
        self.redraw()

    def clear(self) -> None:
        self._clear()
        self._lay()
        self.redraw()

    def put(self, page: TimelinePage) -> int:
        """What is shown, as the desk holds it now; how many messages of it have gone. What is seen does not move, unless it stood at
        the end."""
        if page.conversation.id != self.held.conversation:
            return 0
        was_last, shown, row = self.cursor == self.held.last, self.messages, self._row()
        gone, kept = self.held.put(page), self.held.ids
        if self.cursor not in kept:
            self.cursor = nearest(shown, self.cursor, kept) or self.held.last
        elif was_last and self.is_at_end:
            self.cursor = self.held.last
        self._lay()
        if self.is_at_end and not self.has_later:
            self.top = self._last_top()
        else:
            self._keep_row(row)
        self.redraw()
        return gone

    def put_earlier(self, page: TimelinePage) -> None:
        """The page before; what is seen does not move."""
        self._put_beyond(page, self.held.put_earlier)

    def put_later(self, page: TimelinePage) -> None:
        """The page after; what is seen does not move."""
        self._put_beyond(page, self.held.put_later)

    def _put_beyond(self, page: TimelinePage, put: Callable[[TimelinePage], None]) -> None:
        if page.conversation.id != self.held.conversation:
            return
        row = self._row()
        put(page)
        if self.cursor not in self.held.ids:
            self.cursor = self.held.last
        self._lay()
        self._keep_row(row)
        self.redraw()

    def answered(self, conversation: str) -> None:
        """What was asked for beyond an end has come, or will not."""
        if conversation == self.held.conversation:
            self._is_asking = False

    def _row(self) -> list[tuple[str, int]]:
        """The messages in sight or below, with the row of the screen at which each begins."""
        starts = ((owner, begin - self.top) for owner, (begin, end) in self.laid.starts.items() if end > self.top)
        cursor = self.laid.starts.get(self.cursor or "", (-1, -1))[0] - self.top
        here = [(self.cursor, cursor)] if self.cursor is not None and 0 <= cursor < self.high else []
        return [*here, *starts]

    def _keep_row(self, row: list[tuple[str, int]]) -> None:
        """Scroll so that the first of these messages that is still there stands where it stood."""
        kept = self.held.ids
        at = next(((owner, begin) for owner, begin in row if owner in kept), None)
        if at is not None:
            self.top = self.laid.starts[at[0]][0] - at[1]
        self.top = max(0, min(self.top, self._last_top()))

    def _lay(self) -> None:
        self.laid.lay(
            self.messages,
            max(20, self.wide),
            self.now(),
            contact=self.contact,
            first_unread=self.first_unread,
            unfolded=self.unfolded,
            beyond=self.held.earlier,
        )

    def _last_top(self) -> int:
        return max(0, len(self.laid.lines) - self.high)

    def _go_to_begin(self) -> None:
        self.top = self._last_top()
        if self.first_unread in self.laid.starts:
            # Two lines above: the separator stands there.
            self.top = min(self.top, max(0, self.laid.starts[self.first_unread][0] - 4))
        self._settle()

    def _go_to_middle(self) -> None:
        begin, end = self.laid.starts.get(self.cursor or "", (0, 0))
        self.top = begin - max(1, (self.high - (end - begin)) // 2)
        self._settle()

    def _settle(self) -> None:
        self.top = max(0, min(self.top, self._last_top()))
        self.is_at_end = self.top >= self._last_top() and not self.has_later
        if self._is_asking or not self.messages:
            return
        if self.top < NEAR and self.held.has_earlier and self.held.earlier == "none":
            self._is_asking = True
            self.post_message(self.EarlierWanted())
        elif self.has_later and self.top > self._last_top() - NEAR:
            self._is_asking = True
            self.post_message(self.LaterWanted())

    def _look_beyond(self) -> None:
        """The reader stands at the top and wants to go on: only then the hub is asked, which logs every such reading."""
        if self.held.earlier != "none" and self.messages and not self._is_asking:
            self._is_asking = True
            self.post_message(self.EarlierWanted())

    def line_at(self, y: int) -> Line:
        # A short talk stands at the bottom, beside the composer.
        at = self.top + y - max(0, self.high - len(self.laid.lines))
        if not 0 <= at < len(self.laid.lines):
            return line()
        shown = self.laid.lines[at]
        if self.marked is not None and self.laid.owners[at] == self.marked:
            return Line((Span("▌", "warn.strong"), *_without_first_cell(shown.spans)), "selected")
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
        if at + step < 0:
            self._look_beyond()
        self.cursor = self.messages[max(0, min(len(self.messages) - 1, at + step))].id
        self._show_cursor()

    def scroll_lines(self, count: int) -> None:
        if count < 0 and self.top == 0:
            self._look_beyond()
        self.top += count
        self._settle()
        self.redraw()

    def half(self, sign: int) -> None:
        """Half a page on, the cursor with it."""
        self.page(sign, self.high // 2)

    def page(self, sign: int, height: int) -> None:
        height = max(1, height)
        was = self.top
        if sign < 0 and was == 0:
            self._look_beyond()
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
        if self.has_later and not is_top:
            self.post_message(self.EndWanted())
        elif self.messages:
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
        if self.cursor == self.held.last:
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
        if self.marked is not None and self.cursor == self.marked:
            # Opened before the pane had its size.
            self._go_to_middle()
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


def _without_first_cell(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans of a line whose first cell is the gutter (always a blank of its own making)."""
    first, *rest = spans
    return (first._replace(text=first.text[1:]), *rest)
