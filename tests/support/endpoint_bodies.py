"""A valid body for every endpoint that takes one, by method and path: whoever adds an endpoint adds its line here.

Of the gateway's calls those are here for which a bare object says too little."""

from typing import Any

from tests.support.hub_archive import NUMBER

NOBODY = "0" * 32
NOTHING: dict[str, Any] = {}

BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/enroll"): {"code": "x", "public_key": "", "proof": ""},
    ("POST", "/v1/token"): {"client_assertion": "a.b.c"},
    ("POST", "/v1/device/epochs"): {"after": 999},
    ("POST", "/v1/receipts"): {"receipt": "{}", "signature": "", "public_key": ""},
    ("POST", "/v1/policy"): {"text": 'name = "x"\nno_such_key = 1\n'},
    ("POST", "/v1/policy/check"): {"text": 'name = "x"\n'},
    ("POST", "/v1/policy/diff"): {"text": 'name = "x"\n'},
    ("POST", "/v1/policy/approve"): {"version": 999},
    ("POST", "/v1/people"): {"name": "Somebody", "role": "agent"},
    ("POST", "/v1/people/{person}"): {"name": "Somebody Else"},
    ("POST", "/v1/people/{person}/revoke"): NOTHING,
    ("POST", "/v1/people/{person}/code"): NOTHING,
    ("POST", "/v1/people/{person}/handover"): {"reason": "leave"},
    ("POST", "/v1/people/{person}/override"): {"until": "2026-11-22T20:00:00Z", "reason": "a hotline"},
    ("POST", "/v1/devices/{device}/revoke"): NOTHING,
    ("POST", "/v1/integrations"): {"name": "Desk", "numbers": [NUMBER], "permissions": ["message.send"]},
    ("POST", "/v1/integrations/{integration}/revoke"): NOTHING,
    ("POST", "/v1/teams"): {"name": ""},
    ("PUT", "/v1/teams/{team}"): {"name": "Renamed"},
    ("POST", "/v1/contacts/{contact}/reveal"): {"reason": "a call back"},
    ("POST", "/v1/contacts/{contact}/fields"): {"fields": {"customer number": "1"}},
    ("POST", "/v1/contacts/{contact}/block"): {"reason": "abuse"},
    ("POST", "/v1/contacts/{contact}/unblock"): {"reason": "a mistake"},
    ("POST", "/v1/conversations/{conversation}/status"): {"status": "pending"},
    ("POST", "/v1/conversations/{conversation}/assignee"): {"person": None},
    ("POST", "/v1/conversations/{conversation}/team"): {"team": None},
    ("POST", "/v1/conversations/{conversation}/labels"): {"add": ["refund"]},
    ("POST", "/v1/conversations/{conversation}/priority"): {"priority": "high"},
    ("POST", "/v1/conversations/{conversation}/read"): {"unread": True},
    ("POST", "/v1/conversations/{conversation}/notes"): {"text": "a note"},
    ("POST", "/v1/conversations/{conversation}/presence"): {"doing": "viewing"},
    ("POST", "/v1/conversations/{conversation}/macros/{macro}"): NOTHING,
    ("POST", "/v1/canned"): {"shortcut": "hello", "text": "Good morning"},
    ("PUT", "/v1/canned/{canned}"): {"shortcut": "hello", "text": "Good evening"},
    ("POST", "/v1/macros"): {"name": "Close", "steps": [{"do": "status", "value": "resolved"}]},
    ("PUT", "/v1/macros/{macro}"): {"name": "Close", "steps": [{"do": "status", "value": "resolved"}]},
    ("POST", "/v1/shift"): {"state": "start"},
    ("POST", "/v1/uploads"): {"id": "1" * 32, "mime_type": "text/plain", "size": 2, "sha256": "ab" * 32},
    ("PUT", "/v1/uploads/{upload}/{offset}"): NOTHING,
    ("POST", "/{version}/{number}/messages"): {
        "messaging_product": "whatsapp",
        "to": "447700900123",
        "type": "text",
        "text": {"body": "Hello"},
    },
    ("POST", "/{version}/{number}/block_users"): {"messaging_product": "whatsapp", "block_users": [{"user": "447700900123"}]},
    ("DELETE", "/{version}/{number}/block_users"): {"messaging_product": "whatsapp", "block_users": [{"user": "447700900123"}]},
    ("POST", "/{version}/{account}/message_templates"): {"name": "hello", "language": "en", "category": "UTILITY", "components": []},
}
