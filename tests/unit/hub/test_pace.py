"""What folding leaves to acknowledging while webhooks rush in."""

from datetime import timedelta

import pytest

from wabiz_tui.hub.ingest.pace import LONGEST_LAG, RUSH, Pace

SECOND = timedelta(seconds=1)


class Hand:
    """A clock and a sleep of the test's own."""

    def __init__(self) -> None:
        self.at, self.slept = 0.0, [0.0][:0]

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def paced(hand: Hand, *, arrived: int, lag: timedelta) -> Pace:
    pace = Pace(lambda: hand.at, hand.sleep)
    pace.begin(arrived=arrived, lag=lag)
    return pace


def test_in_a_rush_folding_rests_twice_as_long_as_it_works() -> None:
    """Each entry is followed by a rest of twice its own time, and rests are not counted as work."""
    hand = Hand()
    pace = paced(hand, arrived=RUSH, lag=SECOND)
    for work in (0.0004, 0.001):
        hand.at += work
        pace()
    assert hand.slept == pytest.approx([0.0008, 0.002])


@pytest.mark.parametrize(("arrived", "lag"), [(RUSH - 1, SECOND), (10 * RUSH, LONGEST_LAG)], ids=["calm", "far behind"])
def test_otherwise_it_does_not_rest(arrived: int, lag: timedelta) -> None:
    """With few webhooks coming, or with a backlog that is old, folding goes as fast as it can."""
    hand = Hand()
    pace = paced(hand, arrived=arrived, lag=lag)
    hand.at += 1
    pace()
    assert hand.slept == []


def test_no_rest_is_long() -> None:
    """One large entry does not hold the writer for the sake of those who wait at the door."""
    hand = Hand()
    pace = paced(hand, arrived=RUSH, lag=SECOND)
    hand.at += 3
    pace()
    assert hand.slept == [0.005]
