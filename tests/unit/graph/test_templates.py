"""Templates: what a sender must give, filling it in, showing it, and judging the sends of others against a definition."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wabiz_tui.graph import templates
from wabiz_tui.graph.interactive import ProductSection
from wabiz_tui.graph.limits import check
from wabiz_tui.graph.requests import build_message, parse_send
from wabiz_tui.graph.responses import build_page, parse_templates
from wabiz_tui.graph.templates import FlowInput, Product, Products, TemplateDefinition, Value
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import Document, Image, Location, Template, Video
from wabiz_tui.model.errors import BadInput, LimitBroken

SOON = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def _item(*components: dict[str, Any], **parts: Any) -> dict[str, Any]:
    told = {"id": "1", "name": "news", "language": "en", "status": "APPROVED", "category": "MARKETING"}
    return {**told, "components": list(components), **parts}


def _body(text: str, **example: Any) -> dict[str, Any]:
    return {"type": "BODY", "text": text, **({"example": example} if example else {})}


def _buttons(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(buttons)}


def _header(form: str, **parts: Any) -> dict[str, Any]:
    return {"type": "HEADER", "format": form, **parts}


NAMED = _item(
    _header("TEXT", text="For {{who}}", example={"header_text_named_params": [{"param_name": "who", "example": "Ana"}]}),
    _body(
        "Your {{thing}} comes {{day}}.",
        body_text_named_params=[{"param_name": "day", "example": "today"}, {"param_name": "thing", "example": "bike"}],
    ),
    {"type": "FOOTER", "text": "Reply STOP to end"},
    parameter_format="NAMED",
)
SHOP = _item(
    _header("IMAGE", example={"header_handle": ["4::aW"]}),
    _body("Hi {{1}}, {{2}} off with {{1}}.", body_text=[["Ana", "20 %"]]),
    _buttons(
        {"type": "QUICK_REPLY", "text": "Stop"},
        {"type": "URL", "text": "Shop", "url": "https://example.com/{{1}}", "example": ["https://example.com/sale"]},
        {"type": "URL", "text": "About", "url": "https://example.com/about"},
        {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550001"},
        {"type": "COPY_CODE", "example": "SAVE20"},
    ),
)
OFFER = _item(
    {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon", "has_expiration": True}}, _body("All of it cheap today.")
)
CODE = _item(
    _body("*{{1}}* is your verification code.", body_text=[["123456"]]),
    _buttons({"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}),
    category="AUTHENTICATION",
)
CAROUSEL = _item(
    _body("See, {{1}}:", body_text=[["Ana"]]),
    {
        "type": "CAROUSEL",
        "cards": [
            {
                "components": [
                    _header("VIDEO"),
                    _body("For {{1}} today", body_text=[["9 €"]]),
                    _buttons({"type": "URL", "text": "Buy", "url": "https://example.com/{{1}}", "example": ["x"]}),
                ]
            }
        ]
        * 2,
    },
)
PRODUCTS = _item(
    _body("Look at this"),
    {"type": "CAROUSEL", "cards": [{"components": [_header("PRODUCT"), _buttons({"type": "SPM", "text": "View"})]}] * 2},
)
TWO_CARDS: dict[str, Value] = {
    "body.1": "Bo",
    "card.0.header": Video(id="1"),
    "card.0.body.1": "1",
    "card.0.button.0": "z",
    "card.1.header": Video(id="2"),
    "card.1.body.1": "1",
    "card.1.button.0": "z",
}
PRODUCT = Product("c", "p")
VALUES: list[tuple[dict[str, Any], dict[str, Value], str]] = [
    (NAMED, {"header": "you", "body.thing": "car", "body.day": "soon"}, "For you\nYour car comes soon.\nReply STOP to end"),
    (
        SHOP,
        {"header": Image(id="1"), "body.1": "Bo", "body.2": "5 %", "button.0": "p", "button.1": "x?y=1", "button.4": "SAVE5"},
        "\n".join(
            (
                "[image]",
                "Hi Bo, 5 % off with Bo.",
                "[Stop]",
                "[Shop] https://example.com/x?y=1",
                "[About] https://example.com/about",
                "[Call] +15550001",
                "[Copy code: SAVE5]",
            )
        ),
    ),
    (OFFER, {"offer": SOON}, "Ends soon\nAll of it cheap today."),
    (CODE, {"code": "987654"}, "*987654* is your verification code.\n[Copy code]"),
    (
        CAROUSEL,
        TWO_CARDS,
        "See, Bo:\n(1)\n[video]\nFor 1 today\n[Buy] https://example.com/z\n(2)\n[video]\nFor 1 today\n[Buy] https://example.com/z",
    ),
    (
        PRODUCTS,
        {f"card.{index}.header": PRODUCT for index in range(3)},
        "Look at this\n" + "\n".join(f"({index})\n[product: p]\n[View]" for index in (1, 2, 3)),
    ),
    (
        _item(_header("LOCATION"), _body("We are here.")),
        {"header": Location(1.5, 2.5, "Shop", "1 Street")},
        "[location: Shop]\nWe are here.",
    ),
    (
        _item(_header("DOCUMENT"), _body("Your bill.")),
        {"header": Document(link="https://example.com/b.pdf", filename="b.pdf")},
        "[document: b.pdf]\nYour bill.",
    ),
    (_item(_header("GIF"), _body("Dance.")), {"header": Video(id="1")}, "[gif]\nDance."),
    (_item(_header("PRODUCT"), _body("One.")), {"header": PRODUCT}, "[product: p]\nOne."),
    (
        _item(_body("All."), _buttons({"type": "MPM", "text": "View items"})),
        {"button.0": Products("p", [ProductSection(["p"], "t")])},
        "All.\n[View items]",
    ),
    (_item(_body("All."), _buttons({"type": "CATALOG", "text": "View catalog"})), {"button.0": "p"}, "All.\n[View catalog]"),
    (_item(_body("Tell us."), _buttons({"type": "FLOW", "text": "Open"})), {"button.0": FlowInput("t", {"a": 1})}, "Tell us.\n[Open]"),
    (_item(_body("Pay."), _buttons({"type": "ORDER_DETAILS", "text": "Pay"})), {"button.0": {"reference_id": "1"}}, "Pay.\n[Pay]"),
]


@pytest.mark.parametrize(("item", "values", "shown"), VALUES)
def test_filled_and_shown(item: dict[str, Any], values: dict[str, Value], shown: str) -> None:
    """A filled template fits its definition, is sent and read again as itself, and is shown as the customer will see it."""
    definition = templates.read_template(item)

    template = templates.fill(definition, values)

    request = parse_send(encode(build_message(template, to="+1")))
    check(request)
    assert request.content == template
    templates.check_fit(definition, template)
    assert templates.render(definition, template) == shown


@pytest.mark.parametrize(("item", "values", "shown"), VALUES)
def test_missing_too_many_and_wrong_values(item: dict[str, Any], values: dict[str, Value], shown: str) -> None:
    """Each parameter that is missing, too many or of the wrong kind is refused by its key before Meta could."""
    del shown
    definition = templates.read_template(item)
    required = {variable.key for variable in definition.variables if variable.is_required}
    assert required <= set(values)

    for key in required:
        with pytest.raises(LimitBroken) as missing:
            templates.fill(definition, {one: value for one, value in values.items() if one != key})
        assert (missing.value.field, missing.value.graph_code) == (key, 132000)
    for key, value in values.items():
        with pytest.raises(LimitBroken) as wrong:
            templates.fill(definition, {**values, key: Image(id="1") if isinstance(value, str) else "text"})
        assert (wrong.value.field, wrong.value.graph_code) == (key, 132012)
    with pytest.raises(LimitBroken) as unknown:
        templates.fill(definition, {**values, "body.99": "x"})
    assert (unknown.value.field, unknown.value.graph_code) == ("body.99", 132000)


def test_variables() -> None:
    """What a sender must give is told by component, with Meta's examples."""
    shop, named = templates.read_template(SHOP), templates.read_template(NAMED)

    assert [(one.key, one.kind, one.example, one.is_required) for one in shop.variables] == [
        ("header", "image", "", True),
        ("body.1", "text", "Ana", True),
        ("body.2", "text", "20 %", True),
        ("button.0", "payload", "", False),
        ("button.1", "url", "https://example.com/sale", True),
        ("button.4", "coupon_code", "SAVE20", True),
    ]
    assert [(one.key, one.example) for one in named.variables] == [("header", "Ana"), ("body.thing", "bike"), ("body.day", "today")]
    assert [one.key for one in templates.read_template(CODE).variables] == ["code"]
    assert (named.parameter_format, named.face.footer) == ("named", "Reply STOP to end")


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "PAUSED", "DISABLED", "FLAGGED", "LOCKED", "SOMETHING_NEW", ""])
def test_only_approved_ones_are_sent(status: str) -> None:
    """Every other status, known or not, does not send, and the refusal says which it is."""
    definition = templates.read_template(_item(_body("Hello."), status=status))

    assert not definition.is_sendable
    with pytest.raises(LimitBroken, match=status.lower() or "no known status"):
        templates.fill(definition, {})


