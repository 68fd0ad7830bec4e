"""New templates are judged by Meta's creation limits before they are sent off."""

from collections.abc import Callable
from typing import Any

import pytest

from wabiz_tui.graph.limits import OURS, refusal
from wabiz_tui.graph.templates import check_definition
from wabiz_tui.model.errors import LimitBroken

BODY = {"type": "BODY", "text": "Hello there."}
REPLY = {"type": "QUICK_REPLY", "text": "Yes"}
LINK = {"type": "URL", "text": "Open", "url": "https://example.com/{{1}}", "example": ["x"]}
PHONE = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550001"}
COUPON = {"type": "COPY_CODE", "example": "SAVE20"}
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon", "has_expiration": True}}
PICTURE = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}}


def _new(*components: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"name": "news_1", "language": "en_US", "category": "MARKETING", "components": list(components) or [BODY], **parts}


def _body(text: str) -> dict[str, Any]:
    return {"type": "BODY", "text": text}


def _buttons(*buttons: dict[str, Any]) -> dict[str, Any]:
    return _new(BODY, {"type": "BUTTONS", "buttons": list(buttons)})


def _cards(*cards: list[dict[str, Any]]) -> dict[str, Any]:
    return _new(BODY, {"type": "CAROUSEL", "cards": [{"components": card} for card in cards]})


def _card(text: str = "One") -> list[dict[str, Any]]:
    return [PICTURE, _body(text), {"type": "BUTTONS", "buttons": [REPLY, LINK]}]


def _offer(text: str) -> dict[str, Any]:
    return _new({"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": text}}, BODY)


LENGTHS: list[tuple[str, int, int, Callable[[int], dict[str, Any]]]] = [
    ("name", 512, 100, lambda n: _new(name="a" * n)),
    ("components[0].text", 60, 2388040, lambda n: _new({"type": "HEADER", "format": "TEXT", "text": "x" * n}, BODY)),
    ("components[0].text", 1024, 2388040, lambda n: _new(_body("x" * n))),
    ("components[0].text", 600, 2388040, lambda n: _new(_body("x" * n), OFFER)),
    ("components[1].cards[0].components[1].text", 160, 2388040, lambda n: _cards(_card("x" * n), _card("x"))),
    ("components[1].text", 60, 2388040, lambda n: _new(BODY, {"type": "FOOTER", "text": "x" * n})),
    ("components[0].limited_time_offer.text", 16, 2388040, lambda n: _offer("x" * n)),
    ("components[1].buttons[0].text", 25, 100, lambda n: _buttons({**REPLY, "text": "x" * n})),
    ("components[1].buttons[0].phone_number", 20, 100, lambda n: _buttons({**PHONE, "phone_number": "1" * n})),
    ("components[1].buttons[0].url", 2000, 100, lambda n: _buttons({**LINK, "url": "https://e.org/" + "x" * (n - 14)})),
    ("components[1].buttons[0].example", 20, 100, lambda n: _buttons({**COUPON, "example": "X" * n})),
    ("components[1].buttons", 10, 100, lambda n: _buttons(*[REPLY] * n)),
    ("components[1].cards", 10, 100, lambda n: _cards(*[_card()] * n)),
]


@pytest.mark.parametrize(("field", "most", "code", "make"), LENGTHS, ids=[f"{field}-{most}" for field, most, *_ in LENGTHS])
def test_lengths(field: str, most: int, code: int, make: Callable[[int], dict[str, Any]]) -> None:
    """As long or many as allowed passes, one more is refused with Meta's code."""
    check_definition(make(most))

    with pytest.raises(LimitBroken) as broken:
        check_definition(make(most + 1))

    assert (broken.value.field, broken.value.limit, broken.value.value) == (field, most, most + 1)
    assert refusal(broken.value).graph_code == code


