"""Who looks at a conversation and who types: what the stream tells of others, and what this desk says of its own person.

Nothing of it is stored, and nothing waits for it: what the hub does not take is not said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import quote

from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.work import PRESENCE_SECONDS, Doing, Presence, PresenceMark

TYPING_SECONDS = 5.0
"""Without a word of typing for so long, a person looks."""
RENEWED_AFTER = PRESENCE_SECONDS / 3
"""Before a client that speaks every PRESENCE_SECONDS / 2 speaks again, however late its last word went out."""
MOST_WATCHED = 20
"""Conversations that one person has before them; who opens more has left the first."""
_MOST_OTHERS = 1000
_BETWEEN_WORDS = 0.5
"""Seconds between two requests: as often as the hub takes them for long."""
_LOOK_EVERY = 1.0
_LONGEST_WORD = 5.0
_LONGEST_GOODBYE = 1.0

Say = Callable[[str, Doing], Awaitable[None]]


class Others:
    """What the hub told of everybody else, until it is not renewed. `now` is monotonic, in seconds."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str], tuple[Presence, float]] = {}

    def __bool__(self) -> bool:
        return bool(self._marks)

    def hear(self, presence: Presence, now: float) -> None:
        key = presence.conversation, presence.person
        self._marks.pop(key, None)
        if presence.doing != "left":
            self._marks[key] = presence, now + PRESENCE_SECONDS
            if len(self._marks) > _MOST_OTHERS:
                del self._marks[next(iter(self._marks))]

    def at(self, conversation: str, now: float) -> list[Presence]:
        """Who is there, by name."""
        here = (mark for mark, until in self._marks.values() if mark.conversation == conversation and until > now)
        return sorted(here, key=lambda mark: (mark.name, mark.person))

    def expire(self, now: float) -> set[str]:
        """Let those go that were not renewed; where they were."""
        return self._drop([key for key, (_, until) in self._marks.items() if until <= now])

    def forget(self) -> set[str]:
        return self._drop(list(self._marks))

    def _drop(self, keys: Iterable[tuple[str, str]]) -> set[str]:
        return {self._marks.pop(key)[0].conversation for key in keys}


class Word(NamedTuple):
    conversation: str
    doing: Doing


class _Watched(NamedTuple):
    doing: Doing
    at: float
    """When a client last said so."""


class Own:
    """What this desk's person does, as its clients say it, beside what the hub was told. `now` is monotonic, in seconds."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._told: dict[str, _Watched] = {}

    def __bool__(self) -> bool:
        return bool(self._watched or self._told)

    def watch(self, conversation: str, doing: Doing, now: float) -> None:
        self._watched.pop(conversation, None)
        if doing != "left":
            self._watched[conversation] = _Watched(doing, now)
            if len(self._watched) > MOST_WATCHED:
                del self._watched[next(iter(self._watched))]

    def next_word(self, now: float) -> Word | None:
        """What the hub does not know yet, what is new before what is over; None while it knows all. It counts as told."""
        self._settle(now)
        for conversation, watched in self._watched.items():
            told = self._told.get(conversation)
            # Who said nothing since the last word is not renewed: the client may hang.
            if told is None or told.doing != watched.doing or (watched.at > told.at and now - told.at >= RENEWED_AFTER):
                self._told[conversation] = _Watched(watched.doing, now)
                return Word(conversation, watched.doing)
        for conversation in self._told:
            if conversation not in self._watched:
                del self._told[conversation]
                return Word(conversation, "left")
        return None

    def _settle(self, now: float) -> None:
        for conversation, (doing, at) in list(self._watched.items()):
            if now - at >= PRESENCE_SECONDS:
                del self._watched[conversation]
            elif doing == "typing" and now - at >= TYPING_SECONDS:
                self._watched[conversation] = _Watched("viewing", at)

    def leave(self) -> list[str]:
        """Leave everywhere; where the hub believes the person to be."""
        told = list(self._told)
        self._watched.clear()
        self._told.clear()
        return told

    def forget_told(self) -> None:
        """The hub may know nothing of it any more."""
        self._told.clear()


class Company:
    """Joins the two with the line: `say` asks the hub, `may_say` is whether anything is said now, `met` is told who is at a
    conversation whenever that changes. `monotonic` counts seconds."""

    def __init__(
        self,
        say: Say,
        *,
        may_say: Callable[[], bool],
        met: Callable[[str, list[Presence]], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._say, self._may_say, self._met, self._monotonic = say, may_say, met, monotonic
        self._others, self._own = Others(), Own()
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self._run(), name="presence")

    def watch(self, conversation: str, doing: Doing) -> list[Presence]:
        """Who else is there. What is no id of a conversation is watched by nobody."""
        if not is_id(conversation):
            return []
        self._own.watch(conversation, doing, self._monotonic())
        self._woken.set()
        return [] if doing == "left" else self._others.at(conversation, self._monotonic())

    def hear(self, presence: Presence) -> None:
        self._others.hear(presence, self._monotonic())
        self._tell({presence.conversation})
        self._woken.set()

    def line_lost(self) -> None:
        """Nobody is known to be anywhere; once there is a line again the hub is told anew."""
        self._own.forget_told()
        self._tell(self._others.forget())

    def line_stands(self) -> None:
        self._woken.set()

    def stop(self, *, is_said: bool = True) -> None:
        """Forget the others, and say goodbye meanwhile where that may be said and `is_said`; `gone` waits for it."""
        if self._running is not None:
            self._running.cancel()
        self._others.forget()
        left = self._own.leave()
        if is_said and left and self._may_say():
            self._leaving = asyncio.create_task(self._say_goodbye(left), name="goodbye")

    async def gone(self) -> None:
        """After `stop`: the goodbye is said, or takes longer than anybody should wait for."""
        if self._leaving is not None:
            await asyncio.wait((self._leaving,), timeout=_LONGEST_GOODBYE)
            self._leaving.cancel()
        if self._running is not None:
            await asyncio.wait((self._running,))

    def _tell(self, conversations: Iterable[str]) -> None:
        now = self._monotonic()
        for conversation in conversations:
            self._met(conversation, self._others.at(conversation, now))

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            self._tell(self._others.expire(self._monotonic()))
            word = self._own.next_word(self._monotonic()) if self._may_say() else None
            if word is not None:
                await self._try(word)
                await asyncio.sleep(_BETWEEN_WORDS)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY if self._others or self._own else None):
                    await self._woken.wait()

    async def _say_goodbye(self, conversations: list[str]) -> None:
        for conversation in conversations:
            await self._try(Word(conversation, "left"))

    async def _try(self, word: Word) -> None:
        # What the hub refuses or does not hear it forgets by itself, and what the person still does is said again.
        with suppress(WabizError, TimeoutError):
            async with asyncio.timeout(_LONGEST_WORD):
                await self._say(*word)


def said_over(request: Callable[[str, str, bytes], Awaitable[bytes]]) -> Say:
    """A `say` by way of the link's `request`."""

    async def say(conversation: str, doing: Doing) -> None:
        await request("POST", f"/v1/conversations/{quote(conversation, safe='')}/presence", encode(PresenceMark(doing)))

    return say
