"""What happened in a transaction and cannot be read off its rows afterwards (`Writing.facts`)."""

from datetime import datetime
from typing import NamedTuple


class Arrived(NamedTuple):
    """A customer wrote something that waits for an answer."""

    conversation: str
    sent_at: datetime


class Answered(NamedTuple):
    """Somebody of ours answered a customer who had waited since `waiting_ms`."""

    conversation: str
    episode: str
    is_first: bool
    """Whether it is the first answer of the episode."""
    waiting_ms: int
    at_ms: int
