"""The limits of interactive messages, one rule a kind (cloud-api §4)."""

from collections.abc import Callable

import msgspec

from wabiz_tui.graph.limits.measuring import Part
from wabiz_tui.graph.limits.media import check_source

LABEL = 20
SHORT = 60
BODY = 1024
_ANY_HEADER = frozenset(("text", "image", "video", "document"))
_NO_HEADER: frozenset[str] = frozenset()


class Kind(msgspec.Struct, frozen=True):
    """`check` judges the action; `body` is the longest body."""

    check: Callable[[Part], None]
    body: int = BODY
    needs_body: bool = True
    headers: frozenset[str] = _ANY_HEADER
    needs_header: bool = False
    has_footer: bool = True


def check_interactive(message: Part) -> None:
    """The whole object of an interactive message."""
    name = message.choice("type", KINDS)
    kind = KINDS[name]
    _check_header(message, kind)
    if kind.needs_body or message.has("body"):
        message.part("body").text("text", kind.body)
    if not kind.has_footer:
        message.forbid("footer", why=f"is not allowed in a {name}")
    elif message.has("footer"):
        message.part("footer").text("text", SHORT)
    kind.check(message.part("action"))


def _check_header(message: Part, kind: Kind) -> None:
    if not kind.headers:
        message.forbid("header")
    if not message.has("header"):
        if kind.needs_header:
            message.miss("header")
        return
    header = message.part("header")
    form = header.choice("type", kind.headers)
    if form == "text":
        header.text("text", SHORT)
        header.text("sub_text", SHORT, is_needed=False)
        return
    check_source(header.part(form))


def _named(action: Part, name: str) -> None:
    action.choice("name", (name,))


def _buttons(action: Part) -> None:
    buttons = action.parts("buttons", 1, 3)
    for button in buttons:
        button.choice("type", ("reply",))
    _replies(action, [button.part("reply") for button in buttons], 256)


def _replies(action: Part, replies: list[Part], longest_id: int) -> None:
    action.unique("buttons", [reply.text("id", longest_id) for reply in replies], "ids")
    action.unique("buttons", [reply.text("title", LABEL) for reply in replies], "titles")


def _list(action: Part) -> None:
    action.text("button", LABEL)
    sections = action.parts("sections", 1, 10)
    rows = [row for section in sections for row in section.parts("rows", 1, 10)]
    # Ten rows in all sections together, not in each.
    action.count("sections.rows", len(rows), 1, 10)
    for section in sections:
        section.text("title", 24, is_needed=len(sections) > 1)
    for row in rows:
        row.text("title", 24)
        row.text("description", 72, is_needed=False)
    action.unique("sections.rows", [row.text("id", 200) for row in rows], "ids")


def _link(action: Part) -> None:
    _named(action, "cta_url")
    parameters = action.part("parameters")
    parameters.text("display_text", LABEL)
    parameters.link("url")


def _location(action: Part) -> None:
    _named(action, "send_location")


def _contact(action: Part) -> None:
    _named(action, "request_contact_info")


def _call_permission(action: Part) -> None:
    _named(action, "call_permission_request")


def _voice_call(action: Part) -> None:
    _named(action, "voice_call")
    if not action.has("parameters"):
        return
    parameters = action.part("parameters")
    parameters.text("display_text", LABEL, is_needed=False)
    parameters.text("payload", 512, is_needed=False)
    if parameters.has("ttl_minutes"):
        parameters.whole("ttl_minutes", 1, 43200)


def _flow(action: Part) -> None:
    _named(action, "flow")
    flow = action.part("parameters")
    flow.choice("flow_message_version", ("3",))
    if flow.has("flow_id") and flow.has("flow_name"):
        flow.refuse("flow_id", "and flow_name must not both be given", limit="flow_id or flow_name")
    flow.text("flow_name" if flow.has("flow_name") else "flow_id", 512)
    flow.text("flow_cta", 30)
    flow.text("flow_token", 1024, is_needed=False)
    if flow.has("mode"):
        flow.choice("mode", ("draft", "published"))
    chosen = flow.choice("flow_action", ("navigate", "data_exchange")) if flow.has("flow_action") else "navigate"
    if not flow.has("flow_action_payload"):
        return
    payload = flow.part("flow_action_payload")
    if chosen == "data_exchange" and flow.bounds.is_ours:
        flow.forbid("flow_action_payload", why="goes with flow_action navigate only")
    payload.text("screen", 512, is_needed=False)
    if payload.has("data") and not payload.part("data").json:
        payload.refuse("data", "must not be empty", limit="1 or more keys", value=0)


