"""`wabiz canned` and `wabiz macro` against a served hub; only the machine's keys are stood in for."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.hub_served import TestDevice, served_hub
from wabiz_tui.cli import routines
from wabiz_tui.cli.commands import invoke
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import NotFound, UsageError


class Machine:
    """The commands of one device's machine, run beside the hub's loop."""

    def __init__(self, device: TestDevice, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._device, self._capsys, self._patch = device, capsys, monkeypatch

    async def __call__(self, *arguments: str) -> tuple[int, list[Any]]:
        """Exit code, and what was printed as JSON Lines."""
        base, headers = str(self._device.served.http.base_url), self._device.headers

        class Asker:
            def __init__(self, _passphrase_fd: int | None) -> None: ...

            def ask(self, method: str, path: str, body: object | None, kind: type[Any]) -> Any:
                content = None if body is None else encode(body)
                answer = httpx.request(method, base.rstrip("/") + path, content=content, headers=headers, timeout=20, trust_env=False)
                assert answer.status_code < 400, answer.text
                return decode(answer.content, kind)

        def ask_hub(descriptor: int | None, method: str, path: str, body: object | None, kind: type[Any]) -> Any:
            return Asker(descriptor).ask(method, path, body, kind)

        self._patch.setattr(routines, "Asker", Asker)
        self._patch.setattr(routines, "ask_hub", ask_hub)
        self._capsys.readouterr()
        code = await asyncio.to_thread(invoke, [*arguments, "--json"])
        lines = [line for line in self._capsys.readouterr().out.splitlines() if line.startswith("{")]
        return code, [json.loads(line) for line in lines]


async def test_commands_keep_and_run_what_was_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Canned responses by shortcut and macros by name: added, listed, edited, run, removed; a text not sent gives exit code 1."""
    async with served_hub(tmp_path) as served:
        lead = await served.person(await served.admin(), "Sam", "supervisor")
        await served.incoming()
        [conversation] = await lead.seen("conversation")
        wabiz = Machine(lead, capsys, monkeypatch)

        added = await wabiz("canned", "add", "/thanks", "Thanks, {{contact.name}}")
        edited = await wabiz("canned", "edit", "thanks", "Thank you, {{contact.name}}")
        made = await wabiz("macro", "add", "Thank", "canned=THANKS", "assign=sam", "label=thanked", "status=resolved")
        ran = await wabiz("macro", "run", conversation, "thank", "--key", "k")
        listed = await wabiz("canned", "list"), await wabiz("macro", "list")
        served.clock.at = served.clock.at.replace(day=24)
        await lead.log_in()
        late = await wabiz("macro", "run", conversation, "Thank")
        gone = await wabiz("macro", "remove", "Thank"), await wabiz("canned", "remove", "thanks")

        assert [code for code, _ in (added, edited, made, ran, *listed, late, *gone)] == [0, 0, 0, 0, 0, 0, 1, 0, 0]
        assert edited[1][0]["id"] == added[1][0]["id"]
        assert [one["do"] for one in made[1][0]["steps"]] == ["canned", "assign", "label", "status"]
        assert [one["text"]["body"] for one in served.meta.sent] == ["Thank you, Ada Lovelace"]
        assert ran[1][0]["steps"][0]["state"] == "sent"
        assert (listed[0][1], listed[1][1]) == (edited[1], made[1])
        assert "was not sent" in late[1][0]["sentence"]
        with pytest.raises(NotFound):
            await wabiz("macro", "run", conversation, "Thank")
        with pytest.raises(UsageError):
            await wabiz("macro", "add", "Odd", "resolved")
