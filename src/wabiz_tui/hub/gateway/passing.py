"""Calls that the gateway passes on to Meta with the hub's token, and their answers without anything of that token's."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from wabiz_tui.cloud.outcomes import Refused
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.graph.reading import Json, load_object, object_of
from wabiz_tui.hub.gateway.answers import Answered
from wabiz_tui.model.codec import encode

_SOME_FAILED = 139100
_KEPT_IN_LINKS = ("after", "before", "limit", "fields", "name", "status", "category", "language")


class Passing:
    def __init__(self, transport: Transport, version: str) -> None:
        self._transport, self._version = transport, version

    async def ask(self, method: str, *path: str, params: Mapping[str, str] | None = None, body: Json | None = None) -> Json:
        """Meta's answer. Raises CloudError with her refusal, BadInput for an answer that is no JSON object."""
        whole = "/".join((self._version, *(quote(part, safe="") for part in path)))
        answer = await self._transport.request(method, whole, params=dict(params or {}) or None, body=body)
        return load_object(answer.body)

    async def ask_partly(self, method: str, *path: str, body: Json) -> Answered:
        """As `ask`, but what Meta refused in part comes back with its lists, as she tells it (cloud-api §2, block_users)."""
        try:
            return Answered(200, encode(await self.ask(method, *path, body=body)))
        except Refused as error:
            if error.graph_code != _SOME_FAILED or error.http_status is None or not error.answer:
                raise
            return Answered(error.http_status, encode(load_object(error.answer)))


def with_own_links(answer: Json, address: Callable[[], str]) -> Json:
    """The answer with `paging.next` and `previous` leading back to the hub: Meta's lead to her, and can hold a token."""
    paging = object_of(answer.get("paging"))
    if not paging:
        return answer
    links: dict[str, Any] = {key: _own(str(paging[key]), address()) for key in ("next", "previous") if paging.get(key)}
    return {**answer, "paging": {**({"cursors": paging["cursors"]} if "cursors" in paging else {}), **links}}


def _own(link: str, address: str) -> str:
    try:
        query = parse_qs(urlsplit(link).query, max_num_fields=50)
    except ValueError:
        return address
    kept = {key: query[key][0] for key in _KEPT_IN_LINKS if query.get(key)}
    return f"{address}?{urlencode(kept)}" if kept else address
