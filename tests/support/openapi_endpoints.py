"""Where Meta's OpenAPI file contradicts cloud-api.md, its own examples or what clients meet, about the endpoints; and what of it is
not served.

Sections are those of cloud-api.md."""

from tests.support.openapi import Contradiction, also, differs, instead

_PHONE = "/paths/~1%7BVersion%7D~1%7BPhone-Number-ID%7D"
_OK = "responses/200/content/application~1json/schema"
_SCHEMAS = "/components/schemas/"

ENDPOINTS: list[Contradiction] = [
    differs(
        f"/paths/~1%7BVersion%7D~1%7BMedia-ID%7D/get/{_OK}/properties/file_size",
        "§2: text in the file, a number elsewhere; the simulator gives both in turn",
        instead(type=["string", "integer"]),
    ),
    differs(f"{_SCHEMAS}WhatsAppPhoneNumberStatus", "§2 and pywa: a number in use is CONNECTED", also("CONNECTED")),
    differs(
        f"{_SCHEMAS}UserIdentityChangeSettings",
        "§2: the switch is enable_identity_key_check, as pywa sends it",
        instead(required=["enable_identity_key_check"]),
    ),
    differs(
        f"{_SCHEMAS}CallingSettingsResponse/properties/call_icon_visibility",
        "pywa knows DEFAULT and DISABLE_ALL, the words of Meta's calling pages, and warns of others",
        also("DEFAULT"),
    ),
    differs(
        f"{_PHONE}~1message_qrdls/post/requestBody/content/application~1json/schema",
        "every change of a code is also a creation by the file's schemas, so that exactly one never fits",
        lambda node: {"anyOf": node["oneOf"]},
    ),
    differs(
        f"{_PHONE}~1message_qrdls~1%7BQR-Code-ID%7D/get/{_OK}",
        "the file's own examples, and pywa, have a list of one code where its schema has the code",
        lambda node: {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": node}}},
    ),
    differs(
        f"{_SCHEMAS}WhatsAppBusinessAccountPhoneNumber/properties/messaging_limit_tier",
        "§2, §11: since October 2025 the second step is TIER_2K",
        also("TIER_2K"),
    ),
]

_ASKED_FOR = "Graph answers the fields that are asked for, and by default those of §2"
_NEWER = "§14: user ids are newer than the file"
MORE = {
    "DELETE /{Version}/{Phone-Number-ID}/block_users": (_NEWER, ["$.block_users.removed_users[].user_id"]),
    "POST /{Version}/{Phone-Number-ID}/block_users": (_NEWER, ["$.block_users.added_users[].user_id"]),
    "GET /{Version}/{Phone-Number-ID}/block_users": (f"{_NEWER}; pywa reads input", ["$.data[].input", "$.data[].user_id"]),
    "GET /{Version}/{Message-History-ID}/events": (
        _ASKED_FOR,
        [
            "$.data[].node.timestamp",
            "$.data[].node.webhook_update_state",
        ],
    ),
    "GET /{Version}/{Phone-Number-ID}": (
        _ASKED_FOR,
        ["$.platform_type", "$.throughput", "$.throughput.level", "$.webhook_configuration"],
    ),
    "GET /{Version}/{Phone-Number-ID}/message_qrdls": (
        "§1: every list has cursors; the creation time stands in the example of one code",
        ["$.paging", "$.paging.cursors", "$.paging.cursors.before", "$.paging.cursors.after", "$.data[].creation_time"],
    ),
    "GET /{Version}/{Phone-Number-ID}/settings": (
        "§2: the identity check is a setting like the others, and pywa reads it",
        ["$.user_identity_change", "$.user_identity_change.enable_identity_key_check"],
    ),
    "GET /{Version}/{Phone-Number-ID}/whatsapp_business_profile": (
        "§2 and pywa: the profile is the item of data itself, without business_profile around it",
        ["$.data[].about", "$.data[].email", "$.data[].websites", "$.data[].websites[]", "$.data[].vertical"],
    ),
    "GET /{Version}/{TEMPLATE_ID}": (
        "§5.2: what a template has beside its parts",
        ["$.parameter_format", "$.quality_score", "$.quality_score.score", "$.quality_score.date", "$.rejected_reason"],
    ),
    "GET /{Version}/{WABA-ID}/message_templates": (
        "§5.2: likewise",
        [
            "$.data[].parameter_format",
            "$.data[].quality_score",
            "$.data[].quality_score.score",
            "$.data[].quality_score.date",
            "$.data[].rejected_reason",
        ],
    ),
    "GET /{Version}/{WABA-ID}/phone_numbers": ("§1: every list has both cursors", ["$.paging.cursors.before"]),
    "POST /{Version}/{Phone-Number-ID}/marketing_messages": ("§3.3: template sends tell it", ["$.messages[].message_status"]),
    "POST /{Version}/{Phone-Number-ID}/messages": ("§3.3: template sends tell it", ["$.messages[].message_status"]),
    "POST /{Version}/{TEMPLATE_ID}": ("pywa reads id, name and category of what was edited", ["$.id", "$.name", "$.category"]),
}
"""What the simulator answers beyond the file's examples, by operation: the reason, and the places."""

LESS = {
    "GET /{Version}/{Message-History-ID}/events": (
        "a history here has one page, its items no cursors, and the app of an event its id only",
        ["$.data[].cursor", "$.data[].node.application.name", "$.paging.next"],
    ),
    "GET /{Version}/{Phone-Number-ID}/message_history": (
        "one message was asked for, so that there is no next page; without a callback there is none to name",
        ["$.data[].events.data[].webhook_uri", "$.paging.next"],
    ),
    "GET /{Version}/{Phone-Number-ID}/settings": (
        "calls, encryption and storage abroad are not simulated: their settings stay as they are on a new number",
        [
            "$.calling.ip_addresses.default[]",
            "$.calling.video",
            "$.calling.srtp_key_exchange_protocol",
            "$.calling.sip",
            "$.payload_encryption.client_encryption_key_fingerprint",
            "$.payload_encryption.cloud_encryption_key",
            "$.storage_configuration.data_localization_region",
        ],
    ),
    "GET /{Version}/{Phone-Number-ID}/whatsapp_business_profile": ("§2 and pywa: as above", ["$.data[].business_profile"]),
    "GET /{Version}/{WABA-ID}/message_templates": (
        "a template whose category never changed has none before",
        ["$.data[].previous_category"],
    ),
    "GET /{Version}/{WABA-ID}/phone_numbers": (
        "a number without a certificate or a username has none to tell",
        ["$.data[].unified_cert_status", "$.data[].username"],
    ),
    "POST /{Version}/{Phone-Number-ID}": (
        "§2: messages are sent on /messages; the number itself answers success, as pywa reads it",
        ["$.messaging_product", "$.contacts", "$.messages"],
    ),
    "POST /{Version}/{Phone-Number-ID}/marketing_messages": ("§3.3: a send is answered by its wamid", ["$.success"]),
    "POST /{Version}/{WABA-ID}/subscribed_apps": ("§2 and pywa: a write answers success; the list is for reading", ["$.data"]),
}
"""What the file's examples have beyond the simulator's answers."""

_ELSEWHERE = "names a template of another account"
_WITH_A_FILE = "the example has a path of somebody's disk in JSON; a file comes as multipart, as the file's other body says"
_NUMBER, _WABA = "POST /{Version}/{Phone-Number-ID}", "POST /{Version}/{WABA-ID}"
REFUSED: dict[str, tuple[int, str]] = {
    f"{_NUMBER}: update_connection_status": (100, "§2: a number connects by register and deregister"),
    f"{_NUMBER}: set_username": (100, "§2: the username has an edge of its own"),
    **{
        f"{_NUMBER}/marketing_messages: {name}": (132001, _ELSEWHERE)
        for name in ("Simple Template Message", "Template with Product Policy", "Parameterized Template")
    },
    **{f"{_NUMBER}/media: Upload {kind}": (100, _WITH_A_FILE) for kind in ("Audio", "Image", "Sticker")},
    f"{_NUMBER}/message_qrdls: update_existing_qr_code": (100, "names a code of another account"),
    **{
        f"{_NUMBER}/messages: Send {name}": (132001, _ELSEWHERE)
        for name in (
            "Catalog Template Message",
            "Flow Template Message",
            "Sample Issue Resolution Template",
            "Sample Shipping Confirmation Template",
            "Sample Text Message",
        )
    },
    f"{_NUMBER}/messages: Send Multi-Product Message": (131009, "§4: the header must be text; the example leaves its type open"),
    **{
        f"{_NUMBER}/request_code: {kind}_verification": (136024, "the number is verified and registered: it needs no code")
        for kind in ("sms", "voice")
    },
    f"{_NUMBER}/verify_code: verify_code": (136025, "no code was asked for"),
    "POST /{Version}/{TEMPLATE_ID}: Edit template": (2388039, "§5.4: the category of an approved template cannot be edited"),
    f"{_WABA}/message_templates: Create catalog template": (100, "has name and language of another of the examples"),
}
"""Examples of the file that the simulator refuses, by operation and name: the code, and why."""

_PORTFOLIO = "partners, credit lines and shared accounts of business portfolios: administration outside an inbox"
_SOLUTIONS = "solutions of several partners: administration outside an inbox"
_MOVING = "moving accounts and numbers between partners: administration outside an inbox"
_PREVERIFIED = "numbers verified before they have an account: for providers of numbers"
_GROUPS = "§15: groups are shown only; they need an official business account"
_CALLS = "§16: calls are shown only"
_FLOWS = "flows are made by administrators elsewhere; sending them and their answers is served"
_OTHER_NODES = "an object of the same path as others that the inbox has no use for"
_COMMERCE = "the catalog's settings: products are sent all the same"
_ENCRYPTED = "§2: the variant with payload encryption, ignored"
_COMPLIANCE = "a legal statement of businesses in India"
_OFFICIAL = "the application for the official mark; whether a number has it is served as a field"
_PEOPLE = "who may administer an account: the simulator has one system user"
_SCHEDULES = "no such thing in the reference; business hours are the hub's"

NOT_SERVED: dict[str, str] = {
    **dict.fromkeys(
        [
            "{Application-ID}/connected_client_businesses", "{Business-ID}", "{Business-ID}/client_whatsapp_business_accounts",
            "{Business-ID}/onboard_partners_to_mm_lite", "{Business-ID}/owned_whatsapp_business_accounts", "{Business-ID}/extendedcredits",
            "{User-ID}/assigned_whatsapp_business_accounts",
        ],
        _PORTFOLIO,
    ),
    **dict.fromkeys(
        [
            "{Application-ID}/whatsapp_business_solution", "{Application-ID}/whatsapp_business_solutions", "{Solution-ID}/access_token",
            "{Solution-ID}/accept_deactivation_request", "{Solution-ID}/accept", "{Solution-ID}",
            "{Solution-ID}/reject_deactivation_request",
            "{Solution-ID}/reject", "{Solution-ID}/send_deactivation_request", "{WABA-ID}/solutions",
        ],
        _SOLUTIONS,
    ),
    **dict.fromkeys(
        [
            "{Migration-Intent-ID}", "{WABA-ID}/in_progress_onbehalf_request", "{OBO-Mobility-Intent-ID}", "{WABA-ID}/obo_mobility_intent",
            "{WABA-ID}/set_obo_mobility_intent", "{WABA-ID}/set_solution_migration_intent", "{WABA-ID}/migrate_flows",
        ],
        _MOVING,
    ),
    **dict.fromkeys(
        [
            "{Business-ID}/add_phone_numbers", "{Business-ID}/preverified_numbers", "{Business-ID}/share_preverified_numbers",
            "{Pre-Verified-Phone-Number-ID}", "{Pre-Verified-Phone-Number-ID}/partners", "{Pre-Verified-Phone-Number-ID}/request_code",
            "{Pre-Verified-Phone-Number-ID}/verify_code",
        ],
        _PREVERIFIED,
    ),
    **dict.fromkeys(
        [
            "{Phone-Number-ID}/groups", "{group_id}/invite_link", "{group_id}/join_requests", "{group_id}/participants", "{group_id}",
        ],
        _GROUPS,
    ),
    **dict.fromkeys(["{Phone-Number-ID}/call_permissions", "{Phone-Number-ID}/calls"], _CALLS),
    **dict.fromkeys(
        [
            "{WABA-ID}/flows", "{Flow-ID}", "{Flow-ID}/assets", "{Flow-ID}/publish", "{Flow-ID}/deprecate",
        ],
        _FLOWS,
    ),
    **dict.fromkeys(["{WhatsApp-Account-Number-ID}", "{WABA-Bot-ID}", "{WhatsApp-Business-Profile-ID}"], _OTHER_NODES),
    **dict.fromkeys(["{Phone-Number-ID}/messages_encrypted", "{Phone-Number-ID}/whatsapp_business_encryption"], _ENCRYPTED),
    **dict.fromkeys(["{WhatsApp-Business-Account-ID}/assigned_users", "{WABA-ID}/activities"], _PEOPLE),
    "{Phone-Number-ID}/official_business_account": _OFFICIAL,
    "{Phone-Number-ID}/whatsapp_commerce_settings": _COMMERCE,
    "{Phone-Number-ID}/business_compliance_info": _COMPLIANCE,
    "{WABA-ID}/schedules": _SCHEDULES,
    "{Media-URL}": "§2: the URL is another host's and is fetched as it is; test_pywa_sending does so",
    "POST {WABA-ID}/phone_numbers": "numbers of the pretend account are named on its command line",
}  # fmt: skip
"""Paths of the file, without the version, or one method of a path: why the simulator leaves them out."""
