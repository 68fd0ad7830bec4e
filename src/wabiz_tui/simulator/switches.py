"""Switch what the pretend Meta does by itself: read a change of settings, make it, and tell them all."""

from wabiz_tui.graph.reading import Json, number_of
from wabiz_tui.model.document import nearest_name
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.world import World

_CHOICES: dict[str, tuple[str, ...]] = {"window": ("async", "sync", "off"), "shape": ("v26", "v23")}
_FLAGS = ("statuses", "user_ids")
_NUMBERS = ("pace", "per_second", "pair_burst")
SWITCHES = (*_CHOICES, *_FLAGS, *_NUMBERS)
MAX_PACE = 10_000.0


def change_settings(world: World, asked: Json) -> Json:
    """All of `asked` or nothing; the settings afterwards. Raises BadInput that names the key and what is valid."""
    for key in asked:
        if key not in SWITCHES:
            near = nearest_name(key, SWITCHES)
            raise BadInput(
                f"There is no setting {key[:60]!r}{f': do you mean {near!r}?' if near else ''}; there are {', '.join(SWITCHES)}."
            )
        _check(key, asked[key])
    settings = world.settings
    for key in (*_CHOICES, *_FLAGS):
        if key in asked:
            setattr(settings, key, asked[key])
    world.people.has_user_ids = settings.user_ids
    if (pace := number_of(asked.get("pace"))) is not None:
        settings.pace = pace
    for key in ("per_second", "pair_burst"):
        if (value := number_of(asked.get(key))) is not None:
            setattr(world.rates, key, int(value))
    return settings_of(world)


def settings_of(world: World) -> Json:
    one = world.settings
    told = {"window": one.window, "statuses": one.statuses, "user_ids": one.user_ids, "pace": one.pace, "shape": one.shape}
    return {**told, "per_second": world.rates.per_second, "pair_burst": world.rates.pair_burst}


def _check(key: str, value: object) -> None:
    if key in _CHOICES and value not in _CHOICES[key]:
        raise BadInput(f"`{key}` is one of {', '.join(_CHOICES[key])}.")
    if key in _FLAGS and not isinstance(value, bool):
        raise BadInput(f"`{key}` is true or false.")
    if key in _NUMBERS:
        number = number_of(value)
        if number is None or not 0 <= number <= MAX_PACE:
            raise BadInput(f"`{key}` is a number from 0 to {MAX_PACE:.0f}.")
