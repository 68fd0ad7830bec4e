"""Everything a customer or Meta can tell, and how it must reach a bot written with pywa."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.simulator_process import NUMBER, WABA

PHONE, NAME, USER_ID = "5511987654321", "Ana Souza", "BR.13491208655302741918"
QUOTED = "wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjlCQjMwRDZFQTc4QjFBMzU0QwA="
METADATA = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
BUSINESS = "15550783881"


@dataclass(frozen=True)
class Telling:
    """`asked` goes to `/_control/inbound`; `heard_as` is pywa's handler without `on_`; `fields` are dotted attributes of its update."""

    name: str
    asked: dict[str, Any]
    heard_as: str
    fields: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def _customer(name: str, heard_as: str, fields: dict[str, Any], **asked: Any) -> Telling:
    return Telling(name, {"from": PHONE, "name": NAME, "user_id": USER_ID, **asked}, heard_as, fields)


def _typed(name: str, kind: str, inner: Any, fields: dict[str, Any], *, heard_as: str = "message", **more: Any) -> Telling:
    return _customer(name, heard_as, {"type": kind, **fields}, type=kind, **{kind: inner}, **more)


def _interactive(name: str, heard_as: str, kind: str, inner: dict[str, Any], fields: dict[str, Any]) -> Telling:
    told = {"type": kind, kind: inner}
    return _typed(name, "interactive", told, fields, heard_as=heard_as, context={"from": BUSINESS, "id": QUOTED})


def _change(name: str, field_name: str, heard_as: str, value: dict[str, Any], fields: dict[str, Any]) -> Telling:
    return Telling(name, {"field": field_name, "value": value}, heard_as, {"id": WABA, **fields})


MESSAGES = [
    _customer("text", "message", {"type": "text", "text": "Olá 👋 <b>"}, text="Olá 👋 <b>"),
    _customer(
        "reply to a message",
        "message",
        {"text": "That one", "reply_to_message.id": QUOTED, "reply_to_message.from_user_id": BUSINESS},
        text="That one",
        context={"from": BUSINESS, "id": QUOTED},
    ),
    _customer(
        "forwarded",
        "message",
        {"forwarded": True, "forwarded_many_times": False, "reply_to_message": None},
        text="Look",
        context={"forwarded": True},
    ),
    _customer(
        "forwarded many times",
        "message",
        {"forwarded": True, "forwarded_many_times": True},
        text="Look",
        context={"frequently_forwarded": True},
    ),
    _customer(
        "question about a product",
        "message",
        {"reply_to_message.referred_product.sku": "city-1", "reply_to_message.referred_product.catalog_id": "194836987003835"},
        text="In red?",
        context={
            "from": BUSINESS,
            "id": QUOTED,
            "referred_product": {"catalog_id": "194836987003835", "product_retailer_id": "city-1"},
        },
    ),
    _customer(
        "from an advertisement",
        "message",
        {"referral.source_type": "ad", "referral.headline": "Chat with us", "referral.ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e"},
        text="Hello",
        referral={
            "source_url": "https://fb.me/3cr4Wqqkv",
            "source_id": "120226305854810726",
            "source_type": "ad",
            "body": "Summer succulents are here!",
            "headline": "Chat with us",
            "media_type": "image",
            "image_url": "https://scontent.example/v/t45.1",
            "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
        },
    ),
    _typed(
        "location",
        "location",
        {"latitude": -23.55, "longitude": -46.63, "name": "Casa", "address": "Rua 1"},
        {"location.latitude": -23.55, "location.longitude": -46.63, "location.name": "Casa", "location.address": "Rua 1"},
    ),
    _typed("bare position", "location", {"latitude": 1, "longitude": 2}, {"location.latitude": 1, "location.name": None}),
    _typed(
        "contacts",
        "contacts",
        [{"name": {"formatted_name": "Rui Lima", "first_name": "Rui"}, "phones": [{"phone": "+55 11", "wa_id": "5511", "type": "CELL"}]}],
        {"contacts.origin": "other", "contacts.first.name.formatted_name": "Rui Lima", "contacts.first_wa_id": "5511"},
    ),
    _typed(
        "shared phone number",
        "contacts",
        [
            {
                "name": {"formatted_name": NAME, "first_name": "Ana"},
                "phones": [{"phone": PHONE, "wa_id": PHONE}],
                "origin": "contact_request",
            }
        ],
        {"contacts.origin": "contact_request", "contacts.first_wa_id": PHONE},
    ),
    _typed(
        "reaction",
        "reaction",
        {"message_id": QUOTED, "emoji": "❤️"},
        {"reaction.emoji": "❤️", "reaction.message_id": QUOTED, "is_reply": True},
    ),
    _typed("reaction taken back, without the key", "reaction", {"message_id": QUOTED}, {"reaction.emoji": None}),
    _typed(
        "order",
        "order",
        {
            "catalog_id": "194836987003835",
            "text": "By Friday",
            "product_items": [{"product_retailer_id": "city-1", "quantity": 2, "item_price": 30.5, "currency": "EUR"}],
        },
        {"order.text": "By Friday", "order.total_price": 61.0, "order.catalog_id": "194836987003835"},
    ),
    _typed(
        "unsupported",
        "unsupported",
        {"type": "poll_creation"},
        {"error.code": 131051, "unsupported.type": "poll_creation"},
        errors=[
            {
                "code": 131051,
                "title": "Message type unknown",
                "message": "Message type unknown",
                "error_data": {"details": "Message type is currently not supported."},
            }
        ],
    ),
    _customer("opened an empty chat", "message", {"type": "request_welcome"}, type="request_welcome"),
]

