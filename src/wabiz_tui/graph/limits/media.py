"""What files may be sent as what, and how an object that names a file must look (cloud-api §4, §17)."""

from wabiz_tui.graph.limits.measuring import Part
from wabiz_tui.model.errors import LimitBroken

CAPTION = 1024
_MEGABYTE = 1024 * 1024
_KILOBYTE = 1024

MEDIA_TYPES: dict[str, tuple[str, ...]] = {
    "image": ("image/jpeg", "image/png"),
    "video": ("video/mp4", "video/3gpp"),
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    "document": (
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    "sticker": ("image/webp",),
}
MEDIA_SIZES = {
    "image": 5 * _MEGABYTE,
    "video": 16 * _MEGABYTE,
    "audio": 16 * _MEGABYTE,
    "document": 100 * _MEGABYTE,
    "sticker": 500 * _KILOBYTE,
}
STATIC_STICKER = 100 * _KILOBYTE
VOICE_TYPE = "audio/ogg"
_NO_CAPTION = ("audio", "sticker")
_REFUSED = 131053


def plain_type(mime_type: str) -> str:
    """The MIME type without its parameters (`; codecs=opus`), in lower case."""
    return mime_type.split(";", maxsplit=1)[0].strip().lower()


def media_kind(mime_type: str) -> str | None:
    """The message type files of this MIME type are sent as; None where Meta takes them as nothing at all."""
    plain = plain_type(mime_type)
    return next((kind for kind, allowed in MEDIA_TYPES.items() if plain in allowed), None)


def check_file(kind: str, mime_type: str, size: int, *, is_animated: bool | None = None, is_voice: bool = False) -> None:
    """Whether a file may be sent as `kind`; `size` in bytes, `is_animated` for stickers (None: not known, the larger size holds).

    Raises LimitBroken with Meta's code 131053 for a MIME type or size that is not accepted.
    """
    plain, allowed = plain_type(mime_type), (VOICE_TYPE,) if is_voice else MEDIA_TYPES.get(kind, ())
    if plain not in allowed:
        names = ", ".join(allowed) or "nothing"
        raise LimitBroken(f"{kind}.mime_type", f"must be one of {names}", limit=names, graph_code=_REFUSED)
    most = STATIC_STICKER if kind == "sticker" and is_animated is False else MEDIA_SIZES[kind]
    if not 1 <= size <= most:
        raise LimitBroken(f"{kind}.file", f"must be 1 to {most} bytes, not {size}", limit=most, value=size, graph_code=_REFUSED)


def check_source(media: Part) -> None:
    """An uploaded file's id or a link, never both."""
    if media.has("id") and media.has("link"):
        media.refuse("", "must name either id or link, not both", limit="id or link")
    if media.has("link"):
        media.link("link")
    elif not media.text("id", 512, is_needed=False):
        media.miss("id or link")


def check_media(media: Part, kind: str) -> None:
    """The object of an image, video, audio, document or sticker message."""
    check_source(media)
    if kind in _NO_CAPTION:
        media.forbid("caption")
    media.text("caption", CAPTION, is_needed=False)
    if kind != "audio":
        media.forbid("voice")
    elif media.has("voice") and not isinstance(media.json["voice"], bool):
        media.refuse("voice", "must be true or false", limit="true or false")
    if media.bounds.is_ours and kind != "document":
        media.forbid("filename")
    media.text("filename", 1000, is_needed=False)
