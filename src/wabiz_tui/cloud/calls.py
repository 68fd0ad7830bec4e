"""Graph's manners over the door: versioned paths, JSON objects, pages, and what a write answers (cloud-api §1)."""

import re
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from wabiz_tui.cloud.outcomes import Refused
from wabiz_tui.cloud.patience import Persistence, may_ask_again, may_send_again
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.graph.reading import Json, fingerprint, load_object, word
from wabiz_tui.graph.responses import parse_page
from wabiz_tui.model.errors import BadInput, CloudError, UsageError
from wabiz_tui.model.secret import Secret

_VERSION = re.compile(r"v[1-9][0-9]{0,2}\.[0-9]{1,2}")
_MOST_PAGES = 2000
_MOST_ITEMS = 200_000
_STALE_CURSOR = 131059


class Calls:
    """What every room of the client asks through. A question is asked again, and a write repeated, as `persistence` allows."""

    def __init__(self, transport: Transport, version: str, persistence: Persistence) -> None:
        if not _VERSION.fullmatch(version):
            raise UsageError("The Graph API version must look like v26.0.")
        self.transport, self.version, self.persistence = transport, version, persistence

    def path(self, *parts: str) -> str:
        """Below the version; an id with slashes stays one part. Raises BadInput for a part that would leave its place."""
        if any(part in ("", ".", "..") for part in parts):
            raise BadInput("An id in the request is empty or no id.")
        return "/".join((self.version, *(quote(part, safe="") for part in parts)))

    async def ask(
        self,
        *parts: str,
        params: Mapping[str, str | int] | None = None,
        secret_params: Mapping[str, Secret] | None = None,
        token: Secret | None = None,
    ) -> bytes:
        path = self.path(*parts)

        async def ask() -> bytes:
            return (await self.transport.request("GET", path, params=params, secret_params=secret_params, token=token)).body

        return await self.persistence.insist(ask, may_ask_again)

    async def get(
        self,
        *parts: str,
        params: Mapping[str, str | int] | None = None,
        secret_params: Mapping[str, Secret] | None = None,
        token: Secret | None = None,
    ) -> Json:
        return load_object(await self.ask(*parts, params=params, secret_params=secret_params, token=token))

    async def post(
        self,
        *parts: str,
        body: object | None = None,
        form: Mapping[str, str] | None = None,
        token: Secret | None = None,
        secrets: tuple[Secret, ...] = (),
    ) -> Json:
        """Raises Refused also for a 200 whose body says `success: false`."""
        return await self._write("POST", self.path(*parts), body=body, form=form, token=token, secrets=secrets)

    async def delete(
        self, *parts: str, params: Mapping[str, str | int] | None = None, body: object | None = None, token: Secret | None = None
    ) -> Json:
        return await self._write("DELETE", self.path(*parts), params=params, body=body, token=token)

    async def pages(self, *parts: str, params: Mapping[str, str | int] | None = None, token: Secret | None = None) -> AsyncIterator[Json]:
        """The items of a list, page after page, each once. A cursor that went stale (131059) starts the list again, once. Raises
        BadInput for a list without an end."""
        asked: dict[str, str | int] = dict(params or {})
        seen, cursors, is_again = set[str](), set[str](), False
        for _ in range(_MOST_PAGES):
            try:
                page = parse_page(await self.ask(*parts, params=asked, token=token))
            except CloudError as error:
                if error.graph_code != _STALE_CURSOR or is_again or "after" not in asked:
                    raise
                is_again, asked = True, dict(params or {})
                cursors.clear()
                continue
            for item in page.items:
                known_as = word(item.get("id")) or fingerprint(item)
                if known_as not in seen:
                    seen.add(known_as)
                    yield item
            if page.after is None:
                return
            if page.after in cursors or len(seen) > _MOST_ITEMS:
                break
            cursors.add(page.after)
            asked["after"] = page.after
        raise BadInput("WhatsApp's list does not end.")

    async def _write(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: object | None = None,
        form: Mapping[str, str] | None = None,
        token: Secret | None = None,
        secrets: tuple[Secret, ...] = (),
    ) -> Json:
        async def write() -> Json:
            answer = await self.transport.request(method, path, params=params, body=body, form=form, token=token, secrets=secrets)
            try:
                return load_object(answer.body)
            except BadInput:
                # Carried out, as the status says: what it says beside that is not needed.
                return {}

        told = await self.persistence.insist(write, may_send_again)
        if told.get("success") is False:
            raise Refused("WhatsApp did not carry it out: look at the account in WhatsApp Manager.", http_status=200)
        return told
