"""Scenarios: what is told of the past, who writes, who answers."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.simulator_stage import Hub, staged
from wabiz_tui.graph.parsed import EchoedMessage, IncomingMessage
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.model.content import Unsupported, kind_of
from wabiz_tui.model.errors import DocumentError
from wabiz_tui.simulator.customers.scenario import load_scenario, parse_scenario

BUSINESS = Path(str(files("wabiz_tui.simulator") / "business" / "demo.toml"))
SMALL = """
business = "Small"
[typing]
least = "0s"
most = "0s"
[[customer]]
name = "Ana"
phone = "5511987654321"
history = [{ ago = "2d", text = "before" }, { ago = "1d", from = "business", text = "ours" }, { ago = "1h", text = "lately" }]
script = [{ after = "0s", text = "now" }]
answers = ["answer"]
"""


async def test_history_script_and_answer(tmp_path: Path) -> None:
    """The past is told with its times and our part as echoes; the script plays; a reply is answered."""
    (tmp_path / "small.toml").write_text(SMALL)
    async with staged(scenario=tmp_path / "small.toml") as stage:
        await stage.hub.until(lambda: len(stage.hub.values("messages")) == 3 and stage.hub.values("message_echoes"))
        told = [part for body in stage.hub.bodies for part in parse(body)]
        before = next(part for part in told if isinstance(part, IncomingMessage) and "before" in str(part.content))
        await stage.send("Hello Ana", to="+5511987654321")
        await stage.hub.until(lambda: any(message["text"]["body"] == "answer" for message in stage.hub.values("messages")))

        assert any(isinstance(part, EchoedMessage) for part in told)
        assert timedelta(hours=47, minutes=59) < datetime.now(UTC) - before.sent_at < timedelta(hours=48, minutes=1)


async def test_history_is_the_same_at_every_start(tmp_path: Path) -> None:
    """A simulator that starts again tells the past under the same ids, so that nothing is archived twice."""
    (tmp_path / "small.toml").write_text(SMALL.replace("script", "lines").replace("after", "ago"))
    ids: list[list[str]] = []
    for _ in range(2):
        async with staged(scenario=tmp_path / "small.toml") as stage:
            await stage.hub.until(lambda stage=stage: len(stage.hub.values("messages")) == 2)
            ids.append([message["id"] for message in stage.hub.values("messages")])

    assert ids[0] == ids[1]


async def test_shipped_business() -> None:
    """The demo's business has forty customers, twelve languages and every state of the window, and tells nothing unreadable."""
    scenario = load_scenario(BUSINESS)
    histories = sum(len(person.history) for person in scenario.customer)
    async with staged(Hub(), scenario=BUSINESS) as stage:
        await stage.hub.until(lambda: len(stage.hub.values("messages")) + len(stage.hub.values("message_echoes")) >= histories)
        told = [part for body in stage.hub.bodies for part in parse(body)]
        now = datetime.now(UTC)

        incoming = [part for part in told if isinstance(part, IncomingMessage)]
        latest = {part.sender.user_id or part.sender.wa_id: part.sent_at for part in sorted(incoming, key=lambda part: part.sent_at)}
        ages = [now - at for at in latest.values()]
        assert len(scenario.customer) >= 40
        assert len({person.language for person in scenario.customer}) >= 12
        assert len(told) == len(incoming) + sum(isinstance(part, EchoedMessage) for part in told)
        assert [part.content.type for part in incoming if isinstance(part.content, Unsupported)] == ["poll_creation"]
        assert {"text", "image", "audio", "video", "document", "sticker", "location", "contacts", "order", "interactive", "button"} <= {
            kind_of(part.content) for part in incoming
        }
        assert any(part.sender.wa_id is None for part in incoming)
        assert any(part.referral for part in incoming)
        assert any(age < timedelta(hours=12) for age in ages)
        assert any(timedelta(hours=23) < age < timedelta(hours=24) for age in ages)
        assert any(age > timedelta(hours=24) for age in ages)
        assert max(ages) < timedelta(days=14)


def test_wrong_scenario_is_refused_by_name() -> None:
    """An unknown key is refused with its line and the nearest valid name; a bad span too."""
    with pytest.raises(DocumentError, match="arrivals") as unknown:
        parse_scenario("[arrivls]\nper_minute = 1\n")
    with pytest.raises(DocumentError):
        parse_scenario('[typing]\nleast = "soon"\n')
    assert unknown.value.line == 1


def test_serve_says_where_and_ends_on_sigterm(tmp_path: Path) -> None:
    """The server prints where it listens as its first line, and SIGTERM ends it at once with 0, even while an answer is owed."""
    code = (
        "import sys; from wabiz_tui.simulator.options import SimulatorOptions; from wabiz_tui.simulator.server import serve;"
        "sys.exit(serve(SimulatorOptions(waba_id='1', phone_number_ids=('2',))))"
    )
    environment = {**os.environ, "WABIZ_HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        listening = json.loads(process.stdout.readline())["listening"]
        process.send_signal(signal.SIGTERM)
        code_at_end = process.wait(5)
        complaints = process.stderr.read()

    assert listening.startswith("http://127.0.0.1:")
    assert code_at_end == 0
    assert complaints == ""
