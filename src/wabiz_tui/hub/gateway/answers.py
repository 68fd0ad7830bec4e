"""What the gateway answers: bodies in Graph's shape, whether Meta or the hub refused."""

import math
from typing import Any, NamedTuple

from wabiz_tui.graph.errors import build_error
from wabiz_tui.hub.gateway.refusals import REFUSALS, refuse
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import CloudError

NO_TRACE = "wabiz"
"""The `fbtrace_id` of what never reached Meta."""


class Answered(NamedTuple):
    """An answer in Graph's shape; `message` is our id of what was sent, `retry_after` seconds for the header."""

    status: int
    body: bytes
    message: str = ""
    retry_after: int = 0


def refused(error: CloudError) -> Answered:
    """The error in Graph's shape; the hub's own refusals name themselves in `error_data.wabiz_code`."""
    code = error.graph_code if error.graph_code is not None else _code_for(error)
    body = build_error(code, error.details or error.sentence, error.trace or NO_TRACE)
    if error.code in REFUSALS:
        data: dict[str, Any] = body["error"]["error_data"]
        data["wabiz_code"] = error.code
    status = error.http_status if error.http_status is not None and error.http_status >= 400 else 503 if error.is_transient else 500
    wait = error.retry_after
    return Answered(status, encode(body), retry_after=0 if wait is None else max(1, math.ceil(wait.total_seconds())))


def _code_for(error: CloudError) -> int:
    """The code for what came without one: 131000 says that it may have been carried out, a 4xx says that it was not."""
    if error.is_transient:
        return 2
    return 1 if error.http_status is not None and 400 <= error.http_status < 500 else 131000


def uncertain(message: str) -> Answered:
    details = "It is not known whether the message was sent; its status will tell, or ask the customer. Do not send it again by machine."
    return refused(refuse("uncertain", details))._replace(message=message)
