"""Does a template send fit the template: what graph.templates finds, and what Meta's servers judge besides (cloud-api §5.1)."""

import re
from collections.abc import Sequence
from datetime import datetime

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import refusing
from wabiz_tui.graph.reading import Json, list_of, number_of, object_of, word
from wabiz_tui.graph.templates import TemplateDefinition, read_template
from wabiz_tui.graph.templates.definition import find
from wabiz_tui.graph.templates.fitting import check_fit
from wabiz_tui.model.content import Template

FORMAT, TOO_LONG, INVALID, COUNT = 132012, 132005, 132018, 132000
CODE = 15
_NOT_PLAIN = re.compile(r"[\n\r\t]| {5}")


def check_send(item: Json, template: Template, now: datetime) -> None:
    """Raises CloudError 132000 (how many), 132012 (of what kind), 132005 (too long), 132018 (not allowed there), 131008 (missing)."""
    definition = read_template(item)
    with refusing():
        check_fit(definition, template)
    for place, component in _texts(template.components):
        _check_text(place, component)
    _check_offer(definition, template.components, now)
    if definition.is_code:
        _check_code(definition, template.components)


def _texts(components: Sequence[Json]) -> list[tuple[str, Json]]:
    found = [(word(one.get("type")).lower(), one) for one in components]
    cards = [object_of(card) for card in list_of(find(components, "carousel").get("cards"))]
    for index, card in enumerate(cards):
        inner = [object_of(one) for one in list_of(card.get("components"))]
        found += [(f"carousel.cards[{index}].{word(one.get('type')).lower()}", one) for one in inner]
    return [(place, one) for place, one in found if place.rpartition(".")[2] in ("header", "body")]


def _check_text(place: str, component: Json) -> None:
    for index, parameter in enumerate(object_of(one) for one in list_of(component.get("parameters"))):
        if word(parameter.get("type")).lower() != "text":
            continue
        text = word(parameter.get("text"))
        if not text.strip():
            raise graph_error(COUNT, f"template.{place}: parameter {index + 1} is empty")
        if _NOT_PLAIN.search(text):
            details = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
            raise graph_error(INVALID, f"template.{place}: parameter {index + 1}: {details}")


def _check_offer(definition: TemplateDefinition, components: Sequence[Json], now: datetime) -> None:
    offer = find(components, "limited_time_offer")
    if offer and not definition.has_expiration:
        raise graph_error(FORMAT, "template.limited_time_offer: the template has no offer that expires")
    for parameter in list_of(offer.get("parameters")):
        ends = number_of(object_of(object_of(parameter).get("limited_time_offer")).get("expiration_time_ms"))
        if ends is None or ends <= now.timestamp() * 1000:
            raise graph_error(FORMAT, "template.limited_time_offer: expiration_time_ms must be in the future, in milliseconds")


def _check_code(definition: TemplateDefinition, components: Sequence[Json]) -> None:
    """The code stands in the body and again in the button."""
    code = _first_text(find(components, "body"))
    if len(code) > CODE:
        raise graph_error(TOO_LONG, f"template.body: the code must be at most {CODE} characters long, not {len(code)}")
    buttons = [_first_text(one) for one in components if word(one.get("type")).lower() == "button"]
    if definition.face.buttons and any(again != code for again in buttons):
        raise graph_error(FORMAT, "template.buttons: the button must hold the code of the body")


def _first_text(component: Json) -> str:
    return word(object_of(next(iter(list_of(component.get("parameters"))), None)).get("text"))
