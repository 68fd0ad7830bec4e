"""The line to Meta cut at every byte: no message is ever doubled, none is told to be what it is not, and its status settles it."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.cutting_meta import Cut, CuttingMeta, answer_bytes, cutting_meta
from tests.support.hub_archive import NUMBER
from tests.support.hub_served import ENVIRONMENT, Served, served_hub, value_of
from wabiz_tui.hub.app import join
from wabiz_tui.hub.archive.integrations import Integration
from wabiz_tui.hub.archive.messages import load_messages
from wabiz_tui.hub.gateway.answers import Answered
from wabiz_tui.hub.gateway.keys import make_integration
from wabiz_tui.hub.gateway.sender import integration_sender
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import load_settings
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.values import Message
from wabiz_tui.model.wire import NewIntegration

SENDER = integration_sender(
    Integration("0" * 32, "Order desk", b"", (NUMBER,), frozenset({"message.send"}), 1, any_hour=True, is_revoked=False)
)
STATES = ("sent", "delivered", "read", "failed")


def template(to: str) -> dict[str, Any]:
    inner = {"name": "hello", "language": {"code": "en"}}
    return {"messaging_product": "whatsapp", "to": to, "type": "template", "template": inner}


async def send(served: Served, index: int) -> Answered:
    """One message to a group, where no rate to one person slows it, under a key of its own; asked again it is the same."""
    body = json.dumps({**template("a-group"), "recipient_type": "group"}).encode()
    return await served.hub.gateway.messages(SENDER, NUMBER, body, key=f"cut-{index}")


async def archived(served: Served, ids: list[str]) -> dict[str, Message]:
    return await served.hub.archive.read(lambda reading: load_messages(reading, ids))


async def cut_everywhere(served: Served, meta: CuttingMeta) -> list[Answered]:
    """A send for each place where the line can break."""
    served.hub.gateway.set_rate(NUMBER, 1_000_000)
    answers = [await send(served, 0)]
    answered = len(answer_bytes(meta.wamid("0" * 32), is_chunked=False))
    chunked = len(answer_bytes(meta.wamid("0" * 32), is_chunked=True))
    plans = [(Cut(request=count), False) for count in range(meta.longest)]
    plans += [(Cut(answer=count), False) for count in range(answered + 1)]
    plans += [(Cut(answer=count), True) for count in {*range(0, chunked, 5), *range(chunked - 8, chunked + 1)}]
    for index, (meta.plan, meta.is_chunked) in enumerate(plans, 1):
        answers.append(await send(served, index))
    meta.plan = Cut()
    return answers


@pytest.mark.timeout(300)  # seven hundred sends, one after the other
async def test_a_cut_at_any_byte_doubles_nothing_and_hides_nothing(tmp_path: Path) -> None:
    """Every cut of request and answer ends accepted or uncertain; what Meta took was taken once, also when asked for again; the status
    that carries the hub's id settles it under its wamid, and what she never took stays uncertain."""
    async with cutting_meta() as meta, served_hub(tmp_path, graph_url=meta.url) as served:
        answers = await cut_everywhere(served, meta)
        ids = [answer.message for answer in answers]
        before = await archived(served, ids)
        taken = dict(meta.taken)
        told = [
            {
                "id": meta.wamid(message),
                "status": STATES[index % len(STATES)],
                "timestamp": str(int(served.clock.now().timestamp())),
                "biz_opaque_callback_data": f"w1:{message}",
                **({"errors": [{"code": 131026, "title": "gone"}]} if STATES[index % len(STATES)] == "failed" else {}),
            }
            for index, message in enumerate(sorted(taken))
        ]
        for start_at in range(0, len(told), 250):
            await served.webhook(value_of(statuses=told[start_at : start_at + 250]))
        after = await archived(served, ids)
        again = [await send(served, index) for index in range(len(answers))]

    states = {str(before[message].delivery.state) for message in ids if before[message].delivery is not None}
    assert len(set(ids)) == len(ids) > 600
    assert states == {"accepted", "uncertain"}
    assert {(answer.status, str(before[answer.message].delivery and before[answer.message].delivery.state)) for answer in answers} == {
        (200, "accepted"),
        (500, "uncertain"),
    }
    assert set(taken.values()) == {1}
    assert {message for message in ids if str(before[message].delivery and before[message].delivery.state) == "accepted"} <= set(taken)
    for status in told:
        message = after[str(status["biz_opaque_callback_data"]).removeprefix("w1:")]
        assert message.delivery is not None
        assert (str(message.delivery.state), message.wamid) == (status["status"], status["id"])
    assert {str(after[message].delivery and after[message].delivery.state) for message in ids if message not in taken} == {"uncertain"}
    assert [(answer.status, answer.body, answer.message) for answer in again] == [(one.status, one.body, one.message) for one in answers]
    assert dict(meta.taken) == taken


