"""The desk at a glance, locked or open."""

from datetime import datetime

from wabiz_tui.desk.keys.passphrase_file import PassphraseFile
from wabiz_tui.desk.session.opening import Setting
from wabiz_tui.desk.session.session import Session
from wabiz_tui.model.desk import DeskStatus
from wabiz_tui.model.errors import Revoked, WabizError
from wabiz_tui.model.shift import OFF_SHIFT

_SKEW_WORTH_TELLING = 60.0


def locked_status(setting: Setting, why: WabizError | None, *, lock_after: int) -> DeskStatus:
    enrolment = setting.enrolment
    return DeskStatus(
        link="revoked" if isinstance(why, Revoked) else "offline",
        locked=True,
        key_store=enrolment.key_store,
        person=enrolment.person,
        person_name=enrolment.person_name,
        role=enrolment.role,
        business=enrolment.business,
        shift="off" if why is not None and why.code == OFF_SHIFT else "",
        needs_passphrase=enrolment.key_store == PassphraseFile.name,
        notice="" if why is None else why.sentence,
        lock_after=lock_after,
    )


async def open_status(session: Session, *, lock_after: int) -> DeskStatus:
    enrolment, sync, purger = session.enrolment, session.sync, session.purger
    messages, conversations = await session.use(lambda cache: cache.totals())
    rules = sync.rules
    return DeskStatus(
        link=session.link_state,
        locked=False,
        lease_until=session.vault.lease_until,
        policy=0 if rules is None else rules.version,
        policy_name=session.policy.name if rules is not None else "",
        epoch=session.cache.epoch,
        messages=messages,
        conversations=conversations,
        outbox=await session.outbox.pending(),
        next_purge=purger.next_at,
        key_store=enrolment.key_store,
        head=sync.head,
        cursor=sync.cursor,
        is_syncing=sync.is_catching_up,
        person=enrolment.person,
        person_name=enrolment.person_name,
        role=enrolment.role,
        business=enrolment.business,
        shift=session.stands.state,
        last_receipt_at=purger.receipts.last_at,
        needs_passphrase=enrolment.key_store == PassphraseFile.name,
        notice=_notice(session),
        skew_seconds=round(session.clock.skew_seconds, 1),
        lock_after=lock_after,
        clipboard=session.policy.privacy.clipboard,
    )


def _notice(session: Session) -> str:
    """The one sentence the agent must see, the gravest first."""
    for told in (session.notice, session.purger.notice, session.sync.notice, session.outbox.notice):
        if told:
            return told
    if session.link_state == "offline":
        return _offline(session.vault.lease_until)
    if abs(session.clock.skew_seconds) > _SKEW_WORTH_TELLING:
        return _skewed(session.clock.skew_seconds)
    return ""


def _offline(until: datetime | None) -> str:
    end = "" if until is None else f" until {until.astimezone():%H:%M on %d %b}"
    return f"The hub does not answer; the cache may be used{end}, and what you send waits."


def _skewed(seconds: float) -> str:
    by = f"{abs(seconds) / 60:.0f} minutes" if abs(seconds) < 5400 else f"{abs(seconds) / 3600:.0f} hours"
    which = "ahead of" if seconds > 0 else "behind"
    return f"This machine's clock is {by} {which} the hub's; wabiz goes by the later of the two. Have it set right."
