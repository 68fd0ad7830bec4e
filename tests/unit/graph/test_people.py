"""Who is who, whatever comes first: worlds of people whose ids and numbers change, told in every order and more than once."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.people import Directory, day
from wabiz_tui.graph.identity import Alias, spellings
from wabiz_tui.graph.parsed import Identity, IdentityChange

LATEST = day(2000)


@dataclass
class Person:
    name: str
    number: str
    user_id: str
    told: int = 0
    ids: int = 1


@dataclass
class Told:
    """One thing a webhook told: a message by `identity`, or a change."""

    at: float
    what: Identity | IdentityChange
    message: str = ""


@dataclass
class World:
    """People, what was told of them in its true order, and whose every message is."""

    people: list[Person] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    numbers: int = 0
    clock: float = 0.0

    def number(self, *, is_new: bool) -> str:
        if self.given_up and not is_new:
            return self.given_up.pop(0)
        self.numbers += 1
        return f"1555{self.numbers:04}"

    def come(self, *, is_new: bool) -> None:
        name = f"person {len(self.people)}"
        self.people.append(Person(name, self.number(is_new=is_new), f"US.{len(self.people)}x0"))

    def later(self, days: float = 1) -> float:
        self.clock += days
        return self.clock

    def write(self, person: Person, *, shows: str = "both") -> None:
        person.told += 1
        identity = Identity(wa_id=None if shows == "user id" else person.number, user_id=None if shows == "number" else person.user_id)
        self.told.append(Told(self.later(), identity, f"{person.name}: {person.told}"))

    def move(self, person: Person, forms: str, *, is_new: bool) -> None:
        """Another number and so another BSUID, told as `user_id_update` (u), as a system message (s), or by numbers alone (n)."""
        old_number, old_user = person.number, person.user_id
        person.number, person.user_id = self.number(is_new=is_new), f"{old_user.split('x')[0]}x{person.ids}"
        person.ids += 1
        at = self.later()
        old, new = Identity(wa_id=old_number, user_id=old_user), Identity(wa_id=person.number, user_id=person.user_id)
        changes = {
            "u": IdentityChange(Identity(wa_id=person.number, user_id=old_user), new),
            "s": IdentityChange(old, new),
            "n": IdentityChange(Identity(wa_id=old_number), Identity(wa_id=person.number)),
        }
        self.told += [Told(at, changes[form]) for form in forms]
        self.given_up.append(old_number)
        # A number is given to somebody else after weeks at the soonest, and Meta redelivers for a week at most.
        self.later(30)

    def truth(self) -> set[frozenset[str]]:
        people: dict[str, set[str]] = {}
        for one in self.told:
            if one.message:
                people.setdefault(one.message.split(":")[0], set()).add(one.message)
        return {frozenset(messages) for messages in people.values()}


def directory_of(told: list[Told]) -> Directory:
    directory = Directory(now=LATEST)
    for one in told:
        if isinstance(one.what, IdentityChange):
            directory.change(one.what, day(one.at))
        else:
            directory.see(one.message, one.what, day(one.at))
    return directory


class PeopleWithIds(RuleBasedStateMachine):
    """Everybody has a BSUID and may hide the number; numbers pass on silently; every change of id is told once or twice.

    Whatever order all of it comes in, and however often: a contact is a person.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @rule(is_new=st.booleans())
    def somebody_comes(self, is_new: bool) -> None:
        self.world.come(is_new=is_new)
        self.world.write(self.world.people[-1])

    @precondition(lambda self: self.world.people)
    @rule(data=st.data(), is_hidden=st.booleans())
    def somebody_writes(self, data: st.DataObject, is_hidden: bool) -> None:
        self.world.write(data.draw(st.sampled_from(self.world.people)), shows="user id" if is_hidden else "both")

    @precondition(lambda self: self.world.people)
    @rule(data=st.data(), forms=st.sampled_from(["u", "s", "us", "su"]), is_new=st.booleans())
    def somebody_changes_number(self, data: st.DataObject, forms: str, is_new: bool) -> None:
        self.world.move(data.draw(st.sampled_from(self.world.people)), forms, is_new=is_new)

    @precondition(lambda self: len(self.world.told) > 1)
    @rule(chance=st.randoms(use_true_random=False))
    def told_in_any_order_and_twice(self, chance: random.Random) -> None:
        told = self.world.told * 2
        chance.shuffle(told)

        assert directory_of(told).groups() == self.world.truth()

    @invariant()
    def told_in_order(self) -> None:
        assert directory_of(self.world.told).groups() == self.world.truth()


