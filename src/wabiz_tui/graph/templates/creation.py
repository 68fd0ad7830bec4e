"""Judge a template before it is created (cloud-api §5.3)."""

import re
from collections.abc import Callable

from wabiz_tui.graph.limits.interactive import check_card_body
from wabiz_tui.graph.limits.measuring import THEIRS, Bounds, Part
from wabiz_tui.graph.limits.templates import BODY, HEADER, NAME, URL
from wabiz_tui.graph.reading import Json, word
from wabiz_tui.graph.templates.definition import VARIABLE, placeholders
from wabiz_tui.graph.templates.fitting import CARD_BODY, OFFER_BODY

INVALID = 100
LENGTH = 2388040
HEADER_FORM = 2388047
BODY_FORM = 2388072
FOOTER_FORM = 2388073
TOO_MANY_VARIABLES = 2388293
VARIABLE_AT_EDGE = 2388299
FOOTER = 60
LABEL = 25
_NAME = re.compile(r"[a-z0-9_]+", re.ASCII)
_VARIABLE_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_WORD = re.compile(r"\w+")
_ADJACENT = re.compile(r"\}\}\s*\{\{")
_CATEGORIES = ("marketing", "utility", "authentication")
_FORMATS = ("text", "image", "video", "document", "gif", "location", "product")
_COMPONENTS = ("header", "body", "footer", "buttons", "carousel", "limited_time_offer", "call_permission_request")
_BUTTONS = (
    "quick_reply", "url", "phone_number", "copy_code", "flow", "catalog", "mpm", "spm", "otp", "voice_call", "request_contact_info",
    "order_details", "app", "call_permission_request",
)  # fmt: skip
_MOST_OF_A_KIND = {"url": 2, "phone_number": 1, "copy_code": 1}
# These have a wording of Meta's own.
_NO_LABEL = ("copy_code", "otp", "catalog", "mpm", "spm", "request_contact_info", "call_permission_request", "app", "voice_call")
_LIFE = {"authentication": (30, 900), "utility": (30, 43200), "marketing": (43200, 2592000)}


def check_definition(template: Json, bounds: Bounds = THEIRS) -> None:
    """Judge the body of `POST /{waba}/message_templates`. Raises LimitBroken; limits.refusal makes Meta's answer of it.

    With OURS an example is demanded for each variable, as Meta's reviewers do.
    """
    part = Part(template, "", bounds)
    if not _NAME.fullmatch(part.text("name", NAME, code=INVALID)):
        part.refuse("name", "must hold small letters, digits and underscores only", limit="[a-z0-9_]", code=INVALID)
    part.text("language", 16)
    category = part.choice("category", _CATEGORIES)
    is_named = part.has("parameter_format") and part.choice("parameter_format", ("positional", "named")) == "named"
    _check_life(part, category)
    if part.has("library_template_name"):
        return
    components = part.parts("components", 1, 10)
    kinds = [component.choice("type", _COMPONENTS) for component in components]
    part.unique("components", kinds, "types")
    if "body" not in kinds:
        part.refuse("components", "must have a body", limit="body", code=BODY_FORM)
    if "limited_time_offer" in kinds and "footer" in kinds:
        part.refuse("components", "must have no footer beside a limited-time offer", limit="no footer", code=FOOTER_FORM)
    longest = OFFER_BODY if "limited_time_offer" in kinds else BODY
    for component, kind in zip(components, kinds, strict=True):
        if kind == "body":
            _body(component, longest, is_named=is_named, is_code=category == "authentication")
        elif kind == "header":
            _header(component, is_named=is_named)
        elif kind in _CHECKS:
            _CHECKS[kind](component)
        elif kind == "carousel":
            _carousel(component, is_named=is_named)


def _check_life(part: Part, category: str) -> None:
    """-1 stands for thirty days."""
    if part.has("message_send_ttl_seconds") and word(part.json["message_send_ttl_seconds"]) != "-1":
        part.whole("message_send_ttl_seconds", *_LIFE[category])


def _header(header: Part, *, is_named: bool) -> None:
    if header.choice("format", _FORMATS) != "text":
        return
    text = header.text("text", HEADER, code=LENGTH)
    names = _names(header, text, HEADER_FORM, is_named=is_named)
    if len(names) > 1:
        header.refuse("text", f"must have at most 1 variable, not {len(names)}", limit=1, value=len(names), code=HEADER_FORM)
    _check_examples(header, names, HEADER_FORM)


def _body(body: Part, most: int, *, is_named: bool, is_code: bool = False) -> None:
    text = body.text("text", most, is_needed=not is_code, code=LENGTH)
    names = _names(body, text, BODY_FORM, is_named=is_named)
    if not names or is_code:
        return
    _check_examples(body, names, BODY_FORM)
    bare = text.strip()
    if bare.startswith("{{") or bare.endswith("}}"):
        body.refuse("text", "must not begin or end with a variable", limit="words at both ends", code=VARIABLE_AT_EDGE)
    if _ADJACENT.search(text):
        body.refuse("text", "must not have two variables side by side", limit="words between variables", code=BODY_FORM)
    words = len(_WORD.findall(VARIABLE.sub(" ", text)))
    # Meta names no formula; what it surely refuses is more variables than words.
    if len(names) > words:
        why = f"must have more words than variables, not {words} for {len(names)}"
        body.refuse("text", why, limit=words, value=len(names), code=TOO_MANY_VARIABLES)


