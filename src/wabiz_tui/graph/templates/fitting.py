"""Whether a template message fits its definition: as many parameters as there are variables, of the right form, not too long."""

from collections.abc import Sequence
from typing import NoReturn

from wabiz_tui.graph.limits.measuring import MISSING
from wabiz_tui.graph.limits.templates import BODY, COUNT, FORMAT, HEADER, TOO_LONG, URL
from wabiz_tui.graph.reading import Json, list_of, number_of, object_of, word
from wabiz_tui.graph.templates.definition import Face, TemplateDefinition, find, placeholders
from wabiz_tui.graph.templates.preview import filled_texts
from wabiz_tui.model.content import Template
from wabiz_tui.model.errors import LimitBroken

CARD_BODY = 160
OFFER_BODY = 600
_TEXTS = ("text", "currency", "date_time")
_CODE_BUTTONS = ("otp", "url")


def check_fit(definition: TemplateDefinition, template: Template) -> None:
    """Judge a message somebody else sends, whose form graph.limits found right. Raises LimitBroken: 132000 for the number of
    parameters, 132012 for their form, 131008 for a button's missing one, 132005 for texts too long once filled in."""
    _face(definition, definition.face, template.components, "template")
    cards = [object_of(card) for card in list_of(find(template.components, "carousel").get("cards"))]
    if len(cards) != len(definition.cards) and not (cards and definition.has_product_cards):
        _count("template.carousel.cards", len(cards), len(definition.cards))
    for index, card in enumerate(cards):
        face = definition.cards[min(index, len(definition.cards) - 1)]
        components = [object_of(part) for part in list_of(card.get("components"))]
        _face(definition, face, components, f"template.carousel.cards[{index}]")
    if definition.has_expiration and not find(template.components, "limited_time_offer"):
        raise LimitBroken("template.limited_time_offer", "is required", limit="required", graph_code=MISSING)
    check_lengths(definition, template)


def check_lengths(definition: TemplateDefinition, template: Template) -> None:
    """The texts as the customer gets them."""
    face, *cards = filled_texts(definition, template)
    if face.header_format == "text":
        check_length("header", face.header, HEADER)
    check_length("body", face.body, OFFER_BODY if definition.offer else BODY)
    for index, card in enumerate(cards):
        check_length(f"card.{index}.body", card.body, CARD_BODY)
    for told in (face, *cards):
        for index, button in enumerate(told.buttons):
            check_length(f"button.{index}", button.url, URL)


def check_length(key: str, text: str, most: int) -> None:
    if len(text) > most:
        why = f"must be at most {most} characters long when filled in, not {len(text)}"
        raise LimitBroken(key, why, limit=most, value=len(text), graph_code=TOO_LONG)


def _face(definition: TemplateDefinition, face: Face, components: Sequence[Json], place: str) -> None:
    _header(face, _parameters(find(components, "header")), f"{place}.header")
    body = _parameters(find(components, "body"))
    # The body of a code template may have been created without words of its own: Meta's have one variable.
    names = ["1"] if definition.is_code and face is definition.face else placeholders(face.body)
    if len(body) != len(names):
        _count(f"{place}.body", len(body), len(names))
    told = [word(parameter.get("parameter_name")) for parameter in body]
    if definition.parameter_format == "named" and sorted(told) != sorted(names) and not definition.is_code:
        _form(f"{place}.body", "must have a parameter_name out of " + ", ".join(names))
    _buttons(definition, face, components, place)


def _header(face: Face, parameters: list[Json], place: str) -> None:
    form = face.header_format
    wanted = len(placeholders(face.header)) if form in ("", "text") else 1
    if len(parameters) != wanted:
        _count(place, len(parameters), wanted)
    given = [word(parameter.get("type")).lower() for parameter in parameters]
    if any(kind not in (_TEXTS if form == "text" else (form,)) for kind in given):
        _form(place, f"must be of format {form.upper()}")


def _buttons(definition: TemplateDefinition, face: Face, components: Sequence[Json], place: str) -> None:
    given = {
        int(number_of(part.get("index")) or 0): (word(part.get("sub_type")).lower(), len(list_of(part.get("parameters"))))
        for part in components
        if word(part.get("type")).lower() == "button"
    }
    for index, (kind, _) in given.items():
        if index >= len(face.buttons):
            _count(f"{place}.buttons", index + 1, len(face.buttons))
        actual = face.buttons[index].kind
        if kind != actual and not (kind in _CODE_BUTTONS and actual in _CODE_BUTTONS):
            _form(f"{place}.buttons[{index}]", f"must be of type {actual.upper()}")
    for index, button in enumerate(face.buttons):
        is_code = definition.is_code and button.kind in _CODE_BUTTONS
        wants = is_code or button.kind in ("copy_code", "mpm", "order_details") or bool(placeholders(button.url))
        has = given.get(index, ("", 0))[1] > 0
        if wants and not has:
            why = f"of type {button.kind.upper()} requires a parameter"
            raise LimitBroken(f"{place}.buttons[{index}]", why, limit=1, value=0, graph_code=MISSING)
        if button.kind == "url" and has and not wants:
            _count(f"{place}.buttons[{index}]", 1, 0)


def _parameters(component: Json) -> list[Json]:
    return [object_of(item) for item in list_of(component.get("parameters"))]


def _count(field: str, number: int, expected: int) -> NoReturn:
    why = f"has {number} parameters, which does not match the expected number of params ({expected})"
    raise LimitBroken(field, why, limit=expected, value=number, graph_code=COUNT)


def _form(field: str, why: str) -> NoReturn:
    raise LimitBroken(field, why, limit=why.removeprefix("must be "), graph_code=FORMAT)
