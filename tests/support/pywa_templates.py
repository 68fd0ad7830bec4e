"""Every kind of template that pywa makes, filled as pywa fills it, and the components Meta documents for the send (cloud-api §5.1)."""

from dataclasses import dataclass
from typing import Any

from pywa.types import FlowActionType
from pywa.types import templates as parts
from pywa.types.templates import TemplateCategory

from tests.support.pywa_sends import LINK, PNG

_MARKETING, _UTILITY, _CODES = TemplateCategory.MARKETING, TemplateCategory.UTILITY, TemplateCategory.AUTHENTICATION
_BODY = parts.BodyText("Look")
_MP4, _PDF = b"\0\0\0\x18ftypmp42" + bytes(24), b"%PDF-1.7 a bill"


@dataclass(frozen=True)
class Kind:
    """`made` are the components at creation, `params` what a send fills them with, `sent` what must be recorded."""

    name: str
    category: TemplateCategory
    made: list[Any]
    params: list[Any]
    sent: list[dict[str, Any]]

    def __str__(self) -> str:
        return self.name


def _header(parameter: dict[str, Any]) -> dict[str, Any]:
    return {"type": "HEADER", "parameters": [parameter]}


def _button(sub_type: str, parameter: dict[str, Any]) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": 0, "parameters": [parameter]}


def _code(button: Any) -> tuple[list[Any], list[dict[str, Any]]]:
    """A one-time code stands in the body and on the button (cloud-api §5.1, Authentication)."""
    text = {"type": "text", "text": "123456"}
    return (
        [parts.AuthenticationBody.params(otp="123456"), button.params(otp="123456")],
        [{"type": "BODY", "parameters": [text]}, _button("URL", text)],
    )


def _with_button(button: Any) -> list[Any]:
    return [_BODY, parts.Buttons(buttons=[button])]


_COPY, _ONE_TAP = (
    parts.CopyCodeOTPButton(text="Copy"),
    parts.OneTapOTPButton(
        text="Fill in",
        autofill_text="Fill in",
        supported_apps=[parts.OTPSupportedApp(package_name="example.shop", signature_hash="K8a/AINcGX7")],
    ),
)
_FLOW = parts.FlowButton(text="Book", flow_id="812", navigate_screen="DATES", flow_action=FlowActionType.NAVIGATE)
_PLACE = {"latitude": 52.53, "longitude": 13.38, "name": "Shop", "address": "Hof 1"}
_CARDS = [
    parts.CarouselCard(
        components=[
            parts.HeaderImage(example=PNG),
            parts.BodyText(name),
            parts.Buttons(buttons=[parts.QuickReplyButton(text="This one")]),
        ]
    )
    for name in ("City", "Cargo")
]

KINDS = [
    Kind(
        "with_image",
        _MARKETING,
        [parts.HeaderImage(example=PNG), _BODY],
        [parts.HeaderImage.params(image=f"{LINK}a.png")],
        [_header({"type": "image", "image": {"link": f"{LINK}a.png"}})],
    ),
    Kind(
        "with_video",
        _MARKETING,
        [parts.HeaderVideo(example=_MP4), _BODY],
        [parts.HeaderVideo.params(video=f"{LINK}a.mp4")],
        [_header({"type": "video", "video": {"link": f"{LINK}a.mp4"}})],
    ),
    Kind(
        "with_document",
        _UTILITY,
        [parts.HeaderDocument(example=_PDF), _BODY],
        [parts.HeaderDocument.params(document=f"{LINK}a.pdf", filename="Bill.pdf")],
        [_header({"type": "document", "document": {"link": f"{LINK}a.pdf", "filename": "Bill.pdf"}})],
    ),
    Kind(
        "with_location",
        _UTILITY,
        [parts.HeaderLocation(), _BODY],
        [parts.HeaderLocation.params(lat=52.53, lon=13.38, name="Shop", address="Hof 1")],
        [_header({"type": "location", "location": _PLACE})],
    ),
    Kind(
        "with_coupon",
        _MARKETING,
        _with_button(parts.CopyCodeButton(example="SAVE25")),
        [parts.CopyCodeButton.params(coupon_code="SAVE25", index=0)],
        [_button("COPY_CODE", {"type": "coupon_code", "coupon_code": "SAVE25"})],
    ),
    Kind(
        "code_to_copy", _CODES, [parts.AuthenticationBody(add_security_recommendation=True), parts.Buttons(buttons=[_COPY])], *_code(_COPY)
    ),
    Kind(
        "code_filled_in",
        _CODES,
        [parts.AuthenticationBody(add_security_recommendation=True), parts.Buttons(buttons=[_ONE_TAP])],
        *_code(_ONE_TAP),
    ),
    Kind(
        "with_flow",
        _MARKETING,
        _with_button(_FLOW),
        [parts.FlowButton.params(index=0, flow_token="token-1", flow_action_data={"shop": "north"})],
        [_button("FLOW", {"type": "action", "action": {"flow_token": "token-1", "flow_action_data": {"shop": "north"}}})],
    ),
    Kind(
        "with_catalog",
        _MARKETING,
        _with_button(parts.CatalogButton(text="View catalog")),
        [parts.CatalogButton.params(index=0, thumbnail_product_sku="city-1")],
        [_button("CATALOG", {"type": "action", "action": {"thumbnail_product_retailer_id": "city-1"}})],
    ),
    Kind("asks_for_the_number", _UTILITY, _with_button(parts.ContactInfoRequestButton()), [], []),
    Kind("with_call", _UTILITY, _with_button(parts.VoiceCallButton(text="Call us")), [], []),
    Kind(
        "with_cards",
        _MARKETING,
        [_BODY, parts.Carousel(cards=_CARDS)],
        [
            parts.Carousel.params(
                cards=[
                    parts.CarouselCard.params(
                        index=index,
                        params=[
                            parts.HeaderImage.params(image=f"{LINK}{index}.png"),
                            parts.QuickReplyButton.params(callback_data=f"card {index}", index=0),
                        ],
                    )
                    for index in range(2)
                ]
            )
        ],
        [
            {
                "type": "carousel",
                "cards": [
                    {
                        "card_index": index,
                        "components": [
                            _header({"type": "image", "image": {"link": f"{LINK}{index}.png"}}),
                            _button("QUICK_REPLY", {"type": "payload", "payload": f"card {index}"}),
                        ],
                    }
                    for index in range(2)
                ],
            }
        ],
    ),
]
