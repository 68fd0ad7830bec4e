"""`/{number}/whatsapp_business_profile`: what customers see of the business (cloud-api §2)."""

import re

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, list_of, word
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.fields import parse_fields, shown
from wabiz_tui.simulator.endpoints.numbers import number_of_call

TYPE = "WhatsAppBusinessProfile"
# Meta's pages and pywa give 512 for the description, the OpenAPI file 256: the larger one is let through.
LENGTHS = {"about": 139, "address": 256, "description": 512, "email": 128}
VERTICALS = (
    "", "UNDEFINED", "OTHER", "AUTO", "BEAUTY", "APPAREL", "EDU", "ENTERTAIN", "EVENT_PLAN", "FINANCE", "GROCERY", "GOVT", "HOTEL",
    "HEALTH", "NONPROFIT", "PROF_SERVICES", "RETAIL", "TRAVEL", "RESTAURANT", "ALCOHOL", "ONLINE_GAMBLING",
    "PHYSICAL_GAMBLING", "OTC_DRUGS",
    "NOT_A_BIZ", "MATRIMONY_SERVICE",
)  # fmt: skip
FIELDS = ("messaging_product", *LENGTHS, "profile_picture_url", "websites", "vertical")
MAX_WEBSITES, MAX_WEBSITE = 2, 256
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


async def look_up(call: Call) -> Json:
    whole: Json = dict.fromkeys(FIELDS) | {"messaging_product": "whatsapp", "vertical": "OTHER"} | number_of_call(call).profile
    return {"data": [shown(whole, parse_fields(call.word("fields")), ("messaging_product",), TYPE)]}


async def change(call: Call) -> Json:
    """Changes what is named; an empty text takes it away, save `about`, which cannot be empty."""
    call.product()
    asked: Json = {}
    for name, most in LENGTHS.items():
        if name in call.given:
            asked[name] = _text(call, name, most)
    if asked.get("about") == "":
        raise graph_error(100, "Param about must be between 1 and 139 characters long.")
    if asked.get("email") and not _EMAIL.fullmatch(asked["email"]):
        raise graph_error(100, "Param email must be a valid email address.")
    if "vertical" in call.given:
        if call.word("vertical") not in VERTICALS:
            raise graph_error(100, "Param vertical must be one of {" + ", ".join(name for name in VERTICALS if name) + "}")
        asked["vertical"] = call.word("vertical")
    if "websites" in call.given:
        asked["websites"] = _websites(call)
    if "profile_picture_handle" in call.given:
        asked["profile_picture_url"] = f"{call.base_url}/whatsapp_business/pictures/{call.node}"
    number_of_call(call).profile |= {name: value if value not in ("", []) else None for name, value in asked.items()}
    return {"success": True}


def _text(call: Call, name: str, most: int) -> str:
    value = call.given[name]
    if not isinstance(value, str) or len(value) > most:
        raise graph_error(100, f"Param {name} must be text of at most {most} characters.")
    return value


def _websites(call: Call) -> list[str]:
    sites = [word(one) for one in list_of(call.given["websites"])]
    if len(sites) > MAX_WEBSITES:
        raise graph_error(100, f"Param websites must be at most {MAX_WEBSITES}.")
    if any(len(one) > MAX_WEBSITE or not one.startswith(("http://", "https://")) for one in sites):
        raise graph_error(100, f"Param websites must be http(s) URLs of at most {MAX_WEBSITE} characters.")
    return sites
