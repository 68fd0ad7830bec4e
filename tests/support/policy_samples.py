"""Policies for tests: the example of the design, shorthands for small ones, and any valid one."""

from datetime import timedelta

import msgspec
from hypothesis import strategies as st

from wabiz_tui.model.document import Written
from wabiz_tui.policy.checks import DAYS, find_problems
from wabiz_tui.policy.document import Approval, Archive, ArchiveRule, Cache, Cases, Hours, Policy, Privacy, Sending, Span
from wabiz_tui.policy.durations import Duration
from wabiz_tui.policy.service import CLOCKS, Assignment, Service, ServiceRule

EXAMPLE = """\
name = "UK support"
[archive]
retain = "6y"                      # where no rule matches; from the message's own time
media = "1y"
max = "10y"                        # caps everything but a hold
[[archive.rule]]                   # among matching rules the longest wins; may be shorter than retain; a hold beats all
label = "complaint"                # a label of the episode
retain = "8y"
[cache]                            # what an agent's machine may hold
window = "14d"
after_resolve = "24h"
media = "3d"
max_messages = 50_000
lease = "8h"                       # 0 = never open without the hub (always so on shared hosts)
idle_lock = "5m"
purge_within = "15m"
receipt_within = "24h"
disk = true
[privacy]
mask_numbers = true
reveal = ["supervisor", "compliance"]
clipboard = "masked"               # off | masked | on
read_receipts = "on_reply"         # never | on_view | on_reply
[hours]
timezone = "Europe/London"
holidays = "GB-ENG"
monday = ["08:30-17:30"]           # … each day; several spans allowed
off_shift = "closed"               # closed │ quiet │ open
override = ["supervisor"]          # needs a reason, is told to the worker, is audited
auto_reply = "out_of_hours"        # a template or canned response
[sending]
undo = "5s"
[cases]
dsar = "1 month"
foi = "20 working days"
[approval]
people = 2
grace = "24h"
"""


def with_hours(**hours: object) -> Policy:
    """A policy with these hours and no holidays."""
    return Policy(hours=Hours(**{"holidays": "", **hours}))  # pyright: ignore[reportArgumentType] fields by name


def spans(*texts: str) -> tuple[Span, ...]:
    from wabiz_tui.policy.document import parse_span

    return tuple(parse_span(text) for text in texts)


_durations = st.builds(Duration, st.integers(1, 60), st.sampled_from(["d", "w", "month", "y", "working day"]))
a_day = st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True).map(
    lambda edges: tuple(Span(begin, end) for begin, end in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)
_names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
_rules = st.builds(
    ArchiveRule, retain=_durations, label=_names, number=st.none() | st.just("1"), kind=st.none() | st.sampled_from(["text", "image"])
)


def _seconds(shortest: int, longest: int) -> st.SearchStrategy[timedelta]:
    return st.integers(shortest, longest).map(lambda seconds: timedelta(seconds=seconds))


_levels = {clock: st.none() | _seconds(1, 10**6) for clock in CLOCKS}
_service_rules = st.builds(
    ServiceRule,
    label=_names,
    team=st.none() | _names,
    priority=st.sampled_from([None, "urgent", "low"]),
    number=st.none() | st.just("1"),
    first_response=_seconds(1, 10**6),
    resolution=st.none() | _seconds(1, 10**6),
)


def _fit(policy: Policy) -> Policy:
    """`policy` with its lengths put in the order the checks demand, so that few drawn policies are thrown away."""
    cache, archive = policy.cache, policy.archive
    lengths = sorted((archive.media, archive.retain, archive.max), key=lambda duration: duration.mean)
    rules = {rule.label: rule for rule in archive.rule if rule.retain.mean <= lengths[2].mean}
    return msgspec.structs.replace(
        policy,
        archive=Archive(media=lengths[0], retain=lengths[1], max=lengths[2], rule=tuple(rules.values())),
        cache=msgspec.structs.replace(
            cache,
            after_resolve=min(cache.after_resolve, cache.window),
            media=min(cache.media, cache.window),
            purge_within=min(cache.purge_within, cache.window),
            receipt_within=max(cache.receipt_within, cache.purge_within),
        ),
    )


def is_valid(policy: Policy) -> bool:
    return not list(find_problems(policy, Written({}), look_up_holidays=False))


policies: st.SearchStrategy[Policy] = (
    st.builds(
        Policy,
        name=_names,
        archive=st.builds(Archive, retain=_durations, media=_durations, max=_durations, rule=st.lists(_rules, max_size=3).map(tuple)),
        cache=st.builds(
            Cache,
            window=_seconds(1, 10**7),
            after_resolve=_seconds(0, 10**6),
            media=_seconds(0, 10**6),
            max_messages=st.integers(1, 10**7),
            lease=_seconds(0, 72 * 3600),
            idle_lock=_seconds(1, 10**4),
            purge_within=_seconds(1, 10**4),
            receipt_within=_seconds(1, 10**6),
            disk=st.booleans(),
        ),
        privacy=st.builds(
            Privacy,
            mask_numbers=st.booleans(),
            reveal=st.sets(st.sampled_from(["agent", "supervisor", "compliance"])).map(lambda roles: tuple(sorted(roles))),
            clipboard=st.sampled_from(["off", "masked", "on"]),
            read_receipts=st.sampled_from(["never", "on_view", "on_reply"]),
        ),
        hours=st.builds(
            Hours,
            timezone=st.sampled_from(["Europe/London", "Asia/Tokyo"]),
            holidays=st.sampled_from(["", "GB-ENG"]),
            off_shift=st.sampled_from(["closed", "quiet", "open"]),
            override=st.sets(st.sampled_from(["supervisor", "compliance"])).map(lambda roles: tuple(sorted(roles))),
            auto_reply=_names,
            hand_over=st.sampled_from(["buddy", "team", "keep"]),
            hand_over_after=_seconds(0, 24 * 3600),
            **{day: st.none() | a_day for day in DAYS},
        ),
        service=st.builds(Service, **_levels, rule=st.lists(_service_rules, max_size=2).map(tuple)),
        assignment=st.builds(
            Assignment,
            auto=st.sampled_from(["off", "balanced"]),
            most_open=st.integers(1, 10**4),
            sticky=st.booleans(),
            roles=st.sets(st.sampled_from(["agent", "supervisor"])).map(lambda roles: tuple(sorted(roles))),
        ),
        sending=st.builds(Sending, undo=_seconds(0, 60)),
        cases=st.builds(Cases, dsar=_durations, foi=_durations),
        approval=st.builds(Approval, people=st.integers(1, 5), grace=_seconds(0, 10**6)),
    )
    .map(_fit)
    .filter(is_valid)
)
