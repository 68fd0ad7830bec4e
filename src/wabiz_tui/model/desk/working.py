"""The work on conversations, done at the hub."""

from datetime import datetime
from typing import Protocol

from wabiz_tui.model.acts import WorkAct, WorkDone
from wabiz_tui.model.values import Conversation
from wabiz_tui.model.work import Doing, Presence


class Working(Protocol):
    """No act is queued: without the hub each raises Unreachable."""

    async def set_status(self, conversation: str, status: str, *, until: datetime | None = None, reason: str = "") -> Conversation:
        """Resolve, reopen, snooze at the hub. Raises Unreachable: triage is not queued."""
        ...

    async def assign(self, conversation: str, person: str | None, *, expected: str | None = None) -> Conversation:
        """`person` "me" is the desk's own. Raises Conflict when somebody else was first."""
        ...

    async def work(self, act: WorkAct) -> WorkDone:
        """Any act of the work at the hub; what it changed is in the cache too when this returns. Raises Unreachable (no act is queued),
        Conflict when somebody else was first, UsageError for names that do not name one person or team, and the hub's refusals."""
        ...

    async def mark_read(self, conversation: str, up_to: str | None = None) -> None: ...

    async def mark_unread(self, conversation: str) -> None: ...

    async def watch(self, conversation: str, doing: Doing) -> list[Presence]:
        """Say what this client's person does there, for colleagues who may see the conversation; who else is there, by name.

        Said again at least every PRESENCE_SECONDS / 2, or it ends; `typing` becomes `viewing` after some seconds. Waits for nothing:
        off shift and without the hub it is not told on, and nobody else is known."""
        ...
