"""What Meta sends for the common kinds, strictly: any other key, type of a value, null or kind fails the decoder."""

from typing import Literal

import msgspec

from wabiz_tui.graph.reading import Instant

Scalar = str | bool | int | float
Words = dict[str, str]
Flat = dict[str, Scalar]
Nested = dict[str, Scalar | Words]


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    pass


class Profile(Wire, frozen=True):
    name: str = ""
    username: str = ""


class Contact(Wire, frozen=True):
    profile: Profile = Profile()
    wa_id: str = ""
    user_id: str = ""
    parent_user_id: str = ""
    identity_key_hash: str = ""


class Metadata(Wire, frozen=True):
    display_phone_number: str
    phone_number_id: str


class Body(Wire, frozen=True):
    body: str


class File(Wire, frozen=True):
    id: str
    mime_type: str = ""
    sha256: str = ""
    caption: str = ""
    filename: str = ""
    voice: Scalar = False
    animated: Scalar = False
    url: str | msgspec.UnsetType = msgspec.UNSET


class Position(Wire, frozen=True):
    latitude: Scalar
    longitude: Scalar
    name: str = ""
    address: str = ""
    url: str = ""


class Reaction(Wire, frozen=True):
    message_id: str
    emoji: str = ""


class Button(Wire, frozen=True):
    payload: str = ""
    text: str = ""


class Reply(Wire, frozen=True):
    type: str
    button_reply: Words | msgspec.UnsetType = msgspec.UNSET
    list_reply: Words | msgspec.UnsetType = msgspec.UNSET
    nfm_reply: Words | msgspec.UnsetType = msgspec.UNSET


class Order(Wire, frozen=True):
    catalog_id: str = ""
    text: str = ""
    product_items: list[Flat] = []


class Message(Wire, frozen=True, kw_only=True, tag_field="type"):
    id: str
    timestamp: Instant
    from_: str = msgspec.field(name="from", default="")
    from_user_id: str = ""
    from_parent_user_id: str = ""
    context: Nested | msgspec.UnsetType = msgspec.UNSET
    referral: Nested | msgspec.UnsetType = msgspec.UNSET


class TextMessage(Message, frozen=True, kw_only=True, tag="text"):
    text: Body


class ImageMessage(Message, frozen=True, kw_only=True, tag="image"):
    image: File


class VideoMessage(Message, frozen=True, kw_only=True, tag="video"):
    video: File


class AudioMessage(Message, frozen=True, kw_only=True, tag="audio"):
    audio: File


class DocumentMessage(Message, frozen=True, kw_only=True, tag="document"):
    document: File


class StickerMessage(Message, frozen=True, kw_only=True, tag="sticker"):
    sticker: File


class LocationMessage(Message, frozen=True, kw_only=True, tag="location"):
    location: Position


class ReactionMessage(Message, frozen=True, kw_only=True, tag="reaction"):
    reaction: Reaction


class ButtonMessage(Message, frozen=True, kw_only=True, tag="button"):
    button: Button


class InteractiveMessage(Message, frozen=True, kw_only=True, tag="interactive"):
    interactive: Reply


class OrderMessage(Message, frozen=True, kw_only=True, tag="order"):
    order: Order


class UnsupportedMessage(Message, frozen=True, kw_only=True, tag="unsupported"):
    errors: list[Nested] = []
    unsupported: Nested | msgspec.UnsetType = msgspec.UNSET


class ContactsMessage(Message, frozen=True, kw_only=True, tag="contacts"):
    contacts: list[dict[str, str | Words | list[Words]]]


AnyMessage = (
    TextMessage
    | ImageMessage
    | VideoMessage
    | AudioMessage
    | DocumentMessage
    | StickerMessage
    | LocationMessage
    | ReactionMessage
    | ButtonMessage
    | InteractiveMessage
    | OrderMessage
    | ContactsMessage
    | UnsupportedMessage
)


class Details(Wire, frozen=True):
    details: str


class Error(Wire, frozen=True, kw_only=True):
    code: Scalar
    title: str
    message: str
    error_data: Details
    href: str | msgspec.UnsetType = msgspec.UNSET


class Status(Wire, frozen=True, kw_only=True):
    id: str
    status: str
    timestamp: Instant
    recipient_id: str = ""
    recipient_user_id: str = ""
    recipient_parent_user_id: str = ""
    biz_opaque_callback_data: str = ""
    pricing: Flat | msgspec.UnsetType = msgspec.UNSET
    conversation: Nested | msgspec.UnsetType = msgspec.UNSET
    errors: tuple[Error] | msgspec.UnsetType = msgspec.UNSET


class Value(Wire, frozen=True, kw_only=True):
    messaging_product: Literal["whatsapp"]
    metadata: Metadata
    contacts: list[Contact] = []
    messages: list[AnyMessage] = []
    statuses: list[Status] = []


class Change(Wire, frozen=True):
    field: Literal["messages"]
    value: Value


class Entry(Wire, frozen=True):
    id: str
    changes: list[Change]


class Webhook(Wire, frozen=True):
    object: Literal["whatsapp_business_account"]
    entry: list[Entry]
