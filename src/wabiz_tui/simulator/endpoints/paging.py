"""Lists in pages: cursors that mean nothing to the caller, and die with what they stood at."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.endpoints.call import Call

USUAL, MOST = 25, 1000


def page(call: Call, items: Sequence[Json], key: Callable[[Json], str], *, show: Callable[[Json], Any] = lambda item: item) -> Json:
    """`{data, paging}` of those the call asks for with `limit`, `after` and `before`. Raises CloudError 131059 for a cursor whose item is
    not in the list any more (cloud-api §1) and 100 for a limit out of bounds. An empty page has no cursors."""
    limit = call.whole("limit", 1, MOST) or USUAL
    names = [key(item) for item in items]
    start = _place(names, call.word("after")) + 1 if call.word("after") else 0
    if call.word("before"):
        end = _place(names, call.word("before"))
        start = max(0, end - limit)
    else:
        end = min(len(items), start + limit)
    data = [show(item) for item in items[start:end]]
    if not data:
        return {"data": []}
    before, after = _cursor(names[start]), _cursor(names[end - 1])
    paging: Json = {"cursors": {"before": before, "after": after}}
    if end < len(items):
        paging["next"] = _url(call, limit, after=after)
    if start > 0:
        paging["previous"] = _url(call, limit, before=before)
    return {"data": data, "paging": paging}


def _cursor(name: str) -> str:
    """Of a blocked user the name is their phone number, which a masked list must not carry."""
    return base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()[:18]).decode()


def _place(names: list[str], cursor: str) -> int:
    try:
        return [_cursor(name) for name in names].index(cursor)
    except ValueError as error:
        raise graph_error(131059, "The cursor is not valid, or what it stood at is gone: start the list again") from error


def _url(call: Call, limit: int, **cursor: str) -> str:
    """The same list from another place; the token is not repeated in it."""
    url = call.request.url.remove_query_params(["after", "before", "access_token", "appsecret_proof"])
    return str(url.include_query_params(limit=limit, **cursor))
