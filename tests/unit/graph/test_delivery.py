"""Statuses folded into one delivery."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import webhook_samples as samples
from wabiz_tui.graph.delivery import fold
from wabiz_tui.graph.parsed import StatusUpdate
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.model.codec import decode, encode_canonical
from wabiz_tui.model.content import MetaError
from wabiz_tui.model.values import Delivery, DeliveryState

START = datetime(2026, 11, 22, tzinfo=UTC)
ERROR = MetaError(131047, "Re-engagement message", details="closed")
_STATES = st.sampled_from(["queued", "uncertain", "accepted", "sent", "delivered", "read", "played", "failed", "deleted", "future"])
_STEPS = st.lists(st.tuples(_STATES, st.integers(0, 5), st.sampled_from([None, ERROR, MetaError(131026)])), min_size=1, max_size=8)


def folded(steps: list[tuple[str, int, MetaError | None]]) -> Delivery:
    delivery: Delivery | None = None
    for state, minute, error in steps:
        delivery = fold(delivery, state, START + timedelta(minutes=minute), error)
    assert delivery is not None
    return delivery


@given(_STEPS, st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(steps: list[tuple[str, int, MetaError | None]], chance: object) -> None:
    """Statuses in any order, and any of them again, end in the same delivery."""
    shuffled = [*steps, steps[0], steps[-1]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert folded(shuffled) == folded(steps)


def test_every_permutation_of_what_one_message_can_hear() -> None:
    """All 5 040 orders of seven facts, read from webhooks, end alike: late and repeated ones, two failures, old and unknown kinds."""
    names = ["sent", "delivered", "read", "failed", "failed twice over", "deleted", "warning"]
    updates = [update for name in names for update in parse(samples.status(name)) if isinstance(update, StatusUpdate)]
    steps = [(update.state, update.at + timedelta(seconds=index), update.error) for index, update in enumerate(updates)]

    ends = set()
    for order in itertools.permutations(steps):
        delivery: Delivery | None = None
        for state, at, error in order:
            delivery = fold(delivery, state, at, error)
        ends.add(encode_canonical(delivery))

    assert len(ends) == 1
    assert decode(ends.pop(), Delivery).state is DeliveryState.READ


def test_statuses_of_a_group() -> None:
    """What any participant did counts for the message, in any order; a failure for all is overtaken by one who has it."""
    told = [("sent", None), ("failed", ERROR), ("delivered", None), ("delivered", None), ("read", None)]

    for order in itertools.permutations(told):
        assert folded([(state, told.index((state, error)), error) for state, error in order]).state is DeliveryState.READ


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (["sent", "delivered", "read"], DeliveryState.READ),
        (["read", "sent"], DeliveryState.READ),
        (["accepted", "read"], DeliveryState.READ),
        (["sent", "failed"], DeliveryState.FAILED),
        (["failed", "sent"], DeliveryState.FAILED),
        (["failed", "delivered"], DeliveryState.DELIVERED),
        (["delivered", "failed"], DeliveryState.DELIVERED),
        (["uncertain", "sent"], DeliveryState.SENT),
        (["deleted"], DeliveryState.ACCEPTED),
        (["read", "played"], DeliveryState.PLAYED),
    ],
)
def test_shown_state(states: list[str], shown: DeliveryState) -> None:
    """The highest rank is shown; a failure only while nothing arrived."""
    assert folded([(state, index, None) for index, state in enumerate(states)]).state is shown


def test_first_instants_and_the_failure_stay() -> None:
    """The earliest instant of each state is kept, and a failure that was overtaken stays in the record without its sentence."""
    delivery = folded([("sent", 3, None), ("sent", 1, None), ("failed", 2, ERROR), ("delivered", 4, None)])

    assert delivery.at["sent"] == START + timedelta(minutes=1)
    assert delivery.at["failed"] == START + timedelta(minutes=2)
    assert delivery.error == ERROR
    assert delivery.sentence == ""


def test_failure_has_a_sentence() -> None:
    """A failed message says what the agent can do."""
    assert folded([("failed", 0, ERROR)]).sentence == "The 24-hour window is closed: use a template."
