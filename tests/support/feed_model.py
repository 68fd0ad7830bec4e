"""A hub's feed as data: things with their values of the moment, each with the sequence of its last change, and a link that reads it."""

import os
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tests.support.desk_samples import contact, conversation, ident, message
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import Unreachable
from wabiz_tui.model.feed import Change, ChangesPage
from wabiz_tui.model.values import Contact, Conversation, Delivery, DeliveryState, Direction, Event, Message, Number, Person
from wabiz_tui.model.wire import PolicyVersion, SignedPolicy, WhoAmI
from wabiz_tui.proof import policies, signing
from wabiz_tui.proof.armour import to_base64

TENANT = "102290129340398"
Value = Conversation | Contact | Message | Event | Number | Person
_ENTITIES: dict[type, str] = {
    Conversation: "conversation",
    Contact: "contact",
    Message: "message",
    Event: "event",
    Number: "number",
    Person: "person",
}


class FeedModel:
    """What one agent's hub holds. `now` is its clock. Conversations are named by small numbers, messages by rising ones."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.seed = signing.generate(os.urandom)
        self.values: dict[tuple[str, str], Value | SignedPolicy] = {}
        self.rows: dict[tuple[str, str], int] = {}
        self.hidden: set[int] = set()
        self.head = self.begins = self.version = 0
        self.messages = 0
        self.reopened: list[tuple[int, datetime]] = []
        """Conversations that were opened again, and when they had been resolved."""

    # What happens at the hub

    def set_policy(self, text: str) -> None:
        self.version += 1
        self.values["policy", "policy"] = policies.sign_policy(PolicyVersion(self.version, text, self.now(), TENANT, "Ada"), self.seed)
        self._tell("policy", "policy")

    def say(self, number: int, *, ago: timedelta = timedelta(), is_ours: bool = False) -> None:
        """A message in a conversation, which begins or is opened again by it."""
        self.messages += 1
        # Each at an instant of its own.
        at = self.now() - ago + timedelta(milliseconds=self.messages)
        held = self._conversation(number)
        if held is None:
            self.put(contact(number))
            held = conversation(number, last_at=None)
        if held.resolved_at is not None:
            self.reopened.append((number, held.resolved_at))
            self._tell("contact", held.contact)
        delivery = Delivery(DeliveryState.SENT, {"sent": at}) if is_ours else None
        direction = Direction.OUTGOING if is_ours else Direction.INCOMING
        words = f"word{self.messages}"
        self.put(message(self.messages, number, words, sent_at=at, delivery=delivery, direction=direction))
        last_at = at if held.last_at is None else max(at, held.last_at)
        self.put(msgspec.structs.replace(held, status="open", resolved_at=None, last_at=last_at, preview=words))

    def read(self, number: int) -> None:
        """A late status of a message, or a correction of one that came in."""
        held = self.values.get(("message", ident(1_000_000 + number)))
        if isinstance(held, Message):
            delivery = None if held.delivery is None else Delivery(DeliveryState.READ, {"read": self.now()})
            self.put(msgspec.structs.replace(held, delivery=delivery))

    def resolve(self, number: int) -> None:
        held = self._conversation(number)
        if held is not None and held.resolved_at is None:
            self.put(msgspec.structs.replace(held, status="resolved", resolved_at=self.now()))

    def label(self, number: int) -> None:
        held = self._conversation(number)
        if held is not None:
            self.put(msgspec.structs.replace(held, labels=(*held.labels, "x")[-2:]))

    def rename(self, number: int) -> None:
        held = self.values.get(("contact", ident(10_000_000 + number)))
        if isinstance(held, Contact):
            self.put(msgspec.structs.replace(held, name=f"{held.name}!"))

    def take_away(self, number: int) -> None:
        """Out of the agent's sight: the conversation is told as gone."""
        if self._conversation(number) is not None and number not in self.hidden:
            self.hidden.add(number)
            self._tell("conversation", ident(number))
            self._tell("contact", ident(10_000_000 + number))

    def grant(self, number: int) -> None:
        """In sight again: conversation, contact and messages are told anew."""
        if number in self.hidden:
            self.hidden.discard(number)
            self._tell("conversation", ident(number))
            self._tell("contact", ident(10_000_000 + number))
            for (entity, identifier), value in self.values.items():
                if entity == "message" and isinstance(value, Message) and value.conversation == ident(number):
                    self._tell("message", identifier)

    def erase(self, number: int) -> None:
        """A tombstone: nothing of the message is there any more, but its row stays."""
        key = ("message", ident(1_000_000 + number))
        if self.values.pop(key, None) is not None:
            self._tell(*key)

    def note(self, number: int, *, ago: timedelta) -> None:
        self.put(Event(ident(20_000_000 + number), "account_update", self.now() - ago, received_at=self.now()))

    def restore(self, lost: int) -> None:
        """From a backup: the newest message is not in it, and everything is told anew from another number on."""
        for number in range(self.messages, max(self.messages - lost, 0), -1):
            self.values.pop(("message", ident(1_000_000 + number)), None)
        self.begins = self.head = self.head + 1000
        self.rows = {}
        for entity, identifier in self.values:
            self._tell(entity, identifier)

    def put(self, value: Value) -> None:
        entity = _ENTITIES[type(value)]
        self.values[entity, value.id] = value
        self._tell(entity, value.id)

    def _tell(self, entity: str, identifier: str) -> None:
        self.head += 1
        self.rows[entity, identifier] = self.head

    def _conversation(self, number: int) -> Conversation | None:
        found = self.values.get(("conversation", ident(number)))
        return found if isinstance(found, Conversation) else None

    # What is read of it

    def page(self, since: int, limit: int) -> ChangesPage:
        newer = sorted((seq, key) for key, seq in self.rows.items() if seq > since)
        some = newer[:limit]
        next_ = some[-1][0] if len(newer) > limit else self.head
        changes = [self._change(seq, *key) for seq, key in some]
        return ChangesPage(changes, next_, self.head, len(newer) > limit, self.now(), self.begins)

    def _change(self, seq: int, entity: str, identifier: str) -> Change:
        value = self.values.get((entity, identifier))
        if any(self._belongs(value, number) for number in self.hidden):
            value = None
        return Change(seq, entity, identifier, None if value is None else msgspec.Raw(encode(value)))  # pyright: ignore[reportArgumentType] one of the entities

    def _belongs(self, value: object, number: int) -> bool:
        match value:
            case Conversation() | Contact():
                return value.id in (ident(number), ident(10_000_000 + number))
            case Message():
                return value.conversation == ident(number)
            case _:
                return False

    @property
    def policy_key(self) -> str:
        return to_base64(signing.public_key(self.seed))


class ModelLink:
    """Stands in for the desk's link. `before_page` may raise in its place; `told` are pages that a stream brings before its line
    breaks."""

    def __init__(self, feed: FeedModel, *, limit: int = 3000) -> None:
        self.feed, self.limit = feed, limit
        self.told: list[ChangesPage] = []
        self.before_page: Callable[[], None] = lambda: None

    async def changes(self, since: int, *, limit: int) -> ChangesPage:
        self.before_page()
        return self.feed.page(since, min(self.limit, limit))

    async def policy(self) -> SignedPolicy:
        found = self.feed.values["policy", "policy"]
        assert isinstance(found, SignedPolicy)
        return found

    async def me(self) -> WhoAmI:
        return WhoAmI(ident(1), ident(7), "Kim", "agent", TENANT, self.feed.head, self.feed.version, self.feed.now())

    async def stream(self, since: int) -> AsyncIterator[Any]:
        for page in [*self.told, self.feed.page(since, self.limit)]:
            yield page
        raise Unreachable("The line broke.")
