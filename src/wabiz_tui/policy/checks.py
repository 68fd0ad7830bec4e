"""What is wrong between the keys of a policy: impossible combinations, names that do not exist, values out of reason."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import get_args

import msgspec

from wabiz_tui.model.content import Content
from wabiz_tui.model.document import Problem, Written, nearest_name
from wabiz_tui.policy.document import Archive, ArchiveRule, Cache, Hours, Policy
from wabiz_tui.policy.durations import Duration, format_timedelta
from wabiz_tui.policy.permissions import CONTENT_ROLES, can
from wabiz_tui.policy.service import CLOCKS, LONGEST_LEVEL, MATCHERS, MOST_OPEN, Assignment, Service

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_LEASE = timedelta(hours=72)
LONGEST_UNDO = timedelta(minutes=1)
LONGEST_BREAK = timedelta(hours=24)
MOST_MESSAGES = 10_000_000
_MATCHERS = ("label", "team", "number", "kind")
_KINDS = tuple(str(kind.__struct_config__.tag) for kind in get_args(Content))
_NONE = timedelta()


def give_way(policy: Policy, written: Written) -> Policy:
    """`policy` with the defaults that its written keys make impossible brought into line with them."""
    archive, cache = policy.archive, policy.cache
    if ("archive", "retain") not in written:
        archive = msgspec.structs.replace(archive, retain=_shorter(archive.retain, archive.max))
    if ("archive", "media") not in written:
        archive = msgspec.structs.replace(archive, media=_shorter(archive.media, archive.retain))
    for key in ("after_resolve", "media", "purge_within"):
        # A window of nothing is refused for itself; what follows from it is not told as well.
        if ("cache", key) not in written and cache.window:
            cache = msgspec.structs.replace(cache, **{key: min(getattr(cache, key), cache.window)})
    if ("cache", "receipt_within") not in written:
        cache = msgspec.structs.replace(cache, receipt_within=max(cache.receipt_within, cache.purge_within))
    return msgspec.structs.replace(policy, archive=archive, cache=cache)


def find_problems(policy: Policy, written: Written, *, look_up_holidays: bool = True) -> Iterator[Problem]:
    """Everything that is wrong between the keys, each at the key to change."""
    if not policy.name.strip() or len(policy.name) > 100 or not policy.name.isprintable():
        yield Problem(("name",), "The name is 1 to 100 printable characters.")
    yield from _archive(policy.archive, written)
    yield from _rules(policy.archive)
    yield from _cache(policy.cache)
    yield from _roles(policy)
    yield from _hours(policy.hours)
    if look_up_holidays:
        yield from _holidays(policy.hours.holidays)
    yield from _service(policy.service)
    yield from _assignment(policy.assignment)
    yield from _rest(policy)


def _archive(archive: Archive, written: Written) -> Iterator[Problem]:
    cap = f"archive.max ({archive.max}{'' if ('archive', 'max') in written else ', the default'})"
    for key in ("retain", "media", "max"):
        if getattr(archive, key).count == 0:
            yield Problem(("archive", key), "The archive keeps messages for some time at least.")
    if archive.retain.mean > archive.max.mean > _NONE:
        yield Problem(("archive", "retain"), f"This is longer than {cap}, which caps it.")
    if archive.media.mean > archive.retain.mean > _NONE:
        yield Problem(("archive", "media"), f"A file is not kept longer than its message: archive.retain is {archive.retain}.")
    for number, rule in enumerate(archive.rule):
        if rule.retain.mean > archive.max.mean:
            yield Problem(("archive", "rule", number, "retain"), f"This is longer than {cap}, which caps it.")
        if rule.retain.count == 0:
            yield Problem(("archive", "rule", number, "retain"), "The archive keeps messages for some time at least.")


def _rules(archive: Archive) -> Iterator[Problem]:
    seen: dict[tuple[str | None, ...], int] = {}
    for number, rule in enumerate(archive.rule):
        path = ("archive", "rule", number)
        matched = matchers(rule)
        if not any(matched):
            yield Problem(path, "A rule names what it matches: label, team, number or kind.")
        elif matched in seen:
            yield Problem(path, f"Rule {seen[matched] + 1} matches the same messages; keep one of the two.")
        seen.setdefault(matched, number)
        if rule.kind is not None and rule.kind not in _KINDS:
            yield Problem((*path, "kind"), "There is no such kind of message.", nearest_name(rule.kind, _KINDS))


def matchers(rule: ArchiveRule) -> tuple[str | None, ...]:
    """What a rule matches, comparable: two rules with the same matchers govern the same messages."""
    return tuple(getattr(rule, key) for key in _MATCHERS)


def _cache(cache: Cache) -> Iterator[Problem]:
    window = format_timedelta(cache.window)
    for key in ("window", "idle_lock", "purge_within"):
        if getattr(cache, key) == _NONE:
            yield Problem(("cache", key), "This must be more than nothing." + (" For no cache on disk: disk = false." * (key == "window")))
    if cache.after_resolve > cache.window > _NONE:
        yield Problem(("cache", "after_resolve"), f"This is longer than cache.window ({window}), after which nothing is left.")
    if cache.media > cache.window > _NONE:
        yield Problem(("cache", "media"), f"This is longer than cache.window ({window}), after which nothing is left.")
    if cache.lease > LONGEST_LEASE:
        yield Problem(("cache", "lease"), "A device may go without the hub for 72h at most.")
    if cache.purge_within > cache.window > _NONE:
        yield Problem(("cache", "purge_within"), f"This is longer than cache.window ({window}): due messages would stay that long again.")
    if cache.receipt_within < cache.purge_within:
        yield Problem(("cache", "receipt_within"), "A receipt cannot be due before the purge (cache.purge_within) it is about.")
    if not 1 <= cache.max_messages <= MOST_MESSAGES:
        yield Problem(("cache", "max_messages"), f"This must be between 1 and {MOST_MESSAGES}.")


def _roles(policy: Policy) -> Iterator[Problem]:
    for number, role in enumerate(policy.privacy.reveal):
        if role not in CONTENT_ROLES:
            yield Problem(("privacy", "reveal", number), f'The role "{role}" sees no contacts, so it has nothing to reveal.')
    if "agent" in policy.hours.override:
        yield Problem(("hours", "override", policy.hours.override.index("agent")), "Agents do not override their own rest time.")


def _hours(hours: Hours) -> Iterator[Problem]:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    try:
        ZoneInfo(hours.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: some systems keep folders ("Europe") and unreadable files among the zones.
        yield Problem(("hours", "timezone"), "There is no such time zone.", nearest_name(hours.timezone, available_timezones()))
    for day, spans in zip(DAYS, hours.week, strict=True):
        for before, after in pairwise(sorted(spans or ())):
            if after.begin < before.end:
                yield Problem(("hours", day), f"The hours {before} and {after} overlap.")
    if hours.hand_over_after > LONGEST_BREAK:
        yield Problem(("hours", "hand_over_after"), 'A break is at most 24h; write hand_over = "keep" for work to stay.')
    if hours.has_shifts and not any(hours.week) and hours.off_shift != "open":
        first = next(day for day, spans in zip(DAYS, hours.week, strict=True) if spans is not None)
        yield Problem(("hours", first), "No day has any hours, so nobody could ever work; leave the days out for no shifts at all.")


def _holidays(name: str) -> Iterator[Problem]:
    if not name:
        return
    from wabiz_tui.policy.holidays import calendar_names, is_calendar

    if not is_calendar(name):
        yield Problem(("hours", "holidays"), "There is no such calendar of holidays.", nearest_name(name, calendar_names()))


def _service(service: Service) -> Iterator[Problem]:
    for path, table in ((("service",), service), *((("service", "rule", number), rule) for number, rule in enumerate(service.rule))):
        for clock in CLOCKS:
            level = getattr(table, clock)
            if level is not None and not _NONE < level <= LONGEST_LEVEL:
                yield Problem((*path, clock), "A level is more than nothing and at most 90d of working time; leave it out for no clock.")
    for number, rule in enumerate(service.rule):
        path = ("service", "rule", number)
        if all(getattr(rule, key) is None for key in MATCHERS):
            yield Problem(path, "A rule names what it matches: label, team, priority or number.")
        if all(getattr(rule, clock) is None for clock in CLOCKS):
            yield Problem(path, "A rule names a level: first_response, next_response or resolution.")


def _assignment(assignment: Assignment) -> Iterator[Problem]:
    if not 1 <= assignment.most_open <= MOST_OPEN:
        yield Problem(("assignment", "most_open"), f"This must be between 1 and {MOST_OPEN}.")
    for number, role in enumerate(assignment.roles):
        if not can(role, "message.send"):
            yield Problem(("assignment", "roles", number), f'The role "{role}" answers no customers, so it is given no work.')


def _rest(policy: Policy) -> Iterator[Problem]:
    if policy.sending.undo > LONGEST_UNDO:
        yield Problem(("sending", "undo"), "A message is held back for 1m at most.")
    if len(policy.hours.auto_reply) > 512 or not policy.hours.auto_reply.isprintable():
        yield Problem(("hours", "auto_reply"), "This must be the name of a template or canned response.")
    for key in ("dsar", "foi"):
        if getattr(policy.cases, key).count == 0:
            yield Problem(("cases", key), "A request is answered within some time at least.")
    if not 1 <= policy.approval.people <= 5:
        yield Problem(("approval", "people"), "This must be between 1 and 5.")


def _shorter(first: Duration, second: Duration) -> Duration:
    return second if timedelta() < second.mean < first.mean else first
