"""The frame around the work on the screen: views, alarm, hints or a notice, status."""

from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.wording import frame
from wabiz_tui.tui.wording.spans import Line

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen

NOTICE_SECONDS: Final = 6.0


class Surround:
    """Draws the four lines from what the screen knows; a notice stands in the place of the hints for a while."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen
        self._notice: tuple[str, str] | None = None
        self._timer: Timer | None = None

    def draw(self) -> None:
        screen = self.screen
        width, now, status = screen.size.width, screen.now(), screen.reading.status
        screen.query_one("#views", Lines).show([frame.views_bar(screen.shown_view, screen.reading.counts, status, width)])
        alarm = frame.banner(status, width, now)
        screen.set_class(alarm is not None, "-alarm")
        screen.query_one("#banner", Lines).show([alarm] if alarm is not None else [])
        screen.query_one("#status", Lines).show([frame.status_line(status, width, now)])
        self.draw_hints()

    def draw_hints(self) -> None:
        self.screen.query_one("#hints", Lines).show([self._hint_line(self.screen.size.width)])

    def _hint_line(self, width: int) -> Line:
        if self._notice is not None:
            return frame.notice(*self._notice, width)
        if self.screen.composer.has_focus:
            return frame.hints(frame.COMPOSER_HINTS, width)
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
