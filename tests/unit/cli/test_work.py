"""Exit codes of the commands of the work: what a script learns when somebody was first, and when the hub is away."""

import asyncio
import os
from pathlib import Path

import pytest
from starlette.requests import Request

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub, Refused
from tests.support.desk_samples import conversation
from wabiz_tui.cli.main import main
from wabiz_tui.model.paths import paths_under


class TakenHub(FakeHub):
    """A hub at which somebody else is always first."""

    async def act(self, request: Request) -> object:
        raise Refused(409, "taken", "Sam has this conversation now; look again before you take it.")


def take(chat: str) -> int:
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE.reveal() + b"\n")
    os.close(writing)
    return main(["assign", chat, "me", "--passphrase-fd", str(reading)])


def test_a_script_learns_why_it_did_not_get_a_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 with the hub's sentence where somebody else was first, 4 where the hub cannot be reached; nothing is queued."""
    monkeypatch.setenv("WABIZ_HOME", str(tmp_path / "home"))
    chat = conversation(1)
    with TakenHub().serve() as hub:
        hub.put(chat)
        asyncio.run(enrol(hub, paths_under(tmp_path / "home")))
        late, told = take(chat.id), capsys.readouterr().err
    away = take(chat.id)

    assert (late, told) == (1, "wabiz: Sam has this conversation now; look again before you take it.\n")
    assert away == 4
    assert "hub" in capsys.readouterr().err
