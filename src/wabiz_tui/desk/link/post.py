"""What goes out through the hub: messages by its gateway, and files in pieces before them."""

from urllib.parse import quote

from wabiz_tui.desk.link.link import Accepted, Link
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.content import Content
from wabiz_tui.model.wire import IDEMPOTENCY_KEY, MESSAGE_HEADER, NewUpload, UploadStanding, address_of


async def send(link: Link, conversation: str, number: str, content: Content, *, key: str, reply_to: str | None) -> Accepted:
    """Raises Unreachable when no answer came (ask again with the same key), CloudError with the hub's or Meta's refusal, and what
    build_message raises for content that cannot be sent."""
    from wabiz_tui.graph.requests import build_message
    from wabiz_tui.graph.responses import parse_accepted

    body = build_message(content, recipient=address_of(conversation), reply_to=reply_to)
    answer = await link.gateway("POST", f"{quote(number, safe='')}/messages", body=body, headers={IDEMPOTENCY_KEY: key})
    return Accepted((parse_accepted(answer.body).wamid, answer.headers.get(MESSAGE_HEADER.lower())))


async def begin_upload(link: Link, wanted: NewUpload) -> UploadStanding:
    """How far the file has come; asked again, the same. Raises what the line raises."""
    return decode(await link.request("POST", "/v1/uploads", encode(wanted)), UploadStanding)


async def bring_piece(link: Link, upload: str, offset: int, piece: bytes) -> UploadStanding:
    """The piece that begins at `offset`; one that is there already changes nothing. Raises NotFound for an upload that has run out,
    Conflict where pieces before it are missing."""
    return decode(await link.request("PUT", f"/v1/uploads/{quote(upload, safe='')}/{offset}", piece), UploadStanding)


async def pass_on(link: Link, number: str, upload: str) -> str:
    """Have the hub give the whole file to Meta; her id of it. Raises Unreachable, CloudError."""
    from wabiz_tui.graph.responses import parse_uploaded

    body = {"messaging_product": "whatsapp", "upload": upload}
    return parse_uploaded((await link.gateway("POST", f"{quote(number, safe='')}/media", body=body, headers={})).body)


async def forget_upload(link: Link, upload: str) -> None:
    """Have the hub destroy what it holds of a file nobody sends any more. Raises NotFound where it holds nothing."""
    await link.request("DELETE", f"/v1/uploads/{quote(upload, safe='')}")
