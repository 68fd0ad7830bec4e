"""Fill a template in: the message to send, or a refusal that names the parameter (so that neither 132000 nor 132012 comes back)."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn, TypeAlias, cast

from wabiz_tui.graph.limits.measuring import OURS, Part
from wabiz_tui.graph.limits.templates import CODE, COUNT, FORMAT, check_template
from wabiz_tui.graph.outgoing import outgoing
from wabiz_tui.graph.reading import Json
from wabiz_tui.graph.templates import parts
from wabiz_tui.graph.templates.definition import Face, Kind, TemplateDefinition, Variable, card_variables, placeholders
from wabiz_tui.graph.templates.fitting import check_length, check_lengths
from wabiz_tui.model.content import Document, Image, Location, Template, Video
from wabiz_tui.model.errors import LimitBroken

Value: TypeAlias = (
    str | Image | Video | Document | Location | parts.Product | parts.Products | parts.FlowInput | datetime | Mapping[str, Any]
)

_CARD_KEY = re.compile(r"card\.([0-9])\.", re.ASCII)
_PAUSED = {"PAUSED": 132015, "DISABLED": 132016}
_WANTED: dict[Kind, tuple[type[Any], str]] = {
    **dict.fromkeys(cast("tuple[Kind, ...]", ("text", "url", "coupon_code", "payload", "thumbnail", "code")), (str, "text")),
    "image": (Image, "an image"),
    "video": (Video, "a video"),
    "gif": (Video, "a video"),
    "document": (Document, "a document"),
    "location": (Location, "a location"),
    "product": (parts.Product, "a product"),
    "products": (parts.Products, "products"),
    "flow": (parts.FlowInput, "a flow's input"),
    "order": (Mapping, "an order"),
    "expiration": (datetime, "a time"),
}


def fill(definition: TemplateDefinition, values: Mapping[str, Value]) -> Template:
    """The message that gives `definition` these `values`, by the keys of its variables.

    Raises LimitBroken naming the key that is missing or too many (132000), of the wrong kind (132012) or too long (132005), and
    naming the template itself when it does not send now.
    """
    if not definition.is_sendable:
        why = f"is {definition.status.lower() or 'of no known status'} and cannot be sent: choose another"
        raise LimitBroken(f"template {definition.name}", why, limit="APPROVED", graph_code=_PAUSED.get(definition.status, 132001))
    cards = _cards(definition, values)
    variables = (*definition.variables, *(one for index, card in cards[len(definition.cards) :] for one in card_variables(card, index)))
    _check_values(variables, values)
    template = parts.template(definition.name, definition.language, *_components(definition, cards, values))
    _, told = outgoing(template)
    check_template(Part(told, "template", OURS))
    check_lengths(definition, template)
    return template


def _cards(definition: TemplateDefinition, values: Mapping[str, Value]) -> list[tuple[int, Face]]:
    """The cards to be sent: those of the definition, and in a carousel of products as many more as there are values for."""
    count = len(definition.cards)
    if definition.has_product_cards:
        asked = [int(match[1]) + 1 for key in values if (match := _CARD_KEY.match(key))]
        count = max(count, *asked, 0) if asked else count
    return [(index, definition.cards[min(index, len(definition.cards) - 1)]) for index in range(count)]


def _check_values(variables: tuple[Variable, ...], values: Mapping[str, Value]) -> None:
    known = {variable.key: variable for variable in variables}
    for key in values:
        if key not in known:
            raise LimitBroken(key, "is no parameter of this template", limit=len(known), value=len(values), graph_code=COUNT)
    for key, variable in known.items():
        if key not in values:
            if variable.is_required:
                raise LimitBroken(key, "needs a value", limit=len(known), value=len(values), graph_code=COUNT)
            continue
        wanted, name = _WANTED[variable.kind]
        if not isinstance(values[key], wanted):
            _refuse(key, f"must be {name}", name)
        if wanted is str and not values[key]:
            raise LimitBroken(key, "needs a value", limit="required", value=0, graph_code=COUNT)
        if variable.kind == "code":
            check_length(key, cast("str", values[key]), CODE)


def _refuse(key: str, why: str, limit: str) -> NoReturn:
    raise LimitBroken(key, why, limit=limit, graph_code=FORMAT)


def _components(definition: TemplateDefinition, cards: list[tuple[int, Face]], values: Mapping[str, Value]) -> list[Json]:
    if definition.is_code:
        return _code(definition, cast("str", values["code"]))
    components = _face(definition, definition.face, values, "")
    if definition.has_expiration:
        components.append(parts.limited_time_offer(cast("datetime", values["offer"])))
    if cards:
        components.append(parts.carousel([_face(definition, card, values, f"card.{index}.") for index, card in cards]))
    return components


def _code(definition: TemplateDefinition, code: str) -> list[Json]:
    """In the body and again in the button; a code template of old may have no button."""
    index = next((index for index, button in enumerate(definition.face.buttons) if button.kind in ("otp", "url")), None)
    return [parts.body(code)] if index is None else list(parts.authentication(code, index=index))


def _face(definition: TemplateDefinition, face: Face, values: Mapping[str, Value], prefix: str) -> list[Json]:
    components: list[Json] = []
    header = values.get(f"{prefix}header")
    if header is not None:
        components.append(_header(definition, face, header))
    names = placeholders(face.body)
    texts = {name: cast("str", values[f"{prefix}body.{name}"]) for name in names}
    if texts:
        components.append(parts.named_body(texts) if definition.parameter_format == "named" else parts.body(*texts.values()))
    for index, button in enumerate(face.buttons):
        value = values.get(f"{prefix}button.{index}")
        if value is not None:
            components.append(_BUTTONS[button.kind](index, value))
        elif button.kind == "flow":
            components.append(parts.flow(index))
    return components


def _header(definition: TemplateDefinition, face: Face, value: Value) -> Json:
    match value:
        case str():
            return parts.header_text(value, name=placeholders(face.header)[0] if definition.parameter_format == "named" else "")
        case Image() | Document():
            return parts.header_file(value)
        case Video():
            return _gif(value) if face.header_format == "gif" else parts.header_file(value)
        case Location():
            return parts.header_location(value)
        case _:
            return parts.header_product(cast("parts.Product", value))


def _gif(video: Video) -> Json:
    """A GIF is a video under a name of its own."""
    parameter = parts.header_file(video)["parameters"][0]
    return {"type": "header", "parameters": [{"type": "gif", "gif": parameter["video"]}]}


_BUTTONS: dict[str, Callable[[int, Any], Json]] = {
    "quick_reply": parts.quick_reply,
    "url": parts.url,
    "otp": parts.url,
    "copy_code": parts.copy_code,
    "flow": parts.flow,
    "catalog": parts.catalog,
    "mpm": parts.multi_product,
    "order_details": parts.order_details,
}
