"""Drafts, and what goes out."""

from typing import Protocol

from wabiz_tui.model.desk.values import Draft, OutboxLetter
from wabiz_tui.model.values import Message


class Sending(Protocol):
    """Everything is durable before a call returns."""

    async def draft(self, conversation: str) -> Draft | None: ...

    async def save_draft(self, conversation: str, text: str, *, reply_to: str | None = None) -> None:
        """Durable when it returns; an empty text discards the draft."""
        ...

    async def send_text(
        self, conversation: str, text: str, *, key: str | None = None, reply_to: str | None = None, undo: bool = False
    ) -> Message:
        """Durable in the outbox when it returns, with delivery `queued`. The same `key` gives the same message again.
        `undo` keeps it back for the policy's undo time. Raises Denied when policy or window forbids it."""
        ...

    async def send_now(
        self,
        conversation: str,
        text: str,
        *,
        key: str | None = None,
        reply_to: str | None = None,
        queue: bool = False,
        timeout: float = 30.0,
    ) -> Message:
        """Send and wait until the message is accepted, failed or uncertain (what scripts do; no undo time).

        Hub unreachable: raises Unreachable with nothing kept, or with `queue` returns the message still queued. Raises Denied when
        policy, permission or window refuses it."""
        ...

    async def send_file(
        self, conversation: str, path: str, *, caption: str = "", key: str | None = None, reply_to: str | None = None, undo: bool = False
    ) -> Message:
        """As `send_text`, for the file at an absolute `path` of this machine: read once, sealed in the outbox until it has gone.
        Raises UsageError, with nothing kept, for a file that WhatsApp does not take."""
        ...

    async def send_template(
        self, conversation: str, name: str, language: str, *, values: dict[str, str], key: str | None = None
    ) -> Message:
        """As `send_text`, for a template, which needs no open window. `values` by the template's own variables (`body.1`). Raises
        UsageError for values that do not fit it, Unreachable: what the template wants is asked of the hub."""
        ...

    async def await_sent(self, message: str, *, queue: bool = False, timeout: float = 30.0) -> Message:
        """Wait for what was just written, as `send_now` does; hub unreachable: taken back and Unreachable, or with `queue` as it is."""
        ...

    async def outbox(self) -> list[OutboxLetter]:
        """What was written here and the feed has not brought yet, in the order of writing."""
        ...

    async def discard(self, message: str) -> bool:
        """Give up a message of the outbox that has not left, failed or is uncertain; False when it is on its way or with the hub."""
        ...

    async def recall(self, message: str) -> bool:
        """Take back a message still in its undo time; False when it is too late."""
        ...

    async def retry(self, message: str) -> Message:
        """A new attempt, with its own key, of a message that failed or that a person found to be unsent. Raises Conflict otherwise."""
        ...

    async def await_accepted(self, message: str, *, timeout: float) -> Message:
        """Wait until the message left `queued` (or `timeout` seconds passed) and return it as it then is."""
        ...
