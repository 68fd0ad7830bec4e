"""Show a template message as the customer will see it, in plain text."""

from collections.abc import Mapping, Sequence

import msgspec

from wabiz_tui.graph.reading import Json, list_of, number_of, object_of, word
from wabiz_tui.graph.templates.definition import VARIABLE, ButtonFace, Face, TemplateDefinition, find, placeholders
from wabiz_tui.model.content import Template


def render(definition: TemplateDefinition, template: Template) -> str:
    """Header, body, offer, footer, buttons in brackets, then the cards; what `template` gives no value for keeps its {{…}}.

    Raw text of the business and of whoever filled it in: pass it through model.text before showing it.
    """
    face, *cards = filled_texts(definition, template)
    lines = _lines(face)
    if definition.offer:
        lines.insert(1 if face.header_format else 0, definition.offer)
    for index, card in enumerate(cards):
        lines += [f"({index + 1})", *_lines(card)]
    return "\n".join(lines)


def filled_texts(definition: TemplateDefinition, template: Template) -> list[Face]:
    """The template's face and those of its cards, their variables replaced by what `template` gives."""
    faces = [_filled(definition.face, template.components)]
    told = [object_of(card) for part in template.components for card in list_of(part.get("cards"))]
    for index, card in enumerate(told):
        if definition.cards:
            face = definition.cards[min(index, len(definition.cards) - 1)]
            faces.append(_filled(face, [object_of(part) for part in list_of(card.get("components"))]))
    return faces


def _filled(face: Face, components: Sequence[Json]) -> Face:
    header, header_file = _parameters(components, "header", face.header)
    body, _ = _parameters(components, "body", face.body)
    buttons = tuple(_filled_button(button, index, components) for index, button in enumerate(face.buttons))
    shown = _put(face.header, header) or header_file
    return msgspec.structs.replace(face, header=shown, body=_put(face.body, body), buttons=buttons)


def _filled_button(button: ButtonFace, index: int, components: Sequence[Json]) -> ButtonFace:
    for part in components:
        if word(part.get("type")).lower() == "button" and number_of(part.get("index")) == index:
            parameter = object_of(next(iter(list_of(part.get("parameters"))), None))
            code = word(parameter.get("coupon_code"))
            text = f"{button.text or 'Copy code'}: {code}" if code else button.text
            suffix = word(parameter.get("text"))
            names = placeholders(button.url)
            url = _put(button.url, dict.fromkeys(names, suffix)) if suffix else button.url
            return msgspec.structs.replace(button, text=text, url=url)
    return button


def _parameters(components: Sequence[Json], kind: str, text: str) -> tuple[dict[str, str], str]:
    """The values by name, and what a header that is no text is called."""
    names = placeholders(text)
    part = find(components, kind)
    values: dict[str, str] = {}
    for index, item in enumerate(list_of(part.get("parameters"))):
        parameter = object_of(item)
        form = word(parameter.get("type")).lower()
        inner = object_of(parameter.get(form))
        if form in ("text", "currency", "date_time"):
            name = word(parameter.get("parameter_name")) or (names[index] if index < len(names) else "")
            values[name] = word(parameter.get("text")) or word(inner.get("fallback_value"))
        elif kind == "header":
            return {}, word(inner.get("filename")) or word(inner.get("name")) or word(inner.get("product_retailer_id"))
    return values, ""


def _put(text: str, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def _lines(face: Face) -> list[str]:
    lines: list[str] = []
    if face.header_format == "text":
        lines.append(face.header)
    elif face.header_format:
        lines.append(f"[{face.header_format}: {face.header}]" if face.header else f"[{face.header_format}]")
    lines += [text for text in (face.body, face.footer) if text]
    for button in face.buttons:
        lines.append(
            f"[{button.text or button.kind}]" + (f" {button.url or button.phone_number}" if button.url or button.phone_number else "")
        )
    return lines
