"""A walk through every operation of Meta's OpenAPI file that the simulator serves: asked well, asked badly, and what it answered."""

from dataclasses import dataclass
from typing import Any

from tests.support.pywa_sends import PNG
from tests.support.simulator_process import NUMBER, WABA, SimulatorProcess

V = "/{Version}/"
PNID, ACCOUNT = V + "{Phone-Number-ID}", V + "{WABA-ID}"
CUSTOMER, STRANGER = "+4915730000077", "+4915730000099"
_NUMBER_FIELDS = "id,display_phone_number,verified_name,quality_rating,code_verification_status,name_status"
_LISTED_FIELDS = (
    "id,display_phone_number,verified_name,status,quality_rating,country_code,country_dial_code,code_verification_status,"
    "unified_cert_status,account_mode,host_platform,messaging_limit_tier,is_official_business_account,username"
)
_ACCOUNT_FIELDS = (
    "id,name,timezone_id,message_template_namespace,account_review_status,business_verification_status,country,ownership_type,"
    "primary_business_location"
)
_EVENT_FIELDS = "id,delivery_status,timestamp,webhook_update_state,application,webhook_uri,error_description"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `path` is the operation's in the file. `sent` None: no JSON body."""

    method: str
    path: str
    sent: Any
    status: int
    answer: Any

    @property
    def name(self) -> str:
        return f"{self.method} {self.path} {self.status}"


