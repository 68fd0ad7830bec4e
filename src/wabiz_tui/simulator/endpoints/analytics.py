"""What was sent and delivered, counted from what really happened in this world (cloud-api §2; M "Analytics")."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, instant_of, list_of, load_object, object_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.fields import Field
from wabiz_tui.simulator.world import Sent, World

ANALYTICS = ("analytics", "conversation_analytics", "pricing_analytics", "call_analytics", "group_analytics")
PRICE = 0.05
"""Of a charged message, in the account's currency: a made-up number, alike everywhere."""
_LONGEST = timedelta(days=366)
_TEMPLATES_BACK = timedelta(days=90)
_MAX_POINTS = 20_000
_STEPS = {"HALF_HOUR": timedelta(minutes=30), "DAY": timedelta(days=1), "DAILY": timedelta(days=1)}
_GRANULARITIES = {"analytics": ("HALF_HOUR", "DAY", "MONTH")}
_OTHER_GRANULARITIES = ("HALF_HOUR", "DAILY", "MONTHLY")
_PLAIN = re.compile(r"[A-Za-z0-9_.+]+")


def count(world: World, field: Field) -> Json:
    """`analytics.start(T).end(T).granularity(G)…`. Raises CloudError 100 for what is missing or out of bounds."""
    asked = field.arguments
    start, end = _instant(asked, "start"), _instant(asked, "end")
    if end <= start:
        raise graph_error(100, "Param end must be after start.")
    if end - start > _LONGEST:
        raise graph_error(100, "The time between start and end must be at most one year.")
    granularity = asked.get("granularity", "").strip("'\"").upper()
    allowed = _GRANULARITIES.get(field.name, _OTHER_GRANULARITIES)
    if granularity not in allowed:
        raise graph_error(100, "Param granularity must be one of {" + ", ".join(allowed) + "}")
    numbers = _listed(asked, "phone_numbers")
    sent = [one for one in world.sent if not numbers or world.display(one.number) in numbers or one.number in numbers]
    spans = _spans(start, end, granularity)
    if field.name == "analytics":
        points = [{**_bounds(span), **_counts(_within(sent, span))} for span in spans]
        return {"phone_numbers": numbers or _displays(world), "granularity": granularity, "data_points": [p for p in points if p["sent"]]}
    if field.name in ("call_analytics", "group_analytics"):
        return {"data": [{"data_points": []}]}
    dimensions = [name.upper() for name in _listed(asked, "dimensions")]
    rows = [row for span in spans for row in _priced(world, _within(sent, span), span, dimensions, field.name)]
    return {"data": [{"data_points": rows}]}


def _instant(asked: dict[str, str], name: str) -> datetime:
    moment = instant_of(asked.get(name, "").strip("'\""))
    if moment is None:
        raise graph_error(100, f"The parameter {name} is required and must be Unix seconds.")
    return moment


def _listed(asked: dict[str, str], name: str) -> list[str]:
    """`["a","b"]` or `[a,b]` or `a`."""
    return [one.removeprefix("+") for one in _PLAIN.findall(asked.get(name, ""))]


def _spans(start: datetime, end: datetime, granularity: str) -> list[tuple[datetime, datetime]]:
    spans: list[tuple[datetime, datetime]] = []
    step = _STEPS.get(granularity)
    at = start
    while at < end:
        after = at + step if step is not None else _next_month(at)
        spans.append((at, min(after, end)))
        at = after
        if len(spans) > _MAX_POINTS:
            raise graph_error(100, "The time between start and end is too long for this granularity.")
    return spans


def _next_month(at: datetime) -> datetime:
    first = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _within(sent: Iterable[Sent], span: tuple[datetime, datetime]) -> list[Sent]:
    return [one for one in sent if span[0] <= one.at < span[1]]


def _bounds(span: tuple[datetime, datetime]) -> Json:
    return {"start": int(span[0].timestamp()), "end": int(span[1].timestamp())}


def _counts(sent: Sequence[Sent]) -> Json:
    return {"sent": len(sent), "delivered": sum(_reached(one, "delivered", "read", "played") for one in sent)}


def _reached(sent: Sent, *states: str) -> bool:
    return any(one["status"] in states for one in sent.statuses)


