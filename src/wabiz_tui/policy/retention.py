"""When a thing is due: in an agent's cache, and in the archive."""

from collections.abc import Collection
from datetime import datetime

from wabiz_tui.policy.document import ArchiveRule, Policy
from wabiz_tui.policy.durations import Duration, add


def cache_expiry(policy: Policy, *, sent_at: datetime, resolved_at: datetime | None, has_media: bool = False) -> datetime:
    """When a message must vanish from a cache: at the end of the window, or `after_resolve` after its conversation was
    resolved, whichever is first. A resolution before the message was sent says nothing about it.

    `has_media` asks about the bytes of its file instead, which go earlier, after `media`; the message's words stay.
    """
    limits = [sent_at + policy.cache.window]
    if resolved_at is not None and resolved_at >= sent_at:
        limits.append(resolved_at + policy.cache.after_resolve)
    if has_media:
        limits.append(sent_at + policy.cache.media)
    return min(limits)


def archive_expiry(
    policy: Policy,
    *,
    sent_at: datetime,
    labels: Collection[str] = (),
    team: str | None = None,
    number: str | None = None,
    kind: str | None = None,
    has_media: bool = False,
) -> datetime:
    """When the hub must dispose of a message, holds apart: the longest of the rules that match, else `retain`, at most `max`.

    Counted on the calendar of the policy's time zone. `has_media` asks about the bytes of its file instead.
    """
    archive = policy.archive

    def after(duration: Duration) -> datetime:
        return add(sent_at, duration, policy.hours.zone)

    matching = [after(rule.retain) for rule in archive.rule if _matches(rule, labels, team, number, kind)]
    due = min(max(matching, default=after(archive.retain)), after(archive.max))
    return min(due, after(archive.media)) if has_media else due


def _matches(rule: ArchiveRule, labels: Collection[str], team: str | None, number: str | None, kind: str | None) -> bool:
    return (
        (rule.label is None or rule.label in labels)
        and (rule.team is None or rule.team == team)
        and (rule.number is None or rule.number == number)
        and (rule.kind is None or rule.kind == kind)
    )
