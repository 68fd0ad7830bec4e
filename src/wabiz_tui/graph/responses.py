"""Build and read what Meta answers: sends (§3.3), files and lists (§1, §2), created templates (§5); errors are in errors.py.

Readers bear keys they do not know, numbers written as text and absent ids; they raise BadInput where what was asked for is missing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from wabiz_tui.graph.reading import Json, list_of, load_object, number_of, object_of, word, word_or_none
from wabiz_tui.model.errors import BadInput, CloudError

if TYPE_CHECKING:
    from wabiz_tui.graph.templates import TemplateDefinition


class Accepted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A 200 on a send means that it was accepted, and nothing more.

    `wa_id` may differ from `input` (Brazil, Mexico, Argentina): both name the same person. `message_status` is for templates only.
    """

    wamid: str
    input: str = ""
    wa_id: str | None = None
    user_id: str | None = None
    message_status: str | None = None
    group_id: str | None = None
    original: dict[str, Any] = {}


def build_accepted(
    *,
    wamid: str,
    input: str,
    wa_id: str | None = None,
    user_id: str | None = None,
    message_status: str | None = None,
    group_id: str | None = None,
) -> dict[str, Any]:
    """The body of the answer to an accepted send."""
    contact: Json = {"input": input}
    message: Json = {"id": wamid}
    for target, key, value in (
        (contact, "wa_id", wa_id),
        (contact, "user_id", user_id),
        (message, "group_id", group_id),
        (message, "message_status", message_status),
    ):
        if value is not None:
            target[key] = value
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}


def parse_accepted(raw: bytes) -> Accepted:
    """The answer to a send. Raises CloudError with is_uncertain when it cannot be read: the message was accepted all the same."""
    try:
        body = load_object(raw)
    except BadInput as error:
        raise _unreadable() from error
    message = object_of(next(iter(list_of(body.get("messages"))), None))
    contact = object_of(next(iter(list_of(body.get("contacts"))), None))
    wamid = word(message.get("id"))
    if not wamid:
        raise _unreadable()
    return Accepted(
        wamid=wamid,
        input=word(contact.get("input")),
        wa_id=word_or_none(contact.get("wa_id")),
        user_id=word_or_none(contact.get("user_id")),
        message_status=word_or_none(message.get("message_status")),
        group_id=word_or_none(message.get("group_id")),
        original=body,
    )


def _unreadable() -> CloudError:
    return CloudError(
        "WhatsApp accepted the message but its answer cannot be read: check whether it arrived before sending again.",
        http_status=200,
        is_uncertain=True,
    )


def build_success(is_success: bool = True) -> dict[str, Any]:
    """The answer to most writes other than a send."""
    return {"success": is_success}


def parse_success(raw: bytes) -> bool:
    """Whether a write was carried out; False also where the answer does not say."""
    return load_object(raw).get("success") in (True, "true", 1)


def build_uploaded(media: str) -> dict[str, Any]:
    return {"id": media}


def parse_uploaded(raw: bytes) -> str:
    """The id of an uploaded file: good for 30 days, from the number it was uploaded to."""
    media = word(load_object(raw).get("id"))
    if not media:
        raise BadInput("WhatsApp's answer to the upload names no id.")
    return media


class MediaInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a file can be fetched. `url` dies after five minutes and wants the token; `size` is in bytes, 0 where it is not told."""

    id: str
    url: str
    mime_type: str = ""
    sha256: str = ""
    size: int = 0

    def __repr__(self) -> str:
        # The URL is signed: it does not get into logs by a print of this.
        return f"MediaInfo(id={self.id!r}, mime_type={self.mime_type!r}, size={self.size})"


def build_media_info(info: MediaInfo, *, size_as_text: bool = False) -> dict[str, Any]:
    """`file_size` is text in Meta's OpenAPI file and a number elsewhere: both are seen."""
    size: Any = str(info.size) if size_as_text else info.size
    told: Json = {"url": info.url, "mime_type": info.mime_type, "sha256": info.sha256, "file_size": size, "id": info.id}
    return {"messaging_product": "whatsapp", **told}


def parse_media_info(raw: bytes, *, media: str = "") -> MediaInfo:
    """`media` stands in where the answer does not repeat the id."""
    answer = load_object(raw)
    url, size = word(answer.get("url")), number_of(answer.get("file_size"))
    if not url:
        raise BadInput("WhatsApp's answer names no URL for the file.")
    return MediaInfo(
        id=word(answer.get("id")) or media,
        url=url,
        mime_type=word(answer.get("mime_type")),
        sha256=word(answer.get("sha256")),
        size=int(size) if size is not None and size > 0 else 0,
    )


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a list; `after` asks for the next one and is None on the last."""

    items: tuple[dict[str, Any], ...]
    after: str | None = None


def build_page(items: Sequence[Json], *, before: str = "", after: str = "", next_url: str = "") -> dict[str, Any]:
    """A page of a list; without `next_url` it is the last. Meta leaves out `paging` when there is nothing."""
    paging: Json = {"cursors": {"before": before, "after": after}} if items else {}
    if next_url:
        paging["next"] = next_url
    return {"data": list(items), **({"paging": paging} if paging else {})}


def parse_page(raw: bytes) -> Page:
    """Without `next` there is no further page, whatever the cursors say."""
    answer = load_object(raw)
    paging = object_of(answer.get("paging"))
    after = word(object_of(paging.get("cursors")).get("after"))
    items = tuple(object_of(item) for item in list_of(answer.get("data")) if isinstance(item, dict))
    return Page(items, after if after and paging.get("next") else None)


def parse_templates(raw: bytes) -> "tuple[tuple[TemplateDefinition, ...], str | None]":
    """The templates of one page and the cursor of the next. What has no name or language is left out."""
    # The answers to sends, which the desk waits for, need none of it.
    from wabiz_tui.graph.templates import read_template

    page = parse_page(raw)
    readable = [item for item in page.items if word(item.get("name")) and word(item.get("language"))]
    return tuple(read_template(item) for item in readable), page.after


class CreatedTemplate(msgspec.Struct, frozen=True):
    """`category` may be another than the one asked for."""

    id: str
    status: str
    category: str


def build_created(created: CreatedTemplate) -> dict[str, Any]:
    return {"id": created.id, "status": created.status, "category": created.category}


def parse_created(raw: bytes) -> CreatedTemplate:
    answer = load_object(raw)
    created = CreatedTemplate(word(answer.get("id")), word(answer.get("status")).upper(), word(answer.get("category")).upper())
    if not created.id:
        raise BadInput("WhatsApp's answer names no id for the template.")
    return created
