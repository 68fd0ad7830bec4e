"""Customers' files: fetched in the background, checked, sealed, given to those who may see them."""

import asyncio
from pathlib import Path

import structlog.testing

from tests.support.hub_served import Served, digest64, served_hub, value_of
from wabiz_tui.hub.archive.messages import load_messages
from wabiz_tui.hub.archive.store import Reading, changes_since
from wabiz_tui.hub.ingest.media import PAUSE_WITHOUT_META
from wabiz_tui.model.content import Media


async def picture(served: Served, content: bytes, *, sha256: str = "") -> None:
    stamp = str(int(served.clock.now().timestamp()))
    image = {"id": "MEDIA1", "mime_type": "image/jpeg", "sha256": sha256 or digest64(content), "caption": "look"}
    message = {"from": "447700900123", "id": "wamid.P", "timestamp": stamp, "type": "image", "image": image}
    await served.webhook(value_of(messages=[message], contacts=[{"profile": {"name": "Ada"}, "wa_id": "447700900123"}]))


async def settled(served: Served, outcome: str) -> None:
    """Wait until the one message's file is that; the archive is asked, as the fetcher tells nobody but the feed."""

    def state(reading: Reading) -> set[str]:
        ids = [row.id for row in changes_since(reading, 0, 100) if row.entity == "message"]
        return {message.content.stored for message in load_messages(reading, ids).values() if isinstance(message.content, Media)}

    async with asyncio.timeout(60):
        while outcome not in await served.hub.archive.read(state):  # noqa: ASYNC110 see above
            await asyncio.sleep(0.005)


async def test_a_file_is_fetched_and_sealed(tmp_path: Path) -> None:
    """The file is given as it came to an agent, to no admin, and is nowhere on disk in the clear."""
    async with served_hub(tmp_path) as served:
        content = b"\xff\xd8 a picture of a cat " * 200
        served.meta.files["MEDIA1"] = content
        await picture(served, content)
        await settled(served, "stored")
        admin = await served.admin()
        agent = await served.person(admin, "Agent", "agent")
        [message] = await agent.seen("message")

        got, refused = await agent.get(f"/v1/media/{message}"), await admin.get(f"/v1/media/{message}")

        assert got.content == content
        assert got.headers["content-type"] == "application/octet-stream"
        assert refused.status_code == 403
    assert b"picture of a cat" not in b"".join(path.read_bytes() for path in files(tmp_path))


async def test_a_file_that_is_gone_or_changed_is_told(tmp_path: Path) -> None:
    """What Meta no longer has is marked failed and asked for with a sentence; the message itself is there."""
    async with served_hub(tmp_path) as served:
        await picture(served, b"x")
        await settled(served, "failed")
        agent = await served.person(await served.admin(), "Agent", "agent")
        [message] = await agent.seen("message")

        answer = await agent.get(f"/v1/media/{message}")

        assert answer.status_code == 404
        assert "could not be fetched" in answer.json()["sentence"]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_where_meta_cannot_be_reached_not_every_file_is_tried(tmp_path: Path) -> None:
    """Of thirty files that are due at once the few first tell that nobody is there; the others wait for the next look, untried."""
    async with served_hub(tmp_path, graph_url="http://127.0.0.1:9") as served:
        stamp = str(int(served.clock.now().timestamp()))
        images = [
            {"from": "447700900123", "id": f"wamid.P{number}", "timestamp": stamp, "type": "image", "image": {"id": f"M{number}"}}
            for number in range(30)
        ]
        started = asyncio.get_running_loop().time()
        with structlog.testing.capture_logs() as logs:
            await served.webhook(value_of(messages=images))
            async with asyncio.timeout(60):
                while not logs or not any(line["event"] == "media_put_off" for line in logs):  # noqa: ASYNC110 it is told in the log alone
                    await asyncio.sleep(0.01)
            for number in range(5):
                await served.incoming(wamid=f"wamid.T{number}")
        looks = 1 + (asyncio.get_running_loop().time() - started) / PAUSE_WITHOUT_META

        assert 1 <= sum(line["event"] == "media_put_off" for line in logs) <= 4 * looks
