"""A file on its way out: what stands on the wire is one well-formed form, whatever the file is called."""

import asyncio
import io
from collections.abc import AsyncIterator
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from wabiz_tui.cloud.multipart import CHUNK, Source, Upload, new_boundary, safe_filename
from wabiz_tui.model.errors import BadInput

FORM = {"messaging_product": "whatsapp", "type": "image/png"}


async def whole(upload: Upload, boundary: str = "b0") -> bytes:
    return b"".join([chunk async for chunk in upload.body(FORM, boundary)])


def parts_of(body: bytes, boundary: str) -> list[tuple[dict[str, str], bytes]]:
    """The parts as another parser reads them."""
    head = f'Content-Type: multipart/form-data; boundary="{boundary}"\r\n\r\n'.encode()
    parsed = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    return [({name.lower(): str(value) for name, value in part.items()}, part.get_payload(decode=True)) for part in parsed.iter_parts()]


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_another_parser_reads_it() -> None:
    """Fields and file stand in parts of their own, the file with its name and content type."""
    upload = Upload("a b.png", "image/png", b"\x89PNG\r\n--b0--\r\n\x00")
    body = await whole(upload, boundary := new_boundary())

    fields = parts_of(body, boundary)

    assert [payload for _, payload in fields] == [b"whatsapp", b"image/png", b"\x89PNG\r\n--b0--\r\n\x00"]
    assert fields[2][0]["content-type"] == "image/png"
    assert 'name="file"; filename="a b.png"' in fields[2][0]["content-disposition"]


@pytest.mark.parametrize("kind", ["bytes", "path", "file", "stream"])
@pytest.mark.parametrize("length", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
async def test_every_source_gives_the_same_bytes(kind: str, length: int, tmp_path: Path) -> None:
    """Bytes, a path, an open file and a stream travel alike, with the length that was promised, in bounded pieces."""
    content = bytes(index % 251 for index in range(length))
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    sources: dict[str, Source] = {"bytes": content, "path": path, "file": io.BytesIO(content), "stream": stream(content[:7], content[7:])}
    told = list[tuple[int, int | None]]()
    upload = Upload(
        "x.png", "image/png", sources[kind], size=length if kind == "stream" else None, progress=lambda *seen: told.append(seen)
    )

    body = await whole(upload)

    assert body.endswith(content + b"\r\n--b0--\r\n")
    assert upload.headers(FORM, "b0")["Content-Length"] == str(len(body))
    assert (told[-1:] == [(length, length)]) or length == 0
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)


@pytest.mark.parametrize("size", [3, 5])
async def test_a_source_that_lies_about_its_size(size: int) -> None:
    """More or fewer bytes than were told end the body early: no server can take it for whole."""
    upload = Upload("x.png", "image/png", stream(b"ab", b"cd"), size=size)
    seen = bytearray()

    async def read() -> None:
        async for chunk in upload.body(FORM, "b0"):
            seen.extend(chunk)

    with pytest.raises(BadInput):
        await read()
    assert b"--b0--" not in seen


async def test_a_stream_needs_its_size() -> None:
    """Without it no length could be promised."""
    with pytest.raises(BadInput):
        Upload("x.png", "image/png", stream(b"x"))


@pytest.mark.parametrize("mime_type", ["", "image", "image/png\r\nX: y", "a/b/c", "image/png; q", "imäge/png", "x/" + "y" * 200])
def test_types_that_are_none(mime_type: str) -> None:
    """A MIME type cannot bring a header of its own."""
    with pytest.raises(BadInput):
        Upload("x", mime_type, b"")


@settings(max_examples=150, deadline=None)
@given(
    name=some.text(max_size=300)
    | some.sampled_from(['a"; x="y.png', "..", "../../etc/passwd", "C:\\a\\b.pdf", "\r\nX: y", "a\u202egpj.exe"])
)
def test_names_keep_to_their_place(name: str) -> None:
    """No name leaves its quotes, its line or its folder, or becomes empty; another parser finds exactly three parts."""
    safe = safe_filename(name)
    body = asyncio.run(whole(Upload(name, "image/png", b"x"), "b0"))

    assert 0 < len(safe) <= 200
    assert safe not in (".", "..")
    assert not set(safe) & set('/\\":*?<>|\r\n\0\u202e\u2066')
    assert safe_filename(safe) == safe
    fields = parts_of(body, "b0")
    assert len(fields) == 3
    assert set(fields[2][0]) == {"content-disposition", "content-type"}


def test_long_names_keep_their_extension() -> None:
    """A name is cut before its extension: WhatsApp judges a document by it."""
    assert safe_filename("a" * 500 + ".docx").endswith("a.docx")
    assert safe_filename("Übersicht 2026.pdf") == "Übersicht 2026.pdf"
