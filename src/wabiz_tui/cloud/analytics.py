"""Field expressions for an account's figures, such as `analytics.start(1).end(2).granularity(DAY)` (M "Analytics")."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from wabiz_tui.model.errors import BadInput

HalfHourDayMonth = Literal["HALF_HOUR", "DAY", "MONTH"]
HalfHourDailyMonthly = Literal["HALF_HOUR", "DAILY", "MONTHLY"]
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_WORD = re.compile(r"\+?[A-Za-z0-9_]{1,64}")


def build_analytics(
    start: datetime,
    end: datetime,
    granularity: HalfHourDayMonth = "DAY",
    *,
    phone_numbers: Sequence[str] = (),
    country_codes: Sequence[str] = (),
    product_types: Sequence[str] = (),
) -> str:
    """Messages sent and delivered; a year back. `phone_numbers` are digits as displayed, not ids; empty means all."""
    lists = {"phone_numbers": phone_numbers, "country_codes": country_codes, "product_types": product_types}
    return build_expression("analytics", start, end, granularity, lists)


def build_conversation_analytics(
    start: datetime,
    end: datetime,
    granularity: HalfHourDailyMonthly = "DAILY",
    *,
    phone_numbers: Sequence[str] = (),
    country_codes: Sequence[str] = (),
    metric_types: Sequence[str] = (),
    dimensions: Sequence[str] = (),
) -> str:
    """Conversations and their cost, for the time before prices went by message; a year back."""
    lists = {"phone_numbers": phone_numbers, "country_codes": country_codes, "metric_types": metric_types, "dimensions": dimensions}
    return build_expression("conversation_analytics", start, end, granularity, lists)


def build_pricing_analytics(
    start: datetime,
    end: datetime,
    granularity: HalfHourDailyMonthly = "DAILY",
    *,
    phone_numbers: Sequence[str] = (),
    country_codes: Sequence[str] = (),
    pricing_types: Sequence[str] = (),
    pricing_categories: Sequence[str] = (),
    metric_types: Sequence[str] = (),
    dimensions: Sequence[str] = (),
) -> str:
    """Delivered messages and their cost by PRICING_CATEGORY, PRICING_TYPE, COUNTRY, PHONE, TIER; a year back, values approximate."""
    lists = {
        "phone_numbers": phone_numbers,
        "country_codes": country_codes,
        "pricing_types": pricing_types,
        "pricing_categories": pricing_categories,
        "metric_types": metric_types,
        "dimensions": dimensions,
    }
    return build_expression("pricing_analytics", start, end, granularity, lists)


def build_expression(field: str, start: datetime, end: datetime, granularity: str, lists: dict[str, Sequence[str]]) -> str:
    """Any such field, call_analytics and group_analytics among them. Raises BadInput for a part that could end the expression early,
    and for times without a zone or in the wrong order."""
    if start.tzinfo is None or end.tzinfo is None or end <= start:
        raise BadInput("The span must have a time zone and end after its start.")
    calls = [f"start({int(start.timestamp())})", f"end({int(end.timestamp())})", f"granularity({_checked(_NAME, granularity)})"]
    for name, values in lists.items():
        if values:
            listed = ",".join(f'"{_checked(_WORD, value)}"' for value in values)
            calls.append(f"{_checked(_NAME, name)}([{listed}])")
    return ".".join((_checked(_NAME, field), *calls))


def _checked(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        raise BadInput("A filter of the analytics holds a character that none has.")
    return text
