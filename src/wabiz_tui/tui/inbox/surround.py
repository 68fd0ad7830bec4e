"""The frame around the work on the screen: which panes stand; views, alarm, hints or a notice, status; head and contact of a talk."""

from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.wording import frame, talk
from wabiz_tui.tui.wording.person import person_lines
from wabiz_tui.tui.wording.spans import Line

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen

NOTICE_SECONDS: Final = 6.0
NARROW_BELOW: Final = 100
WIDE_FROM: Final = 160
INFO_FROM: Final = 120
"""Columns below which queue and talk take turns, and from which the contact stands beside them, and wider."""


def classes_at(width: int) -> dict[str, bool]:
    """Which classes of the style sheet a screen of so many columns has, while nobody asked for another form."""
    return {"-narrow": width < NARROW_BELOW, "-wide": width >= WIDE_FROM, "-info": width >= INFO_FROM}


class Surround:
    """Draws from what the screen knows; a notice stands in the place of the hints for a while."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen
        self._notice: tuple[str, str] | None = None
        self._timer: Timer | None = None

    def place(self) -> None:
        """Which panes stand, by the width and by what is open."""
        screen = self.screen
        by_width = classes_at(screen.size.width)
        if screen.wants_info is not None:
            by_width["-info"] = screen.wants_info
        for name, is_set in (by_width | {"-talking": screen.conversation is not None}).items():
            screen.set_class(is_set, name)

    def draw(self) -> None:
        """The frame around the work, from what is known."""
        screen = self.screen
        if not screen.is_mounted:
            return
        width, now, status = screen.size.width, screen.now(), screen.reading.status
        screen.query_one("#views", Lines).show([frame.views_bar(screen.shown_view, screen.reading.counts, status, width)])
        alarm = frame.banner(status, width, now)
        screen.set_class(alarm is not None, "-alarm")
        screen.query_one("#banner", Lines).show([alarm] if alarm is not None else [])
        screen.query_one("#status", Lines).show([frame.status_line(status, width, now)])
        self.draw_hints()
        self.draw_talk()

    def draw_talk(self) -> None:
        """Head and contact of the open talk, and whether it may be written to."""
        screen = self.screen
        page, status, now = screen.reading.page, screen.reading.status, screen.now()
        if page is None or screen.conversation is None:
            return
        screen.head.show([talk.talk_head(page, status, max(1, screen.head.size.width), now)])
        screen.person.show(person_lines(page, status, max(1, screen.person.size.width), now))
        screen.composer.set_shut(talk.shut_sentence(page.conversation, now))

    def draw_hints(self) -> None:
        width, hints = self.screen.size.width, self.screen.query_one("#hints", Lines)
        lines = [self._hint_line(width)] if self._notice is None else frame.notice(*self._notice, width)
        if hints.styles.height is None or hints.styles.height.value != len(lines):
            hints.styles.height = len(lines)
        hints.show(lines)

    def _hint_line(self, width: int) -> Line:
        if self.screen.composer.has_focus:
            return frame.hints(frame.COMPOSER_HINTS, width)
        if self.screen.finding.is_open:
            return frame.hints(frame.HIT_HINTS, width)
        return frame.hints(frame.INBOX_HINTS if self.screen.conversation is None else frame.TALK_HINTS, width)

    def say(self, sentence: str, role: str) -> None:
        self._notice = (sentence, role)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.screen.set_timer(NOTICE_SECONDS, self._unsay)
        self.draw_hints()

    def _unsay(self) -> None:
        self._notice = None
        self.draw_hints()
