"""However a desk came by what it holds, it holds what a desk that begins from nothing would, and nothing that it let go of."""

import asyncio
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.desk_samples import StillClock, ident
from tests.support.feed_model import TENANT, FeedModel, ModelLink
from wabiz_tui.desk.cache.database import MEMORY
from wabiz_tui.desk.cache.marks import Pending
from wabiz_tui.desk.cache.rebuilding import Rebuilding
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.times import to_ms
from wabiz_tui.desk.sync.sync import Sync, Told
from wabiz_tui.model.errors import Unreachable
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import ReceiptCounts

POLICIES = [
    f'name = "T"\n[cache]\nwindow = "{window}"\nafter_resolve = "{after}"\nmax_messages = {most}\nlease = "8h"\n'
    for window, after, most in [("14d", "24h", 50_000), ("2d", "24h", 50_000), ("14d", "1h", 50_000), ("14d", "24h", 3), ("30d", "48h", 6)]
]
TABLES = {
    "messages": "id, conversation, sent_at_ms, expires_at_ms, is_incoming, idempotency_key, value",
    "conversations": "id, contact, status, assignee, unread, last_at_ms, resolved_at_ms, preview_until_ms, expires_at_ms, value",
    "contacts": "id, expires_at_ms, value",
    "events": "id, at_ms, expires_at_ms, value",
    "numbers": "id, value",
    "people": "id, value",
}


class Killed(BaseException):
    """The process is gone."""


class NoLetters:
    """An outbox with nothing in it; a kill that comes after the commit comes here."""

    def __init__(self) -> None:
        self.is_last = False

    async def settle(self, arrived: object) -> None:
        if self.is_last:
            raise Killed


class Machine:
    """One desk: its file, what it makes of the feed, and how it is killed, purged and read."""

    def __init__(self, feed: FeedModel, clock: StillClock, folder: Path | None) -> None:
        self.feed, self.clock, self.folder = feed, clock, folder
        self.epoch = 1
        self._open()

    def _key(self) -> Secret:
        return Secret(bytes([self.epoch]) * 32)

    def _path(self) -> Path:
        return MEMORY if self.folder is None else self.folder / f"cache-{self.epoch}.db"

    def _open(self) -> None:
        self.cache = Cache(self._path(), self._key(), epoch=self.epoch, now=self.clock.now, me=ident(7))
        self.link, self.letters = ModelLink(self.feed), NoLetters()
        self.sync = Sync(
            self.link,  # type: ignore[arg-type] it answers as the link does
            lambda: self.cache,
            self.letters,  # type: ignore[arg-type] likewise
            turn=asyncio.Lock(),
            policy_key=self.feed.policy_key,
            tenant=TENANT,
            told=Told(),
        )

    async def catch_up(self, limit: int) -> None:
        await self.sync.load()
        self.link.limit = limit
        await self.sync.catch_up()

    async def follow(self, limit: int, since: int) -> None:
        """The stream brings what was told before once more, then goes on, then breaks."""
        if self.sync.rules is None:
            await self.catch_up(limit)
        self.link.limit = limit
        self.link.told = [self.feed.page(max(self.sync.cursor - since, 0), limit)]
        with suppress(Unreachable):
            await self.sync._follow()

    async def be_killed(self, limit: int, pages: int, when: str) -> None:
        left = pages

        def count() -> None:
            nonlocal left
            left -= 1
            if left < 0 and when == "asked":
                raise Killed
            self.letters.is_last = left <= 0 and when == "committed"

        self.link.before_page = count
        with suppress(Killed):
            await self.catch_up(limit)
        self.cache.close()
        self._open()

    async def purge(self) -> None:
        """As the desk does: what survives goes into a file under the next key."""
        old, old_key, before = self.cache, self._key(), self._path()
        self.epoch += 1
        made = Cache(self._path(), self._key(), epoch=self.epoch, now=self.clock.now, me=ident(7))
        nothing = ReceiptCounts()
        pending = Pending(self.epoch - 1, self.epoch, 1, "due", self.clock.now(), removed=nothing, kept=nothing, ids_hash="")
        rebuilding = Rebuilding(old.database, old_key, made.database, now=self.clock.now())
        await asyncio.to_thread(rebuilding.copy)
        await asyncio.to_thread(rebuilding.finish, pending)
        self.cache = made
        old.close()
        if before != MEMORY:
            before.unlink()
        await self.sync.load()

    async def dump(self) -> dict[str, set[tuple[Any, ...]]]:
        """Every row of the file."""
        found: dict[str, set[tuple[Any, ...]]] = {}
        for name, columns in TABLES.items():
            query = f"SELECT {columns} FROM {name}"  # noqa: S608 names of our own
            found[name] = set(await self.cache.database.read(lambda connection, query=query: connection.execute(query).fetchall()))
        return found

    async def forgotten(self) -> dict[bytes, int]:
        query = "SELECT id, forgotten_ms FROM resolved WHERE forgotten_ms > 0"
        return dict(await self.cache.database.read(lambda connection: connection.execute(query).fetchall()))


