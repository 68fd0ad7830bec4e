"""The components of a template message, one function each (cloud-api §5.1). Buttons are counted from 0."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from wabiz_tui.graph.interactive import ProductSection, product_sections
from wabiz_tui.graph.outgoing import location_object, media_object, said
from wabiz_tui.graph.reading import Json
from wabiz_tui.model.content import Document, Image, Location, Template, Video, kind_of


class Product(NamedTuple):
    """A product of a catalog, for a header."""

    catalog_id: str
    product_retailer_id: str


class Products(NamedTuple):
    """What a multi-product button shows; `thumbnail` is a product's retailer id."""

    thumbnail: str
    sections: Sequence[ProductSection]


class FlowInput(NamedTuple):
    """What a flow button hands over. `token` comes back with the answer; `data` is for the first screen."""

    token: str = "unused"  # noqa: S105 Meta's default, no secret
    data: Mapping[str, Any] | None = None


def template(name: str, language: str, *components: Json, policy: str = "") -> Template:
    """A template message. Name and language choose the version: there is no fallback to another language, and deterministic is
    the only policy there is."""
    return Template(name, said({"code": language, "policy": policy}), components)


def header_text(text: str, *, name: str = "") -> Json:
    """The value of a text header's variable; `name` where the template's parameters are named."""
    return _component("header", [_text(text, name)])


def header_file(file: Image | Video | Document) -> Json:
    """The header's file, which must be given at each send: the sample of the template's creation is not used again."""
    kind = kind_of(file)
    return _component("header", [{"type": kind, kind: media_object(file)}])


def header_location(place: Location) -> Json:
    return _component("header", [{"type": "location", "location": location_object(place)}])


def header_product(product: Product) -> Json:
    told = {"product_retailer_id": product.product_retailer_id, "catalog_id": product.catalog_id}
    return _component("header", [{"type": "product", "product": told}])


def body(*texts: str) -> Json:
    """The values of {{1}}, {{2}} … in order."""
    return _component("body", [_text(text) for text in texts])


def named_body(texts: Mapping[str, str]) -> Json:
    """The values of named variables."""
    return _component("body", [_text(text, name) for name, text in texts.items()])


def quick_reply(index: int, payload: str) -> Json:
    """What comes back with a tap; without it the button's label does."""
    return _button("quick_reply", index, [{"type": "payload", "payload": payload}])


def url(index: int, suffix: str) -> Json:
    """What is put in place of the URL's variable."""
    return _button("url", index, [_text(suffix)])


def copy_code(index: int, code: str) -> Json:
    """The coupon a tap copies."""
    return _button("copy_code", index, [{"type": "coupon_code", "coupon_code": code}])


def flow(index: int, given: FlowInput | None = None) -> Json:
    told = given or FlowInput()
    action = said({"flow_token": told.token, "flow_action_data": None if told.data is None else dict(told.data)})
    return _button("flow", index, [_action(action)])


def catalog(index: int, thumbnail: str) -> Json:
    return _button("catalog", index, [_action({"thumbnail_product_retailer_id": thumbnail})])


def multi_product(index: int, products: Products) -> Json:
    action = {"thumbnail_product_retailer_id": products.thumbnail, "sections": product_sections(products.sections)}
    return _button("mpm", index, [_action(action)])


def voice_call(index: int, *, ttl_minutes: int | None = None, payload: str = "") -> Json:
    told = said({"ttl_minutes": ttl_minutes, "payload": payload})
    return _button("voice_call", index, [{"type": key, key: value} for key, value in told.items()])


def order_details(index: int, order: Mapping[str, Any]) -> Json:
    """A bill to be paid; `order` as Meta's payments pages define it for the country."""
    return _button("order_details", index, [_action({"order_details": dict(order)})])


def order_status(reference_id: str, status: str, *, description: str = "") -> Json:
    """How an order goes on; `status` is pending, processing, partially_shipped, shipped, completed or canceled."""
    told = {"reference_id": reference_id, "order": said({"status": status, "description": description})}
    return _component("order_status", [{"type": "order_status", "order_status": told}])


def limited_time_offer(expires_at: datetime) -> Json:
    """When the offer ends."""
    offer = {"expiration_time_ms": int(expires_at.timestamp() * 1000)}
    return _component("limited_time_offer", [{"type": "limited_time_offer", "limited_time_offer": offer}])


def card(*components: Json) -> tuple[Json, ...]:
    """One card of a carousel: its header, body and buttons."""
    return components


def carousel(cards: Sequence[Sequence[Json]]) -> Json:
    """Two to ten cards of the same layout."""
    return {
        "type": "carousel",
        "cards": [{"card_index": index, "components": list(components)} for index, components in enumerate(cards)],
    }


def authentication(code: str, *, index: int = 0) -> tuple[Json, Json]:
    """A one-time code: it stands in the body and again in the button that copies or fills it in."""
    return body(code), url(index, code)


def _component(kind: str, parameters: list[Json]) -> Json:
    return {"type": kind, "parameters": parameters}


def _button(kind: str, index: int, parameters: list[Json]) -> Json:
    # Meta's OpenAPI file wants the index as text; its examples have both.
    return {"type": "button", "sub_type": kind, "index": str(index), **({"parameters": parameters} if parameters else {})}


def _text(text: str, name: str = "") -> Json:
    return said({"type": "text", "parameter_name": name}) | {"text": text}


def _action(action: Json) -> Json:
    return {"type": "action", "action": action}
