"""The queue: rows of a view, fetched in pages as they come into sight, drawn line by line."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from textual import events
from textual.geometry import Region
from textual.message import Message

from wabiz_tui.model.desk import QueuePage, View
from wabiz_tui.model.values import Conversation
from wabiz_tui.tui.drawn import Drawn
from wabiz_tui.tui.wording.frame import empty_state
from wabiz_tui.tui.wording.rows import row_line, row_pair
from wabiz_tui.tui.wording.spans import Line, Span, line

PAGE: Final = 100
ONE_LINE_FROM: Final = 60
"""A pane of at least this many cells shows a conversation on one line, a narrower one on two."""


class Queue(Drawn, can_focus=True):
    """Shows what it is given; asks for pages it lacks. The cursor stays with its conversation when rows move."""

    class PageWanted(Message):
        def __init__(self, offset: int) -> None:
            super().__init__()
            self.offset = offset

    class Chosen(Message):
        def __init__(self, conversation: str) -> None:
            super().__init__()
            self.conversation = conversation

    def __init__(self, now: Callable[[], datetime], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.now, self.me = now, ""
        self.row_height = self.room = 1
        self.rows: dict[int, Conversation] = {}
        self.total = self.cursor = self.top = 0
        self.view: View = "open"
        self._wanted: set[int] = set()

    def measured(self) -> None:
        self.row_height = 1 if self.wide >= ONE_LINE_FROM else 2
        self.room = max(1, self.high // self.row_height)
        self._keep_in_sight()

    @property
    def current(self) -> Conversation | None:
        return self.rows.get(self.cursor)

    def begin(self, page: QueuePage, view: View, me: str) -> None:
        """Another view: the cursor at its top."""
        self.view = view
        self.me, self.cursor, self.top = me, 0, 0
        self.rows, self.total, self._wanted = {}, 0, set()
        self.put(page)

    def put(self, page: QueuePage) -> None:
        """Take a page of the view in; the cursor stays where it is in the order (`follow` moves it)."""
        self._wanted.discard(page.offset)
        self.total = page.total
        self.rows = {at: row for at, row in self.rows.items() if at < page.total}
        self.rows.update(enumerate(page.rows, start=page.offset))
        self.cursor = min(self.cursor, max(0, self.total - 1))
        self._keep_in_sight()
        self.redraw()

    def follow(self, conversation: str | None) -> None:
        """Put the cursor where `conversation` stands now, if it is among the rows at hand."""
        at = next((at for at, row in self.rows.items() if row.id == conversation), None)
        if at is not None and at != self.cursor:
            self.cursor = at
            self._keep_in_sight()
            self.redraw()

    def neighbour(self, conversation: str, step: int = 1) -> Conversation | None:
        """The row `step` after (or before) the one of `conversation`; the other side where there is none."""
        at = next((at for at, row in self.rows.items() if row.id == conversation), None)
        if at is None:
            return self.current
        return self.rows.get(at + step) or self.rows.get(at - step)

    def offsets_in_sight(self) -> list[int]:
        """Pages that the screen needs, the first one always among them."""
        first, last = self.top // PAGE, (self.top + self.room) // PAGE
        return sorted({number * PAGE for number in range(first, last + 1) if number * PAGE < max(1, self.total)} | {0})

    def move(self, step: int) -> None:
        self.move_to(self.cursor + step)

    def move_to(self, at: int) -> None:
        at = max(0, min(self.total - 1, at))
        if at == self.cursor or not self.total:
            return
        was, was_top = self.cursor, self.top
        self.cursor = at
        self._keep_in_sight()
        if self.top == was_top:
            self._refresh_rows(was, at)
        else:
            self.refresh()

    def _refresh_rows(self, *numbers: int) -> None:
        for number in numbers:
            self.refresh(Region(0, (number - self.top) * self.row_height, self.wide, self.row_height))

    def _keep_in_sight(self) -> None:
        """Jump half a page when the cursor leaves the view: one repaint for many moves."""
        last_top = max(0, self.total - self.room)
        if not self.top <= self.cursor < self.top + self.room:
            self.top = self.cursor - self.room // 2
        self.top = max(0, min(self.top, last_top))

    def line_at(self, y: int) -> Line:
        at, part = self.top + y // self.row_height, y % self.row_height
        if at >= self.total or y >= self.room * self.row_height:
            empty = [] if self.total else empty_state(self.view, self.wide, self.high)
            return empty[y] if y < len(empty) else line()
        row = self.rows.get(at)
        if row is None:
            self._want(at)
            return line(Span("  …", "faint"))
        selected, focused = at == self.cursor, self.has_focus
        if self.row_height == 1:
            return row_line(row, self.wide, self.now(), me=self.me, is_selected=selected, is_focused=focused)
        return row_pair(row, self.wide, self.now(), me=self.me, is_selected=selected, is_focused=focused)[part]

    def _want(self, at: int) -> None:
        offset = at // PAGE * PAGE
        if offset not in self._wanted:
            self._wanted.add(offset)
            self.post_message(self.PageWanted(offset))

    def on_click(self, event: events.Click) -> None:
        at = self.top + event.y // self.row_height
        if at < self.total:
            is_again = at == self.cursor
            self.move_to(at)
            if is_again and self.current is not None:
                self.post_message(self.Chosen(self.current.id))

    def on_mouse_scroll_down(self) -> None:
        self.move(3)

    def on_mouse_scroll_up(self) -> None:
        self.move(-3)

    def step(self, verb: str) -> None:
        """One of the moves of the key map: next, previous, half_down …"""
        half = max(1, self.room // 2)
        moves = {
            "next": 1, "previous": -1, "half_down": half, "half_up": -half, "page_down": self.room, "page_up": -self.room,
            "top": -self.total, "bottom": self.total,
        }  # fmt: skip
        self.move(moves[verb])
