"""`/{number}/settings` and `/{number}/conversational_automation` (cloud-api §2)."""

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, object_of, word
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.numbers import number_of_call


def settings_default() -> Json:
    return {
        "calling": {
            "status": "disabled",
            "call_icon_visibility": "DEFAULT",
            "callback_permission_status": "disabled",
            "ip_addresses": {"default": []},
        },
        "user_identity_change": {"enable_identity_key_check": False},
        "payload_encryption": {"status": "disabled"},
        "storage_configuration": {"status": "default"},
    }


async def settings(call: Call) -> Json:
    return {**settings_default(), **number_of_call(call).settings}


async def change_settings(call: Call) -> Json:
    """One feature a request."""
    asked = [name for name in settings_default() if name in call.given]
    if len(asked) != 1:
        raise graph_error(100, "Exactly one of " + ", ".join(settings_default()) + " is required.")
    told = object_of(call.given[asked[0]])
    if not told:
        raise graph_error(100, f"Param {asked[0]} must be an object.")
    for key in ("status", "call_icon_visibility", "callback_permission_status"):
        if key in told and word(told[key]).lower() not in ("enabled", "disabled", "visible", "hidden", "disable_all", "default"):
            raise graph_error(100, f"Param {asked[0]}.{key} is not valid.")
    number = number_of_call(call)
    number.settings = {**number.settings, asked[0]: {**settings_default()[asked[0]], **object_of(number.settings.get(asked[0])), **told}}
    return {"success": True}


async def change_automation(call: Call) -> Json:
    """`POST /{number}/conversational_automation` (M "Conversational components")."""
    prompts, commands = call.items("prompts"), [object_of(one) for one in call.items("commands")]
    if len(prompts) > 4 or any(not 1 <= len(word(one)) <= 80 for one in prompts):
        raise graph_error(100, "Param prompts must be at most 4 texts of at most 80 characters.")
    if len(commands) > 30:
        raise graph_error(100, "Param commands must be at most 30.")
    for one in commands:
        if not 1 <= len(word(one.get("command_name"))) <= 32 or not 1 <= len(word(one.get("command_description"))) <= 256:
            raise graph_error(100, "Param commands needs command_name (at most 32) and command_description (at most 256).")
    asked: Json = {"prompts": prompts, "commands": commands}
    welcome = call.flag("enable_welcome_message")
    if welcome is not None:
        asked["enable_welcome_message"] = welcome
    automation = number_of_call(call).automation
    automation |= {key: value for key, value in asked.items() if key in call.given}
    return {"success": True}
