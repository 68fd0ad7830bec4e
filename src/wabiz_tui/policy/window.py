"""Meta's customer service window: free text may be sent for 24 hours after the customer's last message."""

from datetime import datetime, timedelta

LENGTH = timedelta(hours=24)
MARGIN = timedelta(minutes=1)
"""We stop this much early: a message on its way when the window shuts is refused by Meta (error 131047)."""


def window_until(last_incoming_at: datetime) -> datetime:
    """When the window that a customer's message opened shuts, by Meta's count."""
    return last_incoming_at + LENGTH


def is_open(window_until: datetime | None, now: datetime) -> bool:
    """Whether free text may still be sent; None means that the customer has never written."""
    return left(window_until, now) > timedelta()


def left(window_until: datetime | None, now: datetime) -> timedelta:
    """How long free text may still be sent, our margin taken off; never negative."""
    if window_until is None:
        return timedelta()
    return max(window_until - MARGIN - now, timedelta())
