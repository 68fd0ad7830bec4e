"""Where webhooks go."""

import asyncio
from contextlib import suppress

from wabiz_tui.graph.reading import Json, number_of, word
from wabiz_tui.model.secret import Secret
from wabiz_tui.simulator.webhooks.courier import Callback
from wabiz_tui.simulator.world import World


async def set_callback_asked(world: World, asked: Json) -> Json:
    """Waits for the handshake, where there is one to make."""
    url = word(asked.get("url"))
    if not url:
        await world.courier.set_callback(None)
        return {"callback": None}
    old = world.courier.callback
    secret, verify_token = asked.get("app_secret"), asked.get("verify_token")
    callback = Callback(
        url,
        Secret(secret) if isinstance(secret, str) and secret else old.app_secret if old is not None else world.options.app_secret,
        Secret(verify_token) if isinstance(verify_token, str) and verify_token else None,
    )
    await world.courier.set_callback(callback)
    with suppress(TimeoutError):
        await asyncio.wait_for(callback.verified.wait(), number_of(asked.get("timeout")) or 5.0)
    return {"callback": url, "verified": callback.is_verified}
