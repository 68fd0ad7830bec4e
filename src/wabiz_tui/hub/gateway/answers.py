"""What the gateway answers: bodies in Graph's shape, whether Meta or the hub refused."""

from typing import NamedTuple

from wabiz_tui.graph.errors import build_error
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import CloudError


class Answered(NamedTuple):
    """An answer in Graph's shape; `message` is our id of what was sent."""

    status: int
    body: bytes
    message: str = ""


def refused(error: CloudError) -> Answered:
    """The error in Graph's shape."""
    code = error.graph_code if error.graph_code is not None else 2 if error.is_transient else 131000
    body = build_error(code, error.details or error.sentence, error.trace or "wabiz")
    status = error.http_status if error.http_status is not None and error.http_status >= 400 else 503 if error.is_transient else 500
    return Answered(status, encode(body))


def uncertain(message: str) -> Answered:
    details = "It is not known whether the message was sent; its status will tell, or ask the customer. Do not send it again by machine."
    return Answered(500, encode(build_error(131000, details, "wabiz")), message)
