"""Tells the desk what the agent does at the open talk, and shows above the composer who else is there."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from wabiz_tui.model.desk import DeskEvent
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.work import Doing

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen

TYPING_EVERY: Final = timedelta(seconds=2)
"""Between two words of typing, well below those after which the desk no longer believes in it."""


class Company:
    """Nothing waits for it and nothing that fails is said: it is a courtesy between colleagues."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen
        self._at: str | None = None
        self._typed_at: datetime | None = None

    def move_to(self, conversation: str | None) -> None:
        """Another talk stands open, or none."""
        if self._at is not None and self._at != conversation:
            self._start(self._at, "left")
        if self._at != conversation:
            self.screen.composer.set_company([])
        self._at = conversation
        self.look()

    def look(self) -> None:
        """The agent looks, and types no more; said again with every tick."""
        self._typed_at = None
        if self._at is not None:
            self._start(self._at, "viewing")

    def tick(self) -> None:
        if not self._has_just_typed:
            self.look()

    def typed(self) -> None:
        if self._at is None or self._has_just_typed:
            return
        self._typed_at = self.screen.now()
        self._start(self._at, "typing")

    @property
    def _has_just_typed(self) -> bool:
        # Both ends: a clock that was set back must not silence the agent.
        return self._typed_at is not None and timedelta() <= self.screen.now() - self._typed_at < TYPING_EVERY

    def heard(self, event: DeskEvent) -> None:
        if self._at is not None and self._at in event.conversations:
            self.screen.composer.set_company(event.others)

    def _start(self, conversation: str, doing: Doing) -> None:
        self.screen.run_worker(self._say(conversation, doing), group="company")

    async def _say(self, conversation: str, doing: Doing) -> None:
        try:
            others = await self.screen.desk.watch(conversation, doing)
        except WabizError:
            # The screen learns of a lost or locked desk from its events.
            return
        if conversation == self._at and doing != "left":
            self.screen.composer.set_company(others)
