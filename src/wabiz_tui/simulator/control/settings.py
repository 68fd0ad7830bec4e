"""Switch what the pretend Meta does by itself."""

from wabiz_tui.graph.reading import Json, number_of
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.world import World


async def change_settings(world: World, asked: Json) -> Json:
    settings = world.settings
    if "window" in asked:
        if asked["window"] not in ("async", "sync", "off"):
            raise BadInput("`window` is async, sync or off.")
        settings.window = asked["window"]
    if isinstance(asked.get("statuses"), bool):
        settings.statuses = asked["statuses"]
    if isinstance(asked.get("user_ids"), bool):
        settings.user_ids = world.people.has_user_ids = asked["user_ids"]
    pace = number_of(asked.get("pace"))
    settings.pace = settings.pace if pace is None else max(0.0, pace)
    if asked.get("shape") in ("v23", "v26"):
        settings.shape = asked["shape"]
    for key in ("per_second", "pair_burst"):
        if (value := number_of(asked.get(key))) is not None:
            setattr(world.rates, key, int(value))
    return settings_of(world)


def settings_of(world: World) -> Json:
    one = world.settings
    told = {"window": one.window, "statuses": one.statuses, "user_ids": one.user_ids, "pace": one.pace, "shape": one.shape}
    return {**told, "per_second": world.rates.per_second, "pair_burst": world.rates.pair_burst}
