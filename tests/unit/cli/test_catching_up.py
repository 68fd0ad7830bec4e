"""What `wabiz sync` shows while it runs."""

import asyncio
import io
import json
from pathlib import Path

import msgspec
import pytest

from tests.support import tui_data as still
from tests.support.desk_bench import opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, message
from tests.support.tui_desk import StillDesk
from wabiz_tui.cli.catching_up import sync_and_tell
from wabiz_tui.model.desk import DeskStatus
from wabiz_tui.model.errors import Unreachable
from wabiz_tui.model.paths import paths_under


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class LongSync(StillDesk):
    """Each look at the status finds it a page further; the sync ends after the last."""

    def __init__(self, *cursors: int, fails: bool = False) -> None:
        super().__init__()
        self.cursors = list(cursors)
        self.ended = asyncio.Event()
        self.fails = fails

    async def status(self) -> DeskStatus:
        cursor = self.cursors.pop(0)
        if not self.cursors:
            self.ended.set()
        return msgspec.structs.replace(still.status(), cursor=cursor, head=12_000)

    async def sync(self) -> int:
        await self.ended.wait()
        if self.fails:
            raise Unreachable("The hub does not answer.")
        return 12_000


async def test_a_terminal_sees_one_line_that_is_rewritten_and_goes() -> None:
    """Each place takes the place of the one before, and nothing of it is left when the sync is done."""
    terminal = Terminal()

    assert await sync_and_tell(LongSync(0, 3000, 9000, 12_000), as_json=False, terminal=terminal, every=0.001) == 12_000

    lines = terminal.getvalue().split("\r")
    assert lines[1] == "Catching up: 3,000 of 12,000 changes, 25 %"
    assert lines[2] == "Catching up: 9,000 of 12,000 changes, 75 %"
    assert lines[3] == " " * len(lines[2])
    assert lines[4:] == [""]
    assert "\n" not in terminal.getvalue()


async def test_a_program_reads_cursor_and_head(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json each place is a line of JSON on standard output, told once; the terminal is left alone."""
    terminal = Terminal()

    await sync_and_tell(LongSync(0, 0, 3000, 3000, 9000, 12_000), as_json=True, terminal=terminal, every=0.001)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"cursor": 3000, "head": 12_000}, {"cursor": 9000, "head": 12_000}]
    assert terminal.getvalue() == ""


async def test_a_failure_leaves_a_clean_line_and_is_the_syncs() -> None:
    """What comes next on the terminal begins on an empty line."""
    terminal = Terminal()

    with pytest.raises(Unreachable):
        await sync_and_tell(LongSync(0, 3000, 9000, fails=True), as_json=False, terminal=terminal, every=0.001)

    assert terminal.getvalue().endswith(" \r")


async def test_without_terminal_and_json_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over several pages of a real feed a pipe gets nothing; as JSON the places rise to below the end, which the caller prints."""
    hub = FakeHub()
    with hub.serve():
        hub.put(conversation(1), *(message(number, 1) for number in range(9000)))
        async with opened(hub, paths_under(tmp_path / "home"), synced=False) as desk:
            reached = await sync_and_tell(desk, as_json=True, every=0.001)
            places = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            piped = io.StringIO()
            assert await sync_and_tell(desk, as_json=False, terminal=piped) == reached

    assert reached == hub.head
    assert [place["cursor"] for place in places] == sorted({place["cursor"] for place in places})
    assert all(0 < place["cursor"] < place["head"] for place in places)
    assert piped.getvalue() == ""
