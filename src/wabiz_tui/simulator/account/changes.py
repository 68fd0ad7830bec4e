"""Change the account, a number or a template from outside, as Meta would by itself: what the control endpoint and scenarios ask for."""

from collections.abc import Callable, Iterable

from wabiz_tui.graph.reading import Json, number_of, word
from wabiz_tui.model.errors import BadInput, NotFound
from wabiz_tui.simulator.account.business import TIERS
from wabiz_tui.simulator.account.numbers import Number
from wabiz_tui.simulator.account.telling import tell_account, tell_name
from wabiz_tui.simulator.account.template_life import (
    EVENTS,
    SCORES,
    begin_review,
    decide,
    pause,
    set_category,
    set_quality,
    set_status,
    unpause,
)
from wabiz_tui.simulator.world import World

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
QUALITIES = ("GREEN", "YELLOW", "RED", "UNKNOWN")
NAME_STATUSES = ("APPROVED", "PENDING_REVIEW", "DECLINED", "EXPIRED", "NONE", "AVAILABLE_WITHOUT_REVIEW")
_FLAGS = (("registered", "is_registered"), ("verified", "is_verified"), ("official", "is_official"), ("coexistence", "is_on_app"))
TEMPLATE_KEYS = (
    "id", "name", "language", "status", "event", "reason", "title", "quality", "category", "at_once", "held", "release", "drop", "pause",
    "unpause", "review",
)  # fmt: skip
ACCOUNT_KEYS = ("tier", "marketing", "marketing_per_person", "reviews")
NUMBER_KEYS = ("number", "quality", "throughput", "name_status", "name", "registered", "verified", "pin", "official", "coexistence")


def change_template(world: World, asked: Json) -> Json:
    """`name` with `language`, or `id`, says which; the rest what becomes of it. Each change sends its webhook.

    `status` (with `reason`, `title`), `quality` (RED pauses), `category` (announced a day before, or `at_once`), `pause`, `unpause`,
    `review`; `held`: that many sends are held for quality assessment, `release` or `drop` ends that. Raises NotFound and BadInput."""
    item = _template(world, asked)
    if status := _choice(asked, ("status", "event"), EVENTS):
        set_status(world, item, status, reason=word(asked.get("reason")) or "NONE", title=word(asked.get("title")))
    if quality := _choice(asked, ("quality",), SCORES):
        set_quality(world, item, quality)
    if category := _choice(asked, ("category",), CATEGORIES):
        set_category(world, item, category, at_once=asked.get("at_once") is True)
    if (held := number_of(asked.get("held"))) is not None:
        world.templates.life(item).held = max(0, int(held))
    acts: tuple[tuple[str, Callable[[], object]], ...] = (
        ("pause", lambda: pause(world, item)),
        ("unpause", lambda: unpause(world, item)),
        ("review", lambda: begin_review(world, item)),
        ("release", lambda: decide(world, item, is_released=True)),
        ("drop", lambda: decide(world, item, is_released=False)),
    )
    for key, act in acts:
        if asked.get(key) is True:
            act()
    return {"template": {key: item[key] for key in ("id", "name", "language", "status", "category", "quality_score")}}


def _template(world: World, asked: Json) -> Json:
    name, language, number = word(asked.get("name")), word(asked.get("language")), word(asked.get("id"))
    found = [
        one
        for one in world.templates.items
        if (number and one["id"] == number) or (name and one["name"] == name and language in ("", one["language"]))
    ]
    if not found:
        raise NotFound("There is no such template: name it by `id`, or by `name` and `language`.")
    return found[0]


def change_account(world: World, asked: Json) -> Json:
    """`tier` (the messaging limit), `marketing` (allowed on Cloud API), `marketing_per_person` (in 24 hours; null: no end), `reviews`
    (templates are approved by themselves). Raises BadInput."""
    account = world.account
    if (tier := _choice(asked, ("tier",), TIERS)) and tier != account.reach.tier:
        account.reach.set_tier(tier)
        limit = account.reach.limit
        tell_account(world, "business_capability_update", {"max_daily_conversations_per_business": tier if limit is not None else -1})
    if isinstance(asked.get("marketing"), bool):
        account.is_marketing_allowed = asked["marketing"]
    if "marketing_per_person" in asked:
        most = number_of(asked["marketing_per_person"])
        account.marketing_per_person = int(most) if most is not None else None
    if isinstance(asked.get("reviews"), bool):
        account.reviews = asked["reviews"]
    return {
        "tier": account.reach.tier,
        "marketing": account.is_marketing_allowed,
        "marketing_per_person": account.marketing_per_person,
        "reviews": account.reviews,
    }


def change_number(world: World, asked: Json) -> Json:
    """`number` says which (the first where none is named); see NUMBER_KEYS. Raises NotFound and BadInput."""
    number = _number(world, asked)
    if quality := _choice(asked, ("quality",), QUALITIES):
        number.quality = quality
    if (level := _choice(asked, ("throughput",), ("STANDARD", "HIGH"))) and level != number.throughput:
        number.throughput = level
        if level == "HIGH":
            _tell_throughput(world, number)
    if status := _choice(asked, ("name_status",), NAME_STATUSES):
        number.name_status = status
    if word(asked.get("name")):
        tell_name(world, number, word(asked.get("name")))
    if "pin" in asked:
        number.pin = word(asked["pin"]) or None
    for key, attribute in _FLAGS:
        if isinstance(asked.get(key), bool):
            setattr(number, attribute, asked[key])
    told = {"quality": number.quality, "throughput": number.throughput, "name_status": number.name_status}
    return {"number": number.id, "status": number.status, **told}


def _number(world: World, asked: Json) -> Number:
    name = word(asked.get("number")) or next(iter(world.account.numbers), "")
    if name not in world.account.numbers:
        raise NotFound(f"The account has no number {name[:40]}.")
    return world.account.numbers[name]


def _tell_throughput(world: World, number: Number) -> None:
    value = {"display_phone_number": world.display(number.id), "event": "THROUGHPUT_UPGRADE", "current_limit": world.account.reach.tier}
    tell_account(world, "phone_number_quality_update", value)


def _choice(asked: Json, keys: Iterable[str], allowed: Iterable[str]) -> str:
    value = next((word(asked[key]).upper() for key in keys if word(asked.get(key))), "")
    if value and value not in allowed:
        raise BadInput(f"`{next(iter(keys))}` is one of {', '.join(allowed)}.")
    return value
