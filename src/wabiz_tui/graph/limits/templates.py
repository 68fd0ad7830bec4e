"""The limits of template messages as they are sent (cloud-api §5.1); whether the values fit a definition is for graph.templates."""

import re
from collections.abc import Callable

from wabiz_tui.graph.limits.interactive import check_card_indexes, check_product_sections
from wabiz_tui.graph.limits.measuring import Part
from wabiz_tui.graph.limits.media import check_source
from wabiz_tui.graph.reading import word

NAME = 512
BODY = 1024
HEADER = 60
CODE = 15
URL = 2000
TOO_LONG = 132005
COUNT = 132000
FORMAT = 132012
NOT_PLAIN = 132018
_NOT_PLAIN = re.compile(r"[\n\r\t]| {5}")
_SOURCES = ("image", "video", "document", "gif")
_COMPONENTS = (
    "header", "body", "button", "footer", "limited_time_offer", "carousel", "order_status", "tap_target_configuration",
)  # fmt: skip
_BUTTONS = (
    "quick_reply", "url", "copy_code", "flow", "catalog", "mpm", "spm", "voice_call", "phone_number", "otp", "order_details",
    "call_permission_request", "request_contact_info",
)  # fmt: skip


def check_template(template: Part) -> None:
    """The whole object of a template message."""
    template.text("name", NAME)
    language = template.part("language")
    language.text("code", 64)
    if language.has("policy"):
        language.choice("policy", ("deterministic",))
    components = template.parts("components", 0, 30)
    check_components(template, components)


def check_components(holder: Part, components: list[Part]) -> None:
    kinds = [component.choice("type", _COMPONENTS) for component in components]
    holder.unique("components", [kind for kind in kinds if kind != "button"], "types")
    buttons = [component for component, kind in zip(components, kinds, strict=True) if kind == "button"]
    holder.unique("components", [word(button.json.get("index")) for button in buttons], "a button's index")
    for component, kind in zip(components, kinds, strict=True):
        check = _CHECKS.get(kind)
        if check is not None:
            check(component)


def check_text(parameter: Part, most: int, key: str = "text") -> None:
    """A text that fills a variable. Meta refuses breaks, tabs and five blanks in a row; ours are held against that too."""
    text = parameter.text(key, most, code=TOO_LONG)
    if parameter.bounds.is_ours and _NOT_PLAIN.search(text):
        why = "must not hold line breaks, tabs or more than 4 blanks in a row"
        parameter.refuse(key, why, limit="one plain line", code=NOT_PLAIN)


def _header(component: Part) -> None:
    for parameter in component.parts("parameters", 0, 1, code=COUNT):
        kind = parameter.choice("type", ("text", *_SOURCES, "location", "product", "currency", "date_time"))
        if kind == "text":
            check_text(parameter, HEADER)
        elif kind in _SOURCES:
            check_source(parameter.part(kind))
        elif kind == "location":
            check_place(parameter.part("location"))
        elif kind == "product":
            product = parameter.part("product")
            product.text("product_retailer_id", 512)
            product.text("catalog_id", 512)


def check_place(place: Part) -> None:
    """A location: numbers, also where they are written as text."""
    place.number("latitude", -90, 90)
    place.number("longitude", -180, 180)
    place.text("name", 1000, is_needed=False)
    place.text("address", 1000, is_needed=False)


def _body(component: Part) -> None:
    parameters = component.parts("parameters", 0, 100, code=COUNT)
    names = [parameter.text("parameter_name", 512, is_needed=False) for parameter in parameters]
    component.unique("parameters", names, "a parameter_name")
    if any(names) and not all(names):
        component.refuse("parameters", "must all have a parameter_name, or none", limit="all or none", code=FORMAT)
    for parameter in parameters:
        kind = parameter.choice("type", ("text", "currency", "date_time"))
        if kind == "text":
            check_text(parameter, BODY)
        else:
            parameter.part(kind).text("fallback_value", BODY)


def _button(component: Part) -> None:
    kind = component.choice("sub_type", _BUTTONS)
    # Meta's own example of a call button has no index.
    if component.has("index") or kind != "voice_call":
        component.whole("index", 0, 9)
    check = _BUTTON_CHECKS.get(kind)
    for parameter in component.parts("parameters", 0, 2 if kind == "voice_call" else 1, code=COUNT):
        if check is not None:
            check(parameter)


def _payload(parameter: Part) -> None:
    """A quick reply's. Meta's example of a sample template gives `text` for it: let through when others send it."""
    kind = parameter.choice("type", ("payload",) if parameter.bounds.is_ours else ("payload", "text"))
    if kind == "payload":
        parameter.text("payload", parameter.bounds.payload)


def _suffix(parameter: Part) -> None:
    parameter.choice("type", ("text",))
    parameter.text("text", URL, code=TOO_LONG)


def _coupon(parameter: Part) -> None:
    parameter.choice("type", ("coupon_code",))
    parameter.text("coupon_code", parameter.bounds.coupon)


def _action(parameter: Part) -> None:
    parameter.choice("type", ("action",))
    parameter.part("action")


def _products(parameter: Part) -> None:
    parameter.choice("type", ("action",))
    action = parameter.part("action")
    action.text("thumbnail_product_retailer_id", 512, is_needed=False)
    check_product_sections(action)


def _call(parameter: Part) -> None:
    if parameter.choice("type", ("ttl_minutes", "payload")) == "payload":
        parameter.text("payload", 512)
    else:
        parameter.whole("ttl_minutes", 1, 43200)


_BUTTON_CHECKS: dict[str, Callable[[Part], None]] = {
    "quick_reply": _payload,
    "url": _suffix,
    "copy_code": _coupon,
    "flow": _action,
    "catalog": _action,
    "mpm": _products,
    "order_details": _action,
    "voice_call": _call,
}


def _offer(component: Part) -> None:
    for parameter in component.parts("parameters", 1, 1, code=COUNT):
        parameter.choice("type", ("limited_time_offer",))
        parameter.part("limited_time_offer").whole("expiration_time_ms", 1, 10**14)


def _carousel(component: Part) -> None:
    cards = component.parts("cards", 2, 10)
    check_card_indexes(component, cards)
    layouts: list[list[str]] = []
    for card in cards:
        parts = card.parts("components", 1, 12)
        check_components(card, parts)
        layouts.append(sorted(_layout(part) for part in parts))
    for card, layout in zip(cards, layouts, strict=True):
        if layout != layouts[0]:
            card.refuse("components", "must be alike in all cards", limit="alike in all cards")


def _layout(part: Part) -> str:
    kind = word(part.json.get("type")).lower()
    if kind == "button":
        return f"button {word(part.json.get('sub_type')).lower()} {word(part.json.get('index'))}"
    if kind == "header":
        return "header " + "".join(word(parameter.json.get("type")).lower() for parameter in part.parts("parameters", 0, 1))
    return kind


_CHECKS: dict[str, Callable[[Part], None]] = {
    "header": _header,
    "body": _body,
    "button": _button,
    "limited_time_offer": _offer,
    "carousel": _carousel,
}