def _displays(world: World) -> list[str]:
    return [world.display(number) for number in world.options.phone_number_ids]


def _priced(world: World, sent: list[Sent], span: tuple[datetime, datetime], dimensions: list[str], kind: str) -> list[Json]:
    """One row for each combination of the dimensions asked for; delivered messages only, as those are what is charged."""
    delivered = [one for one in sent if _reached(one, "delivered", "read", "played")]
    names: dict[str, tuple[str, Callable[[Sent], str]]] = {
        "PHONE": ("phone_number", lambda one: world.display(one.number)),
        "COUNTRY": ("country", lambda one: word(one.customer.user_id)[:2] or "US"),
        "PRICING_CATEGORY": ("pricing_category", lambda one: _category(world, one).upper()),
        "CONVERSATION_CATEGORY": ("conversation_category", lambda one: _category(world, one).upper()),
        "PRICING_TYPE": ("pricing_type", lambda one: "FREE_CUSTOMER_SERVICE" if _category(world, one) == "service" else "REGULAR"),
        "CONVERSATION_TYPE": ("conversation_type", lambda one: "FREE_TIER" if _category(world, one) == "service" else "REGULAR"),
        "CONVERSATION_DIRECTION": (
            "conversation_direction",
            lambda one: "USER_INITIATED" if _category(world, one) == "service" else "BUSINESS_INITIATED",
        ),
        "TIER": ("tier", lambda _: "0:UNLIMITED"),
    }
    chosen = [names[name] for name in dimensions if name in names]
    rows: dict[tuple[str, ...], list[Sent]] = {}
    for one in delivered:
        rows.setdefault(tuple(of(one) for _, of in chosen), []).append(one)
    key = "conversation" if kind == "conversation_analytics" else "volume"
    return [
        {
            **_bounds(span),
            key: len(group),
            **{name: value for (name, _), value in zip(chosen, values, strict=True)},
            "cost": round(PRICE * sum(_category(world, one) != "service" for one in group), 4),
        }
        for values, group in rows.items()
    ]


def _category(world: World, sent: Sent) -> str:
    """service for everything that is no template."""
    if sent.body.get("type") != "template":
        return "service"
    inner = object_of(sent.body.get("template"))
    found = world.templates.find(word(inner.get("name")), word(object_of(inner.get("language")).get("code")))
    return word(found["category"]).lower() if found is not None else "utility"


async def template_analytics(call: Call) -> Json:
    """`GET /{waba}/template_analytics?start&end&granularity=DAILY&template_ids=[…]`: 90 days back."""
    world = call.world
    asked = {name: word(call.given.get(name)) for name in ("start", "end", "granularity")}
    start, end = _instant(asked, "start"), _instant(asked, "end")
    if asked["granularity"].upper() != "DAILY":
        raise graph_error(100, "Param granularity must be one of {DAILY}")
    if world.now() - start > _TEMPLATES_BACK + timedelta(days=1) or end <= start:
        raise graph_error(100, "Param start must be at most 90 days ago and before end.")
    names = _ids(call.given.get("template_ids"))
    if not 1 <= len(names) <= 10:
        raise graph_error(100, "Param template_ids must name 1 to 10 templates.")
    points: list[Json] = []
    for name in names:
        template = next((one for one in world.templates.items if one["id"] == name), None)
        if template is None:
            raise graph_error(100, f"Param template_ids: {name[:40]} is no template of this account.")
        for span in _spans(start, end, "DAILY"):
            sent = [one for one in _within(world.sent, span) if _is_of(one, template)]
            if sent:
                points.append({"template_id": name, **_bounds(span), **_counts(sent), "read": sum(_reached(one, "read") for one in sent)})
    return {"data": [{"granularity": "DAILY", "product_type": "CLOUD_API", "data_points": points}]}


def _ids(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            value = load_object(b'{"v":' + value.encode() + b"}")["v"] if value.startswith("[") else value.split(",")
        except BadInput:
            value = []
    return [word(one).strip() for one in list_of(value) if word(one).strip()]


def _is_of(sent: Sent, template: Json) -> bool:
    inner = object_of(sent.body.get("template"))
    return (inner.get("name"), object_of(inner.get("language")).get("code")) == (template["name"], template["language"])
