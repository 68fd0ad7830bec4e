"""What people's webhooks tell, folded into a hub's archive in any order and any batches; and whose each message then is."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.hub_archive import NUMBER, TENANT
from tests.support.people import day
from wabiz_tui.graph.parsed import Identity, IdentityChange, IncomingMessage, OtherEvent, Parsed
from wabiz_tui.hub.archive.conversations import load_conversations
from wabiz_tui.hub.archive.journal import JournalEntry
from wabiz_tui.hub.archive.messages import find_by_wamid, load_message
from wabiz_tui.hub.archive.store import Archive, Reading
from wabiz_tui.hub.ingest.batches import Lot, fold_batch
from wabiz_tui.model.content import System, Text

LATEST = day(2000)


@dataclass
class Life:
    """A chance story of a few people who write, change number and BSUID, and whose numbers may pass on; `told` in its true order."""

    chance: random.Random
    has_ids: bool
    passes_on: bool = True
    told: list[tuple[float, Parsed]] = field(default_factory=list)
    people: list[list[str]] = field(default_factory=list)
    """Each person's number and BSUID, as they are by now."""
    spare: list[str] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    """Wamid → the person who wrote it."""
    clock: float = 0.0
    made: int = 0

    def live(self, steps: int) -> "Life":
        for _ in range(steps):
            choice = self.chance.random()
            if not self.people or choice < 0.25:
                self.people.append([self._number(), f"US.{len(self.people)}x0"])
                self._write(len(self.people) - 1)
            elif choice < 0.7:
                self._write(self.chance.randrange(len(self.people)))
            else:
                self._move(self.chance.randrange(len(self.people)))
        return self

    def people_of(self) -> set[frozenset[str]]:
        return {frozenset(wamid for wamid, one in self.written.items() if one == person) for person in self.written.values()}

    def _number(self) -> str:
        if self.spare and self.passes_on and self.chance.random() < 0.5:
            return self.spare.pop(0)
        self.made += 1
        return f"1555{self.made:04}"

    def _identity(self, number: str | None, user_id: str | None) -> Identity:
        return Identity(wa_id=number, user_id=user_id if self.has_ids else None)

    def _write(self, person: int) -> None:
        self.clock += 1
        wamid, (number, user_id) = f"wamid.{len(self.told)}", self.people[person]
        is_hidden = self.has_ids and self.chance.random() < 0.3
        sender = self._identity(None if is_hidden else number, user_id)
        self.written[wamid] = person
        part = IncomingMessage(TENANT, NUMBER, wamid, sender, day(self.clock), Text(body=wamid))
        self.told.append((self.clock, part))

    def _move(self, person: int) -> None:
        old_number, old_user = self.people[person]
        self.people[person] = [self._number(), f"{old_user}x"]
        number, user_id = self.people[person]
        self.clock += 1
        old, new = self._identity(old_number, old_user), self._identity(number, user_id)
        update = IdentityChange(self._identity(number, old_user), new)
        forms = ["system"] if not self.has_ids else self.chance.choice([["system"], ["update"], ["system", "update"]])
        wamid = f"wamid.{len(self.told)}"
        if "system" in forms:
            self.written[wamid] = person
            system = IncomingMessage(
                TENANT, NUMBER, wamid, old, day(self.clock), System(type="user_changed_number"),
                opens_window=False, counts_unread=False, identity_change=IdentityChange(old, new),
            )  # fmt: skip
            self.told.append((self.clock, system))
        if "update" in forms:
            event = OtherEvent(TENANT, "user_id_update", {}, f"update {wamid}", NUMBER, day(self.clock), identity_change=update)
            self.told.append((self.clock, event))
        self.spare.append(old_number)
        # A number is given to somebody else after weeks at the soonest, and Meta redelivers for a week at most.
        self.clock += 30


def fold_told(archive: Archive, parts: Sequence[Parsed], cuts: random.Random) -> None:
    """In batches of chance sizes."""
    lots = [Lot(JournalEntry(number, b"", 0), [part]) for number, part in enumerate(parts, 1)]
    while lots:
        size = cuts.randint(1, 8)
        batch, lots = lots[:size], lots[size:]
        assert archive.write_now(lambda writing, batch=batch: fold_batch(writing, batch)) == []


def contacts_of(archive: Archive, wamids: Sequence[str]) -> set[frozenset[str]]:
    """The wamids by contact; a contact has one conversation on the number."""

    def work(reading: Reading) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        conversations: dict[str, str] = {}
        for wamid in wamids:
            message = load_message(reading, find_by_wamid(reading, wamid) or "")
            assert message is not None, wamid
            contact = load_conversations(reading, [message.conversation])[message.conversation].value.contact
            assert conversations.setdefault(contact, message.conversation) == message.conversation
            found.setdefault(contact, set()).add(wamid)
        return found

    return {frozenset(several) for several in archive.read_now(work).values()}