number, small = st.integers(1, 3), st.integers(1, 4)
hours = st.sampled_from([0, 0, 1, 30, 24 * 3, 24 * 13, 24 * 20])
STEPS = st.one_of(
    st.tuples(st.just("say"), number, hours, st.booleans()),
    st.tuples(st.just("say"), number, st.just(0), st.booleans()),
    st.tuples(st.sampled_from(["resolve", "label", "rename", "take_away", "grant"]), number),
    st.tuples(st.sampled_from(["read", "erase"]), st.integers(1, 12)),
    st.tuples(st.just("note"), number, hours),
    st.tuples(st.just("policy"), st.integers(0, len(POLICIES) - 1)),
    st.tuples(st.just("restore"), st.integers(0, 1)),
    st.tuples(st.just("pass"), st.sampled_from([1, 2, 25, 49, 24 * 5])),
    st.tuples(st.just("catch_up"), small),
    st.tuples(st.just("follow"), small, st.integers(0, 6)),
    st.tuples(st.just("kill"), small, small, st.sampled_from(["asked", "committed"])),
    st.tuples(st.just("purge")),
)


OVERFULL: list[tuple[Any, ...]] = [*[("say", 1, 0, False)] * 5, ("catch_up", 3), ("erase", 5), ("erase", 4)]
"""Under the policy of three messages, by their number of steps: what was left out comes when the newest go."""


async def take(step: tuple[Any, ...], feed: FeedModel, desk: Machine, clock: StillClock) -> None:
    match step:
        case ("say", of, ago, is_ours):
            feed.say(of, ago=timedelta(hours=ago), is_ours=is_ours)
        case ("note", what, ago):
            feed.note(what, ago=timedelta(hours=ago))
        case ("policy", which):
            feed.set_policy(POLICIES[which])
        case ("pass", amount):
            clock.pass_(hours=amount)
        case ("catch_up", limit):
            await desk.catch_up(limit)
        case ("follow", limit, back):
            await desk.follow(limit, back)
        case ("kill", limit, pages, when):
            await desk.be_killed(limit, pages, when)
        case ("purge",):
            await desk.purge()
        case (act, *arguments):
            getattr(feed, act)(*arguments)


async def play(steps: list[tuple[Any, ...]], folder: Path) -> None:
    clock = StillClock()
    feed = FeedModel(clock.now)
    feed.set_policy(POLICIES[len(steps) % len(POLICIES)])
    desk = Machine(feed, clock, folder)
    try:
        for step in steps:
            await take(step, feed, desk, clock)
        # Something moves, so that what fell due meanwhile is seen to have made room.
        feed.note(99, ago=timedelta())
        clean = Machine(feed, clock, None)
        try:
            for one in (desk, clean):
                await one.catch_up(3)
                await one.purge()
            held, wanted = await desk.dump(), await clean.dump()
            forgotten = await desk.forgotten()
            await check(held, wanted, forgotten, feed, desk)
        finally:
            clean.cache.close()
    finally:
        desk.cache.close()


async def without_bound(feed: FeedModel, desk: Machine) -> set[tuple[Any, ...]]:
    """The messages that a sync from nothing would hold if it were not for their number."""
    assert desk.sync.rules is not None
    rules = desk.sync.rules.policy.cache
    window, after = (int(span.total_seconds()) for span in (rules.window, rules.after_resolve))
    feed.set_policy(f'name = "T"\n[cache]\nwindow = "{window}s"\nafter_resolve = "{after}s"\nlease = "8h"\n')
    roomy = Machine(feed, desk.clock, None)
    try:
        await roomy.catch_up(3)
        await roomy.purge()
        return (await roomy.dump())["messages"]
    finally:
        roomy.cache.close()


async def check(held: dict[str, Any], wanted: dict[str, Any], forgotten: dict[bytes, int], feed: FeedModel, desk: Machine) -> None:
    resolutions = {(bytes.fromhex(ident(of)), to_ms(at)) for of, at in feed.reopened}
    assert set(forgotten.items()) <= resolutions
    may_stay = {row for row in await without_bound(feed, desk) if row[2] > forgotten.get(row[1], 0)}
    assert desk.sync.rules is not None
    # What was let go of leaves room for older ones.
    assert held["messages"] == set(sorted(may_stay, key=lambda row: row[2])[-desk.sync.rules.policy.cache.max_messages :])
    assert {name: rows for name, rows in held.items() if name != "messages"} == {
        name: rows for name, rows in wanted.items() if name != "messages"
    }
    for row in held["messages"]:
        page = await desk.cache.message(row[0].hex())
        assert page is not None


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=4, max_size=24))
@example(OVERFULL)
def test_every_road_ends_where_a_clean_sync_does(steps: list[tuple[Any, ...]]) -> None:
    """Changes, grants, removals, erasures, policies, late statuses, time, purges, kills on either side of a commit, streams that repeat
    themselves and a restored hub, in any order, under a number of messages that binds too: every row of the file is that of a sync from
    nothing, save for messages from before a resolution that has run out here, which no reopening brings back and which leave room for
    others."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(steps, Path(folder)))