def test_reading_what_surrounds() -> None:
    """Quality, reasons and categories are read; unknown components and keys do no harm; without a name there is nothing."""
    item = _item(
        _body("x"),
        {"type": "HOLOGRAM", "depth": 3},
        quality_score={"score": "YELLOW", "date": 1},
        rejected_reason="ABUSIVE_CONTENT",
        correct_category="UTILITY",
        future=[1],
    )
    definition = templates.read_template(item)

    assert (definition.quality, definition.rejected_reason, definition.correct_category) == ("YELLOW", "ABUSIVE_CONTENT", "UTILITY")
    assert templates.read_template(_item(rejected_reason="NONE")).rejected_reason == ""
    with pytest.raises(BadInput):
        templates.read_template({"language": "en"})


def test_a_page_of_templates() -> None:
    """A page of Meta's list is read with the cursor of the next; what is no template is left out."""
    page = build_page([NAMED, {"id": "9"}, SHOP], before="b", after="a", next_url="https://graph.facebook.com/next")

    definitions, after = parse_templates(json.dumps(page).encode())

    assert ([one.face.body for one in definitions], after) == (["Your {{thing}} comes {{day}}.", "Hi {{1}}, {{2}} off with {{1}}."], "a")


@pytest.mark.parametrize(
    ("item", "values", "field", "limit"),
    [
        (SHOP, {"body.1": "x" * 510, "body.2": "x"}, "body", 1024),
        (_item(_header("TEXT", text="For {{1}}"), _body("b")), {"header": "x" * 57}, "header", 60),
        (_item(OFFER["components"][0], _body("So {{1}} it is.")), {"offer": SOON, "body.1": "x" * 591}, "body", 600),
        (CAROUSEL, {"card.1.body.1": "x" * 151}, "card.1.body", 160),
        (CODE, {"code": "1" * 16}, "code", 15),
    ],
)
def test_too_long_when_filled_in(item: dict[str, Any], values: dict[str, Value], field: str, limit: int) -> None:
    """The whole text counts, not the value alone: 132005 does not come back."""
    usual = [told for one, told, _ in VALUES if one is item] or [values]

    with pytest.raises(LimitBroken) as refusal:
        templates.fill(templates.read_template(item), {**usual[0], **values})

    assert (refusal.value.field, refusal.value.limit, refusal.value.graph_code) == (field, limit, 132005)


