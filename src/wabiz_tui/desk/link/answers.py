"""Read the hub's refusals: which error of ours an answer stands for."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import (
    BadInput,
    Conflict,
    Denied,
    NotFound,
    Revoked,
    TooLarge,
    TooMany,
    Unreachable,
    UsageError,
    WabizError,
    error_from,
)
from wabiz_tui.model.wire import ErrorBody

_BY_STATUS: dict[int, type[WabizError]] = {
    400: BadInput,
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: UsageError,
    429: Unreachable,
}
SHARE_DESTROYED = "share_destroyed"
"""The code of the hub's refusal of a share that it has destroyed: nothing sealed with it can be opened any more."""
_MAX_SENTENCE = 1000
_LONGEST_WAIT = timedelta(minutes=10)
"""However long a proxy's page of maintenance wants: nobody's inbox stands still for hours after the hub is back."""


class Busy(Unreachable):
    """The hub, or a proxy before it, asks for patience of `retry_after`."""

    retry_after = timedelta()


def wait_of(error: WabizError) -> timedelta | None:
    """How long whoever refused asked to be left alone."""
    return error.retry_after if isinstance(error, TooMany | Busy) else None


def parse_wait(text: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header (RFC 9110 §10.2.3), in seconds or as a date by the clock `now`; None where it is missing or unreadable."""
    if not text or len(text) > 64:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        wait = timedelta(seconds=min(int(text), 86_400))
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait = at - now if at.tzinfo is not None else timedelta()
    return min(max(wait, timedelta()), _LONGEST_WAIT)


def refusal(status: int, body: bytes, wait: timedelta | None = None) -> WabizError:
    """The error for an answer that is not 2xx. The hub's sentence is kept; a stranger's page is not. `wait` is its Retry-After."""
    error = _refusal(status, body)
    if wait is None or not isinstance(error, Unreachable):
        return error
    if isinstance(error, TooMany):
        error.retry_after = wait
        return error
    busy = Busy(error.sentence, code=error.code)
    busy.retry_after = wait
    return busy


def _refusal(status: int, body: bytes) -> WabizError:
    try:
        told = decode(body, ErrorBody)
    except BadInput:
        return _without_words(status)
    sentence = told.sentence[:_MAX_SENTENCE]
    if told.code == "revoked":
        return Revoked(sentence)
    known = error_from(told.code, sentence)
    if type(known) is not WabizError:
        return known
    kind = _BY_STATUS.get(status, Unreachable if status >= 500 else WabizError)
    return kind(sentence, code=told.code)


def _without_words(status: int) -> WabizError:
    if status >= 500 or status == 429:
        return Unreachable(f"The hub is not well (HTTP {status}); try again in a minute.")
    kind = _BY_STATUS.get(status, WabizError)
    return kind(f"What answers at the hub's address does not speak as a hub (HTTP {status}); check the address.")


def parse_time(text: str | None) -> datetime | None:
    """The hub's clock in a header; None where it is missing or unreadable."""
    if not text or len(text) > 64:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
