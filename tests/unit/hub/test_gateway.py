"""Sends through the gateway: archived first, once per key, told truly."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_served import GRAPH_TOKEN, NUMBER, Served, TestDevice, served_hub, status_value
from wabiz_tui.graph.requests import build_text
from wabiz_tui.hub.gateway.recording import settle_interrupted
from wabiz_tui.model.wire import address_of


async def ready(served: Served, *, admin: TestDevice | None = None) -> tuple[TestDevice, dict[str, Any]]:
    """An agent, and a text to the customer who just wrote, addressed as a desk does."""
    await served.incoming()
    agent = await served.person(admin or await served.admin(), "Agent", "agent")
    [conversation] = await agent.seen("conversation")
    return agent, build_text(recipient=address_of(conversation), body="Good day")


async def outgoing(agent: TestDevice) -> list[dict[str, Any]]:
    return [message for message in (await agent.seen("message")).values() if message["direction"] == "outgoing"]


async def test_a_send_reaches_meta_and_is_archived(tmp_path: Path) -> None:
    """The true number is put in, the hub's own id goes along, the wamid is recorded, and the number is not told to the desk."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)

        answer = await agent.send(body)

        [sent], [message] = served.meta.sent, await outgoing(agent)
        assert answer.status_code == 200
        assert answer.json()["messages"] == [{"id": "wamid.SENT1"}]
        assert "447700900123" not in answer.text
        assert (sent["to"], sent["text"]["body"]) == ("+447700900123", "Good day")
        assert "recipient" not in sent
        assert sent["biz_opaque_callback_data"] == f"w1:{message['id']}"
        assert answer.headers["wabiz-message"] == message["id"]
        assert (message["wamid"], message["delivery"]["state"], message["key"]) == ("wamid.SENT1", "accepted", "key-1")
        assert message["author_name"] == "Agent"
        [conversation] = (await agent.seen("conversation")).values()
        assert (conversation["preview"], conversation.get("waiting_since")) == ("Good day", None)


async def test_one_key_is_one_message(tmp_path: Path) -> None:
    """The same key and body, also at the same time, give the same answer and one message; another body is a conflict."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        served.meta.hold = asyncio.Event()
        together = [asyncio.ensure_future(agent.send(body)) for _ in range(3)]
        await asyncio.wait_for(served.meta.arrived.wait(), 60)
        served.meta.hold.set()
        first = await asyncio.gather(*together)
        again = await agent.send(body)
        other = await agent.send({**body, "text": {"body": "something else"}})

        assert {answer.text for answer in (*first, again)} == {again.text}
        assert other.status_code == 409
        assert other.json()["error"]["code"] == 100
        assert len(served.meta.sent) == len(await outgoing(agent)) == 1


async def test_a_refusal_is_recorded_with_metas_reason(tmp_path: Path) -> None:
    """What Meta refuses is archived as failed with its error, and answered in Graph's shape, each time alike."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        served.meta.mode = "refuse"

        answers = [await agent.send(body) for _ in range(2)]

        [message] = await outgoing(agent)
        assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(400, 131026)] * 2
        assert (message["delivery"]["state"], message["delivery"]["error"]["code"]) == ("failed", 131026)
        assert len(served.meta.sent) == 1


async def test_what_may_have_arrived_is_uncertain_until_its_status_comes(tmp_path: Path) -> None:
    """An unexplained 502 is not sent again; the status that carries our id settles it and brings the wamid."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        served.meta.mode = "break"
        answer = await agent.send(body)
        again = await agent.send(body)
        [uncertain] = await outgoing(agent)

        at = served.clock.now()
        await served.webhook(status_value("wamid.LATE", "delivered", at, biz_opaque_callback_data=f"w1:{uncertain['id']}"))

        [settled] = await outgoing(agent)
        assert (answer.status_code, again.status_code, len(served.meta.sent)) == (500, 500, 1)
        assert answer.json()["error"]["code"] == 131000
        assert uncertain["delivery"]["state"] == "uncertain"
        assert (settled["delivery"]["state"], settled["wamid"]) == ("delivered", "wamid.LATE")
        assert await agent.seen("event") == {}


async def test_a_status_may_overtake_the_answer(tmp_path: Path) -> None:
    """Statuses that come before Meta's answer are on the message, and the answer does not set it back."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        served.meta.hold = asyncio.Event()
        sending = asyncio.ensure_future(agent.send(body))
        await asyncio.wait_for(served.meta.arrived.wait(), 60)
        callback = served.meta.sent[0]["biz_opaque_callback_data"]
        await served.webhook(status_value("wamid.SENT1", "read", served.clock.now(), biz_opaque_callback_data=callback))
        served.meta.hold.set()
        answer = await sending

        [message] = await outgoing(agent)
        assert answer.status_code == 200
        assert message["delivery"]["state"] == "read"
        assert message["wamid"] == "wamid.SENT1"


