"""Tokens and keys that open nothing: counted by the address they come from, and only they are refused when it brought too many."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.requests import Request

from wabiz_tui.hub.front.addresses import client_address, client_group, parse_address
from wabiz_tui.hub.front.refusals import WRONG_TOKENS
from wabiz_tui.hub.people.access import Unauthorized
from wabiz_tui.model.errors import TooMany

if TYPE_CHECKING:
    from wabiz_tui.hub.parts import Hub


class WrongTokens(TooMany):
    """A desk whose token ran out in its sleep proves itself anew upon this, as it does upon `invalid_token`."""

    code = WRONG_TOKENS.reason


@contextmanager
def wrong_tokens_counted(hub: "Hub", request: Request) -> Generator[None]:
    """Around the authentication of a request. Raises WrongTokens in place of Unauthorized where the address has brought too many.

    A token that opens something is never held up, whatever else comes from its address; nor is one of a revoked device, which is
    to hear that. A token cannot be guessed (256 bits): what is bounded is the noise of those who try, and of a program that goes
    on with a key that was revoked. A request without any token is no guess."""
    try:
        yield
    except Unauthorized:
        if "authorization" in request.headers:
            _count(hub, request)
        raise


def _count(hub: "Hub", request: Request) -> None:
    found = parse_address(client_address(request.scope))
    try:
        if found is None or found.is_loopback:
            hub.rates.neighbours.take("")
        else:
            hub.rates.strangers.take(client_group(request.scope))
    except TooMany as error:
        hub.guard.refused(WRONG_TOKENS)
        raise WrongTokens(WRONG_TOKENS.sentence, retry_after=error.retry_after) from None