def _product(action: Part) -> None:
    action.text("catalog_id", 512)
    action.text("product_retailer_id", 512)


def check_product_sections(holder: Part) -> None:
    """Up to ten sections with up to thirty products in all of them together."""
    sections = holder.parts("sections", 1, 10)
    products = [product for section in sections for product in section.parts("product_items", 1, 30)]
    holder.count("sections.product_items", len(products), 1, 30)
    for section in sections:
        section.text("title", 24, is_needed=len(sections) > 1)
    for product in products:
        product.text("product_retailer_id", 512)


def _product_list(action: Part) -> None:
    action.text("catalog_id", 512)
    check_product_sections(action)


def _catalog(action: Part) -> None:
    _named(action, "catalog_message")
    if action.has("parameters"):
        action.part("parameters").text("thumbnail_product_retailer_id", 512, is_needed=False)


def _address(action: Part) -> None:
    _named(action, "address_message")
    action.part("parameters").text("country", 56)


def _order(action: Part) -> None:
    """Payments are judged by their name alone."""
    action.choice("name", ("review_and_pay", "review_order"))
    action.part("parameters")


def _carousel(action: Part) -> None:
    cards = action.parts("cards", 2, 10)
    check_card_indexes(action, cards)
    alike = [_card(card) for card in cards]
    for card, form in zip(cards, alike, strict=True):
        for index, what in enumerate(("type", "header", "action")):
            if form[index] != alike[0][index]:
                card.refuse(what, "must be alike in all cards", limit="alike in all cards")


def check_card_indexes(holder: Part, cards: list[Part]) -> None:
    """Cards are numbered from 0, each number once."""
    numbers = [card.whole("card_index", 0, 9) for card in cards]
    holder.unique("cards", [str(number) for number in numbers], "card_index")


def _card(card: Part) -> tuple[str, str, str]:
    """What must be alike in all cards: the type, the header's form, and the catalog or the buttons."""
    kind = card.choice("type", ("cta_url", "quick_reply", "product")) if card.has("type") else "cta_url"
    action = card.part("action")
    if kind == "product":
        card.forbid("header", "footer")
        _product(action)
        return kind, "", action.text("catalog_id", 512)
    header = card.part("header")
    form = header.choice("type", ("image", "video"))
    check_source(header.part(form))
    if card.has("body"):
        check_card_body(card.part("body"))
    card.forbid("footer")
    # Cards with quick replies are of type cta_url too.
    return "media", form, _card_buttons(action)


def check_card_body(body: Part, most: int = 160) -> None:
    """At most 160 characters and two line breaks."""
    breaks = body.text("text", most).count("\n")
    if breaks > 2:
        body.refuse("text", f"must have at most 2 line breaks, not {breaks}", limit=2, value=breaks)


def _card_buttons(action: Part) -> str:
    if not action.has("buttons"):
        _link(action)
        return "cta_url"
    action.forbid("parameters", why="and buttons must not both be given")
    buttons = action.parts("buttons", 1, 3)
    for button in buttons:
        button.choice("type", ("quick_reply",))
    _replies(action, [button.part("quick_reply") for button in buttons], action.bounds.card_reply_id)
    return f"{len(buttons)} quick replies"


KINDS: dict[str, Kind] = {
    "button": Kind(_buttons),
    # Meta's pages and its OpenAPI file disagree on the list's body (4096 or 1024): the larger one is let through.
    "list": Kind(_list, body=4096, headers=frozenset(("text",))),
    "cta_url": Kind(_link),
    "location_request_message": Kind(_location, headers=_NO_HEADER, has_footer=False),
    "request_contact_info": Kind(_contact),
    "call_permission_request": Kind(_call_permission, needs_body=False),
    "voice_call": Kind(_voice_call),
    "flow": Kind(_flow),
    "product": Kind(_product, needs_body=False, headers=_NO_HEADER),
    "product_list": Kind(_product_list, headers=frozenset(("text",)), needs_header=True),
    "catalog_message": Kind(_catalog),
    "carousel": Kind(_carousel, headers=_NO_HEADER, has_footer=False),
    "address_message": Kind(_address),
    "order_details": Kind(_order, needs_body=False),
    "order_status": Kind(_order, needs_body=False),
}
