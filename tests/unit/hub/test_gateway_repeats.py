"""Repeats and recordings that meet at the worst instant: still one message, and never told to be sent again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_served import served_hub
from tests.unit.hub.test_gateway import outgoing, ready
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.gateway import messages
from wabiz_tui.hub.gateway.departing import Departures
from wabiz_tui.hub.gateway.preparing import Outgoing
from wabiz_tui.model.errors import StoreError


@pytest.mark.parametrize("has_to_wait", [False, True])
async def test_a_repeat_between_archiving_and_leaving_is_the_same_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_to_wait: bool
) -> None:
    """The first request is archived and not yet on its way when the second finds it: both get the one answer of one send."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        write, archived, released = served.hub.archive.write, asyncio.Event(), asyncio.Event()

        async def slow_write(work: Callable[[Writing], Any]) -> Any:
            if archived.is_set():
                released.set()
            done = await write(work)
            if isinstance(done, Outgoing) and not archived.is_set():
                archived.set()
                await released.wait()
            return done

        def check(_departures: Departures, _number: str, _conversation: str | None) -> bool:
            return has_to_wait

        monkeypatch.setattr(served.hub.archive, "write", slow_write)
        monkeypatch.setattr(Departures, "check", check)
        first = asyncio.ensure_future(agent.send(body))
        await asyncio.wait_for(archived.wait(), 60)
        second = asyncio.ensure_future(agent.send(body))
        waiting = asyncio.ensure_future(released.wait())
        await asyncio.wait([second, waiting], timeout=20, return_when=asyncio.FIRST_COMPLETED)
        released.set()
        answers = await asyncio.gather(first, second)
        await waiting

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].text == answers[1].text
        assert len(served.meta.sent) == len(await outgoing(agent)) == 1


@pytest.mark.parametrize("failures", [1, 9])
async def test_what_meta_took_is_never_told_to_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    """The archive fails after Meta accepted: the caller gets her answer; a repeat gets it too, or hears that nobody knows."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        write, failed = served.hub.archive.write, list[str]()
        monkeypatch.setattr(messages, "_BETWEEN_RECORDINGS", (0.0,))

        async def failing_write(work: Callable[[Writing], Any]) -> Any:
            if served.meta.sent and len(failed) < failures:
                failed.append("")
                raise StoreError("The archive cannot be reached.")
            return await write(work)

        monkeypatch.setattr(served.hub.archive, "write", failing_write)
        answer = await agent.send(body)
        monkeypatch.setattr(served.hub.archive, "write", write)
        again = await agent.send(body)

        assert (answer.status_code, answer.json()["messages"]) == (200, [{"id": "wamid.SENT1"}])
        assert again.status_code == (200 if failures == 1 else 500)
        assert len(served.meta.sent) == 1


async def test_what_could_not_be_told_to_leave_goes_with_the_next_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive fails between archiving a message that waits and letting it leave: 503, and the same key sends it then, once."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        write = served.hub.archive.write

        async def failing_write(work: Callable[[Writing], Any]) -> Any:
            done = await write(work)
            if isinstance(done, Outgoing):
                monkeypatch.setattr(served.hub.archive, "write", broken)
            return done

        async def broken(_work: Callable[[Writing], Any]) -> Any:
            raise StoreError("The archive cannot be reached.")

        def checked(_departures: Departures, _number: str, _conversation: str | None) -> bool:
            return True

        monkeypatch.setattr(Departures, "check", checked)
        monkeypatch.setattr(served.hub.archive, "write", failing_write)
        refused = await agent.send(body)
        monkeypatch.setattr(served.hub.archive, "write", write)
        again = await agent.send(body)
        third = await agent.send(body)

        assert (refused.status_code, refused.json()["error"]["error_data"]["wabiz_code"]) == (503, "busy")
        assert (again.status_code, third.text) == (200, again.text)
        assert len(served.meta.sent) == len(await outgoing(agent)) == 1
