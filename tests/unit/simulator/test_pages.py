"""The pages about the simulator do not rot: their commands run, and they name what there is."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wabiz_tui.simulator.customers.characters import CHARACTERS
from wabiz_tui.simulator.customers.forms import FORMS
from wabiz_tui.simulator.customers.identity import CHANGES
from wabiz_tui.simulator.customers.scenario import Scenario, parse_scenario
from wabiz_tui.simulator.customers.talk import phrase_book
from wabiz_tui.simulator.switches import SWITCHES
from wabiz_tui.simulator.webhooks.account_events import EVENTS
from wabiz_tui.simulator.webhooks.faults import KINDS, PARAMS

DOCS = Path(__file__).resolve().parents[3] / "docs"
BOT = DOCS / "testing-your-bot.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "=== block "


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(matched[1], matched[2]) for matched in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="the page's commands need bash and curl")
def test_every_command_of_the_page_runs(tmp_path: Path) -> None:
    """The shell blocks of the page run one after the other, as a stranger would type them, and their output holds what the page shows."""
    told = blocks(BOT)
    for name in ("bot.py", "test_bot.py"):
        (tmp_path / name).write_text(next(text for kind, text in told if kind == "python" and text.startswith(f"# {name}")))
    commands = [text for kind, text in told if kind == "sh"]
    script = "set -euo pipefail\n" + "".join(f"echo '{_MARK}{index}'\n{text}\necho\n" for index, text in enumerate(commands))
    for port in ("8421", "8000"):
        script = script.replace(port, free_port())
    folder = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "WABIZ_HOME": str(tmp_path / "home"),
        "NO_PROXY": "127.0.0.1",
        # The page's own test needs none of the plugins of this suite.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    with (tmp_path / "said").open("wb") as output:
        running = subprocess.Popen(
            [shutil.which("bash") or "bash", "-c", script],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        running.wait(180)
    finally:
        # The simulator and the bot, which the script leaves running.
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(10)
    said = (tmp_path / "said").read_text(errors="replace")
    outputs = dict(enumerate(said.split(_MARK)[1:]))

    assert running.returncode == 0, said[-2000:]
    assert len(outputs) == len(commands)
    position = -1
    for kind, text in told:
        position += kind == "sh"
        if kind == "text":
            missing = [line for line in text.splitlines() if line not in outputs[position]]
            assert not missing, outputs[position][:3000]


def test_examples_are_python() -> None:
    """The Python examples of the page compile."""
    for kind, text in blocks(BOT):
        if kind == "python":
            compile(text, "example", "exec")


def test_the_scenario_of_the_reference_is_one() -> None:
    """The page's scenario is read without complaint."""
    (text,) = [text for kind, text in blocks(DOCS / "simulator.md") if kind == "toml"]

    assert parse_scenario(text).customer[0].script[3].change == {"hide_phone": True}


def test_the_reference_names_all_there_is() -> None:
    """Every fault with its parameters, event, character, setting, change, form, scenario key and language stands in the reference."""
    page = (DOCS / "simulator.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[\w.]+", page))
    named = {
        "faults": set(KINDS),
        "parameters": {key for kind in KINDS for key in PARAMS.get(kind, ()) if key not in ("error_code", "http_status")},
        "events": set(EVENTS),
        "characters": set(CHARACTERS),
        "settings": set(SWITCHES),
        "changes": set(CHANGES),
        "forms": set(FORMS),
        "scenario": set(Scenario.__struct_fields__),
        "languages": set(phrase_book()),
    }
    missing = {what: sorted(names - words) for what, names in named.items() if names - words}

    assert not missing
