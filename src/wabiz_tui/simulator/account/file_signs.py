"""Tell a file by its first bytes, as Meta does: the name and the told type must agree with them (cloud-api §17)."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OFFICE_TYPES = tuple(_OFFICE + name for name in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation"))
_SIGNS: tuple[tuple[bytes, int, tuple[str, ...]], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, ("image/png",)),
    (b"\xff\xd8\xff", 0, ("image/jpeg",)),
    (b"GIF8", 0, ("image/gif",)),
    (b"WEBP", 8, ("image/webp",)),
    (b"%PDF-", 0, ("application/pdf",)),
    (
        b"PK\x03\x04",
        0,
        tuple(_OFFICE + name for name in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")),
    ),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, ("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint")),
    (b"OggS", 0, ("audio/ogg",)),
    (b"#!AMR", 0, ("audio/amr",)),
    (b"ID3", 0, ("audio/mpeg", "audio/aac")),
    (b"ftyp3g", 4, ("video/3gpp", "audio/mp4")),
    (b"ftyp", 4, ("video/mp4", "video/3gpp", "audio/mp4")),
)
_ANIMATION = 0x02


def types_of(content: bytes) -> tuple[str, ...] | None:
    """The MIME types these bytes can be; None where their beginning tells nothing."""
    return next((types for sign, offset, types in _SIGNS if content[offset : offset + len(sign)] == sign), None)


def is_animated(content: bytes) -> bool:
    """Whether a WebP file is an animation: its extended header says so."""
    return content[12:16] == b"VP8X" and len(content) > 20 and bool(content[20] & _ANIMATION)
