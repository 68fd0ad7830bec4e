"""Play a scenario: tell the history, then let customers write and answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from wabiz_tui.simulator.customers.incoming import echo, prepare, tell_together, write
from wabiz_tui.simulator.customers.people import Customer, digits_of, made_user_id
from wabiz_tui.simulator.customers.scenario import Line, Person, Scenario
from wabiz_tui.simulator.webhooks.envelope import Told
from wabiz_tui.simulator.world import Sent, World

_CHANCE_OF_MORE = 0.6


@dataclass
class Actor:
    """A customer on the stage: who they are, and how far they are in what they have to say."""

    person: Person
    customer: Customer
    said: int = 0
    answered: int = 0


class Play:
    """One scenario in one world. Chance is the world's, so that a seed plays the same play again."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self._world, self._scenario = world, scenario
        self._actors: list[Actor] = []

    def begin(self) -> None:
        """History goes out with the first webhooks; scripts and arrivals count from now."""
        world, scenario = self._world, self._scenario
        world.business = scenario.business
        if scenario.display and world.options.phone_number_ids:
            world.displays[world.options.phone_number_ids[0]] = digits_of(scenario.display)
        self._actors = [Actor(person, self._enter(person)) for person in scenario.customer]
        world.timeline.start(self._tell_history)
        for actor in self._actors:
            for line in actor.person.script:
                world.timeline.after(line.after.total_seconds(), self._saying(actor, line))
        if scenario.arrivals.per_minute > 0:
            self._expect_arrival()
        world.on_sent.append(self._hear)

    def _enter(self, person: Person) -> Customer:
        phone = digits_of(person.phone) or None
        made = made_user_id(phone) if phone and self._world.people.has_user_ids else None
        return self._world.people.add(
            Customer(
                wa_id=phone,
                user_id=person.user_id or made,
                name=person.name or None,
                username=person.username or None,
                is_phone_hidden=person.hide_phone,
                reads=person.reads,
                is_reachable=person.on_whatsapp,
            )
        )

    async def _tell_history(self) -> None:
        """In the order of Meta's times, many changes a POST. The ids are the same at every start, so that nothing is told as new twice."""
        world, now = self._world, self._world.now()
        told = [
            (now - line.ago, index, number) for index, actor in enumerate(self._actors) for number, line in enumerate(actor.person.history)
        ]
        changes: list[Told] = []
        for at, index, number in sorted(told):
            actor = self._actors[index]
            line = actor.person.history[number]
            seed = f"{world.options.seed} {self._scenario.business} {actor.customer.key} {number}"
            is_ours = line.from_ == "business"
            wamid = world.wamid(actor.customer.wa_id or actor.customer.key[-15:], is_ours=is_ours, seed=seed)
            say = echo if is_ours else prepare
            changes.append(say(world, actor.customer, line.content(), number=actor.person.number or None, at=at, wamid=wamid).told)
        tell_together(world, changes)

    def _saying(self, actor: Actor, line: Line) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            write(self._world, actor.customer, line.content(), number=actor.person.number or None)

        return act

    def _expect_arrival(self) -> None:
        gap = 60.0 / self._scenario.arrivals.per_minute * self._world.chance.uniform(0.7, 1.3)
        self._world.timeline.after(gap, self._arrive)

    async def _arrive(self) -> None:
        """Somebody writes: most of all those who still have something of their own to say."""
        chance = self._world.chance
        self._expect_arrival()
        callback = self._world.courier.callback
        if callback is None or not callback.is_verified:
            return
        awake = [actor for actor in self._actors if not actor.person.quiet]
        waiting = [actor for actor in awake if actor.said < len(actor.person.lines)]
        if waiting and (chance.random() < _CHANCE_OF_MORE or not self._scenario.small_talk):
            actor = chance.choice(waiting)
            line = actor.person.lines[actor.said]
            actor.said += 1
        else:
            talkers = [actor for actor in awake if actor.person.language in self._scenario.small_talk]
            if not talkers:
                return
            actor = chance.choice(talkers)
            line = Line(text=chance.choice(self._scenario.small_talk[actor.person.language]))
        await self._saying(actor, line)()

    async def _hear(self, sent: Sent) -> None:
        """The agent wrote: the customer answers after a while, if anything is left to say and the message reached them."""
        actor = next((one for one in self._actors if one.customer is sent.customer), None)
        if actor is None or sent.body.get("type") == "reaction" or not self._reaches(actor, sent):
            return
        chance, own = self._world.chance, actor.person.answers
        if actor.answered < len(own):
            text = own[actor.answered]
        else:
            common = self._scenario.answers.get(actor.person.language, ())
            if not common or (actor.answered > len(own) and chance.random() > _CHANCE_OF_MORE):
                return
            text = chance.choice(common)
        actor.answered += 1
        typing = self._scenario.typing
        wait = timedelta(seconds=chance.uniform(typing.least.total_seconds(), typing.most.total_seconds())) * self._world.settings.pace
        self._world.timeline.after(wait.total_seconds(), self._saying(actor, Line(text=text)))

    def _reaches(self, actor: Actor, sent: Sent) -> bool:
        is_open = actor.customer.is_window_open(sent.number, self._world.now()) or sent.body.get("type") == "template"
        return is_open and actor.customer.is_reachable and sent.number not in actor.customer.blocked_by
