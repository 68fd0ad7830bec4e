"""The demo's hand on the simulator: its control endpoints, over plain HTTP on loopback."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any, cast

_SECONDS = 20.0


class Control:
    """Makes customers write and reads what was sent. Blocking calls run in threads."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")

    async def inbound(self, message: dict[str, Any]) -> dict[str, Any]:
        """A customer writes; returns after the hub answered."""
        return await asyncio.to_thread(self._call, "/_control/inbound", message)

    async def fault(self, fault: dict[str, Any]) -> None:
        """Something goes wrong at Meta."""
        await asyncio.to_thread(self._call, "/_control/fault", fault)

    async def deliveries(self) -> list[dict[str, Any]]:
        """The webhooks told so far, with the hub's answers."""
        return _rows(await asyncio.to_thread(self._call, "/_control/deliveries", None), "deliveries")

    async def sent(self) -> list[dict[str, Any]]:
        """What Meta accepted so far."""
        return _rows(await asyncio.to_thread(self._call, "/_control/sent", None), "sent")

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """POST `body` to any loopback URL; the status code of the answer."""
        return await asyncio.to_thread(_post, url, body, headers)

    def _call(self, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, headers={"Content-Type": "application/json"})  # noqa: S310 loopback
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 loopback
            return json.load(answer)


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"} | headers)  # noqa: S310 loopback
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _rows(answer: Any, name: str) -> list[dict[str, Any]]:
    """The rows of an answer that is a list, or an object with the list under `name`."""
    if isinstance(answer, list):
        return cast("list[dict[str, Any]]", answer)
    return cast("dict[str, list[dict[str, Any]]]", answer)[name]
