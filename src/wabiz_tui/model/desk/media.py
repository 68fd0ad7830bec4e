"""The files of messages."""

from typing import Protocol


class Media(Protocol):
    """Through the hub; none lies open on this machine."""

    async def media(self, message: str) -> bytes:
        """The file of a message, through the hub. Raises NotFound, Unreachable."""
        ...
