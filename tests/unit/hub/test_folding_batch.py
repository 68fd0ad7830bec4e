"""Folding many webhooks at once: the same archive as one at a time, however the journal is cut, killed and told again."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hub_archive import open_archive
from tests.support.hub_dump import dump, webhooks
from wabiz_tui.hub.archive.events import fold_position
from wabiz_tui.hub.archive.journal import JournalEntry
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.hub.ingest import folding
from wabiz_tui.hub.ingest.batches import Lot, fold_batch
from wabiz_tui.hub.ingest.intake import parse_all
from wabiz_tui.model.content import Text
from wabiz_tui.model.errors import StoreFull

RECEIVED_MS = 1795000000000


class Killed(BaseException):
    """The process ends here, before the commit."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an archive with nothing in it, since making them costs more than filling them."""
    folder = tmp_path_factory.mktemp("empty")
    open_archive(folder).close()
    return folder


def lots_of(bodies: Sequence[bytes]) -> list[Lot]:
    return parse_all([JournalEntry(number, raw, RECEIVED_MS) for number, raw in enumerate(bodies, 1)])


def fail_on_bad(writing: Writing, message: Any, **options: Any) -> None:
    """Stands for a fault of ours that one message brings out, half-way through its folding."""
    if message.content == Text(body="bad"):
        raise KeyError("no")
    note_incoming(writing, message, **options)


note_incoming = folding.note_incoming


def fold(archive: Archive, lots: Sequence[Lot], cuts: Sequence[tuple[int, bool]]) -> None:
    """In batches of these sizes, some of them killed at first; always from where the archive says it is."""
    sizes = iter(cuts)
    while (done := archive.read_now(fold_position)) < len(lots):
        size, is_killed = next(sizes, (len(lots), False))
        batch = lots[done : done + size]

        def work(writing: Writing, batch: Sequence[Lot] = batch, is_killed: bool = is_killed) -> None:
            fold_batch(writing, batch)
            if is_killed:
                raise Killed

        try:
            archive.write_now(work)
        except Killed:
            continue


def folded(empty: Path, lots: Sequence[Lot], cuts: Sequence[tuple[int, bool]]) -> dict[str, list[str]]:
    with TemporaryDirectory() as folder:
        shutil.copytree(empty, folder, dirs_exist_ok=True)
        archive = open_archive(Path(folder))
        try:
            with patch.object(folding, "note_incoming", fail_on_bad):
                fold(archive, lots, cuts)
            return dump(archive)
        finally:
            archive.close()


@settings(max_examples=12, deadline=None)
@given(journal=st.lists(webhooks(), min_size=1, max_size=25), cuts=st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=6))
def test_any_cutting_ends_alike(empty: Path, journal: list[bytes], cuts: list[tuple[int, bool]]) -> None:
    """A journal folded one entry at a time, or in any batches of which some are killed, makes the same archive."""
    lots = lots_of(journal)

    alone = folded(empty, lots, [(1, False)] * len(lots))

    assert folded(empty, lots, cuts) == alone


@settings(max_examples=5, deadline=None)
@given(journal=st.lists(webhooks(), min_size=1, max_size=12), data=st.data())
def test_what_is_told_again_changes_nothing(empty: Path, journal: list[bytes], data: st.DataObject) -> None:
    """Webhooks that were folded leave the archive as it is when they come once more, in the same batch or a later one."""
    again = data.draw(st.lists(st.sampled_from(journal), max_size=8))
    cuts = data.draw(st.lists(st.tuples(st.integers(1, 12), st.just(value=False)), max_size=4))

    once, twice = folded(empty, lots_of(journal), []), folded(empty, lots_of(journal + again), cuts)

    # Bodies put aside are kept under the number of each time they came.
    assert {name: rows for name, rows in twice.items() if name != "quarantine"} == {
        name: rows for name, rows in once.items() if name != "quarantine"
    }


def test_a_failing_database_blames_no_webhook(empty: Path, tmp_path: Path) -> None:
    """When the disk is full nothing is put aside: the batch fails whole, and is folded when there is room."""
    shutil.copytree(empty, tmp_path, dirs_exist_ok=True)
    archive = open_archive(tmp_path)
    lots = lots_of([b'{"entry": []}', b"torn"])

    with (
        patch("wabiz_tui.hub.ingest.batches.prefetch", side_effect=StoreFull("There is no room left.", path=tmp_path)),
        pytest.raises(StoreFull),
    ):
        archive.write_now(lambda writing: fold_batch(writing, lots))
    assert archive.read_now(fold_position) == 0
    bad = archive.write_now(lambda writing: fold_batch(writing, lots))

    archive.close()
    assert [number for number, _ in bad] == [2]
