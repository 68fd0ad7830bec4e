"""Interactive messages from typed values, one function a kind (cloud-api §4); their limits are judged when they are built.

A header is a text, or an Image, Video or Document by id or link.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from wabiz_tui.graph.outgoing import media_object, said
from wabiz_tui.graph.reading import Json
from wabiz_tui.model.content import Document, Image, Interactive, Video, kind_of

Header: TypeAlias = str | Image | Video | Document | None


class Reply(NamedTuple):
    """A button that answers: `id` comes back with the tap."""

    id: str
    title: str


class Row(NamedTuple):
    """A choice in a list: `id` comes back when it is chosen."""

    id: str
    title: str
    description: str = ""


class Section(NamedTuple):
    """Rows under a title, which may be empty only when there is one section."""

    rows: Sequence[Row]
    title: str = ""


class ProductSection(NamedTuple):
    """Products of the catalog by their retailer ids."""

    products: Sequence[str]
    title: str = ""


class LinkCard(NamedTuple):
    """A carousel's card that opens a page."""

    header: Image | Video
    label: str
    url: str
    body: str = ""


class ReplyCard(NamedTuple):
    """A carousel's card with quick replies."""

    header: Image | Video
    replies: Sequence[Reply]
    body: str = ""


class ProductCard(NamedTuple):
    """A carousel's card that shows a product; all cards name the same catalog."""

    catalog_id: str
    product_retailer_id: str


Card: TypeAlias = LinkCard | ReplyCard | ProductCard


def reply_buttons(body: str, replies: Sequence[Reply], *, header: Header = None, footer: str = "") -> Interactive:
    """Up to three buttons; answered by `button_reply`."""
    buttons = [{"type": "reply", "reply": {"id": reply.id, "title": reply.title}} for reply in replies]
    return _interactive("button", {"buttons": buttons}, body, header, footer)


def list_message(body: str, button: str, sections: Sequence[Section], *, header: str = "", footer: str = "") -> Interactive:
    """A list behind `button`, ten rows in all; answered by `list_reply`."""
    told = [said({"title": section.title}) | {"rows": [said(row._asdict()) for row in section.rows]} for section in sections]
    return _interactive("list", {"button": button, "sections": told}, body, header or None, footer)


def link_button(body: str, label: str, url: str, *, header: Header = None, footer: str = "") -> Interactive:
    """A button that opens a page. No webhook tells of a tap."""
    return _interactive("cta_url", _link(label, url), body, header, footer)


def location_request(body: str) -> Interactive:
    """Asks where the customer is; answered by a location message that quotes this one."""
    return _interactive("location_request_message", {"name": "send_location"}, body)


def contact_request(body: str) -> Interactive:
    """Asks for the phone number of a customer known by BSUID; answered by a contacts message with origin contact_request."""
    return _interactive("request_contact_info", {"name": "request_contact_info"}, body)


def call_permission_request(body: str = "") -> Interactive:
    """Asks whether the business may call: at most once a day and twice a week; answered by `call_permission_reply`."""
    return _interactive("call_permission_request", {"name": "call_permission_request"}, body)


def voice_call(body: str, *, label: str = "", ttl_minutes: int | None = None, payload: str = "") -> Interactive:
    """A button that calls the business; calling must be on. Meta's label is "Call Now", its time to live seven days."""
    parameters = said({"display_text": label, "ttl_minutes": ttl_minutes, "payload": payload})
    return _interactive("voice_call", _named("voice_call", parameters), body)


def flow(
    body: str,
    button: str,
    *,
    flow_id: str = "",
    flow_name: str = "",
    token: str = "",
    action: str = "",
    screen: str = "",
    data: Mapping[str, Any] | None = None,
    is_draft: bool = False,
    header: Header = None,
    footer: str = "",
) -> Interactive:
    """Opens a flow, named by id or by name; answered by `nfm_reply`. `action` is navigate (to `screen`, with `data`) or data_exchange."""
    payload = said({"screen": screen, "data": None if data is None else dict(data)})
    parameters = said(
        {
            "flow_message_version": "3",
            "flow_id": flow_id,
            "flow_name": flow_name,
            "flow_cta": button,
            "flow_token": token,
            "flow_action": action,
            "flow_action_payload": payload or None,
            "mode": "draft" if is_draft else None,
        }
    )
    return _interactive("flow", _named("flow", parameters), body, header, footer)


def product(catalog_id: str, product_retailer_id: str, *, body: str = "", footer: str = "") -> Interactive:
    """One product of the catalog."""
    return _interactive("product", {"catalog_id": catalog_id, "product_retailer_id": product_retailer_id}, body, footer=footer)


def product_list(header: str, body: str, catalog_id: str, sections: Sequence[ProductSection], *, footer: str = "") -> Interactive:
    """Up to thirty products in up to ten sections; the header is required. Answered by an order."""
    action = {"catalog_id": catalog_id, "sections": product_sections(sections)}
    return _interactive("product_list", action, body, header, footer)


def catalog(body: str, *, thumbnail: str = "", footer: str = "") -> Interactive:
    """The whole catalog; `thumbnail` is the retailer id of the product whose picture is shown, the first one where it is empty."""
    parameters = said({"thumbnail_product_retailer_id": thumbnail})
    return _interactive("catalog_message", _named("catalog_message", parameters), body, footer=footer)


def carousel(body: str, cards: Sequence[Card]) -> Interactive:
    """Two to ten cards of one kind, alike in header, buttons and catalog."""
    return _interactive("carousel", {"cards": [{"card_index": index, **_card(card)} for index, card in enumerate(cards)]}, body)


def address(
    body: str, country: str, *, values: Mapping[str, str] | None = None, header: Header = None, footer: str = "", **more: Any
) -> Interactive:
    """Asks for a postal address (India only); `country` is the two-letter code, `values` what is known already, `more` Meta's further
    parameters (`saved_addresses`, `validation_errors`). Answered by an `nfm_reply` named address_message."""
    parameters = {"country": country, **more} | ({"values": dict(values)} if values else {})
    return _interactive("address_message", _named("address_message", parameters), body, header, footer)


def product_sections(sections: Sequence[ProductSection]) -> list[Json]:
    return [
        said({"title": section.title}) | {"product_items": [{"product_retailer_id": one} for one in section.products]}
        for section in sections
    ]


def _interactive(kind: str, action: Json, body: str, header: Header = None, footer: str = "") -> Interactive:
    return Interactive(
        type=kind,
        header=None if header is None else _header(header),
        body={"text": body} if body else None,
        footer={"text": footer} if footer else None,
        action=action,
    )


def _header(header: str | Image | Video | Document) -> Json:
    if isinstance(header, str):
        return {"type": "text", "text": header}
    return {"type": kind_of(header), kind_of(header): media_object(header)}


def _named(name: str, parameters: Json) -> Json:
    return {"name": name, "parameters": parameters} if parameters else {"name": name}


def _link(label: str, url: str) -> Json:
    return _named("cta_url", {"display_text": label, "url": url})


def _card(card: Card) -> Json:
    match card:
        case ProductCard():
            return {"type": "product", "action": {"product_retailer_id": card.product_retailer_id, "catalog_id": card.catalog_id}}
        case LinkCard():
            action = _link(card.label, card.url)
        case ReplyCard():
            action = {"buttons": [{"type": "quick_reply", "quick_reply": reply._asdict()} for reply in card.replies]}
    body = {"body": {"text": card.body}} if card.body else {}
    # Meta's page gives this type to cards with quick replies too.
    return {"type": "cta_url", "header": _header(card.header), **body, "action": action}