async def test_a_cut_refusal_is_uncertain_until_its_status_line_came(tmp_path: Path) -> None:
    """Before HTTP's 400 is there nobody knows; from then on the message failed, and with the whole answer Meta's reason is told."""
    async with cutting_meta() as meta, served_hub(tmp_path, graph_url=meta.url) as served:
        meta.is_refusal = True
        whole = len(answer_bytes("", is_chunked=False, is_refusal=True))
        told: list[tuple[int, str]] = []
        for index, count in enumerate((0, 12, whole - 30, whole - 1, whole)):
            meta.plan = Cut(answer=count)
            answer = await send(served, index)
            message = (await archived(served, [answer.message]))[answer.message]
            told.append((json.loads(answer.body)["error"]["code"], str(message.delivery and message.delivery.state)))

    assert told == [(131000, "uncertain"), (131000, "uncertain"), (1, "failed"), (1, "failed"), (131026, "failed")]
    assert set(meta.taken.values()) == {1}


async def test_a_killed_hub_keeps_its_word_for_every_key(tmp_path: Path) -> None:
    """Killed while one send is done, one is taken but not answered and one waits behind it, a hub starts again and gives for each key
    the answer it gave, the truth that nobody knows, and the send that never left: Meta has each message once."""
    home = tmp_path / "home"
    home.mkdir()
    async with cutting_meta() as meta, served_hub(home, graph_url=meta.url):
        pass
    async with cutting_meta() as meta:
        config = home / "hub.toml"
        config.write_text(_with_graph(config.read_text(), meta.url))
        key = await _key(config)
        meta.held["+4915730000002"] = asyncio.Event()

        process, url = await _start(config)
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
            done = await _post(http, key, "+4915730000001", "done")
            open_ones: list[asyncio.Task[httpx.Response]] = []
            for name in ("taken", "waits"):
                open_ones.append(asyncio.create_task(_post(http, key, "+4915730000002", name)))
                async with asyncio.timeout(60):
                    while not (meta.waiting and await _is_archived(http, key, name)):  # noqa: ASYNC110 it tells when asked
                        await asyncio.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await asyncio.gather(*open_ones, return_exceptions=True)
        meta.held["+4915730000002"].set()
        meta.held.clear()

        process, url = await _start(config)
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
            repeated = [await _post(http, key, *one) for one in (("+4915730000001", "done"), ("+4915730000002", "taken"))]
            late = [await _post(http, key, "+4915730000002", "waits") for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        await process.wait()

    assert (done.status_code, repeated[0].status_code, repeated[0].content) == (200, 200, done.content)
    assert (repeated[1].status_code, repeated[1].json()["error"]["error_data"]["wabiz_code"]) == (500, "uncertain")
    assert (late[0].status_code, late[1].content) == (200, late[0].content)
    assert sorted(meta.taken.values()) == [1, 1, 1]


def _with_graph(text: str, url: str) -> str:
    return "\n".join(f'graph_url = "{url}"' if line.startswith("graph_url") else line for line in text.splitlines()) + "\n"


async def _key(config: Path) -> str:
    settings = load_settings(config)
    hub = join(settings, load_secrets(settings.secret_places, ENVIRONMENT), clock=SystemClock(), random_bytes=os.urandom)
    wanted = NewIntegration(name="Order desk", numbers=(NUMBER,), permissions=("message.send",))
    made = hub.archive.write_now(lambda writing: make_integration(writing, wanted, by="", device=""))
    hub.journal.stop()
    hub.archive.close()
    await hub.transport.close()
    return made.key


async def _is_archived(http: httpx.AsyncClient, key: str, name: str) -> bool:
    """Whether a message stands under this key: another one is then refused for it, and here for the closed window until then."""
    body = {"messaging_product": "whatsapp", "to": "+4915730000002", "type": "text", "text": {"body": "other"}}
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name}
    return (await http.post(f"/v26.0/{NUMBER}/messages", json=body, headers=headers)).status_code == 409


async def _start(config: Path) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wabiz_tui.cli.main", "hub", "serve", "--config", str(config), "--port", "0",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=os.environ | ENVIRONMENT,
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    return process, json.loads(line)["listening"]


async def _post(http: httpx.AsyncClient, key: str, to: str, name: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name}
    return await http.post(f"/v26.0/{NUMBER}/messages", json=template(to), headers=headers)
