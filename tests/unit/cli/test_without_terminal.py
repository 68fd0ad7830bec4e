"""Commands as cron or `ssh host command` calls them: no terminal, a plain locale, a reader that counts or leaves."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, ident, message
from tests.support.road import wabiz
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret

PLAIN = {"TERM": "dumb", "LANG": "C", "LC_ALL": "C", "COLUMNS": "40"}
LONG = "Grüße\tan\nalle " + "und noch mehr Worte " * 150


def call(paths: Paths, *arguments: str) -> tuple[int, list[str], str]:
    """Exit code, the lines of standard output, and standard error."""
    finished = wabiz(*arguments, home=paths.config, environment=PLAIN)
    return finished.returncode, finished.stdout.split("\n")[:-1], finished.stderr


async def test_a_pipe_gets_every_word_and_nothing_but_rows(tmp_path: Path) -> None:
    """One desk, asked as scripts ask: whole cells between tabs, JSON Lines, nothing on standard output where there is nothing,
    refusals in one line, and a reader that leaves early ends the command without a word."""
    paths = paths_under(tmp_path / "a home")
    now = datetime.now(UTC)
    with FakeHub().serve() as hub:
        hub.put(conversation(1, last_at=now), *(message(number, 1, LONG, sent_at=now) for number in range(40)))
        await enrol(hub, paths)
        desk = await connect(paths, passphrase=Secret(PASSPHRASE.reveal()), environment={"WABIZ_HOME": str(paths.config)})
        await desk.sync()

        code, lines, failed = await asyncio.to_thread(call, paths, "messages", ident(1))
        assert (code, failed, len(lines)) == (0, "", 41)
        assert lines[0].split("\t") == ["sent", "from", "kind", "text", "delivery", "message"]
        assert {line.split("\t")[3] for line in lines[1:]} == {LONG.replace("\t", "␉").replace("\n", "␊")}
        assert {len(line.split("\t")[5]) for line in lines[1:]} == {32}

        code, lines, failed = await asyncio.to_thread(call, paths, "messages", ident(1), "--json")
        assert (code, failed, {json.loads(line)["text"] for line in lines}) == (0, "", {LONG})

        assert await asyncio.to_thread(call, paths, "outbox") == (0, [], "Nothing waits.\n")
        assert await asyncio.to_thread(call, paths, "outbox", "--json") == (0, [], "")
        assert await asyncio.to_thread(call, paths, "search", "unheard") == (0, [], "Nothing found.\n")

        code, lines, failed = await asyncio.to_thread(call, paths, "messages", ident(2))
        assert (code, lines, failed.count("\n"), failed[:7]) == (1, [], 1, "wabiz: ")

        assert await asyncio.to_thread(read_one_line, paths, "messages", ident(1)) == ""
        await desk.end()
        await desk.close()


def read_one_line(paths: Paths, *arguments: str) -> str:
    """What stands on standard error when the reader goes after the first line, as `| head -1` does."""
    with subprocess.Popen(
        [sys.executable, "-m", "wabiz_tui.cli.main", *arguments],
        env=PLAIN | {"WABIZ_HOME": str(paths.config)}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as reading:  # fmt: skip
        assert reading.stdout is not None
        assert reading.stderr is not None
        reading.stdout.readline()
        reading.stdout.close()
        return reading.stderr.read()


def test_a_machine_that_holds_nothing_is_wiped_with_a_word(tmp_path: Path) -> None:
    """Who wipes twice is told that there was nothing, and it is no failure."""
    assert call(paths_under(tmp_path / "home"), "wipe", "--yes") == (0, ["There was nothing to remove."], "")
