"""The quick way to read usual webhooks says what the tolerant one says, or leaves the body to it."""

from datetime import UTC, datetime

import pytest

from tests.support.webhook_mutations import Mutations
from tests.support.webhook_samples import all_bodies
from wabiz_tui.graph.incoming.usual import read_usual
from wabiz_tui.graph.webhooks import parse_tolerantly
from wabiz_tui.model.codec import encode

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BODIES = all_bodies()
QUICK = [name for name, raw in BODIES.items() if read_usual(raw, NOW) is not None]


def test_the_usual_kinds_take_the_quick_way() -> None:
    """Texts, files, replies, reactions and statuses as Meta sends them now need no second look."""
    usual = {"message: text", "message: image", "message: voice note", "message: reply", "message: reaction", "message: button reply"}
    usual |= {"message: order", "message: cards", "message: from an ad", "status: sent", "status: delivered", "status: failed"}
    usual |= {"message: unsupported", "message: unsupported without its type"}

    assert usual <= set(QUICK)


@pytest.mark.parametrize("received_at", [NOW, None, datetime(2026, 9, 21, 14, 26, 40, tzinfo=UTC), datetime(2026, 9, 21, 13, tzinfo=UTC)])
def test_both_ways_say_the_same(received_at: datetime | None) -> None:
    """Whenever a sample came, the quick reading of it is the tolerant one."""
    for raw in BODIES.values():
        quick = read_usual(raw, received_at)
        assert quick is None or quick == parse_tolerantly(raw, received_at)


def test_both_ways_say_the_same_of_bent_bodies() -> None:
    """On two thousand mutations of usual bodies the ways agree wherever the quick one answers, and it often does."""
    mutations = Mutations([BODIES[name] for name in QUICK], seed=20261122)
    answered = 0
    for _ in range(2000):
        raw = mutations.next()
        quick = read_usual(raw, NOW)
        if quick is not None:
            answered += 1
            assert encode(quick) == encode(parse_tolerantly(raw, NOW)), raw[:2000]

    assert answered > 100
