"""Read a template's definition as Meta's list gives it, and tell what a sender must fill in (cloud-api §5.2)."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from wabiz_tui.graph.reading import Json, list_of, object_of, word
from wabiz_tui.model.errors import BadInput

VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,100})\s*\}\}", re.ASCII)
Kind = Literal[
    "text", "image", "video", "document", "gif", "location", "product", "url", "coupon_code", "payload", "flow", "thumbnail",
    "products", "order", "expiration", "code",
]  # fmt: skip
_FILES: dict[str, Kind] = {"image": "image", "video": "video", "document": "document", "gif": "gif"}
_BUTTON_KINDS: dict[str, tuple[Kind, bool]] = {
    "copy_code": ("coupon_code", True),
    "quick_reply": ("payload", False),
    "flow": ("flow", False),
    "catalog": ("thumbnail", False),
    "mpm": ("products", True),
    "order_details": ("order", True),
}
_CODE_BUTTONS = ("otp", "url")


class Variable(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing a sender gives. `key` names it for `fill`; what is not required has a default of Meta's.

    Keys: `header`, `body.1` or `body.customer_name`, `button.0`, `offer`, `code`; in a carousel `card.0.header`, `card.0.body.1` …
    """

    key: str
    kind: Kind
    label: str = ""
    example: str = ""
    is_required: bool = True


class ButtonFace(msgspec.Struct, frozen=True, omit_defaults=True):
    """A button as the customer sees it; `kind` is Meta's type in lower case."""

    kind: str
    text: str = ""
    url: str = ""
    phone_number: str = ""