ANSWERS = [
    _typed(
        "template's quick reply",
        "button",
        {"payload": "stop", "text": "Unsubscribe"},
        {"data": "stop", "title": "Unsubscribe", "reply_to_message.id": QUOTED, "is_quick_reply": True},
        heard_as="callback_button",
        context={"from": BUSINESS, "id": QUOTED},
    ),
    _interactive(
        "reply button",
        "callback_button",
        "button_reply",
        {"id": "city", "title": "City"},
        {"data": "city", "title": "City", "is_quick_reply": False},
    ),
    _interactive(
        "row of a list",
        "callback_selection",
        "list_reply",
        {"id": "city", "title": "City", "description": "Seven gears"},
        {"data": "city", "title": "City", "description": "Seven gears", "reply_to_message.id": QUOTED},
    ),
    _interactive(
        "finished flow",
        "flow_completion",
        "nfm_reply",
        {"name": "flow", "body": "Sent", "response_json": '{"flow_token": "token-1", "day": "Monday"}'},
        {"body": "Sent", "token": "token-1", "response": {"day": "Monday"}},
    ),
    _interactive(
        "call permission",
        "call_permission_update",
        "call_permission_reply",
        {"response": "accept", "expiration_timestamp": 1790000000, "response_source": "user_action"},
        {"reply_to_message.id": QUOTED},
    ),
]

CHANGES_OF_PEOPLE = [
    _customer(
        "edited",
        "edited_message",
        {"original_message_id": QUOTED, "message.text": "Better", "type": "text"},
        type="edit",
        edit={"original_message_id": QUOTED, "message": {"type": "text", "text": {"body": "Better"}}},
    ),
    _customer("deleted", "deleted_message", {"original_message_id": QUOTED}, type="revoke", revoke={"original_message_id": QUOTED}),
    _typed(
        "changed number",
        "system",
        {"type": "user_changed_number", "body": f"User {NAME} changed from {PHONE} to 5511900000002", "wa_id": "5511900000002"},
        {"old_wa_id": PHONE, "new_wa_id": "5511900000002", "sys_type": "user_changed_number"},
        heard_as="phone_number_change",
    ),
    _typed(
        "changed user id",
        "system",
        {"type": "user_changed_user_id", "body": "changed", "user_id": "BR.2", "wa_id": "5511900000002"},
        {"new_user_id": "BR.2", "new_wa_id": "5511900000002"},
        heard_as="phone_number_change",
    ),
    _typed(
        "changed identity",
        "system",
        {"type": "customer_identity_changed", "body": "changed"},
        {"identity.hash": "CjwKPAo6", "identity.acknowledged": False, "from_user.wa_id": PHONE},
        heard_as="identity_change",
        identity={"acknowledged": False, "created_timestamp": 1790000000, "hash": "CjwKPAo6"},
    ),
    _customer("staff wrote from the phone", "outgoing_message", {"text": "Coming", "to_user.wa_id": PHONE}, text="Coming", echo=True),
    _customer(
        "staff edited on the phone",
        "outgoing_edited_message",
        {"original_message_id": QUOTED, "message.text": "Coming now"},
        type="edit",
        edit={"original_message_id": QUOTED, "message": {"type": "text", "text": {"body": "Coming now"}}},
        echo=True,
    ),
    _customer(
        "staff deleted on the phone",
        "outgoing_deleted_message",
        {"original_message_id": QUOTED},
        type="revoke",
        revoke={"original_message_id": QUOTED},
        echo=True,
    ),
]

