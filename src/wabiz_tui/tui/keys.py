"""What happens to a key before any widget sees it: leader sequences, which Textual has not, and the report of activity."""

from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from wabiz_tui.model.errors import WabizError
from wabiz_tui.tui.actions import BY_ID
from wabiz_tui.tui.inbox.screen import InboxScreen
from wabiz_tui.tui.wording.leader import which_lines

if TYPE_CHECKING:
    from wabiz_tui.tui.app import WabizApp

WHICH_AFTER: Final = 0.4
"""Seconds after a leader key before the keys that may follow are shown."""
ACTIVITY_EVERY: Final = 10.0
"""Seconds between two reports of activity to the desk, however many keys are pressed."""


class Leader:
    """Holds the first key of a sequence until the second one comes."""

    def __init__(self, app: "WabizApp") -> None:
        self.app, self.sequences = app, app.keys.sequences()
        self.first: str | None = None
        self._timer: Timer | None = None

    def takes(self, key: str) -> bool:
        """Whether `key` begins or ends a sequence, so that nobody else gets it."""
        if self.first is not None:
            self._finish(self.first, key)
            return True
        screen = self.app.screen
        if not isinstance(screen, InboxScreen) or key not in self.sequences or screen.composer.has_focus:
            return False
        self.first = key
        self._timer = self.app.set_timer(WHICH_AFTER, self._show)
        return True

    def end(self) -> None:
        self.first = None
        if self._timer is not None:
            self._timer.stop()
        if isinstance(self.app.base, InboxScreen):
            self.app.base.remove_class("-which")

    def _finish(self, first: str, key: str) -> None:
        self.end()
        identifier = self.sequences[first].get(key)
        screen = self.app.screen
        if identifier is not None:
            self.app.action_act(identifier)
        elif key != "escape" and isinstance(screen, InboxScreen):
            screen.say(f"No action stands at {first} {key}.", "muted")

    def _show(self) -> None:
        screen = self.app.screen
        if self.first is None or not isinstance(screen, InboxScreen):
            return
        followers = [(key, BY_ID[identifier].title) for key, identifier in self.sequences[self.first].items()]
        lines = which_lines(self.first, followers, screen.size.width)
        screen.which.styles.height = len(lines)
        screen.add_class("-which")
        screen.which.show(lines)


class Activity:
    """Tells the desk that a person is at the keys, now and then, so that its idle lock counts from there."""

    def __init__(self, app: "WabizApp") -> None:
        self.app = app
        self._told_at: float | None = None

    def key_pressed(self) -> None:
        at = self.app.clock.monotonic()
        if not isinstance(self.app.base, InboxScreen) or (self._told_at is not None and at - self._told_at < ACTIVITY_EVERY):
            return
        self._told_at = at
        self.app.run_worker(self._tell, group="activity")

    async def _tell(self) -> None:
        try:
            await self.app.desk.activity()
        except WabizError:
            # The screen learns of a lost or locked desk from its events.
            return
