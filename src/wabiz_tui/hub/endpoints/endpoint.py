"""One endpoint of /v1, as the table that routes, checks and describes holds it."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller

OpenHandler = Callable[[Hub, Request], Awaitable[Response]]
Handler = Callable[[Hub, Caller, Request], Awaitable[Response]]


class Endpoint(NamedTuple):
    """`permission` is an action of policy/permissions.py; it is empty for the few endpoints that need no token.

    `body` and `answer` are the types of what is sent and answered in JSON, for the description; `parameters` are those of the
    query."""

    method: str
    path: str
    permission: str
    summary: str
    handler: Any
    body: Any = None
    answer: Any = None
    parameters: tuple[str, ...] = ()
