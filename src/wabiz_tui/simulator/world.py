"""The pretend Meta as one value: its clock, people, files, faults and the record of everything it accepted."""

import hashlib
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from wabiz_tui.graph.reading import Json, word
from wabiz_tui.simulator.account.business import Business, build_business
from wabiz_tui.simulator.account.media import MediaShelf
from wabiz_tui.simulator.account.rates import Rates
from wabiz_tui.simulator.account.templates import Templates
from wabiz_tui.simulator.customers.people import Customer, People
from wabiz_tui.simulator.journal import Journal
from wabiz_tui.simulator.options import WEBHOOK_PATH, SimulatorOptions
from wabiz_tui.simulator.refusals import no_object
from wabiz_tui.simulator.timeline import MovableClock, Timeline
from wabiz_tui.simulator.webhooks.courier import Callback, Courier
from wabiz_tui.simulator.webhooks.envelope import Told, rfc3339
from wabiz_tui.simulator.webhooks.faults import Faults

if TYPE_CHECKING:
    from wabiz_tui.simulator.customers.play import Play

FIRST_DISPLAY = 15550783881


@dataclass
class Settings:
    """What the control endpoint can switch. `window`: async (a failed status after the 200), sync (refused at once) or off."""

    window: str = "async"
    statuses: bool = True
    user_ids: bool = True
    pace: float = 1.0
    """Statuses and typing take this many times their usual time; 0 is at once."""
    shape: str = "v26"
    """v23: statuses carry `conversation`; later versions do not."""


@dataclass
class Sent:
    """One accepted message and what was told of it."""

    wamid: str
    number: str
    to: str | None
    customer: Customer
    body: Json
    at: datetime
    callback_data: str | None = None
    statuses: list[Json] = field(default_factory=list[Json])

    def describe(self) -> Json:
        return {
            "wamid": self.wamid,
            "number": self.number,
            "to": self.to,
            "recipient": self.body.get("recipient"),
            "wa_id": self.customer.wa_id,
            "user_id": self.customer.user_id,
            "name": self.customer.name,
            "type": self.body.get("type", "text"),
            "body": self.body,
            "text": _text_of(self.body),
            "callback_data": self.callback_data,
            "at": rfc3339(self.at),
            "statuses": self.statuses,
            "status": self.statuses[-1]["status"] if self.statuses else "accepted",
        }


def _text_of(body: Json) -> str | None:
    inner = body.get("text")
    return inner.get("body") if isinstance(inner, dict) and body.get("type", "text") == "text" else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] JSON


@dataclass
class World:
    """Everything there is; the parts act on it and know nothing of each other. `on_sent` and `on_read` are the customers' ears."""

    options: SimulatorOptions
    clock: MovableClock
    timeline: Timeline
    chance: random.Random
    people: People
    faults: Faults
    courier: Courier
    media: MediaShelf
    rates: Rates
    templates: Templates
    account: Business
    started_at: datetime
    settings: Settings = field(default_factory=Settings)
    displays: dict[str, str] = field(default_factory=dict[str, str])
    business: str = "Test Business"
    sent: Journal[Sent] = field(default_factory=lambda: Journal(lambda one: one.wamid))
    reads: Journal[Json] = field(default_factory=lambda: Journal(lambda one: word(one["message_id"])))
    incoming: int = 0
    play: "Play | None" = None
    """What customers do by themselves; there once the world lives."""
    on_sent: list[Callable[[Sent], Awaitable[None]]] = field(default_factory=list[Callable[[Sent], Awaitable[None]]])
    _serial: "itertools.count[int]" = field(default_factory=itertools.count)

    def now(self) -> datetime:
        return self.clock.now()

    def metadata(self, number: str) -> Json:
        return {"display_phone_number": self.display(number), "phone_number_id": number}

    def display(self, number: str) -> str:
        """The business number in digits; made up where the scenario names none."""
        if number not in self.displays:
            known = self.options.phone_number_ids
            self.displays[number] = str(FIRST_DISPLAY + (known.index(number) if number in known else len(known)))
        return self.displays[number]

    def own_number(self, number: str) -> str:
        """Raises Refusal 100 (Graph's word for an object that is not there) when the account has no such number."""
        if number not in self.options.phone_number_ids:
            raise no_object(number)
        return number

    def told(self, number: str, value: Json, kind: str, *, field_name: str = "messages") -> Told:
        """A change about one business number."""
        body = {"messaging_product": "whatsapp", "metadata": self.metadata(number), **value}
        return Told(waba=self.options.waba_id, field=field_name, value=body, kind=kind)

    def wamid(self, phone: str, *, is_ours: bool, seed: str | None = None) -> str:
        """A message id in the form of Meta's. With `seed` it is the same at every start, so that a told history is told again as itself."""
        import base64

        name = seed if seed is not None else f"{self.options.seed} {self.now().isoformat()} {next(self._serial)}"
        digest = hashlib.sha256(name.encode()).hexdigest().upper()
        mark, token = (0x11, digest[:18]) if is_ours else (0x12, digest[:20])
        digits = phone.encode()[:20]
        raw = bytes([0x1C, 0x18, len(digits)]) + digits + bytes([0x15, 2, 0, mark, 0x18, len(token)]) + token.encode() + b"\0"
        return "wamid." + base64.b64encode(raw).decode()

    def restart_ids(self) -> None:
        """Ids are made as from the start."""
        self._serial = itertools.count()

    def trace(self) -> str:
        return "A" + hashlib.sha256(f"trace {next(self._serial)} {self.options.seed}".encode()).hexdigest()[:22]


def build_world(options: SimulatorOptions) -> World:
    """A world with nobody in it. The random source is seeded; time is the options' clock."""
    clock = MovableClock(options.clock)
    timeline, faults, chance = Timeline(clock), Faults(), random.Random(options.seed)  # noqa: S311 a play's dice
    return World(
        options=options,
        clock=clock,
        timeline=timeline,
        chance=chance,
        people=People(),
        faults=faults,
        courier=Courier(timeline, faults, random.Random(options.seed + 1)),  # noqa: S311 likewise
        media=MediaShelf(),
        rates=Rates(),
        templates=Templates(),
        account=build_business(options.phone_number_ids),
        started_at=clock.now(),
    )


def first_callback(options: SimulatorOptions) -> Callback | None:
    """The callback the command line named."""
    if options.hub_url is None:
        return None
    return Callback(options.hub_url.rstrip("/") + WEBHOOK_PATH, options.app_secret, options.verify_token)