@pytest.mark.parametrize(
    ("template", "code", "field"),
    [
        (_new(name="Big-Sale"), 100, "name"),
        (_new(name=None), 131008, "name"),
        (_new(language=None), 131008, "language"),
        (_new(category="FUN"), 131009, "category"),
        (_new(components=[]), 131009, "components"),
        (_new({"type": "FOOTER", "text": "f"}), 2388072, "components"),
        (_new(BODY, BODY), 131009, "components"),
        (_new(_body("{{1}} is here")), 2388299, "components[0].text"),
        (_new(_body("Here is {{1}} ")), 2388299, "components[0].text"),
        (_new(_body("This is {{1}} {{2}} here.")), 2388072, "components[0].text"),
        (_new(_body("This {{1}}, {{2}}, {{3}}, {{4}} end")), 2388293, "components[0].text"),
        (_new(_body("This is {{2}} here.")), 2388072, "components[0].text"),
        (_new(_body("This is {{name}} here.")), 2388072, "components[0].text"),
        (_new(_body("This is {{Name}} here."), parameter_format="NAMED"), 2388072, "components[0].text"),
        (_new(_body("This is {{a b}} here.")), 2388072, "components[0].text"),
        (_new({"type": "HEADER", "format": "TEXT", "text": "a {{1}} b {{2}} c"}, BODY), 2388047, "components[0].text"),
        (_new({"type": "HEADER", "format": "HAT"}, BODY), 131009, "components[0].format"),
        (_new(BODY, {"type": "FOOTER", "text": "f {{1}}"}), 2388073, "components[1].text"),
        (_new(BODY, OFFER, {"type": "FOOTER", "text": "f"}), 2388073, "components"),
        (_buttons(LINK, LINK, LINK), 100, "components[1].buttons"),
        (_buttons(PHONE, PHONE), 100, "components[1].buttons"),
        (_buttons(COUPON, COUPON), 100, "components[1].buttons"),
        (_buttons(REPLY, LINK, REPLY), 100, "components[1].buttons"),
        (_buttons({"type": "URL", "text": "Open", "url": "https://example.com/{{1}}/x"}), 100, "components[1].buttons[0].url"),
        (_buttons({"type": "URL", "text": "Open", "url": "example.com"}), 131009, "components[1].buttons[0].url"),
        (_buttons({"type": "FLOW", "text": "Open"}), 100, "components[1].buttons[0].flow_id"),
        (_buttons({"type": "HAT", "text": "Open"}), 131009, "components[1].buttons[0].type"),
        (_cards(_card()), 100, "components[1].cards"),
        (_cards(_card(), [PICTURE, _body("x")]), 100, "components[1].cards[1].components"),
        (_cards([BODY], [BODY]), 2388047, "components[1].cards[0].components"),
        (_cards(_card("a\nb\nc\nd"), _card()), 131009, "components[1].cards[0].components[1].text"),
        (_new(BODY, {"type": "FOOTER", "code_expiration_minutes": 91}, category="AUTHENTICATION"), 131009, "components[1].code_expiration"),
        (_new(message_send_ttl_seconds=60), 131009, "message_send_ttl_seconds"),
        (_new(category="AUTHENTICATION", message_send_ttl_seconds=901), 131009, "message_send_ttl_seconds"),
    ],
)
def test_refusals(template: dict[str, Any], code: int, field: str) -> None:
    """What Meta's reviewers send back at once is refused with its code and field."""
    with pytest.raises(LimitBroken) as broken:
        check_definition(template)

    assert broken.value.graph_code == code
    assert broken.value.field.startswith(field)


@pytest.mark.parametrize(
    "template",
    [
        _new(),
        _new(category="marketing", message_send_ttl_seconds=-1),
        _new(_body("Hello {{1}}, your order {{2}} is ready."), category="UTILITY", message_send_ttl_seconds=30),
        _new(_body("Hello {{first_name}}, welcome."), parameter_format="named"),
        _new({"type": "header", "format": "location"}, {"type": "body", "text": "Here we are."}),
        _new(OFFER, BODY, {"type": "BUTTONS", "buttons": [COUPON, LINK]}),
        _buttons(REPLY, REPLY, LINK, LINK, PHONE, COUPON),
        _buttons(LINK, REPLY),
        _buttons({"type": "flow", "text": "Open", "flow_name": "f"}),
        _buttons({"type": "VOICE_CALL", "text": "Call Now"}),
        _cards(_card(), _card("Two")),
        _cards(*[[{"type": "header", "format": "product"}, {"type": "buttons", "buttons": [{"type": "spm", "text": "View"}]}]] * 2),
        _new(
            {"type": "BODY", "add_security_recommendation": True},
            {"type": "FOOTER", "code_expiration_minutes": 10},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
            category="AUTHENTICATION",
        ),
        {"name": "n", "language": "en", "category": "UTILITY", "library_template_name": "delivery_update"},
    ],
)
def test_allowed(template: dict[str, Any]) -> None:
    """Templates of every kind pass, in capitals or small letters."""
    check_definition(template)


def test_ours_need_examples() -> None:
    """Meta's reviewers want an example for each variable: ours are not sent off without."""
    bare = _new(_body("Hello {{1}}, welcome."))
    check_definition(bare)

    with pytest.raises(LimitBroken) as broken:
        check_definition(bare, OURS)

    assert broken.value.field == "components[0].example"
    check_definition(_new({**_body("Hello {{1}}, welcome."), "example": {"body_text": [["Ana"]]}}), OURS)
