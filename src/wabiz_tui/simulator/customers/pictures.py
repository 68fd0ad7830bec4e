"""Small real files made in code: PNG, JPEG, WebP, Ogg, MP4 and PDF, so that the demo ships no pictures."""

import base64
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache

_WIDTH, _HEIGHT = 96, 64
_COLOURS: dict[str, tuple[int, int, int]] = {
    "default": (70, 130, 180),
    "bike": (34, 139, 87),
    "wheel": (120, 120, 130),
    "receipt": (245, 243, 235),
    "sunset": (236, 122, 60),
}
# A lossless WebP of one pixel.
_WEBP = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")


@lru_cache(maxsize=64)
def sample(kind: str, name: str = "default") -> tuple[bytes, str]:
    """A file for a message type and its MIME type; `name` picks colours and words. Made once: a picture takes its milliseconds."""
    made: dict[str, tuple[Callable[[str], bytes], str]] = {
        "image": (jpeg if name == "photo" else png, "image/jpeg" if name == "photo" else "image/png"),
        "sticker": (lambda _: _WEBP, "image/webp"),
        "audio": (ogg, "audio/ogg; codecs=opus"),
        "video": (mp4, "video/mp4"),
        "document": (pdf, "application/pdf"),
    }
    maker, mime_type = made[kind]
    return maker(name), mime_type


def png(name: str) -> bytes:
    """A shaded rectangle with a ring in it."""
    red, green, blue = _COLOURS.get(name, _COLOURS["default"])
    rows = bytearray()
    for y in range(_HEIGHT):
        rows.append(0)
        for x in range(_WIDTH):
            distance = ((x - _WIDTH / 2) ** 2 + (y - _HEIGHT / 2) ** 2) ** 0.5
            shade = 0.35 if 18 < distance < 23 else 0.6 + 0.4 * y / _HEIGHT
            rows += bytes((int(red * shade), int(green * shade), int(blue * shade)))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def jpeg(_: str) -> bytes:
    """Eight grey pixels square, baseline, with one-symbol Huffman tables: every difference and every coefficient is zero."""
    quantisation = b"\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([16] * 64)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 8, 8, 1) + bytes((1, 0x11, 0))
    tables = b"".join(b"\xff\xc4" + struct.pack(">HB", 20, kind) + bytes([1] + [0] * 15) + b"\x00" for kind in (0x00, 0x10))
    scan = b"\xff\xda" + struct.pack(">HB", 8, 1) + bytes((1, 0x00, 0, 63, 0))
    return b"\xff\xd8" + _jfif() + quantisation + frame + tables + scan + b"\x3f" + b"\xff\xd9"


def _jfif() -> bytes:
    return b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes((1, 1, 0, 0, 1, 0, 1, 0, 0))


def ogg(_: str) -> bytes:
    """An Opus stream of one second of silence in one page of twenty-millisecond packets."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 5) + b"wabiz" + struct.pack("<I", 0)
    silence = [b"\xf8\xff\xfe"] * 50
    return _page([head], 0, 0x02, 0) + _page([tags], 1, 0x00, 0) + _page(silence, 2, 0x04, 50 * 960)


def _page(packets: list[bytes], sequence: int, flags: int, position: int) -> bytes:
    content = b"".join(packets)
    header = struct.pack("<4sBBqIII", b"OggS", 0, flags, position, 0x77616269, sequence, 0)
    header += bytes([len(packets)]) + bytes(len(packet) for packet in packets)
    checksum = _ogg_checksum(header + content)
    return header[:22] + struct.pack("<I", checksum) + header[26:] + content


def _ogg_checksum(page: bytes) -> int:
    """CRC-32 with polynomial 04C11DB7, unreflected, from zero (RFC 3533 §6)."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = ((register << 1) ^ 0x04C11DB7) & 0xFFFFFFFF if register & 0x80000000 else (register << 1) & 0xFFFFFFFF
    return register


def mp4(_: str) -> bytes:
    """The boxes every reader looks for first; it holds no picture."""
    return _box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isomiso2mp41") + _box(b"free", b"") + _box(b"mdat", b"")


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def pdf(name: str) -> bytes:
    """One page with one line of text."""
    words = "Receipt" if name == "default" else name.encode("ascii", "replace").decode().replace("(", "").replace(")", "")
    stream = f"BT /F1 24 Tf 40 90 Td ({words}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 150] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), list[int]()
    for index, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (index, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