async def test_a_crash_between_leaving_and_answer_is_uncertain(tmp_path: Path) -> None:
    """A send that was leaving when the hub ended is uncertain at the next start, and its key gives that answer."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        served.meta.hold = asyncio.Event()
        sending = asyncio.ensure_future(agent.send(body))
        await asyncio.wait_for(served.meta.arrived.wait(), 60)

        settled = await served.hub.archive.write(lambda writing: settle_interrupted(writing, writing.archive.place.process))
        [message] = await outgoing(agent)
        again = await agent.send(body)
        served.meta.hold.set()
        await sending

        assert settled == 1
        assert message["delivery"]["state"] == "uncertain"
        assert (again.status_code, again.json()["error"]["code"]) == (500, 131000)


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"messaging_product": "telegram"}, 100, 400),
        ({"type": "telepathy"}, 100, 400),
        ({"text": {}}, 131008, 400),
        ({"recipient": "conversation:00"}, 131009, 400),
    ],
)
async def test_wrong_requests_are_refused_in_graphs_shape(tmp_path: Path, change: dict[str, Any], code: int, status: int) -> None:
    """What Graph would refuse is refused alike and leaves nothing in the archive."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)

        answer = await agent.send({**body, **change})

        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert await outgoing(agent) == []


async def test_the_window_is_kept(tmp_path: Path) -> None:
    """A day after the customer wrote free text is refused with 131047 and never leaves; a template passes."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        served.clock.move(timedelta(hours=23, minutes=59, seconds=1))
        await agent.log_in()
        template = {**body, "type": "template", "template": {"name": "hello", "language": {"code": "en"}}}

        late, allowed = await agent.send(body), await agent.send(template, key="key-2")

        assert late.json()["error"]["code"] == 131047
        assert allowed.status_code == 200
        assert [sent["type"] for sent in served.meta.sent] == ["template"]


async def test_who_may_not_send_may_not(tmp_path: Path) -> None:
    """An auditor, an admin, a stranger and an unknown number are refused in Graph's shape."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent, body = await ready(served, admin=admin)
        to = build_text(to="+447700900123", body="x")

        refused = await admin.send(body)
        stranger = await served.http.post(f"/v26.0/{NUMBER}/messages", json=body)
        elsewhere = await agent.send(to, number="42")

        assert (refused.status_code, refused.json()["error"]["code"]) == (403, 10)
        assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, 190)
        assert elsewhere.json()["error"]["code"] == 33
        assert served.meta.sent == []


async def test_any_cloud_api_body_passes(tmp_path: Path) -> None:
    """A body as any Cloud API program sends it goes to Meta unchanged but for our id; its own callback data is kept."""
    async with served_hub(tmp_path) as served:
        agent, _ = await ready(served)
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "+44 7700 900123",
            "type": "image",
            "image": {"link": "https://example.com/a.jpg", "caption": "a map"},
            "biz_opaque_callback_data": "mine-7",
        }

        answer = await agent.send(body, key=None)

        [sent], [message] = served.meta.sent, await outgoing(agent)
        assert answer.status_code == 200
        assert sent == {**body, "biz_opaque_callback_data": f"w1:{message['id']}"}
        assert message["content"]["caption"] == "a map"
        assert message["extra"] == {"biz_opaque_callback_data": "mine-7"}
        assert len(await agent.seen("conversation")) == 1


async def test_replying_marks_read_as_the_policy_says(tmp_path: Path) -> None:
    """With read receipts on reply, Meta is told of the customer's last message after the answer went out."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)

        await agent.send(body)
        await served.hub.gateway.finish(10)

        assert [read["message_id"] for read in served.meta.reads] == ["wamid.A"]


async def test_no_secret_and_no_word_is_in_the_files_or_logs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither tokens nor what was written can be found in the hub's files or in what it logs."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        served.meta.mode = "refuse"
        await agent.send(body)
        token = agent.token

    files = b"".join(path.read_bytes() for path in every_file(tmp_path))
    logged = "".join(capfd.readouterr())
    for word in (GRAPH_TOKEN, token, "Good day", "Hello", "447700900123", "Ada Lovelace"):
        assert word.encode() not in files
        assert word not in logged


def every_file(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_wrong_tokens_and_methods_are_told_as_meta_and_http_do(tmp_path: Path) -> None:
    """The gateway refuses an absent or unknown token with 190 in Meta's words; /v1 answers a wrong method with 405 and what it takes."""
    async with served_hub(tmp_path) as served:
        path = f"/v26.0/{NUMBER}/messages"
        for headers in ({}, {"Authorization": "Bearer guess"}):
            refused = await served.http.post(path, json={}, headers=headers)
            error = refused.json()["error"]
            assert (refused.status_code, error["code"], error["type"]) == (401, 190, "OAuthException")
            assert error["message"].startswith("Invalid OAuth access token")
        wrong = await served.http.delete("/v1/changes")
        assert (wrong.status_code, wrong.json()["code"]) == (405, "wrong_method")
        assert "GET" in wrong.headers["allow"]
        assert (await served.http.get("/v1/nothing")).status_code == 404
