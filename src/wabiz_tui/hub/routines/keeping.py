"""What follows by itself: settled in the transaction that brings it about, or at its time by the process that leads."""

import asyncio
import traceback
from collections.abc import Callable, Iterator, Sequence

import structlog
from prometheus_client import Counter

from wabiz_tui.hub.archive.clocks import conversations_with_alarm, next_instant, note_turns, queued, silence, unresolved
from wabiz_tui.hub.archive.facts import Answered, Arrived
from wabiz_tui.hub.archive.replies import OwedReply, owed_replies
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.hub.policy import InForce, in_force
from wabiz_tui.hub.routines.assigning import deal
from wabiz_tui.hub.routines.levels import Reckoning
from wabiz_tui.hub.routines.replying import Replies, note_owed
from wabiz_tui.hub.work.status import wake_snoozed
from wabiz_tui.model.errors import StoreError
from wabiz_tui.policy.document import Policy

_LONGEST_SLEEP = 10.0
"""Seconds: a clock that is set, or a machine that slept, is noticed within this."""
_SHORTEST_SLEEP = 0.2
"""However much is committed, it is looked no oftener for what is due."""
_AFTER_FAILURE = 2.0
_AT_ONCE = 500
_REPLIES_AT_ONCE = 20

log = structlog.get_logger("hub.routines")


class Routines:
    """`settle` runs in every transaction; `run`, while this process leads."""

    def __init__(self, archive: Archive, in_force: Callable[[], InForce], replies: Replies, metrics: Metrics) -> None:
        self.replies = replies
        self._archive, self._in_force = archive, in_force
        self._missed = Counter("wabiz_levels_missed", "Service levels that ran out, by clock.", ["clock"], registry=metrics.registry)
        self._dealt = Counter("wabiz_conversations_dealt", "Conversations that were given to somebody by load.", registry=metrics.registry)
        self._woken = asyncio.Event()
        self._has_more, self._dealt_at = False, 0.0
        archive.settling.append(self.settle)

    def settle(self, writing: Writing) -> None:
        """Bring clocks, queue and replies up to date with what this transaction did. What fails here fails nothing else: a mistake in
        a clock must not keep webhooks from being folded."""
        policy, before = self._policies(writing)
        is_changed, has_clocks = _relevant(policy) != _relevant(before), _relevant(policy) is not None
        touched = writing.touched("conversation")
        is_owed = _replies(policy) and any(isinstance(fact, Arrived) for fact in writing.facts)
        if not is_changed and not is_owed and not (has_clocks and (touched or writing.touched("person"))):
            return
        try:
            with writing.savepoint():
                self._follow(writing, policy, unresolved(writing) if is_changed else touched if has_clocks else ())
        except StoreError:
            raise
        except Exception as error:
            if type(error).__module__.startswith("sqlalchemy"):
                raise
            frames = traceback.extract_tb(error.__traceback__)
            place = f"{frames[-1].name}:{frames[-1].lineno}"
            log.error("routines_failed", error=type(error).__name__, place=place)  # noqa: TRY400 a trace can hold what somebody wrote

    async def run(self) -> None:
        """Snoozes end, levels run out and replies leave at their time."""
        loop = asyncio.get_running_loop()

        def heard(_head: int) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self.wake)

        self._archive.listeners.append(heard)
        try:
            while True:
                self._woken.clear()
                pause = await self._look()
                try:
                    await asyncio.wait_for(self._woken.wait(), max(pause, _SHORTEST_SLEEP))
                except TimeoutError:
                    continue
                await asyncio.sleep(_SHORTEST_SLEEP)
        finally:
            self._archive.listeners.remove(heard)

    def wake(self) -> None:
        """Look now: something was committed, or a clock was moved."""
        self._woken.set()

    async def _look(self) -> float:
        """Do what is due; how many seconds until there may be more."""
        try:
            next_ms, owed, has_queue = await self._archive.read(self._due)
            now_ms = to_ms(self._archive.clock.now())
            if (next_ms is not None and next_ms <= now_ms) or (has_queue and self._deals_again()):
                await self._archive.write(self._ring)
                next_ms, _, _ = await self._archive.read(self._due)
            settled = await asyncio.gather(*(self.replies.send(one) for one in owed))
        except StoreError as error:
            log.warning("routines_failed", code=error.code)
            return _AFTER_FAILURE
        if len(owed) == _REPLIES_AT_ONCE and all(settled):
            return 0.0
        if not all(settled):
            return _AFTER_FAILURE
        if self._has_more:
            return 0.0
        # What is still in the past is nothing that looking again would change.
        return _LONGEST_SLEEP if next_ms is None or next_ms <= now_ms else min((next_ms - now_ms) / 1000, _LONGEST_SLEEP)

    def _deals_again(self) -> bool:
        """Whether to look at the queue though nothing happened: where more than one transaction deals out waits, and once in a while."""
        now = self._archive.clock.monotonic()
        if not self._has_more and now - self._dealt_at < _LONGEST_SLEEP:
            return False
        self._dealt_at = now
        return True

    def _due(self, reading: Reading) -> tuple[int | None, list[OwedReply], bool]:
        waits = self._in_force().policy.assignment.auto != "off" and bool(queued(reading, limit=1))
        return next_instant(reading), owed_replies(reading, limit=_REPLIES_AT_ONCE), waits

    def _ring(self, writing: Writing) -> None:
        wake_snoozed(writing)
        policy = self._in_force().policy
        while late := conversations_with_alarm(writing):
            self._reckon(writing, policy, late, ())
            silence(writing, late)
        self._follow(writing, policy, ())

    def _policies(self, writing: Writing) -> tuple[Policy, Policy]:
        """The policy in force as this transaction leaves it, and as it found it."""
        before = self._in_force().policy
        return (in_force(writing).policy if writing.touched("policy") else before), before

    def _follow(self, writing: Writing, policy: Policy, conversations: Sequence[str]) -> None:
        answers = [fact for fact in writing.facts if isinstance(fact, Answered)]
        for chunk in _chunks(conversations):
            wanted = set(chunk)
            self._reckon(writing, policy, chunk, [one for one in answers if one.conversation in wanted])
        dealt = deal(writing, policy)
        self._has_more = dealt.has_more
        if dealt.given:
            writing.afterwards(lambda: self._dealt.inc(dealt.given))
        note_owed(writing, policy, [fact for fact in writing.facts if isinstance(fact, Arrived)])

    def _reckon(self, writing: Writing, policy: Policy, conversations: Sequence[str], answers: Sequence[Answered]) -> None:
        reckoning = Reckoning(writing, policy)
        breaches = reckoning.reckon(conversations, answers)
        for breach in breaches:
            clock = breach.clock
            writing.afterwards(lambda clock=clock: self._missed.labels(clock).inc())
        for conversation in reckoning.moved:
            writing.touch("conversation", conversation)
        if reckoning.taken:
            note_turns(writing, list(reckoning.taken))


def _replies(policy: Policy) -> bool:
    return bool(policy.hours.auto_reply) and policy.hours.has_shifts


def _relevant(policy: Policy) -> object:
    """What of a policy clocks and queues hang on; nothing where there are none."""
    return (policy.service, policy.assignment, policy.hours) if policy.service.has_levels or policy.assignment.auto != "off" else None


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