def _names(part: Part, text: str, code: int, *, is_named: bool) -> list[str]:
    """The variables of a text; refused when they are not of the template's format."""
    names = placeholders(text)
    if len(VARIABLE.findall(text)) != text.count("{{"):
        part.refuse("text", "must have variables written {{1}} or {{name}}", limit="{{1}} or {{name}}", code=code)
    if is_named:
        if not all(_VARIABLE_NAME.fullmatch(name) for name in names):
            part.refuse("text", "must name its variables in small letters, digits and underscores", limit="[a-z0-9_]", code=code)
    elif names != [str(number + 1) for number in range(len(names))]:
        part.refuse("text", "must number its variables from {{1}} without gaps", limit="{{1}}, {{2}} …", code=code)
    return names


def _check_examples(part: Part, names: list[str], code: int) -> None:
    if names and part.bounds.is_ours and not part.has("example"):
        part.refuse("example", "is required where the text has variables", limit="required", code=code)


def _footer(footer: Part) -> None:
    if footer.has("code_expiration_minutes"):
        footer.whole("code_expiration_minutes", 1, 90)
        return
    if placeholders(footer.text("text", FOOTER, code=LENGTH)):
        footer.refuse("text", "must have no variables", limit=0, code=FOOTER_FORM)


def _buttons(holder: Part, most: int = 10) -> list[str]:
    buttons = holder.parts("buttons", 1, most, code=INVALID)
    kinds = [button.choice("type", _BUTTONS) for button in buttons]
    for kind, allowed in _MOST_OF_A_KIND.items():
        if kinds.count(kind) > allowed:
            why = f"must have at most {allowed} of type {kind}, not {kinds.count(kind)}"
            holder.refuse("buttons", why, limit=allowed, value=kinds.count(kind), code=INVALID)
    replies = [index for index, kind in enumerate(kinds) if kind == "quick_reply"]
    if replies and replies[-1] - replies[0] + 1 != len(replies):
        holder.refuse("buttons", "must have its quick replies together", limit="together", code=INVALID)
    for button, kind in zip(buttons, kinds, strict=True):
        _button(button, kind)
    return kinds


def _button(button: Part, kind: str) -> None:
    button.text("text", LABEL, is_needed=kind not in _NO_LABEL, code=INVALID)
    if kind == "phone_number":
        button.text("phone_number", 20, code=INVALID)
    elif kind == "url":
        _url(button)
    elif kind == "flow":
        told = [key for key in ("flow_id", "flow_name", "flow_json") if button.has(key)]
        if len(told) != 1:
            button.refuse("flow_id", "or flow_name or flow_json must be given, one of them", limit=1, value=len(told), code=INVALID)
    elif kind == "copy_code" and not isinstance(button.json.get("example"), list):
        button.text("example", 20, is_needed=button.bounds.is_ours, code=INVALID)


def _url(button: Part) -> None:
    url = button.text("url", URL, code=INVALID)
    button.link("url", URL)
    names = placeholders(url)
    if len(names) > 1 or (names and not url.rstrip().endswith("}}")):
        button.refuse("url", "must have at most 1 variable, at its end", limit=1, value=len(names), code=INVALID)
    _check_examples(button, names, INVALID)


def _offer(component: Part) -> None:
    offer = component.part("limited_time_offer")
    offer.text("text", 16, code=LENGTH)


def _carousel(component: Part, *, is_named: bool) -> None:
    cards = component.parts("cards", 2, 10, code=INVALID)
    layouts = [_card(card, is_named=is_named) for card in cards]
    for card, layout in zip(cards, layouts, strict=True):
        if layout != layouts[0]:
            card.refuse("components", "must be alike in all cards", limit="alike in all cards", code=INVALID)


def _card(card: Part, *, is_named: bool) -> list[str]:
    """The card's layout."""
    layout: list[str] = []
    for part in card.parts("components", 1, 3):
        kind = part.choice("type", ("header", "body", "buttons"))
        layout.append(kind)
        if kind == "header":
            layout.append(part.choice("format", ("image", "video", "product")))
        elif kind == "body":
            _body(part, CARD_BODY, is_named=is_named)
            check_card_body(part, CARD_BODY)
        else:
            layout += _buttons(part, 2)
    if "header" not in layout:
        card.refuse("components", "must have a header", limit="header", code=HEADER_FORM)
    return layout


def _check_buttons(component: Part) -> None:
    _buttons(component)


_CHECKS: dict[str, Callable[[Part], None]] = {"footer": _footer, "buttons": _check_buttons, "limited_time_offer": _offer}