_TEMPLATE = {"message_template_id": 594425479261596, "message_template_name": "order_ready", "message_template_language": "en"}
_CALL = {
    "id": "wacid.HBgL",
    "from": PHONE,
    "from_user_id": USER_ID,
    "to": BUSINESS,
    "timestamp": "1790000000",
    "direction": "USER_INITIATED",
}
_CALLER = {
    "messaging_product": "whatsapp",
    "metadata": METADATA,
    "contacts": [{"profile": {"name": NAME}, "wa_id": PHONE, "user_id": USER_ID}],
}

FIELDS = [
    _change(
        "template approved",
        "message_template_status_update",
        "template_status_update",
        {**_TEMPLATE, "event": "APPROVED", "reason": "NONE"},
        {"new_status": "APPROVED", "template_id": "594425479261596", "template_name": "order_ready", "template_language": "en"},
    ),
    _change(
        "template paused",
        "message_template_status_update",
        "template_status_update",
        {**_TEMPLATE, "event": "PAUSED", "reason": None, "other_info": {"title": "FIRST_PAUSE", "description": "Three hours"}},
        {"new_status": "PAUSED", "other_info.title": "FIRST_PAUSE"},
    ),
    _change(
        "template's quality",
        "message_template_quality_update",
        "template_quality_update",
        {**_TEMPLATE, "previous_quality_score": "GREEN", "new_quality_score": "YELLOW"},
        {"previous_quality_score": "GREEN", "new_quality_score": "YELLOW"},
    ),
    _change(
        "template's category",
        "template_category_update",
        "template_category_update",
        {**_TEMPLATE, "previous_category": "UTILITY", "new_category": "MARKETING"},
        {"previous_category": "UTILITY", "new_category": "MARKETING"},
    ),
    _change(
        "template's parts",
        "message_template_components_update",
        "template_components_update",
        {**_TEMPLATE, "message_template_element": "Hello {{1}}", "message_template_title": "Ready"},
        {"template_name": "order_ready", "template_element": "Hello {{1}}", "template_title": "Ready"},
    ),
    _change(
        "opted out of marketing",
        "user_preferences",
        "user_marketing_preferences",
        {
            **_CALLER,
            "user_preferences": [
                {
                    "wa_id": PHONE,
                    "user_id": USER_ID,
                    "detail": "Stopped",
                    "category": "marketing_messages",
                    "value": "stop",
                    "timestamp": 1790000000,
                }
            ],
        },
        {"value": "stop", "detail": "Stopped", "from_user.bsuid": USER_ID},
    ),
    _change(
        "call comes in",
        "calls",
        "call_connect",
        {**_CALLER, "calls": [{**_CALL, "event": "connect", "session": {"sdp_type": "offer", "sdp": "v=0"}}]},
        {"id": "wacid.HBgL", "waba_id": WABA, "from_user.wa_id": PHONE},
    ),
    _change(
        "business's call rings",
        "calls",
        "call_status",
        {
            **_CALLER,
            "statuses": [{"id": "wacid.HBgL", "type": "call", "status": "RINGING", "timestamp": "1790000000", "recipient_id": PHONE}],
        },
        {"id": "wacid.HBgL", "status": "RINGING", "from_user.bsuid": USER_ID},
    ),
    _change(
        "account violated a rule",
        "account_update",
        "account_update",
        {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "ADULT"}},
        {"event": "ACCOUNT_VIOLATION", "violation_info.type": "ADULT"},
    ),
    _change(
        "account restricted",
        "account_update",
        "account_update",
        {
            "event": "ACCOUNT_RESTRICTION",
            "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1790000000}],
        },
        {"event": "ACCOUNT_RESTRICTION"},
    ),
    _change(
        "call ends",
        "calls",
        "call_terminate",
        {
            **_CALLER,
            "calls": [
                {**_CALL, "event": "terminate", "status": "COMPLETED", "start_time": "1790000000", "end_time": "1790000060", "duration": 60}
            ],
        },
        {"id": "wacid.HBgL"},
    ),
]

TELLINGS = [*MESSAGES, *ANSWERS, *CHANGES_OF_PEOPLE, *FIELDS]
