"""Who looks at which conversation and who types: held in memory until it is not renewed, told on the streams, never stored."""

from typing import NamedTuple

import msgspec

from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.sight import Assigned, assigned_of
from wabiz_tui.hub.archive.store import Archive, Reading
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.people.rates import Buckets
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.values import Person
from wabiz_tui.model.work import PRESENCE_SECONDS, Doing, Presence

TOPIC = "presence"
"""What hub processes tell each other: conversation, person and what they do, ids alone."""
_MOST_MARKS = 10_000
_A_SECOND, _AT_ONCE = 2.0, 20
"""Marks of one person: a desk that renews three conversations and types needs fewer than one a second."""


class Mark(NamedTuple):
    presence: Presence
    until: float

    @property
    def key(self) -> tuple[str, str]:
        return self.presence.conversation, self.presence.person


class Sightings(NamedTuple):
    """Marks with whom their conversations are with: what decides who is told."""

    assigned: dict[str, Assigned]
    people: dict[str, Person]

    def event(self, marks: list[Mark], viewer: Viewer) -> bytes:
        """What this reader is told of them: of all others, in the conversations that they may see. Empty where that is nothing."""
        return b"".join(
            b"event: presence\ndata: %s\n\n" % encode(msgspec.structs.replace(mark.presence, name=self.people[mark.presence.person].name))
            for mark in marks
            if mark.presence.person != viewer.person
            and mark.presence.person in self.people
            and mark.presence.conversation in self.assigned
            and viewer.can_see_conversation(*self.assigned[mark.presence.conversation])
        )


class PresenceBoard:
    """The marks this process has heard, its own and the others'. Belongs to the event loop."""

    def __init__(self, archive: Archive, clock: Clock) -> None:
        self._archive, self._clock = archive, clock
        self._marks: dict[tuple[str, str], Mark] = {}
        self._untold: dict[tuple[str, str], Mark] = {}
        self._rate = Buckets(rate=_A_SECOND, burst=_AT_ONCE, monotonic=clock.monotonic)

    def say(self, person: Person, conversation: str, doing: Doing) -> None:
        """Tell it to every hub process, this one too. Raises TooMany. The caller has seen that the person may see the conversation."""
        self._rate.take(person.id)
        self._archive.bus.tell_now(TOPIC, encode((conversation, person.id, doing)).decode())

    def hear(self, text: str) -> None:
        try:
            conversation, person, doing = decode(text, tuple[str, str, Doing])
        except BadInput:
            return
        presence = Presence(conversation, person, "", doing, self._clock.now())
        mark = Mark(presence, self._clock.monotonic() + PRESENCE_SECONDS)
        before = self._marks.pop(mark.key, None)
        if doing != "left":
            self._marks[mark.key] = mark
            if len(self._marks) > _MOST_MARKS:
                del self._marks[next(iter(self._marks))]
        if before is not None or doing != "left":
            self._untold[mark.key] = mark

    def expire(self) -> bool:
        """Let those go that were not renewed; whether there is anything to tell."""
        now = self._clock.monotonic()
        for key in [key for key, mark in self._marks.items() if mark.until <= now]:
            del self._marks[key]
            left = Presence(*key, "", "left", self._clock.now())
            self._untold[key] = Mark(left, now)
        return bool(self._untold)

    def take(self) -> list[Mark]:
        """What was not told yet."""
        untold, self._untold = list(self._untold.values()), {}
        return untold

    def current(self) -> list[Mark]:
        return list(self._marks.values())

    async def sightings(self, marks: list[Mark]) -> Sightings:
        conversations = {mark.presence.conversation for mark in marks}

        def read(reading: Reading) -> Sightings:
            return Sightings(assigned_of(reading, conversations), load_people(reading))

        return await self._archive.read(read)
