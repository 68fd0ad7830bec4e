"""multipart/form-data for one file, streamed: headers and fields are known before, the file passes through in chunks."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import BinaryIO, TypeAlias

from wabiz_tui.model.errors import BadInput

Source: TypeAlias = bytes | Path | BinaryIO | AsyncIterator[bytes]
Progress: TypeAlias = Callable[[int, int | None], None]
"""Told after each chunk: bytes so far, and how many there will be where that is known."""

CHUNK = 128 * 1024
_LONGEST_NAME = 200
_MIME_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}( ?; ?[\w-]{1,40}=[\w.+-]{1,80}){0,4}", re.ASCII)


class Upload:
    """A file on its way out; its part is named `file`. `size` is counted where the source tells it, and needed for an iterator.

    Raises BadInput for a MIME type that is none and for a source without a size.
    """

    def __init__(self, filename: str, mime_type: str, content: Source, *, size: int | None = None, progress: Progress | None = None):
        if not _MIME_TYPE.fullmatch(mime_type):
            raise BadInput("The file's MIME type must look like image/png.")
        self.filename, self.mime_type, self._content, self._progress = safe_filename(filename), mime_type, content, progress
        self.size = _size(content) if size is None else size

    async def body(self, form: Mapping[str, str], boundary: str) -> AsyncIterator[bytes]:
        """The whole body. Raises BadInput before its end when the source yields more or less than `size`: the request is then
        incomplete, and refused, wherever it arrives."""
        yield self._head(form, boundary)
        sent = 0
        async for chunk in _chunks(self._content):
            sent += len(chunk)
            if sent > self.size:
                break
            yield chunk
            if self._progress is not None:
                self._progress(sent, self.size)
        if sent != self.size:
            raise BadInput(f"The file is not {self.size} bytes long as was told: nothing was uploaded.")
        yield _tail(boundary)

    def headers(self, form: Mapping[str, str], boundary: str) -> dict[str, str]:
        length = len(self._head(form, boundary)) + self.size + len(_tail(boundary))
        return {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(length)}

    def _head(self, form: Mapping[str, str], boundary: str) -> bytes:
        fields = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n' for name, value in form.items()
        )
        disposition = f'Content-Disposition: form-data; name="file"; filename="{_quoted(self.filename)}"'
        return f"{fields}--{boundary}\r\n{disposition}\r\nContent-Type: {self.mime_type}\r\n\r\n".encode()


def new_boundary() -> str:
    """128 random bits: no file holds them by chance or on purpose."""
    return f"wabiz-{secrets.token_hex(16)}"


def safe_filename(name: str) -> str:
    """The last part of `name`, without what could leave its place in a header or a folder; its extension survives the cut."""
    last = re.split(r"[/\\]", name)[-1].encode(errors="replace").decode()
    clean = "".join(character if character.isprintable() and character not in '":*?<>|' else "_" for character in last).strip(". ")
    if len(clean) <= _LONGEST_NAME:
        return clean or "file"
    stem, dot, extension = clean.rpartition(".")
    return f"{stem[: _LONGEST_NAME - 17]}.{extension[:16]}" if dot else clean[:_LONGEST_NAME]


def _quoted(text: str) -> str:
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _tail(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode()


def _size(content: Source) -> int:
    match content:
        case bytes():
            return len(content)
        case Path():
            return content.stat().st_size
        case AsyncIterator():
            raise BadInput("A stream needs its size: Meta's upload is told the length first.")
        case _:
            here = content.tell()
            end = content.seek(0, 2)
            content.seek(here)
            return end - here


async def _chunks(content: Source) -> AsyncIterator[bytes]:
    """A file is read in a thread: a slow disk holds nobody else up."""
    match content:
        case bytes():
            for start in range(0, len(content), CHUNK):
                yield content[start : start + CHUNK]
        case Path():
            file = await asyncio.to_thread(content.open, "rb")
            try:
                while chunk := await asyncio.to_thread(file.read, CHUNK):
                    yield chunk
            finally:
                file.close()
        case AsyncIterator():
            async for chunk in content:
                yield chunk
        case _:
            while chunk := await asyncio.to_thread(content.read, CHUNK):
                yield chunk