class Face(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the customer sees of a template, or of one card of its carousel. `header_format` is Meta's format in lower case, or empty."""

    header_format: str = ""
    header: str = ""
    body: str = ""
    footer: str = ""
    buttons: tuple[ButtonFace, ...] = ()


class TemplateDefinition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A template in one language. Texts are as the business wrote them: pass them through model.text before showing."""

    name: str
    language: str
    status: str
    category: str = ""
    id: str = ""
    parameter_format: Literal["positional", "named"] = "positional"
    face: Face = Face()
    cards: tuple[Face, ...] = ()
    offer: str = ""
    has_expiration: bool = False
    variables: tuple[Variable, ...] = ()
    quality: str = "UNKNOWN"
    rejected_reason: str = ""
    correct_category: str = ""
    previous_category: str = ""

    @property
    def is_sendable(self) -> bool:
        """Only APPROVED sends; a status that is not known does not."""
        return self.status == "APPROVED"

    @property
    def is_code(self) -> bool:
        """Whether it carries a one-time code: then `code` is all there is to fill in, with Meta's fixed wording."""
        return self.category == "AUTHENTICATION" and len(placeholders(self.face.body)) <= 1

    @property
    def has_product_cards(self) -> bool:
        """Such a carousel may be sent with more cards (up to ten) than it is defined with."""
        return bool(self.cards) and all(card.header_format == "product" for card in self.cards)


def read_template(item: Json) -> TemplateDefinition:
    """One item of `GET /{waba}/message_templates`. Unknown keys and components are left aside; raises BadInput without a name."""
    name, language = word(item.get("name")), word(item.get("language"))
    if not name or not language:
        raise BadInput("A template without a name or a language cannot be read.")
    components = _objects(item.get("components"))
    offer = object_of(find(components, "limited_time_offer").get("limited_time_offer"))
    rejected = word(item.get("rejected_reason"))
    definition = TemplateDefinition(
        id=word(item.get("id")),
        name=name,
        language=language,
        status=word(item.get("status")).upper(),
        category=word(item.get("category")).upper(),
        parameter_format=_parameter_format(item, components),
        face=_face(components),
        cards=tuple(_face(_objects(card.get("components"))) for card in _objects(find(components, "carousel").get("cards"))),
        offer=word(offer.get("text")),
        has_expiration=offer.get("has_expiration") is True,
        quality=word(object_of(item.get("quality_score")).get("score")).upper() or "UNKNOWN",
        rejected_reason="" if rejected == "NONE" else rejected,
        correct_category=word(item.get("correct_category")),
        previous_category=word(item.get("previous_category")),
    )
    return msgspec.structs.replace(definition, variables=tuple(_variables(definition, components)))


def placeholders(text: str) -> list[str]:
    """The names in `{{…}}`, each once: numbers by size, names in the order they come."""
    names = list(dict.fromkeys(VARIABLE.findall(text)))
    return sorted(names, key=int) if names and all(name.isdigit() for name in names) else names


def card_variables(card: Face, index: int) -> list[Variable]:
    """What the card with that index wants; examples are unknown."""
    return _face_variables(card, [], f"card.{index}.")


def _objects(value: Any) -> list[Json]:
    return [object_of(item) for item in list_of(value) if isinstance(item, dict)]


def find(components: Sequence[Json], kind: str) -> Json:
    """The first component of that kind; an empty one where there is none."""
    empty: Json = {}
    return next((one for one in components if word(one.get("type")).lower() == kind), empty)


def _parameter_format(item: Json, components: Sequence[Json]) -> Literal["positional", "named"]:
    told = word(item.get("parameter_format")).lower()
    if told in ("named", "positional"):
        return "named" if told == "named" else "positional"
    names = [name for part in components for name in placeholders(word(part.get("text")))]
    return "named" if any(not name.isdigit() for name in names) else "positional"


def _face(components: Sequence[Json]) -> Face:
    header = find(components, "header")
    buttons = tuple(
        ButtonFace(
            kind=word(button.get("type")).lower(),
            text=word(button.get("text")),
            url=word(button.get("url")),
            phone_number=word(button.get("phone_number")),
        )
        for button in _objects(find(components, "buttons").get("buttons"))
    )
    return Face(
        header_format=(word(header.get("format")).lower() or "text") if header else "",
        header=word(header.get("text")),
        body=word(find(components, "body").get("text")),
        footer=word(find(components, "footer").get("text")),
        buttons=buttons,
    )


def _variables(definition: TemplateDefinition, components: Sequence[Json]) -> list[Variable]:
    if definition.is_code:
        return [Variable("code", "code", "One-time code", _first(_examples(find(components, "body"), "body_text")))]
    found = _face_variables(definition.face, components, "")
    if definition.has_expiration:
        found.append(Variable("offer", "expiration", definition.offer))
    carousel = _objects(find(components, "carousel").get("cards"))
    for index, (card, told) in enumerate(zip(definition.cards, carousel, strict=True)):
        found += _face_variables(card, _objects(told.get("components")), f"card.{index}.")
    return found


def _face_variables(face: Face, components: Sequence[Json], prefix: str) -> list[Variable]:
    found: list[Variable] = []
    header = find(components, "header")
    if face.header_format == "text" and placeholders(face.header):
        found.append(Variable(f"{prefix}header", "text", placeholders(face.header)[0], _first(_examples(header, "header_text"))))
    elif face.header_format in _FILES:
        found.append(Variable(f"{prefix}header", _FILES[face.header_format]))
    elif face.header_format == "location":
        found.append(Variable(f"{prefix}header", "location"))
    elif face.header_format == "product":
        found.append(Variable(f"{prefix}header", "product"))
    names = placeholders(face.body)
    body = find(components, "body")
    examples = dict(zip(names, _examples(body, "body_text"), strict=False)) | _named_examples(body, "body_text")
    found += [Variable(f"{prefix}body.{name}", "text", name, examples.get(name, "")) for name in names]
    told = _objects(find(components, "buttons").get("buttons"))
    for index, button in enumerate(face.buttons):
        example = _first(_texts(told[index].get("example"))) if index < len(told) else ""
        found += _button_variable(button, f"{prefix}button.{index}", example)
    return found


def _button_variable(button: ButtonFace, key: str, example: str) -> list[Variable]:
    if button.kind in _CODE_BUTTONS:
        return [Variable(key, "url", button.text, example)] if placeholders(button.url) else []
    if button.kind not in _BUTTON_KINDS:
        return []
    kind, is_required = _BUTTON_KINDS[button.kind]
    return [Variable(key, kind, button.text, example, is_required)]


def _examples(component: Json, key: str) -> list[str]:
    """Meta writes them as a list of lists, a list, a text, or a list of names with examples."""
    return list(_named_examples(component, key).values()) or _texts(object_of(component.get("example")).get(key))


def _named_examples(component: Json, key: str) -> dict[str, str]:
    told = _objects(object_of(component.get("example")).get(f"{key}_named_params"))
    return {word(one.get("param_name")): word(one.get("example")) for one in told}


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in list_of(value) for text in _texts(item)]
    return [word(value)] if word(value) else []


def _first(texts: Sequence[str]) -> str:
    return texts[0] if texts else ""
