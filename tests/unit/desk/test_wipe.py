"""A wiped machine holds nothing of wabiz's but its configuration, and nothing of anybody else's is touched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_bench import CONFIG, opened
from tests.support.desk_hub import FakeHub
from wabiz_tui.desk.purge.wipe import wipe
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.paths import Paths, paths_under


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


@pytest.mark.parametrize("others", [[], ["notes.txt"]], ids=["ours alone", "somebody else's too"])
async def test_no_empty_folder_is_left(hub: FakeHub, paths: Paths, others: list[str]) -> None:
    """The data folder goes with what was in it, and stays with what is not ours."""
    async with opened(hub, paths):
        pass
    for name in others:
        (paths.data / name).write_text("not ours")

    await wipe(paths, config=CONFIG, clock=SystemClock())

    assert [path.name for path in paths.config.rglob("*")] == (["data", *others] if others else [])
