"""Play a scenario: tell the history, then let customers write, answer, remind, correct and delete, each in character."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wabiz_tui.graph.reading import Json, object_of, without, word
from wabiz_tui.simulator.customers import talk
from wabiz_tui.simulator.customers.characters import CHARACTERS, Character, Saying, language_of, sayings
from wabiz_tui.simulator.customers.crowd import crowd_of
from wabiz_tui.simulator.customers.hostile import NAMES
from wabiz_tui.simulator.customers.identity import change
from wabiz_tui.simulator.customers.incoming import echo, prepare, tell_together, write
from wabiz_tui.simulator.customers.people import Customer, digits_of, made_user_id
from wabiz_tui.simulator.customers.scenario import Line, Person, Scenario, starting_time
from wabiz_tui.simulator.customers.taps import tapped
from wabiz_tui.simulator.spans import span_of
from wabiz_tui.simulator.switches import change_settings
from wabiz_tui.simulator.webhooks.account_events import event_asked
from wabiz_tui.simulator.webhooks.envelope import Told
from wabiz_tui.simulator.world import Sent, World

_CHANCE_OF_MORE = 0.6
_MAX_TURNS = 1_000_000
Act = Callable[[], Awaitable[None]]


@dataclass
class Actor:
    """A customer on the stage: who they are, how far they are in what they have to say, and their own dice."""

    person: Person
    customer: Customer
    dice: random.Random
    is_improvising: bool = False
    said: int = 0
    answered: int = 0
    turn: int = 0
    nagged: int = 0
    last_wamid: str = ""
    last_sent: Sent | None = None
    heard_at: datetime | None = None

    @property
    def character(self) -> Character:
        return CHARACTERS.get(self.person.character, CHARACTERS["plain"])


@dataclass
class Play:
    """What customers do in one world. Every actor has dice of their own, so that a seed plays the same play again whatever is sent in
    between to others."""

    world: World
    scenario: Scenario = field(default_factory=Scenario)
    _actors: dict[int, Actor] = field(default_factory=dict[int, Actor])

    def begin(self, scenario: Scenario | None = None) -> None:
        """History goes out with the first webhooks; scripts, faults and arrivals count from now. What was on the stage leaves it."""
        world = self.world
        self.scenario = scenario = scenario or Scenario()
        self._actors.clear()
        self._dice = random.Random(f"{world.options.seed} play")  # noqa: S311 a play's dice
        self._set_clock()
        change_settings(world, scenario.settings)
        world.business = scenario.business
        if scenario.display and world.options.phone_number_ids:
            world.displays[world.options.phone_number_ids[0]] = digits_of(scenario.display)
        for person in scenario.customer:
            self.enter(person, self._made(person))
        for person in crowd_of(scenario.random, world.options.seed):
            self.enter(person, self._made(person), is_improvising=True)
        world.timeline.start(self._tell_history)
        for actor in self._actors.values():
            for line in actor.person.script:
                world.timeline.after(line.after.total_seconds(), self._doing(actor, line))
        for asked in scenario.fault:
            world.faults.add(asked, world.now())
        for asked in scenario.template:
            world.templates.put(without(asked, "status"), word(asked.get("status")) or "APPROVED", world.now())
        for asked in scenario.event:
            after = span_of(asked.get("after"), "after") or timedelta()
            world.timeline.after(after.total_seconds(), self._telling(without(asked, "after")))
        self._expect(scenario.arrivals.per_minute, self._arrive)
        self._expect(scenario.random.per_minute, self._improvise)
        if self._hear not in world.on_sent:
            world.on_sent.append(self._hear)

    def enter(self, person: Person, customer: Customer, *, is_improvising: bool = False) -> Actor:
        """Somebody comes on the stage, or comes again as somebody else."""
        dice = random.Random(f"{self.world.options.seed} {customer.wa_id or customer.key}")  # noqa: S311 a play's dice
        actor = Actor(person, customer, dice, is_improvising=is_improvising)
        if not actor.character.reads:
            customer.reads = False
        if actor.character.is_hidden:
            customer.is_phone_hidden = True
        self._actors[id(customer)] = actor
        return actor

    def character_of(self, customer: Customer) -> str | None:
        actor = self._actors.get(id(customer))
        return (actor.person.character or "plain") if actor is not None else None

    def _set_clock(self) -> None:
        time, clock = self.scenario.clock, self.world.clock
        start = starting_time(self.scenario)
        if time.freeze or time.rate != 1.0:
            clock.run_at(0.0 if time.freeze else time.rate)
        if start is not None:
            clock.set(start)

    def _made(self, person: Person) -> Customer:
        phone = digits_of(person.phone) or None
        made = made_user_id(phone) if phone and self.world.people.has_user_ids else None
        return self.world.people.add(
            Customer(
                wa_id=phone,
                user_id=person.user_id or made,
                parent_user_id=person.parent_user_id or None,
                name=person.name or None,
                username=person.username or None,
                is_phone_hidden=person.hide_phone,
                reads=person.reads,
                is_reachable=person.on_whatsapp,
                is_online=person.online,
            )
        )

    async def _tell_history(self) -> None:
        """In the order of Meta's times, many changes a POST. The ids are the same at every start, so that nothing is told as new twice."""
        world, now = self.world, self.world.now()
        told = [(now - line.ago, place, actor) for actor in self._actors.values() for place, line in enumerate(actor.person.history)]
        changes: list[Told] = []
        for at, place, actor in sorted(told, key=lambda one: (one[0], one[2].customer.key, one[1])):
            line = actor.person.history[place]
            seed = f"{world.options.seed} {self.scenario.business} {actor.customer.key} {place}"
            is_ours = line.from_ == "business"
            wamid = world.wamid(actor.customer.wa_id or actor.customer.key[-15:], is_ours=is_ours, seed=seed)
            say = echo if is_ours else prepare
            changes.append(say(world, actor.customer, line.content(), number=actor.person.number or None, at=at, wamid=wamid).told)
        tell_together(world, changes)

    def _doing(self, actor: Actor, line: Line) -> Act:
        """A line of the script, at its time."""

        async def act() -> None:
            number = actor.person.number or None
            if line.change:
                change(self.world, actor.customer, line.change, number=number)
            elif line.tap >= 0:
                if actor.last_sent is not None:
                    self._write(actor, tapped(actor.last_sent, line.tap, self.world))
            elif line.edit or line.revoke:
                self._mend(actor, "edit" if line.edit else "revoke", actor.last_wamid, line.edit)
            else:
                self._say(actor, line)

        return act

    def _telling(self, asked: Json) -> Act:
        """An event of the scenario, at its time."""

        async def act() -> None:
            number = word(asked.get("number")) or self.world.options.phone_number_ids[0]
            self.world.courier.tell([event_asked(self.world, asked, number)])

        return act

    def _expect(self, per_minute: float, act: Act) -> None:
        if per_minute > 0:
            gap = 60.0 / per_minute * self._dice.uniform(0.7, 1.3)
            self.world.timeline.after(gap, act)

    def _is_heard(self) -> bool:
        callback = self.world.courier.callback
        return callback is not None and callback.is_verified

    async def _arrive(self) -> None:
        """Somebody writes: most of all those who still have something of their own to say."""
        self._expect(self.scenario.arrivals.per_minute, self._arrive)
        if not self._is_heard():
            return
        dice = self._dice
        awake = [actor for actor in self._actors.values() if not actor.person.quiet and not actor.is_improvising]
        waiting = [actor for actor in awake if actor.said < len(actor.person.lines)]
        if waiting and (dice.random() < _CHANCE_OF_MORE or not self.scenario.small_talk):
            actor = dice.choice(waiting)
            line = actor.person.lines[actor.said]
            actor.said += 1
            self._say(actor, line)
            return
        talkers = [actor for actor in awake if actor.person.language in self.scenario.small_talk]
        if talkers:
            actor = dice.choice(talkers)
            self._say(actor, Line(text=dice.choice(self.scenario.small_talk[actor.person.language])))

    async def _improvise(self) -> None:
        """Somebody of the crowd begins to write."""
        self._expect(self.scenario.random.per_minute, self._improvise)
        crowd = [actor for actor in self._actors.values() if actor.is_improvising]
        if crowd and self._is_heard():
            actor = self._dice.choice(crowd)
            actor.answered = 0
            self._say(actor, Line(text=talk.opening(self._language(actor), actor.dice)))

    def _language(self, actor: Actor) -> str:
        return language_of(actor.person.character, actor.person.language, actor.dice)

    def _say(self, actor: Actor, line: Line) -> None:
        """In character: perhaps several messages one after the other. What the scenario gives as a whole message is said as it is."""
        said = (
            [Saying(line.content())]
            if line.message
            else sayings(actor.person.character, line.text, self._language(actor), actor.turn, actor.dice)
        )
        actor.turn += 1
        wait = 0.0
        for saying in said:
            self.world.timeline.after(wait, self._saying(actor, saying))
            wait += self._typing(actor)

    def _saying(self, actor: Actor, saying: Saying) -> Act:
        async def act() -> None:
            if actor.person.character == "hostile":
                actor.customer.name = NAMES[actor.turn % len(NAMES)]
            wamid = self._write(actor, saying.content)
            if saying.then is not None:
                deed, seconds = saying.then
                self.world.timeline.after(seconds * self.world.settings.pace, self._mending(actor, deed, wamid, saying.corrected))

        return act

    def _write(self, actor: Actor, content: Json) -> str:
        actor.last_wamid = write(self.world, actor.customer, content, number=actor.person.number or None).wamid
        patience = actor.character.patience
        if patience is not None:
            self.world.timeline.after(patience.total_seconds(), self._nagging(actor, self.world.now()))
        return actor.last_wamid

    def _mending(self, actor: Actor, deed: str, wamid: str, text: str) -> Act:
        async def act() -> None:
            self._mend(actor, deed, wamid, text)

        return act

    def _mend(self, actor: Actor, deed: str, wamid: str, text: str) -> None:
        inner: Json = {"original_message_id": wamid}
        if deed == "edit":
            inner["message"] = {"type": "text", "text": {"body": text}}
        write(self.world, actor.customer, {"type": deed, deed: inner}, number=actor.person.number or None)

    def _nagging(self, actor: Actor, since: datetime) -> Act:
        """Not answered since: they write again, each time once, as often as their character does."""

        async def act() -> None:
            if (actor.heard_at is not None and actor.heard_at >= since) or actor.nagged >= actor.character.nags:
                return
            actor.nagged += 1
            self._write(actor, {"type": "text", "text": {"body": talk.reminder(self._language(actor), actor.dice)}})

        return act

    async def _hear(self, sent: Sent) -> None:
        """The agent wrote: the customer answers after a while, if anything is left to say and the message reached them."""
        actor = self._actors.get(id(sent.customer))
        if actor is None or sent.body.get("type") == "reaction" or not self._reaches(actor, sent):
            return
        actor.last_sent, actor.heard_at, actor.nagged = sent, self.world.now(), 0
        if not actor.character.answers or actor.turn > _MAX_TURNS:
            return
        text = self._answer(actor, sent)
        if text is None:
            return
        actor.answered += 1

        async def act() -> None:
            self._say(actor, Line(text=text))

        self.world.timeline.after(self._typing(actor), act)

    def _answer(self, actor: Actor, sent: Sent) -> str | None:
        own, dice = actor.person.answers, actor.dice
        if actor.answered < len(own):
            return own[actor.answered]
        common = () if actor.is_improvising else self.scenario.answers.get(actor.person.language, ())
        if common:
            return None if actor.answered > len(own) and dice.random() > _CHANCE_OF_MORE else dice.choice(common)
        if actor.is_improvising or actor.person.character:
            return talk.answer(self._language(actor), _words_of(sent), actor.answered - len(own), dice)
        return None

    def _typing(self, actor: Actor) -> float:
        typing = self.scenario.typing
        seconds = actor.dice.uniform(typing.least.total_seconds(), typing.most.total_seconds())
        return (timedelta(seconds=seconds) * actor.character.haste * self.world.settings.pace).total_seconds()

    def _reaches(self, actor: Actor, sent: Sent) -> bool:
        is_open = actor.customer.is_window_open(sent.number, self.world.now()) or sent.body.get("type") == "template"
        return is_open and actor.customer.is_reachable and actor.customer.is_online and sent.number not in actor.customer.blocked_by


def _words_of(sent: Sent) -> str:
    """What the business wrote, as far as it is words."""
    body = sent.body
    inner = object_of(body.get(word(body.get("type")) or "text"))
    return word(inner.get("body")) or word(inner.get("caption")) or word(object_of(inner.get("body")).get("text"))
