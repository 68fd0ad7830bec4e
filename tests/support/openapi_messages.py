"""Where Meta's OpenAPI file contradicts cloud-api.md about sends and `messages` webhooks, and why the reference is followed.

Sections are those of cloud-api.md. The file is of November 2025 and of Graph v23.0; some of what it says no message could satisfy."""

from typing import Any

from tests.support.openapi import Contradiction, also, differs, having, instead, optional, without

SEND = "/paths/~1%7BVersion%7D~1%7BPhone-Number-ID%7D~1messages/post/requestBody/content/application~1json/schema"
_SCHEMAS = "/components/schemas/"
_ANY: dict[str, Any] = {}
_ENVELOPE = dict.fromkeys(("messaging_product", "recipient_type", "to", "context"), _ANY)
_NEWER = dict.fromkeys(("recipient", "biz_opaque_callback_data", "recipient_identity_key_hash"), _ANY)
_SELF_FORBIDDEN = (
    "the branch allows no properties but its own, and so forbids those its other branch requires: no message at all would do; "
    "§3.1 has recipient, biz_opaque_callback_data and recipient_identity_key_hash besides"
)


def _action(name: str, **parameters: Any) -> dict[str, Any]:
    """An action known by its name, with the parameters it must have."""
    named: dict[str, Any] = {"required": ["name"], "properties": {"name": {"enum": [name]}}}
    if parameters:
        named["required"].append("parameters")
        named["properties"]["parameters"] = {"type": "object", "required": list(parameters), "properties": parameters}
    return named


_TEXT, _OBJECT = {"type": "string"}, {"type": "object"}
_ACTIONS = [
    _action("cta_url", display_text={"type": "string", "maxLength": 20}, url=_TEXT),
    _action("voice_call", display_text=_TEXT),
    _action("send_location"),
    _action("request_contact_info"),
    {
        "required": ["cards"],
        "properties": {"cards": {"type": "array", "minItems": 2, "maxItems": 10, "items": {"required": ["card_index", "action"]}}},
    },
]

SENDS: list[Contradiction] = [
    differs(
        SEND,
        "§2: the same endpoint takes read marks and typing; the file describes them (MarkMessageRequestPayload) and forgets them here",
        lambda node: {"if": {"required": ["status"]}, "then": {"$ref": "#/components/schemas/MarkMessageRequestPayload"}, "else": node},
    ),
    differs(
        f"{_SCHEMAS}BaseMessageProperties",
        "§3.1: recipient_type is individual where it is missing, to may be replaced by recipient; the file's own examples leave both out",
        optional("recipient_type", "to", "type"),
    ),
    *(
        differs(f"{_SCHEMAS}{kind}Message/allOf/1", _SELF_FORBIDDEN, having(**_ENVELOPE, **_NEWER))
        for kind in ("Text", "Audio", "Document", "Image", "Location", "Video", "Sticker", "Reaction", "Interactive", "Contacts")
    ),
    *(
        differs(
            f"{_SCHEMAS}LocationMessage/allOf/1/properties/location/properties/{name}",
            "§4: a number; the file says text",
            instead(type=["number", "string"]),
        )
        for name in ("latitude", "longitude")
    ),
    differs(
        f"{_SCHEMAS}InteractiveObject/properties/type",
        "§4: kinds that the file does not know",
        also("cta_url", "location_request_message", "request_contact_info", "voice_call", "carousel"),
    ),
    differs(
        f"{_SCHEMAS}ActionObject",
        "§4: the actions of those kinds",
        lambda node: {**node, "oneOf": [*node["oneOf"], *_ACTIONS]},
    ),
    differs(f"{_SCHEMAS}LanguageObject", "§4, traps: policy is required, and left out in all examples", optional("policy")),
    *(
        differs(
            f"{_SCHEMAS}{where}/properties/type",
            "§5.1: the type in capitals too, as templates are read (§5.2); pywa sends it so",
            also("BODY"),
        )
        for where in ("TemplateComponent", "BodyComponent/allOf/1")
    ),
    *(
        differs(
            f"{_SCHEMAS}{where}/properties/sub_type",
            "§5.1: flow buttons; capitals stand in the file's own catalog example",
            also("flow", "CATALOG", "QUICK_REPLY"),
        )
        for where in ("TemplateComponent", "ButtonComponent/allOf/1")
    ),
    *(
        differs(
            f"{_SCHEMAS}{where}/properties/index",
            "§4, traps: the pattern is a slip; buttons count from 0, as text or as number",
            lambda _: {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "string", "pattern": "^[0-9]$"}]},
        )
        for where in ("TemplateComponent", "ButtonComponent/allOf/1")
    ),
    differs(
        f"{_SCHEMAS}TemplateComponent/discriminator",
        "§5.1: the type in capitals",
        lambda node: {**node, "mapping": {**node["mapping"], "BODY": node["mapping"]["body"]}},
    ),
    differs(f"{_SCHEMAS}ButtonParameterObject/properties/type", "§5.1: catalog and flow buttons take an action", also("action")),
    differs(
        f"{_SCHEMAS}ButtonParameterObject/discriminator",
        "§5.1: the action's own shape",
        lambda node: {**node, "mapping": {**node["mapping"], "action": {"required": ["action"], "properties": {"action": _OBJECT}}}},
    ),
]

