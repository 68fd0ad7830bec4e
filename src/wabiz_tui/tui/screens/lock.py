"""The locked screen: blank but for who, why and how."""

from time import monotonic
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from wabiz_tui.model.desk import DeskStatus
from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.wording.unlocking import ended_frame, lock_frame

GRACE_SECONDS = 0.8


class Standing(Screen[None]):
    """A screen that stands instead of the inbox: a few lines and two keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", show=False),
        Binding("q", "leave", show=False),
    ]

    class GoOn(Message):
        pass

    class Leave(Message):
        pass

    def __init__(self, status: DeskStatus, reason: str = "") -> None:
        super().__init__()
        self.status, self.reason = status, reason
        self._stands_since: float | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="frame")

    def on_mount(self) -> None:
        self._stands_since = monotonic()
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        if self.is_current:
            self.query_one("#frame", Lines).show(lock_frame(self.status, self.size.width, self.size.height, reason=self.reason))

    def action_go_on(self) -> None:
        self.post_message(self.GoOn())

    def action_leave(self) -> None:
        # It comes unasked, perhaps in the middle of a word with a q in it.
        if self._stands_since is not None and monotonic() - self._stands_since < GRACE_SECONDS and self.reason != "asked":
            return
        self.post_message(self.Leave())


class Locked(Standing):
    """Shown from the moment the desk is locked; Enter leads to the unlock screen."""


class Ended(Standing):
    """The desk's process is gone: what was on the screen is no longer true."""

    def _draw(self) -> None:
        if self.is_current:
            self.query_one("#frame", Lines).show(ended_frame(self.size.width, self.size.height, self.reason))
