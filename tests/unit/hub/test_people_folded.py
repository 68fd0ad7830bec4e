"""Whose a message is, in the archive: the same people and conversations whatever order, repeats and batches the webhooks come in."""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hub_archive import HandClock, open_archive
from tests.support.people_told import LATEST, Life, contacts_of, fold_told
from wabiz_tui.graph.parsed import Parsed


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    open_archive(folder).close()
    return folder


def folded(empty: Path, parts: Sequence[Parsed], wamids: Sequence[str], chance: random.Random) -> set[frozenset[str]]:
    with TemporaryDirectory() as folder:
        shutil.copytree(empty, folder, dirs_exist_ok=True)
        archive = open_archive(Path(folder), clock=HandClock(LATEST))
        try:
            fold_told(archive, parts, chance)
            return contacts_of(archive, wamids)
        finally:
            archive.close()


def shuffled(life: Life, chance: random.Random) -> list[Parsed]:
    """All of it twice, in any order."""
    parts = [part for _, part in life.told] * 2
    chance.shuffle(parts)
    return parts


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_people_with_user_ids(empty: Path, chance: random.Random) -> None:
    """Who has a BSUID is one contact in any order of all webhooks, though numbers are hidden and pass on to others."""
    life = Life(chance, has_ids=True).live(chance.randint(2, 12))

    assert folded(empty, shuffled(life, chance), list(life.written), chance) == life.people_of()


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_people_known_by_number_alone(empty: Path, chance: random.Random) -> None:
    """Where there are only numbers, and none passes on, any order ends with the same people."""
    life = Life(chance, has_ids=False, passes_on=False).live(chance.randint(2, 12))

    assert folded(empty, shuffled(life, chance), list(life.written), chance) == life.people_of()


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_numbers_that_pass_on(empty: Path, chance: random.Random) -> None:
    """Where a bare number passes on, only its webhooks tell when: what comes up to a week late or twice ends with the same people."""
    life = Life(chance, has_ids=False).live(chance.randint(2, 12))
    late = sorted(life.told * 2, key=lambda one: one[0] + chance.uniform(0, 7))

    assert folded(empty, [part for _, part in late], list(life.written), chance) == life.people_of()