_NAMESAKES = {
    "text": "TextMessage_2",
    "reaction": "ReactionMessage_1",
    "audio": "AudioMessage_1",
    "document": "DocumentMessage_1",
    "image": "ImageMessage_1",
    "sticker": "StickerMessage_1",
    "video": "VideoMessage_1",
    "location": "LocationMessage_1",
    "contacts": "ContactSharingMessage",
    "unsupported": "UnsupportedMessage",
    "button": "ButtonMessage",
    "interactive": "InteractiveMessageReply",
    "order": "OrderMessage",
    "system": "SystemMessage",
    "edit": "BaseMessageProperties_1",
    "revoke": "BaseMessageProperties_1",
    "request_welcome": "BaseMessageProperties_1",
}
_REPLIES = {"nfm_reply": ["name", "response_json"], "call_permission_reply": ["response"]}

WEBHOOKS: list[Contradiction] = [
    differs(
        f"{_SCHEMAS}IncomingMessage/discriminator",
        "§8: the file names the outbound schemas of like name, which no incoming message satisfies; and it lacks kinds",
        instead(mapping={kind: f"#{_SCHEMAS}{name}" for kind, name in _NAMESAKES.items()}),
    ),
    *(
        differs(
            f"{_SCHEMAS}{name}/allOf/0",
            "§7, §8: incoming messages are built on the outbound base of like name, which requires to and messaging_product",
            lambda _: {"$ref": f"#{_SCHEMAS}BaseMessageProperties_1"},
        )
        for name in _NAMESAKES.values()
        if name != "BaseMessageProperties_1"
    ),
    differs(
        f"{_SCHEMAS}ContactSharingMessage/allOf/1/properties/contacts/items",
        "§8: shared cards are the outbound ones in the file, with HOME and WORK only; origin tells of an answered contact request",
        lambda _: {"$ref": f"#{_SCHEMAS}ContactObject_1"},
    ),
    differs(
        f"{_SCHEMAS}UnsupportedMessage/allOf/1/properties/errors/items",
        "§8, §12: a webhook's errors have a title and no type; the file names the errors of answers",
        lambda _: {"$ref": f"#{_SCHEMAS}ErrorObject_2"},
    ),
    differs(f"{_SCHEMAS}DocumentMessage_1/allOf/1/properties/document/allOf/1", "§8: filename is not always told", optional("filename")),
    differs(f"{_SCHEMAS}BaseMessageProperties_1", "§7: from is missing where the customer hides the number", optional("from")),
    differs(f"{_SCHEMAS}ContactProfile", "§7, §14: of somebody without a known name there is no profile", optional("profile")),
    differs(f"{_SCHEMAS}ContextObject", "§7: a reply names no product, a forwarded message neither sender nor id", without("required")),
    differs(
        f"{_SCHEMAS}ReactionMessage_1/allOf/1/properties/reaction", "§8: emoji is missing when a reaction is taken back", optional("emoji")
    ),
    differs(
        f"{_SCHEMAS}LocationMessage_1/allOf/1/properties/location",
        "§8: a mere position has neither name nor address",
        optional("name", "address"),
    ),
    differs(
        f"{_SCHEMAS}InteractiveMessageReply/allOf/1/properties/interactive/properties/type",
        "§8: answers to flows and call permissions",
        also(*_REPLIES),
    ),
    differs(
        f"{_SCHEMAS}InteractiveMessageReply/allOf/1/properties/interactive/discriminator",
        "§8: their shapes",
        lambda node: {
            **node,
            "mapping": {
                **node["mapping"],
                **{kind: {"required": [kind], "properties": {kind: {"required": names}}} for kind, names in _REPLIES.items()},
            },
        },
    ),
    differs(
        f"{_SCHEMAS}SystemMessage/allOf/1/properties/system/properties/type",
        "§8: changes of user id and identity",
        also("user_changed_user_id", "customer_identity_changed"),
    ),
    differs(f"{_SCHEMAS}Statuses/properties/status", "§8, §9: played, of voice notes", also("played")),
    differs(f"{_SCHEMAS}Statuses", "§9: recipient_id is missing for customers who hide the number", optional("recipient_id")),
]
