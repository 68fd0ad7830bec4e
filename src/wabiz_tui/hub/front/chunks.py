"""Chunks of an open answer, made once for many lines: ASGI has every line frame and copy the same bytes again."""

from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

EXTENSION = "wabiz.chunks"
"""Where a scope carries the `WriteChunk` of its line; only lines of front/protocol.py have one."""

WriteChunk = Callable[[bytes], bool]
"""Hands the line a whole chunk at once; False, and nothing is written, where only ASGI's `send` may be used: the line is full, is
closed, or its answer has not begun."""


class Chunk(NamedTuple):
    """A part of an answer, bare and as HTTP/1.1 frames it (RFC 9112 §7.1)."""

    body: bytes
    framed: bytes


def chunk_of(body: bytes) -> Chunk:
    """`body` is not empty: an empty chunk would end the answer."""
    return Chunk(body, b"%x\r\n%s\r\n" % (len(body), body))


def write_chunk_of(scope: MutableMapping[str, Any]) -> WriteChunk | None:
    extensions: dict[str, Any] = scope.get("extensions") or {}
    return extensions.get(EXTENSION)
