"""The all-pages search: whatever was held and whyever it went, no page of any file has it afterwards, and what may stay is there."""

import asyncio
import random
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.support.desk_purger import PUBLIC, PurgeBench, found_in
from tests.support.desk_samples import NOON, StillClock, contact, conversation, ident, item, message
from wabiz_tui.desk.cache.writing import Item
from wabiz_tui.model.content import Image, Note, Text
from wabiz_tui.model.desk import Draft
from wabiz_tui.model.values import Conversation, Message
from wabiz_tui.policy.retention import cache_expiry
from wabiz_tui.proof.receipts import verify_chain

POLICY = 'name = "T"\n[cache]\nwindow = "{window}d"\nafter_resolve = "{after}h"\nmax_messages = {most}\n'
SCRIPTS = (
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзиклмнопрстуфхцчшщ",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "ابتثجحخدذرزسشصضطظعغفقكلمن",
    "日月火水木金土山川田人口手足目耳東西南北春夏秋冬",
)


class Story:
    """Seeded: what a business says and does to one desk, and what of it is held under the rules at the end, counted beside the cache."""

    def __init__(self, seed: int, home: Path) -> None:
        self.chance = random.Random(seed)
        self.clock = StillClock()
        self.rule = {"window": 14, "after": 24, "most": 1000}
        self.bench = PurgeBench(home, POLICY.format(**self.rule), self.clock)
        self.markers: dict[str, str] = {}
        """Marker to the id of the message or conversation whose words it is among."""
        self.messages: dict[str, Message] = {}
        self.conversations: dict[str, Conversation] = {}
        self.due: set[str] = set()
        self._count = 0

    def marker(self, of: str) -> str:
        made = "".join(self.chance.choices(self.chance.choice(SCRIPTS), k=14))
        self.markers[made] = of
        return made

    async def begin(self) -> None:
        items: list[Item] = []
        for number in range(1, self.chance.randint(5, 10)):
            name = self.marker(ident(number))
            held = conversation(number, name=name, last_at=NOON)
            self.conversations[held.id] = held
            spoken = [self.new_message(number) for _ in range(self.chance.randint(3, 12))]
            newest = max(spoken, key=lambda one: one.sent_at)
            held = conversation(number, name=name, last_at=newest.sent_at, preview=self.words_of(newest))
            self.conversations[held.id] = held
            items += [item(held), item(contact(number, name=name)), *map(item, spoken)]
        await self.bench.apply(items)

    def new_message(self, of: int, at: datetime | None = None) -> Message:
        self._count += 1
        number = self._count
        marker = self.marker(message(number, of).id)
        content = self.chance.choice([Text(f"so {marker} it is"), Note(marker), Image(caption=marker)])
        made = message(number, of, content, sent_at=at or self.clock.now() - timedelta(hours=self.chance.randrange(13 * 24)))
        self.messages[made.id] = made
        return made

    def words_of(self, spoken: Message) -> str:
        return next(marker for marker, of in self.markers.items() if of == spoken.id)

    def now_due(self) -> None:
        """What the rules say, counted beside the cache; what was due once stays so."""
        policy, now = self.bench.rules.policy, self.clock.now()
        for identifier, held in self.conversations.items():
            if held.status == "resolved" and cache_expiry(policy, sent_at=held.last_at or now, resolved_at=held.resolved_at) <= now:
                self.due.add(identifier)
        for identifier, spoken in self.messages.items():
            resolved = self.conversations[spoken.conversation].resolved_at
            if cache_expiry(policy, sent_at=spoken.sent_at, resolved_at=resolved) <= now:
                self.due.add(identifier)
        alive = sorted((spoken.sent_at, identifier) for identifier, spoken in self.messages.items() if identifier not in self.due)
        most = self.rule["most"]
        if len(alive) > most:
            self.due.update(identifier for _, identifier in alive[: len(alive) - (most - most // 100)])

    # What happens

    async def time_passes(self) -> None:
        self.clock.pass_(hours=self.chance.randint(1, 96))

    async def is_resolved(self) -> None:
        held = self.pick()
        made = msgspec.structs.replace(held, status="resolved", resolved_at=self.clock.now())
        if held.status != "resolved" and held.id not in self.due:
            self.conversations[held.id] = made
            await self.bench.apply([item(made)])

    async def is_taken_away(self) -> None:
        held = self.pick()
        self.due |= {held.id, *(one.id for one in self.messages.values() if one.conversation == held.id)}
        await self.bench.apply([Item("conversation", held.id, None)])

    async def is_edited(self) -> None:
        alive = [one for one in self.messages.values() if one.id not in self.due]
        if alive:
            before = self.chance.choice(alive)
            self.markers[self.words_of(before)] = "edited away"
            after = message(int(before.id, 16) - 1_000_000, int(before.conversation, 16), self.marker(before.id), sent_at=before.sent_at)
            self.messages[before.id] = after
            held = self.conversations[before.conversation]
            if held.id not in self.due and self.markers.get(held.preview) == "edited away":
                # The hub tells the conversation again, with the words as they are now.
                told = msgspec.structs.replace(held, preview=self.words_of(after))
                self.conversations[held.id] = told
                await self.bench.apply([item(told)])
            await self.bench.apply([item(after)])

    async def is_ruled(self) -> None:
        self.rule["window"] = max(3, self.rule["window"] - self.chance.randint(1, 4))
        self.rule["after"] = max(0, self.rule["after"] - self.chance.randint(0, 12))
        if self.chance.random() < 0.5:
            self.rule["most"] = self.chance.randint(8, 30)
        await self.bench.set_policy(POLICY.format(**self.rule))

    async def is_said(self) -> None:
        held = self.pick()
        if held.id not in self.due and held.status != "resolved":
            said = self.new_message(int(held.id, 16), at=self.clock.now())
            await self.bench.apply([item(said)])

    async def is_drafted(self) -> None:
        gone, kept = self.marker("discarded"), self.marker("draft")
        for marker, of in self.markers.items():
            if of == "draft" and marker != kept:
                self.markers[marker] = "discarded"
        for text in (gone, "", kept):
            await self.bench.letters.save_draft(Draft(ident(1), text, None, self.clock.now()))

    async def is_purged(self) -> None:
        self.now_due()
        said = asyncio.gather(*(self.is_said() for _ in range(3)))
        await self.bench.purger.purge("asked")
        await said

    def pick(self) -> Conversation:
        return self.conversations[self.chance.choice(sorted(self.conversations))]


@pytest.mark.parametrize("seed", range(20))
async def test_nothing_of_what_went_is_in_any_page(tmp_path: Path, seed: int) -> None:
    """Seeded mixes of time, resolving, policies, removals, edits and too many messages, with purges in between while more is said."""
    story = Story(seed, tmp_path / "home")
    bench = story.bench
    await story.begin()
    acts = [story.time_passes, story.is_resolved, story.is_taken_away, story.is_edited, story.is_ruled, story.is_said, story.is_drafted]
    for act in story.chance.choices([*acts, story.is_purged], k=14):
        story.now_due()
        await act()
        story.now_due()
    story.clock.pass_(hours=30)
    story.now_due()
    purges = 0
    while purges == 0 or await bench.purger.is_due():
        await bench.purger.purge("due")
        purges += 1
        assert purges < 4, "a purge leaves something due behind it"

    plain = list(bench.plain())
    kept = {
        marker for marker, of in story.markers.items() if of == "draft" or (of not in ("discarded", "edited away") and of not in story.due)
    }
    gone = set(story.markers) - kept
    # The words of a conversation are its customer's name: while it waits for work, they stay.
    assert gone, "this seed purged nothing"
    assert [story.markers[marker] for marker in gone if any(found_in(page, marker) for page in plain)] == []
    assert [story.markers[marker] for marker in kept if not any(found_in(page, marker) for page in plain)] == []
    verify_chain(bench.link.taken, PUBLIC)
    assert sorted(bench.vault.keys) == [bench.cache.epoch]
    assert [path.name for path in bench.shelf.everything() if path.suffix in (".db", ".part")] == [bench.cache.path.name]
    bench.close()
