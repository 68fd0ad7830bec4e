"""`/{number}/username`: the name customers can find the business by (cloud-api §2)."""

import re

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.numbers import number_of_call

_USERNAME = re.compile(r"(?!www)(?![0-9._]*$)[a-z0-9_](?:[a-z0-9_]|\.(?!\.)){1,33}[a-z0-9_]")
_DOMAIN = re.compile(r"\.(com|org|net|int|edu|gov|mil|us|in|html|io|co|de|uk|biz|info)$")


async def username(call: Call) -> Json:
    name = number_of_call(call).username
    return {"username": name, "status": "approved"} if name else {}


async def set_username(call: Call) -> Json:
    name = call.required("username").removeprefix("@")
    if not _USERNAME.fullmatch(name) or _DOMAIN.search(name):
        raise graph_error(100, "Param username must be 3 to 35 of a-z, 0-9, dot and underscore, with a letter, and no domain name.")
    if any(one.username == name for one in call.world.account.numbers.values() if one.id != call.node):
        raise graph_error(147001, "The username is taken")
    number_of_call(call).username = name
    return {"status": "approved"}


async def remove_username(call: Call) -> Json:
    number_of_call(call).username = ""
    return {"success": True}


async def username_suggestions(call: Call) -> Json:
    plain = re.sub(r"[^a-z0-9]", "", call.world.business.lower())[:28] or "business"
    return {"data": [{"username_suggestions": [f"{plain}.{end}" for end in ("support", "team", "shop")]}]}
