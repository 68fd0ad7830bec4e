"""A server in Meta's place that cuts the line where it is told to, and counts what it took whole."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

WAMID = "wamid.CUT"


class Cut(NamedTuple):
    """After how many bytes of the request, or of the answer, the line is cut; None cuts nowhere."""

    request: int | None = None
    answer: int | None = None


def answer_bytes(wamid: str, *, is_chunked: bool, is_refusal: bool = False, wa_id: str = "1") -> bytes:
    """A whole answer: accepted under `wamid`, or refused for good."""
    body: dict[str, Any] = {"messaging_product": "whatsapp", "contacts": [{"input": "x", "wa_id": wa_id}], "messages": [{"id": wamid}]}
    if is_refusal:
        body = {"error": {"message": "(#131026) Message undeliverable", "code": 131026, "fbtrace_id": "t"}}
    raw = json.dumps(body).encode()
    head = b"HTTP/1.1 400 Bad Request\r\n" if is_refusal else b"HTTP/1.1 200 OK\r\n"
    if is_chunked:
        half = len(raw) // 2
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (raw[:half], raw[half:]))
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(raw) + raw


class CuttingMeta:
    """`plan` says what happens to the next send, `taken` how often each message arrived whole, by the id the hub put in."""

    def __init__(self) -> None:
        self.plan = Cut()
        self.is_chunked = self.is_refusal = False
        self.taken: Counter[str] = Counter()
        self.longest = 0
        self.url = ""
        self.held: dict[str, asyncio.Event] = {}
        """Recipient → set when it may be answered; a name that is here is taken and kept waiting."""
        self.waiting: Counter[str] = Counter()

    def wamid(self, message: str) -> str:
        return f"{WAMID}.{message}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the line is still whole."""
        cut = self.plan
        head = await reader.readuntil(b"\r\n\r\n") if cut.request is None else await reader.readexactly(cut.request)
        if cut.request is not None:
            return False
        if not head.startswith(b"POST"):
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
            return True
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        body = json.loads(await reader.readexactly(length))
        if "biz_opaque_callback_data" not in body:  # a read receipt
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"success":true}')
            await writer.drain()
            return True
        self.longest = max(self.longest, len(head) + length)
        message = str(body["biz_opaque_callback_data"]).removeprefix("w1:")
        self.taken[message] += 1
        if body["to"] in self.held:
            self.waiting[body["to"]] += 1
            await self.held[body["to"]].wait()
        wa_id = body["to"].removeprefix("+") if body["to"] in self.held else "1"
        whole = answer_bytes(self.wamid(message), is_chunked=self.is_chunked, is_refusal=self.is_refusal, wa_id=wa_id)
        writer.write(whole if cut.answer is None else whole[: cut.answer])
        await writer.drain()
        return cut.answer is None


@contextlib.asynccontextmanager
async def cutting_meta() -> AsyncGenerator[CuttingMeta]:
    meta = CuttingMeta()
    server = await asyncio.start_server(meta.serve, "127.0.0.1", 0)
    meta.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield meta
    finally:
        for event in meta.held.values():
            event.set()
        server.close()
