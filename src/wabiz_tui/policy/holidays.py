"""Public holidays by calendar name, such as `GB-ENG` or `PT`; the library behind them is loaded when first asked."""

from collections.abc import Callable
from datetime import date
from functools import cache

from wabiz_tui.policy.durations import never_free


def holiday_test(name: str) -> Callable[[date], bool]:
    """Whether a day is a public holiday in the calendar `name`; an empty name has none. The first question costs half a second."""
    return (lambda day: day in _calendar(name)) if name else never_free


def is_calendar(name: str) -> bool:
    return name in calendar_names()


@cache
def calendar_names() -> frozenset[str]:
    """Every calendar there is: countries by ISO 3166 code, and their parts."""
    import holidays

    supported = holidays.list_supported_countries(include_aliases=False)
    return frozenset(supported) | {f"{country}-{part}" for country, parts in supported.items() for part in parts}


@cache
def _calendar(name: str) -> "set[date] | dict[date, str]":
    import holidays

    country, _, part = name.partition("-")
    return holidays.country_holidays(country, subdiv=part or None)  # pyright: ignore[reportReturnType] a dict of dates to names by nature
