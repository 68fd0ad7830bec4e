"""Every sending method of pywa's as a business would call it, and the message object Meta documents for it (cloud-api §4, §5).

The expected bodies are written out by hand from the reference, not read from pywa: both are held against each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pywa
from pywa import types
from pywa.types.others import Contact
from pywa.types.templates import BodyText, QuickReplyButton, TemplateLanguage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)
LINK = "https://files.example/"


@dataclass(frozen=True)
class Chat:
    """To whom, and a message of theirs that may be quoted."""

    to: str
    incoming: str


Send = Callable[[pywa.WhatsApp, Chat], Any]


@dataclass(frozen=True)
class Sending:
    """`body` is what the simulator must have recorded beside the envelope (`messaging_product`, `recipient_type`, `to`)."""

    name: str
    send: Send
    body: Callable[[Chat], dict[str, Any]]

    def __str__(self) -> str:
        return self.name


def _interactive(kind: str, action: dict[str, Any], **around: Any) -> dict[str, Any]:
    parts = {"body": {"text": "Which one?"}} | around
    return {"type": "interactive", "interactive": {"type": kind, "action": action, **parts}}


def _sending(name: str, send: Send, body: dict[str, Any]) -> Sending:
    return Sending(name, send, lambda _: body)


_HEADED = {"header": {"type": "text", "text": "Bikes"}, "footer": {"text": "Speiche"}}
_REPLIES = [types.Button(title="City", callback_data="city"), types.Button(title="Cargo", callback_data="cargo")]
_REPLY_ACTION = {
    "buttons": [{"type": "reply", "reply": {"id": "city", "title": "City"}}, {"type": "reply", "reply": {"id": "cargo", "title": "Cargo"}}]
}
_LIST = types.SectionList(
    button_title="Choose",
    sections=[
        types.Section(title="New", rows=[types.SectionRow(title="City", callback_data="city", description="Seven gears")]),
        types.Section(title="Used", rows=[types.SectionRow(title="Cargo", callback_data="cargo")]),
    ],
)
_LIST_ACTION = {
    "button": "Choose",
    "sections": [
        {"title": "New", "rows": [{"id": "city", "title": "City", "description": "Seven gears"}]},
        {"title": "Used", "rows": [{"id": "cargo", "title": "Cargo"}]},
    ],
}
_FLOW = types.FlowButton(
    title="Book",
    flow_id="812",
    flow_token="token-1",
    flow_action_type=types.FlowActionType.NAVIGATE,
    flow_action_screen="DATES",
    flow_action_payload={"shop": "north"},
)
_FLOW_ACTION = {
    "name": "flow",
    "parameters": {
        "mode": "published",
        "flow_message_version": "3",
        "flow_token": "token-1",
        "flow_id": "812",
        "flow_cta": "Book",
        "flow_action": "navigate",
        "flow_action_payload": {"screen": "DATES", "data": {"shop": "north"}},
    },
}
_DRAFT = types.FlowButton(
    title="Book",
    flow_name="booking",
    flow_token="token-2",
    mode=types.FlowStatus.DRAFT,
    flow_action_type=types.FlowActionType.DATA_EXCHANGE,
)
_DRAFT_ACTION = {
    "name": "flow",
    "parameters": {
        "mode": "draft",
        "flow_message_version": "3",
        "flow_token": "token-2",
        "flow_name": "booking",
        "flow_cta": "Book",
        "flow_action": "data_exchange",
    },
}
_CARDS = [
    types.ImageCarouselCard(image=f"{LINK}{name}.png", body=name, buttons=types.URLButton(title="Look", url=f"https://shop.example/{name}"))
    for name in ("city", "cargo")
]
_CARD_ACTION = {
    "cards": [
        {
            "card_index": index,
            "type": "cta_url",
            "header": {"type": "image", "image": {"link": f"{LINK}{name}.png"}},
            "body": {"text": name},
            "action": {"name": "cta_url", "parameters": {"display_text": "Look", "url": f"https://shop.example/{name}"}},
        }
        for index, name in enumerate(("city", "cargo"))
    ]
}
_CONTACT = Contact(
    name=Contact.Name(formatted_name="Dr Ada Quist Jr", first_name="Ada", last_name="Quist", middle_name="M", prefix="Dr", suffix="Jr"),
    birthday="1990-02-28",
    phones=[Contact.Phone(phone="+49 30 5557 0199", type="WORK", wa_id="493055570199")],
    emails=[Contact.Email(email="ada@shop.example", type="WORK")],
    urls=[Contact.Url(url="https://shop.example", type="WORK")],
    addresses=[Contact.Address(street="Hof 1", city="Berlin", state="BE", zip="10115", country="Germany", country_code="de", type="WORK")],
    org=Contact.Org(company="Speiche", department="Repairs", title="Owner"),
)
_CONTACT_BODY = {
    "name": {
        "formatted_name": "Dr Ada Quist Jr",
        "first_name": "Ada",
        "last_name": "Quist",
        "middle_name": "M",
        "prefix": "Dr",
        "suffix": "Jr",
    },
    "birthday": "1990-02-28",
    "phones": [{"phone": "+49 30 5557 0199", "type": "WORK", "wa_id": "493055570199"}],
    "emails": [{"email": "ada@shop.example", "type": "WORK"}],
    "urls": [{"url": "https://shop.example", "type": "WORK"}],
    "addresses": [
        {
            "street": "Hof 1",
            "city": "Berlin",
            "state": "BE",
            "zip": "10115",
            "country": "Germany",
            "country_code": "de",
            "type": "WORK",
        }
    ],
    "org": {"company": "Speiche", "department": "Repairs", "title": "Owner"},
}

TEXTS = [
    _sending("text", lambda wa, chat: wa.send_text(chat.to, "Hi"), {"type": "text", "text": {"body": "Hi", "preview_url": False}}),
    _sending(
        "text with preview",
        lambda wa, chat: wa.send_message(chat.to, "Look: https://shop.example", preview_url=True),
        {"type": "text", "text": {"body": "Look: https://shop.example", "preview_url": True}},
    ),
    Sending(
        "text as a reply, tracked, for a known identity",
        lambda wa, chat: wa.send_message(
            chat.to, "Grüße 👋", reply_to_message_id=chat.incoming, tracker="outbox-42", identity_key_hash="AbC123="
        ),
        lambda chat: {
            "type": "text",
            "text": {"body": "Grüße 👋", "preview_url": False},
            "context": {"message_id": chat.incoming},
            "biz_opaque_callback_data": "outbox-42",
            "recipient_identity_key_hash": "AbC123=",
        },
    ),
]

INTERACTIVES = [
    _sending(
        "reply buttons",
        lambda wa, chat: wa.send_message(chat.to, "Which one?", header="Bikes", footer="Speiche", buttons=_REPLIES),
        _interactive("button", _REPLY_ACTION, **_HEADED),
    ),
    _sending(
        "URL button",
        lambda wa, chat: wa.send_message(chat.to, "Which one?", buttons=types.URLButton(title="Open", url="https://shop.example")),
        _interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://shop.example"}}),
    ),
    _sending(
        "list",
        lambda wa, chat: wa.send_message(chat.to, "Which one?", header="Bikes", footer="Speiche", buttons=_LIST),
        _interactive("list", _LIST_ACTION, **_HEADED),
    ),
    _sending("flow", lambda wa, chat: wa.send_message(chat.to, "Which one?", buttons=_FLOW), _interactive("flow", _FLOW_ACTION)),
    _sending(
        "draft flow by name", lambda wa, chat: wa.send_message(chat.to, "Which one?", buttons=_DRAFT), _interactive("flow", _DRAFT_ACTION)
    ),
    _sending(
        "call button",
        lambda wa, chat: wa.send_message(chat.to, "Which one?", buttons=types.VoiceCallButton(title="Call us", ttl_minutes=100)),
        _interactive("voice_call", {"name": "voice_call", "parameters": {"display_text": "Call us", "ttl_minutes": 100}}),
    ),
    _sending(
        "call permission request",
        lambda wa, chat: wa.send_message(chat.to, "Which one?", buttons=types.CallPermissionRequestButton()),
        _interactive("call_permission_request", {"name": "call_permission_request"}),
    ),
    _sending(
        "contact request as a button",
        lambda wa, chat: wa.send_message(chat.to, "Which one?", buttons=types.ContactInfoRequestButton()),
        _interactive("request_contact_info", {"name": "request_contact_info"}),
    ),
    _sending(
        "contact request",
        lambda wa, chat: wa.request_contact_info(chat.to, "Which one?"),
        _interactive("request_contact_info", {"name": "request_contact_info"}),
    ),
    _sending(
        "location request",
        lambda wa, chat: wa.request_location(chat.to, "Which one?"),
        _interactive("location_request_message", {"name": "send_location"}),
    ),
    _sending(
        "catalog",
        lambda wa, chat: wa.send_catalog(chat.to, "Which one?", footer="Speiche", thumbnail_product_sku="city-1"),
        _interactive(
            "catalog_message",
            {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "city-1"}},
            footer={"text": "Speiche"},
        ),
    ),
    _sending(
        "product",
        lambda wa, chat: wa.send_product(chat.to, catalog_id="194836987003835", sku="city-1", body="Which one?", footer="Speiche"),
        _interactive("product", {"catalog_id": "194836987003835", "product_retailer_id": "city-1"}, footer={"text": "Speiche"}),
    ),
    _sending(
        "products",
        lambda wa, chat: wa.send_products(
            chat.to,
            catalog_id="194836987003835",
            product_sections=[types.ProductsSection(title="New", skus=["city-1", "cargo-1"])],
            title="Bikes",
            body="Which one?",
            footer="Speiche",
        ),
        _interactive(
            "product_list",
            {
                "catalog_id": "194836987003835",
                "sections": [{"title": "New", "product_items": [{"product_retailer_id": "city-1"}, {"product_retailer_id": "cargo-1"}]}],
            },
            **_HEADED,
        ),
    ),
    _sending(
        "carousel", lambda wa, chat: wa.send_carousel(chat.to, body="Which one?", cards=_CARDS), _interactive("carousel", _CARD_ACTION)
    ),
]

MEDIA_BY_LINK = [
    _sending(
        "image by link",
        lambda wa, chat: wa.send_image(chat.to, f"{LINK}a.png", caption="Red"),
        {"type": "image", "image": {"link": f"{LINK}a.png", "caption": "Red"}},
    ),
    _sending(
        "video by link",
        lambda wa, chat: wa.send_video(chat.to, f"{LINK}a.mp4", caption="Red"),
        {"type": "video", "video": {"link": f"{LINK}a.mp4", "caption": "Red"}},
    ),
    _sending(
        "document by link",
        lambda wa, chat: wa.send_document(chat.to, f"{LINK}a.pdf", filename="Bill.pdf", caption="Paid"),
        {"type": "document", "document": {"link": f"{LINK}a.pdf", "filename": "Bill.pdf", "caption": "Paid"}},
    ),
    _sending(
        "audio by link",
        lambda wa, chat: wa.send_audio(chat.to, f"{LINK}a.mp3"),
        {"type": "audio", "audio": {"link": f"{LINK}a.mp3"}},
    ),
    _sending(
        "voice note by link",
        lambda wa, chat: wa.send_voice(chat.to, f"{LINK}a.ogg"),
        {"type": "audio", "audio": {"link": f"{LINK}a.ogg", "voice": True}},
    ),
    _sending(
        "sticker by link",
        lambda wa, chat: wa.send_sticker(chat.to, f"{LINK}a.webp"),
        {"type": "sticker", "sticker": {"link": f"{LINK}a.webp"}},
    ),
    _sending(
        "image with buttons",
        lambda wa, chat: wa.send_image(chat.to, f"{LINK}a.png", caption="Which one?", footer="Speiche", buttons=_REPLIES),
        _interactive("button", _REPLY_ACTION, header={"type": "image", "image": {"link": f"{LINK}a.png"}}, footer={"text": "Speiche"}),
    ),
    _sending(
        "video with a URL button",
        lambda wa, chat: wa.send_video(
            chat.to, f"{LINK}a.mp4", caption="Which one?", buttons=types.URLButton(title="Open", url="https://shop.example")
        ),
        _interactive(
            "cta_url",
            {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://shop.example"}},
            header={"type": "video", "video": {"link": f"{LINK}a.mp4"}},
        ),
    ),
    _sending(
        "document with buttons",
        lambda wa, chat: wa.send_document(chat.to, f"{LINK}a.pdf", filename="Bill.pdf", caption="Which one?", buttons=_REPLIES),
        _interactive(
            "button",
            _REPLY_ACTION,
            header={"type": "document", "document": {"link": f"{LINK}a.pdf", "filename": "Bill.pdf"}},
        ),
    ),
]

OTHERS = [
    Sending(
        "reaction",
        lambda wa, chat: wa.send_reaction(chat.to, "👍", message_id=chat.incoming),
        lambda chat: {"type": "reaction", "reaction": {"message_id": chat.incoming, "emoji": "👍"}},
    ),
    Sending(
        "reaction taken back",
        lambda wa, chat: wa.remove_reaction(chat.to, message_id=chat.incoming),
        lambda chat: {"type": "reaction", "reaction": {"message_id": chat.incoming, "emoji": ""}},
    ),
    _sending(
        "location",
        lambda wa, chat: wa.send_location(chat.to, 52.5309, -13.3847, name="Shop", address="Hof 1, Berlin"),
        {
            "type": "location",
            "location": {"latitude": 52.5309, "longitude": -13.3847, "name": "Shop", "address": "Hof 1, Berlin"},
        },
    ),
    _sending("contact", lambda wa, chat: wa.send_contact(chat.to, _CONTACT), {"type": "contacts", "contacts": [_CONTACT_BODY]}),
    _sending(
        "two contacts",
        lambda wa, chat: wa.send_contact(chat.to, [_CONTACT, _CONTACT]),
        {"type": "contacts", "contacts": [_CONTACT_BODY, _CONTACT_BODY]},
    ),
]

TEMPLATES = [
    _sending(
        "template without parameters",
        lambda wa, chat: wa.send_template(chat.to, name="hello_world", language=TemplateLanguage.ENGLISH_US),
        {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}},
    ),
    _sending(
        "template with positional parameters",
        lambda wa, chat: wa.send_template(
            chat.to, name="appointment_reminder", language=TemplateLanguage.GERMAN, params=[BodyText.params("Zoë", "Montag")]
        ),
        {
            "type": "template",
            "template": {
                "name": "appointment_reminder",
                "language": {"code": "de"},
                "components": [{"type": "BODY", "parameters": [{"type": "text", "text": "Zoë"}, {"type": "text", "text": "Montag"}]}],
            },
        },
    ),
    _sending(
        "template with named parameters and a button's payload",
        lambda wa, chat: wa.send_template(
            chat.to,
            name="order_ready",
            language=TemplateLanguage.ENGLISH,
            params=[BodyText.params(customer_name="Zoë", order_number="7"), QuickReplyButton.params(callback_data="coming", index=0)],
        ),
        {
            "type": "template",
            "template": {
                "name": "order_ready",
                "language": {"code": "en"},
                "components": [
                    {
                        "type": "BODY",
                        "parameters": [
                            {"type": "text", "parameter_name": "customer_name", "text": "Zoë"},
                            {"type": "text", "parameter_name": "order_number", "text": "7"},
                        ],
                    },
                    {"type": "button", "sub_type": "QUICK_REPLY", "index": 0, "parameters": [{"type": "payload", "payload": "coming"}]},
                ],
            },
        },
    ),
]

SENDINGS = [*TEXTS, *INTERACTIVES, *MEDIA_BY_LINK, *OTHERS, *TEMPLATES]
