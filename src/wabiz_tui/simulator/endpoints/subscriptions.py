"""Who is told: apps of the account, and the callbacks of app, account and number (number before account before app)."""

import asyncio
from contextlib import suppress

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, list_of, word
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.numbers import make_callback, read_override, set_override
from wabiz_tui.simulator.refusals import Refusal

PATIENCE = 10.0
OBJECT = "whatsapp_business_account"
FIELDS = (
    "account_alerts", "account_review_update", "account_settings_update", "account_update", "business_capability_update",
    "business_status_update", "business_username_update", "calls", "flows", "group_lifecycle_update", "group_participants_update",
    "group_settings_update", "group_status_update", "history", "message_echoes", "message_template_components_update",
    "message_template_quality_update", "message_template_status_update", "messages", "messaging_handovers", "partner_solutions",
    "payment_configuration_update", "phone_number_name_update", "phone_number_quality_update", "security", "smb_app_state_sync",
    "smb_message_echoes", "standby", "template_category_update", "template_correct_category_detection", "tracking_events",
    "user_id_update", "user_preferences", "automatic_events",
)  # fmt: skip


async def subscribed_apps(call: Call) -> Json:
    app = call.world.options.app_id
    if not call.world.account.is_subscribed:
        return {"data": []}
    about = {"id": app, "name": "wabiz", "link": f"https://www.facebook.com/games/?app_id={app}"}
    row: Json = {"whatsapp_business_api_data": about}
    own = call.world.courier.overrides().get(call.node)
    if own is not None:
        row["override_callback_uri"] = own.url
    return {"data": [row]}


async def subscribe(call: Call) -> Json:
    """A body may name a callback of this account's own; without one the app's callback is in force again."""
    await set_override(call, call.node, call.given)
    call.world.account.is_subscribed = True
    call.world.courier.subscribe(call.world.account.fields)
    return {"success": True}


async def unsubscribe(call: Call) -> Json:
    """Nothing is told any more until the app subscribes again."""
    await set_override(call, call.node, {})
    call.world.account.is_subscribed = False
    call.world.courier.subscribe(())
    return {"success": True}


async def app(call: Call) -> Json:
    """The app itself, with the fields a client checks its own identity by."""
    name = call.world.options.app_id
    return {"id": name, "name": "wabiz", "link": f"https://www.facebook.com/games/?app_id={name}"}


async def app_subscriptions(call: Call) -> Json:
    _need_app(call)
    callback = call.world.courier.callback
    if callback is None:
        return {"data": []}
    wanted = call.world.account.fields
    fields = [{"name": name, "version": "v26.0"} for name in FIELDS if wanted is None or name in wanted]
    return {"data": [{"object": OBJECT, "callback_url": callback.url, "active": True, "fields": fields}]}


async def subscribe_app(call: Call) -> Json:
    """Waits for the handshake: a callback that does not echo the challenge is refused with 2200."""
    _need_app(call)
    if call.required("object") != OBJECT:
        raise graph_error(100, f"Param object must be {OBJECT}.")
    fields = call.given.get("fields")
    named = [word(one) for one in list_of(fields)] or [one.strip() for one in word(fields).split(",") if one.strip()]
    unknown = next((name for name in named if name not in FIELDS), None)
    if unknown is not None:
        raise graph_error(100, f"Param fields must be among {{{', '.join(FIELDS)}}} - got {unknown[:60]}.")
    url, verify_token = call.required("callback_url"), call.required("verify_token")
    read_override({"override_callback_uri": url, "verify_token": verify_token})
    callback = make_callback(call, url, verify_token)
    await call.world.courier.set_callback(callback)
    with suppress(TimeoutError):
        await asyncio.wait_for(callback.verified.wait(), PATIENCE)
    if not callback.is_verified:
        await call.world.courier.set_callback(None)
        text = f"The URL couldn't be validated. Callback verification failed: {callback.refusal or 'no answer'}"
        raise Refusal(2200, f"(#2200) {text}"[:300])
    call.world.account.fields = tuple(named) or None
    if call.world.account.is_subscribed:
        call.world.courier.subscribe(call.world.account.fields)
    return {"success": True}


async def unsubscribe_app(call: Call) -> Json:
    _need_app(call)
    await call.world.courier.set_callback(None)
    return {"success": True}


def _need_app(call: Call) -> None:
    """Only the app's own token may touch its subscriptions; without an app secret there is none to tell apart."""
    if not call.is_app and call.world.options.app_secret is not None:
        raise Refusal(15, "(#15) This method must be called with an app access_token.")
