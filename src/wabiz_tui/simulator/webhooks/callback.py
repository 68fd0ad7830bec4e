"""A callback: its handshake, its queue, and the few connections on which it is told."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlencode

from wabiz_tui.model.secret import Secret
from wabiz_tui.simulator.timeline import Timeline
from wabiz_tui.simulator.webhooks.delivery import Delivery
from wabiz_tui.simulator.webhooks.poster import PostAnswer, Poster, PostFailed

MAX_PARALLEL = 16
PATIENCE = 20.0
_FIRST_GAP, _LONGEST_GAP = 0.1, 2.0
_AGENT = "facebookexternalua"


@dataclass
class Callback:
    """Where webhooks go. `url` is the whole address. `refusal` says how the last handshake went wrong."""

    url: str
    app_secret: Secret | None = None
    verify_token: Secret | None = None
    verified: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: str = ""

    @property
    def is_verified(self) -> bool:
        return self.verified.is_set()


class Channel:
    """What is to be told to one callback (which may change), in order of its telling, on at most sixteen connections at once.
    Nothing leaves before the handshake. `deliver` is given a delivery and makes one attempt."""

    def __init__(self, timeline: Timeline, chance: Random, deliver: Callable[["Channel", Delivery], Awaitable[None]]) -> None:
        self._timeline, self._chance, self._deliver = timeline, chance, deliver
        self.callback: Callback | None = None
        self.waiting: deque[Delivery] = deque()
        self._poster: Poster | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._at_work = 0

    def turn_to(self, callback: Callback | None) -> None:
        """Turn to another address; the handshake begins at once and is repeated until it holds. Raises BadInput for one that is no URL."""
        poster = Poster(callback.url, timeout=PATIENCE) if callback is not None else None
        self.close()
        self.callback, self._poster = callback, poster
        if callback is not None and poster is not None:
            self._handshake = asyncio.ensure_future(self._shake_hands(callback, poster))

    def close(self) -> None:
        if self._handshake is not None:
            self._handshake.cancel()
            self._handshake = None
        if self._poster is not None:
            self._poster.close()
        self.callback = self._poster = None

    def enqueue(self, delivery: Delivery) -> None:
        self.waiting.append(delivery)
        self._hire()

    async def post(self, body: bytes, headers: dict[str, str]) -> PostAnswer:
        """Raises PostFailed."""
        if self._poster is None:
            raise PostFailed("no callback")
        return await self._poster.request("POST", body=body, headers={"Content-Type": "application/json", "User-Agent": _AGENT, **headers})

    def _hire(self) -> None:
        if self._is_open():
            for _ in range(min(MAX_PARALLEL - self._at_work, len(self.waiting))):
                self._at_work += 1
                self._timeline.start(self._work).add_done_callback(self._left)

    async def _work(self) -> None:
        while self.waiting and self._is_open():
            delivery = self.waiting.popleft()
            if not delivery.is_dropped:
                await self._deliver(self, delivery)

    def _left(self, _: object) -> None:
        """Also of who was sent away before it began. What came in the meantime needs somebody new."""
        self._at_work -= 1
        self._hire()

    def _is_open(self) -> bool:
        return self.callback is not None and self.callback.is_verified

    async def _shake_hands(self, callback: Callback, poster: Poster) -> None:
        """GET with hub.challenge until the callback echoes it; nothing is delivered before."""
        gap = _FIRST_GAP
        while callback.verify_token is not None and not await self._is_echoed(callback, poster, callback.verify_token):
            await asyncio.sleep(gap)
            gap = min(gap * 1.5, _LONGEST_GAP)
        callback.refusal = ""
        callback.verified.set()
        self._hire()

    async def _is_echoed(self, callback: Callback, poster: Poster, verify_token: Secret) -> bool:
        challenge = str(self._chance.randrange(10**9, 10**10))
        query = urlencode({"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token.text()})
        try:
            answer = await poster.request("GET", query=query, headers={"User-Agent": _AGENT})
        except PostFailed as error:
            callback.refusal = f"The handshake failed: {error}."
            return False
        if answer.status != 200:
            callback.refusal = f"The callback answered the handshake with {answer.status}; it must be 200 with the bare challenge."
        elif answer.body != challenge.encode():
            callback.refusal = "The callback answered the handshake with 200, but its body is not exactly hub.challenge."
        else:
            return True
        return False
