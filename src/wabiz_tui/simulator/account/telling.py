"""Webhooks about the account itself: they always go to the app's callback (cloud-api §2, §10)."""

from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.account.numbers import Number
from wabiz_tui.simulator.webhooks.envelope import Told
from wabiz_tui.simulator.world import World

REVIEW_SECONDS = 60.0
"""How long Meta looks at a new name or a template here; in life minutes to a day. Times `settings.pace`."""


def tell_account(world: World, field: str, value: Json) -> None:
    world.courier.tell([Told(waba=world.options.waba_id, field=field, value=value)])


def tell_security(world: World, number: str, event: str) -> None:
    tell_account(world, "security", {"display_phone_number": world.display(number), "event": event})


def tell_name(world: World, number: Number, name: str) -> None:
    """A new name waits for its review, then is in force."""
    number.name_status = "PENDING_REVIEW"

    async def decided() -> None:
        number.name_status, number.verified_name = "APPROVED", name
        value = {"display_phone_number": world.display(number.id), "decision": "APPROVED", "requested_verified_name": name}
        tell_account(world, "phone_number_name_update", {**value, "rejection_reason": None})

    world.timeline.after(REVIEW_SECONDS * world.settings.pace, decided)
