"""The end of a hub that has more in its journal than it can fold while its supervisor waits."""

from pathlib import Path

from tests.support.hub_archive import NUMBER, HandClock, open_archive
from tests.support.hub_served import body_of, text_value
from wabiz_tui.hub.archive.events import fold_position
from wabiz_tui.hub.ingest.intake import Intake, Ours
from wabiz_tui.hub.operations.metrics import Metrics

COUNT = 600


async def test_what_is_left_at_the_end_is_folded_at_the_next_start(tmp_path: Path) -> None:
    """Told to leave, folding ends after the batch it is at; the next start folds the rest, each entry once."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    journal = archive.open_journal()
    for index in range(COUNT):
        await journal.append(body_of(text_value(str(index), wamid=f"wamid.{index}", sender="447700900123", at=clock.now())))

    ours = Ours(frozenset(), frozenset({NUMBER}))
    leaving = Intake(archive, journal, Metrics(), ours)
    leaving.stop()
    leaving.leave()
    await leaving.run()
    assert 0 < archive.read_now(fold_position) < COUNT

    metrics = Metrics()
    following = Intake(archive, journal, metrics, ours)
    left = COUNT - archive.read_now(fold_position)
    following.stop()
    await following.run()
    assert archive.read_now(fold_position) == COUNT
    assert metrics.registry.get_sample_value("wabiz_webhooks_folded_total") == left
    journal.stop()
    archive.close()
