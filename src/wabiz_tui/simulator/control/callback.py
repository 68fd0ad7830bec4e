"""Where webhooks go."""

import asyncio
from contextlib import suppress

from wabiz_tui.graph.reading import Json, list_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret
from wabiz_tui.simulator.control.asked import refuse_slips
from wabiz_tui.simulator.control.outcome import patience_of
from wabiz_tui.simulator.webhooks.courier import Callback
from wabiz_tui.simulator.world import World


async def set_callback_asked(world: World, asked: Json) -> Json:
    """Waits for the handshake, where there is one to make. `for` names the number or account that gets a callback of its own."""
    refuse_slips(asked, ("url", "app_secret", "verify_token", "timeout", "for", "fields"))
    courier, owner, url = world.courier, word(asked.get("for")), word(asked.get("url"))
    if owner and owner not in (world.options.waba_id, *world.options.phone_number_ids):
        raise BadInput("`for` is the account's id or one of its phone number ids.")
    if "fields" in asked:
        courier.subscribe([word(one) for one in list_of(asked["fields"])] if asked["fields"] is not None else None)
        if not url:
            return callback_of(world)
    callback = _callback(world, url, asked) if url else None
    if owner:
        await courier.set_override(owner, callback)
    else:
        await courier.set_callback(callback)
    if callback is None:
        return {"callback": None}
    with suppress(TimeoutError):
        await asyncio.wait_for(callback.verified.wait(), patience_of(asked, usual=5.0))
    return {"callback": url, "verified": callback.is_verified, **({"error": callback.refusal} if not callback.is_verified else {})}


def callback_of(world: World) -> Json:
    def told(one: Callback | None) -> Json | None:
        return {"url": one.url, "verified": one.is_verified, "signed": one.app_secret is not None} if one is not None else None

    fields = world.courier.fields
    overrides = {name: told(one) for name, one in world.courier.overrides().items()}
    return {"callback": told(world.courier.callback), "overrides": overrides, "fields": sorted(fields) if fields is not None else None}


def _callback(world: World, url: str, asked: Json) -> Callback:
    old = world.courier.callback
    secret, verify_token = asked.get("app_secret"), asked.get("verify_token")
    return Callback(
        url,
        Secret(secret) if isinstance(secret, str) and secret else old.app_secret if old is not None else world.options.app_secret,
        Secret(verify_token) if isinstance(verify_token, str) and verify_token else None,
    )