class Walk:
    """Keeps the exchanges of the calls it makes."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        self.simulator, self.exchanges = simulator, list[Exchange]()

    def call(self, operation: str, path: str, /, **request: Any) -> Any:
        """`operation` is `METHOD /path/of/the/file`."""
        method, name = operation.split(" ", maxsplit=1)
        answer = self.simulator.graph(method, path, **request)
        self.exchanges.append(Exchange(method, name, request.get("json"), answer.status_code, answer.json()))
        return answer.json()


def walk_through(simulator: SimulatorProcess) -> list[Exchange]:
    """Each served operation at least once with success, and most with a refusal. The simulator tells no statuses of its own accord and
    has no callback, so that histories are the same each time."""
    walk = Walk(simulator)
    simulator.meet(CUSTOMER)
    for part in (_messages, _media, _number, _profile, _settings, _codes, _blocks, _templates, _account, _history, _refusals):
        part(walk)
    return walk.exchanges


def _text(**parts: Any) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": CUSTOMER,
        "type": "text",
        "text": {"body": "Hi"},
        **parts,
    }


def _messages(walk: Walk) -> None:
    operation = f"POST {PNID}/messages"
    walk.call(operation, f"{NUMBER}/messages", json=_text())
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    walk.call(operation, f"{NUMBER}/messages", json=_text(type="template", template=template))
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": walk.simulator.meet(CUSTOMER)}
    walk.call(operation, f"{NUMBER}/messages", json=read)
    walk.call(operation, f"{NUMBER}/messages", json=read | {"typing_indicator": {"type": "text"}})


def _media(walk: Walk) -> None:
    files = {"file": ("a.png", PNG, "image/png"), "messaging_product": (None, "whatsapp"), "type": (None, "image/png")}
    media = walk.call(f"POST {PNID}/media", f"{NUMBER}/media", files=files)["id"]
    for _ in range(2):
        walk.call(f"GET {V}{{Media-ID}}", media)
    walk.call(f"DELETE {V}{{Media-ID}}", media)


def _number(walk: Walk) -> None:
    walk.call(f"GET {PNID}", NUMBER)
    walk.call(f"GET {PNID}", NUMBER, params={"fields": _NUMBER_FIELDS})
    walk.call(f"POST {PNID}", NUMBER, json={"webhook_configuration": {"override_callback_uri": ""}})
    walk.call(f"GET {ACCOUNT}/phone_numbers", f"{WABA}/phone_numbers", params={"fields": _LISTED_FIELDS})
    walk.call(f"POST {PNID}/deregister", f"{NUMBER}/deregister")
    walk.call(f"POST {PNID}/request_code", f"{NUMBER}/request_code", json={"code_method": "SMS", "language": "en_US"})
    walk.call(f"POST {PNID}/verify_code", f"{NUMBER}/verify_code", json={"code": "123456"})
    walk.simulator.control("clock", advance="10m")
    walk.call(f"POST {PNID}/register", f"{NUMBER}/register", json={"messaging_product": "whatsapp", "pin": "123456"})
    automation = {
        "enable_welcome_message": True,
        "prompts": ["Are you open?"],
        "commands": [{"command_name": "hours", "command_description": "Ours"}],
    }
    walk.call(f"POST {PNID}/conversational_automation", f"{NUMBER}/conversational_automation", json=automation)


def _profile(walk: Walk) -> None:
    edge = "whatsapp_business_profile"
    profile = {
        "messaging_product": "whatsapp",
        "about": "Bikes",
        "email": "a@shop.example",
        "websites": ["https://shop.example"],
        "vertical": "RETAIL",
    }
    walk.call(f"POST {PNID}/{edge}", f"{NUMBER}/{edge}", json=profile)
    fields = "about,address,description,email,profile_picture_url,websites,vertical"
    walk.call(f"GET {PNID}/{edge}", f"{NUMBER}/{edge}", params={"fields": fields})


def _settings(walk: Walk) -> None:
    walk.call(f"POST {PNID}/settings", f"{NUMBER}/settings", json={"user_identity_change": {"enable_identity_key_check": True}})
    walk.call(f"GET {PNID}/settings", f"{NUMBER}/settings")


def _codes(walk: Walk) -> None:
    edge = "message_qrdls"
    code = walk.call(f"POST {PNID}/{edge}", f"{NUMBER}/{edge}", json={"prefilled_message": "Hi", "generate_qr_image": "SVG"})["code"]
    walk.call(f"POST {PNID}/{edge}", f"{NUMBER}/{edge}", json={"prefilled_message": "Hello", "code": code})
    fields = {"fields": "code,prefilled_message,deep_link_url,creation_time,qr_image_url.format(SVG)"}
    for asked in ({}, fields):
        walk.call(f"GET {PNID}/{edge}", f"{NUMBER}/{edge}", params=asked)
        walk.call(f"GET {PNID}/{edge}/{{QR-Code-ID}}", f"{NUMBER}/{edge}/{code}", params=asked)
    walk.call(f"DELETE {PNID}/{edge}/{{QR-Code-ID}}", f"{NUMBER}/{edge}/{code}")


def _blocks(walk: Walk) -> None:
    walk.simulator.meet(CUSTOMER)
    for method in ("POST", "GET", "DELETE"):
        body = {} if method == "GET" else {"json": {"messaging_product": "whatsapp", "block_users": [{"user": CUSTOMER}]}}
        walk.call(f"{method} {PNID}/block_users", f"{NUMBER}/block_users", **body)
    both = {"messaging_product": "whatsapp", "block_users": [{"user": CUSTOMER}, {"user": STRANGER}]}
    walk.call(f"POST {PNID}/block_users", f"{NUMBER}/block_users", json=both)
    walk.call(f"DELETE {PNID}/block_users", f"{NUMBER}/block_users", json=both | {"block_users": [{"user": CUSTOMER}]})


def _templates(walk: Walk) -> None:
    listed, one = f"{ACCOUNT}/message_templates", f"{V}{{TEMPLATE_ID}}"
    body = {"type": "BODY", "text": "Hello {{1}}, come by.", "example": {"body_text": [["Zoë"]]}}
    header = {"type": "HEADER", "format": "TEXT", "text": "Fall sale"}
    buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop promotions"}]}
    components = [header, body, {"type": "FOOTER", "text": "Speiche"}, buttons]
    asked = {"name": "walked", "language": "en_US", "category": "MARKETING", "components": components}
    made = walk.call(f"POST {listed}", f"{WABA}/message_templates", json=asked)["id"]
    walk.call(f"GET {listed}", f"{WABA}/message_templates", params={"name": "walked", "limit": "1"})
    walk.call(f"GET {one}", made)
    walk.simulator.control("clock", advance="1d")
    walk.call(f"POST {PNID}/marketing_messages", f"{NUMBER}/marketing_messages", json=_marketing())
    walk.call(f"POST {one}", made, json={"components": [body]})
    walk.call(f"DELETE {listed}", f"{WABA}/message_templates", params={"name": "walked"})


def _marketing() -> dict[str, Any]:
    parameters = [{"type": "text", "text": "Zoë"}]
    template = {"name": "walked", "language": {"code": "en_US"}, "components": [{"type": "body", "parameters": parameters}]}
    return {"messaging_product": "whatsapp", "recipient_type": "individual", "to": CUSTOMER, "type": "template", "template": template}


def _account(walk: Walk) -> None:
    walk.call(f"GET {ACCOUNT}", WABA)
    walk.call(f"GET {ACCOUNT}", WABA, params={"fields": _ACCOUNT_FIELDS})
    walk.call(f"POST {ACCOUNT}", WABA, json={"name": "Speiche"})
    for method in ("POST", "GET", "DELETE", "POST"):
        walk.call(f"{method} {ACCOUNT}/subscribed_apps", f"{WABA}/subscribed_apps")


def _history(walk: Walk) -> None:
    wamid = walk.call(f"POST {PNID}/messages", f"{NUMBER}/messages", json=_text())["messages"][0]["id"]
    for state in ("sent", "delivered"):
        walk.simulator.control("status", wamid=wamid, status=state, wait=False)
    asked = {"message_id": wamid, "fields": f"id,message_id,events{{{_EVENT_FIELDS}}}"}
    answer = walk.call(f"GET {PNID}/message_history", f"{NUMBER}/message_history", params=asked)
    walk.call(f"GET {V}{{Message-History-ID}}/events", f"{answer['data'][0]['id']}/events")


def _refusals(walk: Walk) -> None:
    """One of each class: no token, a wrong one, no field, a missing and a wrong parameter, no object, throttled, broken."""
    wrong = {"Authorization": "Bearer wrong"}
    walk.call(f"GET {PNID}", NUMBER, headers=wrong)
    walk.call(f"GET {ACCOUNT}", WABA, headers=wrong)
    for operation, path in ((f"GET {PNID}", NUMBER), (f"GET {ACCOUNT}", WABA), (f"GET {ACCOUNT}/phone_numbers", f"{WABA}/phone_numbers")):
        walk.call(operation, path, params={"fields": "nothing_of_the_kind"})
    for edge in (
        "register",
        "request_code",
        "verify_code",
        "whatsapp_business_profile",
        "message_qrdls",
        "settings",
        "conversational_automation",
    ):
        walk.call(f"POST {PNID}/{edge}", f"{NUMBER}/{edge}", json={})
    walk.call(f"POST {PNID}/messages", f"{NUMBER}/messages", json={})
    walk.call(f"POST {PNID}/messages", f"{NUMBER}/messages", json=_text(text={"body": ""}))
    for code in (130429, 131000, 131056, 131031):
        walk.simulator.control("fault", kind="http_error", code=code)
        walk.call(f"POST {PNID}/messages", f"{NUMBER}/messages", json=_text())
