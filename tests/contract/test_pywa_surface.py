"""Nothing pywa can do is forgotten: every method of its client is called in these tests, or left out for a reason."""

import ast
from pathlib import Path

import pywa

_GROUPS = "groups are not simulated: they need an official business account, and the inbox shows them only (cloud-api §15)"
_CALLS = "calls are not simulated: the inbox shows them only (cloud-api §16); their webhooks are heard in test_pywa_receiving"
_FLOWS = "flows are made and hosted by administrators elsewhere; the inbox sends them and reads their answers"
_PORTFOLIO = "asks the business portfolio, of which the pretend account knows nothing but the id"
_OWN = "pywa's own machinery: nothing of it reaches the Graph API"
_SIGNUPS = "marketing sign-ups are in neither cloud-api.md nor Meta's file of v23.0"

LEFT_OUT = {
    **dict.fromkeys(
        [
            "create_group", "get_group", "get_groups", "delete_group", "get_group_join_requests", "approve_group_join_requests",
            "reject_group_join_requests", "get_group_invite_link", "reset_group_invite_link", "remove_group_participants",
            "update_group_settings", "pin_message", "unpin_message", "on_group_message_statuses",
        ],
        _GROUPS,
    ),
    **dict.fromkeys(
        ["initiate_call", "pre_accept_call", "accept_call", "reject_call", "terminate_call", "get_call_permissions"], _CALLS
    ),
    **dict.fromkeys(
        [
            "create_flow", "update_flow_metadata", "update_flow_json", "publish_flow", "delete_flow", "deprecate_flow", "get_flow",
            "get_flows", "get_flow_metrics", "get_flow_assets", "migrate_flows", "add_flow_request_handler", "on_flow_request",
            "get_flow_request_handler", "set_business_public_key",
        ],
        _FLOWS,
    ),
    **dict.fromkeys(["get_shared_business_accounts", "get_owned_business_accounts"], _PORTFOLIO),
    **dict.fromkeys(["create_signup", "get_signups", "get_signup", "update_signup"], _SIGNUPS),
    **dict.fromkeys(
        [
            "load_handlers_modules", "add_handlers", "remove_handlers", "remove_callbacks", "listen", "stop_listening", "run",
            "webhook_challenge_handler", "webhook_update_handler", "webhook_update_validator", "on_raw_update",
        ],
        _OWN,
    ),
    **dict.fromkeys(
        ["archive_templates", "unarchive_templates"], "pywa calls another host of Meta's for it, which no base URL reaches"
    ),
    "compare_templates": "figures of two templates beside each other: no inbox asks for them",
    "migrate_templates": "moves templates between two accounts; the simulator has one",
    "upsert_authentication_template": "pywa 4.5.0 sends a text that holds JSON where Meta documents an object; create_template is tried",
    "create_phone_number": "numbers of the pretend account are named on its command line",
    "get_commerce_settings": "the catalog's shop window is not simulated; products are sent all the same",
    "update_commerce_settings": "likewise",
}  # fmt: skip
FOLDER = Path(__file__).parent
FILES = [*FOLDER.glob("test_pywa_*.py"), *(FOLDER.parent / "support").glob("pywa_*.py")]


def called() -> set[str]:
    """The names of all attributes called in these tests; the handlers of updates are set on in one loop, by their `on_`."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in FILES]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
    heard = {f"on_{node.value}" for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return names | heard


def test_every_method_is_tried_or_left_out_with_a_reason() -> None:
    """A newer pywa with more methods, or a table that names what is tried or gone, fails here."""
    methods = {name for name in dir(pywa.WhatsApp) if not name.startswith("_") and callable(getattr(pywa.WhatsApp, name))}

    assert methods - called() - set(LEFT_OUT) == set()
    assert set(LEFT_OUT) & called() == set()
    assert set(LEFT_OUT) <= methods
