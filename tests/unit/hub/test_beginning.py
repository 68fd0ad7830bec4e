"""Who was revoked between being let in and the writer's turn does nothing any more."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.hub_archive import NUMBER, open_archive
from tests.support.hub_served import served_hub
from wabiz_tui.hub.archive import people as rows
from wabiz_tui.hub.archive.beginning import beginning_with
from wabiz_tui.hub.archive.integrations import revoke_integration
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.people import devices
from wabiz_tui.model.errors import Revoked


@pytest.mark.parametrize("ends", ["device", "role"])
async def test_a_revocation_that_comes_before_the_writers_turn_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    """A request that was let in, and then waits for the writer behind its own device's revocation or its person's loss of the role,
    is refused as if it had come after."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        lead = await served.person(admin, "Lea", "supervisor")
        device, person = lead.reply.device, lead.reply.person
        archive, go_on, asked = served.hub.archive, threading.Event(), asyncio.Event()
        write = archive.write

        def end(writing: Writing) -> None:
            if ends == "device":
                devices.revoke(writing, device, by="")
            else:
                found = rows.find_person(writing, person)
                assert found is not None
                rows.save_person(writing, msgspec.structs.replace(found, role="auditor"))

        first = asyncio.ensure_future(write(lambda _: go_on.wait(60)))
        second = asyncio.ensure_future(write(end))
        await asyncio.sleep(0)

        def noted(work: Callable[[Writing], Any]) -> Any:
            if "add_canned" in work.__qualname__:
                asked.set()
            return write(work)

        monkeypatch.setattr(archive, "write", noted)
        asking = asyncio.ensure_future(lead.post("/v1/canned", {"shortcut": "hello", "text": "Hello"}))
        async with asyncio.timeout(60):
            await asked.wait()
        go_on.set()
        answer = await asking
        await asyncio.gather(first, second)
        monkeypatch.undo()
        kept = await admin.seen("canned")

    assert (answer.status_code, answer.json()["code"]) == ((401, "revoked") if ends == "device" else (403, "forbidden"))
    assert not kept


@pytest.mark.parametrize("ends", ["device", "role", "key"])
async def test_a_revocation_that_comes_before_the_writers_turn_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """The same at the gateway: the message is neither archived nor sent."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        lead = await served.person(admin, "Lea", "supervisor")
        await served.incoming()
        device, person = lead.reply.device, lead.reply.person
        wanted = {"name": "Desk", "numbers": [NUMBER], "permissions": ["message.send"]}
        key = (await admin.post("/v1/integrations", wanted)).json()
        archive, go_on, asked = served.hub.archive, threading.Event(), asyncio.Event()
        write = archive.write

        def end(writing: Writing) -> None:
            if ends == "device":
                devices.revoke(writing, device, by="")
            elif ends == "key":
                revoke_integration(writing, key["id"])
            else:
                found = rows.find_person(writing, person)
                assert found is not None
                rows.save_person(writing, msgspec.structs.replace(found, role="auditor"))

        first = asyncio.ensure_future(write(lambda _: go_on.wait(60)))
        second = asyncio.ensure_future(write(end))
        await asyncio.sleep(0)

        def noted(work: Callable[[Writing], Any]) -> Any:
            if "Gateway._send" in work.__qualname__:
                asked.set()
            return write(work)

        monkeypatch.setattr(archive, "write", noted)
        headers = {"Authorization": f"Bearer {key['key'] if ends == 'key' else lead.token}"}
        body = {"messaging_product": "whatsapp", "to": "447700900123", "type": "text", "text": {"body": "Hi"}}
        asking = asyncio.ensure_future(served.http.post(f"/v26.0/{NUMBER}/messages", json=body, headers=headers))
        async with asyncio.timeout(60):
            await asked.wait()
        go_on.set()
        answer = await asking
        await asyncio.gather(first, second)
        monkeypatch.undo()
        officer = await served.person(admin, "Casey", "compliance")
        kept = [one for one in (await officer.seen("message")).values() if one["direction"] == "outgoing"]
        sent = served.meta.sent

    assert (answer.status_code, answer.json()["error"]["code"]) == ((403, 10) if ends == "role" else (401, 190))
    assert (kept, sent) == ([], [])


async def test_an_act_that_has_begun_is_carried_through(tmp_path: Path) -> None:
    """Only the first transaction asks, and only of the task that was let in: what has begun ends whole, and what it started goes on."""
    archive = open_archive(tmp_path)
    asked = list[str]()

    async def write(name: str) -> str:
        return await archive.write(lambda _: name)

    try:
        with beginning_with(lambda _: asked.append("asked")):
            started = await asyncio.create_task(write("started"))
            before = list(asked)
            done = [await write("one"), await write("two")]
        after = await write("after")
    finally:
        archive.close()

    assert (started, before, done, after, asked) == ("started", [], ["one", "two"], "after", ["asked"])


async def test_nothing_is_written_where_the_check_raises(tmp_path: Path) -> None:
    """The refusal reaches the caller, and the work was not done."""
    archive = open_archive(tmp_path)
    done = list[str]()

    def refuse(_writing: Writing) -> None:
        raise Revoked("no")

    try:
        with beginning_with(refuse), pytest.raises(Revoked):
            await archive.write(lambda _: done.append("done"))
    finally:
        archive.close()
    assert not done