def test_a_code_stands_in_body_and_button() -> None:
    """An authentication template carries its code twice; one of old without a button, once."""
    filled = templates.fill(templates.read_template(CODE), {"code": "1"})
    old = templates.fill(templates.read_template(_item(CODE["components"][0], category="AUTHENTICATION")), {"code": "1"})

    text = [{"type": "text", "text": "1"}]
    assert filled.components == (
        {"type": "body", "parameters": text},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": text},
    )
    assert old.components == ({"type": "body", "parameters": text},)


def test_flow_buttons_need_no_value() -> None:
    """A flow's button is sent with Meta's default token when nothing is given."""
    definition = templates.read_template(_item(_body("Tell us."), _buttons({"type": "FLOW", "text": "Open"})))

    button = templates.fill(definition, {}).components[0]

    assert button["parameters"] == [{"type": "action", "action": {"flow_token": "unused"}}]


def _sent(*components: dict[str, Any]) -> Template:
    return Template("news", {"code": "en"}, components)


IMAGE = templates.header_file(Image(id="1"))
URL = templates.url(1, "x")
COUPON = templates.copy_code(4, "C")


@pytest.mark.parametrize(
    ("item", "template", "code", "field"),
    [
        (SHOP, _sent(IMAGE, templates.body("a"), URL, COUPON), 132000, "template.body"),
        (SHOP, _sent(IMAGE, templates.body("a", "b", "c"), URL, COUPON), 132000, "template.body"),
        (SHOP, _sent(templates.body("a", "b"), URL, COUPON), 132000, "template.header"),
        (SHOP, _sent(templates.header_file(Video(id="1")), templates.body("a", "b"), URL, COUPON), 132012, "template.header"),
        (SHOP, _sent(IMAGE, templates.body("a", "b"), COUPON), 131008, "template.buttons[1]"),
        (SHOP, _sent(IMAGE, templates.body("a", "b"), URL), 131008, "template.buttons[4]"),
        (SHOP, _sent(IMAGE, templates.body("a", "b"), URL, COUPON, templates.url(2, "x")), 132000, "template.buttons[2]"),
        (SHOP, _sent(IMAGE, templates.body("a", "b"), URL, COUPON, templates.url(9, "x")), 132000, "template.buttons"),
        (SHOP, _sent(IMAGE, templates.body("a", "b"), URL, COUPON, templates.url(0, "x")), 132012, "template.buttons[0]"),
        (SHOP, _sent(IMAGE, templates.body("a", "x" * 1024), URL, COUPON), 132005, "body"),
        (NAMED, _sent(templates.header_text("a", name="who"), templates.body("a", "b")), 132012, "template.body"),
        (NAMED, _sent(templates.header_text("a"), templates.named_body({"thing": "a", "night": "b"})), 132012, "template.body"),
        (OFFER, _sent(), 131008, "template.limited_time_offer"),
        (CODE, _sent(templates.body("1")), 131008, "template.buttons[0]"),
        (CODE, _sent(templates.url(0, "1")), 132000, "template.body"),
        (CAROUSEL, _sent(templates.body("a")), 132000, "template.carousel.cards"),
        (CAROUSEL, _sent(templates.body("a"), templates.carousel([[IMAGE]] * 2)), 132012, "template.carousel.cards[0].header"),
    ],
)
def test_sends_of_others_that_do_not_fit(item: dict[str, Any], template: Template, code: int, field: str) -> None:
    """A foreign send with too few, too many or wrong parameters gets Meta's code, naming the component."""
    with pytest.raises(LimitBroken) as refusal:
        templates.check_fit(templates.read_template(item), template)

    assert (refusal.value.graph_code, refusal.value.field) == (code, field)


_WORDS = ("BODY", "HEADER", "BUTTONS", "CAROUSEL", "{{1}}", "{{a}}{{2}}", "URL", "IMAGE")
_ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(("type", "text", "format", "buttons", "cards", "components", "example", "url", "body_text")), inner),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None, derandomize=True)
@given(st.lists(_ANYTHING, max_size=4), _ANYTHING)
def test_any_definition_is_read(components: list[Any], quality: Any) -> None:
    """Whatever stands in a list of templates is read without an error, and fills with its required values or refuses by key."""
    item = {"name": "n", "language": "en", "status": "APPROVED", "components": components, "quality_score": quality}

    definition = templates.read_template(item)

    assert isinstance(templates.render(definition, Template("n")), str)
    _fill_or_refuse(definition)


def _fill_or_refuse(definition: TemplateDefinition) -> None:
    broken = None
    try:
        templates.fill(definition, {variable.key: "x" for variable in definition.variables if variable.is_required})
    except LimitBroken as error:
        broken = error
    assert broken is None or broken.field