PeopleWithIds.TestCase.settings = settings(max_examples=60, stateful_step_count=14, deadline=None)
TestPeopleWithIds = PeopleWithIds.TestCase


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_people_known_by_number_alone(chance: random.Random) -> None:
    """Where there are only numbers and all changes are told, what comes up to a week late or twice ends with the same people."""
    world = World()
    for _ in range(chance.randint(2, 14)):
        choice = chance.random()
        if not world.people or choice < 0.25:
            world.come(is_new=chance.random() < 0.5)
            world.write(world.people[-1], shows="number")
        elif choice < 0.75:
            world.write(chance.choice(world.people), shows="number")
        else:
            world.move(chance.choice(world.people), "n", is_new=chance.random() < 0.5)
    late = sorted(world.told * 2, key=lambda one: one.at + chance.uniform(0, 7))

    assert directory_of(world.told).groups() == world.truth()
    assert directory_of(late).groups() == world.truth()


def test_two_changes_in_a_row_told_backwards() -> None:
    """The later change keeps its number and id though the earlier one is told after it."""
    world = World()
    world.come(is_new=True)
    (ana,) = world.people
    world.write(ana)
    world.move(ana, "s", is_new=True)
    world.move(ana, "s", is_new=True)

    directory = directory_of(list(reversed(world.told)))

    (contact,) = directory.contacts.values()
    assert set(contact.since) == {Alias("bsuid", ana.user_id), Alias("wa_id", ana.number)}


def test_a_late_message_takes_no_number_back() -> None:
    """A message from before its number passed on comes last: it is its writer's, and the number stays with who has it."""
    directory = Directory(now=LATEST)
    directory.see("new", Identity(wa_id="1", user_id="US.2"), day(200))
    directory.see("old", Identity(wa_id="1", user_id="US.1"), day(100))

    assert directory.groups() == {frozenset({"new"}), frozenset({"old"})}
    assert directory.see("again", Identity(wa_id="1"), day(201)) == directory.messages["new"]


def test_a_change_does_not_drag_along_who_has_the_number() -> None:
    """The new number's earlier holder, and the old number's later one, are other people."""
    directory = Directory(now=LATEST)
    directory.see("earlier holder", Identity(wa_id="2", user_id="US.9"), day(1))
    directory.see("ana", Identity(wa_id="1", user_id="US.1"), day(5))
    change = IdentityChange(Identity(wa_id="1"), Identity(wa_id="2"))
    directory.change(change, day(40))
    directory.see("later holder", Identity(wa_id="1", user_id="US.8"), day(80))
    directory.change(change, day(40))

    assert directory.groups() == {frozenset({"earlier holder"}), frozenset({"ana"}), frozenset({"later holder"})}
    assert directory.see("ana again", Identity(wa_id="2"), day(81)) == directory.messages["ana"]


@pytest.mark.parametrize(
    ("typed", "answered"),
    [("551187654321", "5511987654321"), ("525512345678", "5215512345678"), ("541123456789", "5491123456789")],
)
def test_numbers_that_differ_by_a_mobile_digit(typed: str, answered: str) -> None:
    """Brazil, Mexico, Argentina: what was typed and what Meta answers are one number, whichever was known first."""
    for first, second in ((typed, answered), (answered, typed)):
        directory = Directory(now=LATEST)
        directory.see("one", Identity(wa_id=first), day(1))
        directory.see("two", Identity(wa_id=second, user_id="BR.1"), day(2))

        assert directory.groups() == {frozenset({"one", "two"})}


@pytest.mark.parametrize("number", ["551133334444", "447700900123", "5511", "52", "54911", "55119876543210"])
def test_other_numbers_have_one_spelling(number: str) -> None:
    """Land lines of Brazil, other countries and fragments are only themselves."""
    assert spellings(Alias("wa_id", number)) == (Alias("wa_id", number),)


def test_spellings_go_both_ways() -> None:
    """If one number is a spelling of another, that is one of it."""
    for number in ("5511987654321", "5215512345678", "5491123456789"):
        _, other = spellings(Alias("wa_id", number))
        assert Alias("wa_id", number) in spellings(other)
    assert spellings(Alias("bsuid", "5511987654321")) == (Alias("bsuid", "5511987654321"),)
