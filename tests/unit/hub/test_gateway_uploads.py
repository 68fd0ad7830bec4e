"""Uploads in pieces: kept through cuts and restarts, brought twice without harm, bounded, and passed on to Meta once."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.hub_archive import NUMBER
from tests.support.hub_served import Served, TestDevice, served_hub
from wabiz_tui.hub.front.bounds import MIB
from wabiz_tui.hub.gateway.arriving import LARGEST_PIECE, LIFE, Arrivals
from wabiz_tui.hub.gateway.room import Room, free_on_disk
from wabiz_tui.model.errors import NoRoom

CONTENT = bytes(range(256)) * 5000
UPLOAD = "a" * 32


def wanted(content: bytes = CONTENT, **changes: Any) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"id": UPLOAD, "mime_type": "application/pdf", "size": len(content), "sha256": digest, "filename": "offer.pdf"} | changes


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
async def admin(served: Served) -> TestDevice:
    return await served.admin()


@pytest.fixture
async def agent(served: Served, admin: TestDevice) -> TestDevice:
    return await served.person(admin, "Kim", "agent")


async def put(agent: TestDevice, offset: int | str, content: bytes, upload: str = UPLOAD) -> httpx.Response:
    return await agent.served.http.put(f"/v1/uploads/{upload}/{offset}", content=content, headers=agent.headers)


async def bring(agent: TestDevice, content: bytes = CONTENT) -> None:
    standing = (await agent.post("/v1/uploads", wanted(content))).json()
    while standing["received"] < standing["size"]:
        at = standing["received"]
        standing = (await put(agent, at, content[at : at + standing["piece"]])).json()


async def pass_on(agent: TestDevice, upload: str = UPLOAD, number: str = NUMBER) -> httpx.Response:
    body = {"messaging_product": "whatsapp", "upload": upload}
    return await agent.served.http.post(f"/v26.0/{number}/media", json=body, headers=agent.headers)


async def test_a_file_in_pieces_reaches_meta_whole_and_once(served: Served, agent: TestDevice) -> None:
    """Each piece and the passing on may be asked for twice; Meta has the file once, and it can be sent."""
    begun = (await agent.post("/v1/uploads", wanted())).json()
    assert begun == {"id": UPLOAD, "size": len(CONTENT), "received": 0, "piece": LARGEST_PIECE}
    first = await put(agent, 0, CONTENT[:LARGEST_PIECE])
    assert (first.status_code, first.json()["received"]) == (200, LARGEST_PIECE)
    assert (await put(agent, 0, CONTENT[:LARGEST_PIECE])).json() == first.json()
    early = await pass_on(agent)
    assert (early.status_code, early.json()["error"]["error_data"]["wabiz_code"]) == (409, "upload_incomplete")

    await bring(agent)
    answers = [*await asyncio.gather(pass_on(agent), pass_on(agent))]
    answers.append(await pass_on(agent))

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b'{"id":"9000"}')}
    assert served.meta.files == {"9000": CONTENT}
    assert (await agent.post("/v1/uploads", wanted())).json() | {"piece": 0} == {
        "id": UPLOAD, "size": len(CONTENT), "received": len(CONTENT), "piece": 0, "media": "9000",
    }  # fmt: skip
    folder = served.hub.archive.place.media / "arriving"
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["done", "head"]
    await served.incoming()
    (conversation,) = await agent.seen("conversation")
    body = {"messaging_product": "whatsapp", "recipient": f"conversation:{conversation}", "type": "document", "document": {"id": "9000"}}
    assert (await agent.send(body)).status_code == 200


async def test_what_came_is_sealed_and_survives_the_hub(tmp_path: Path) -> None:
    """A hub that starts again goes on after the last whole piece; nothing of the file lies open on its disk."""
    async with served_hub(tmp_path) as served:
        agent = await served.person(await served.admin(), "Kim", "agent")
        await agent.post("/v1/uploads", wanted())
        await put(agent, 0, CONTENT[:LARGEST_PIECE])
        files = [path for path in (served.hub.archive.place.media / "arriving").rglob("*") if path.is_file()]
        room = Room(tmp_path, most=1 << 40, least_free=0)
        again = Arrivals(served.hub.archive, room)

        assert again.find(agent.reply.device, UPLOAD) is not None
        found = again.find(agent.reply.device, UPLOAD)
        assert found is not None
        assert found.standing().received == LARGEST_PIECE
        assert len(files) == 2
        assert not any(CONTENT[:64] in path.read_bytes() or b"offer" in path.read_bytes() for path in files)


async def test_pieces_come_in_order_and_whole(agent: TestDevice) -> None:
    """A gap, a place between two pieces, another length, and another file under the same id are refused and change nothing."""
    await agent.post("/v1/uploads", wanted())

    refusals = [
        await put(agent, LARGEST_PIECE, CONTENT[:LARGEST_PIECE]),
        await put(agent, 7, CONTENT[:LARGEST_PIECE]),
        await put(agent, "x", CONTENT[:LARGEST_PIECE]),
        await put(agent, 0, CONTENT[: LARGEST_PIECE - 1]),
        await agent.post("/v1/uploads", wanted(size=3)),
    ]

    assert [(one.status_code, one.json()["code"]) for one in refusals] == [
        (409, "upload_gap"), (409, "upload_gap"), (409, "upload_gap"), (400, "bad_input"), (409, "conflict"),
    ]  # fmt: skip
    assert (await agent.post("/v1/uploads", wanted())).json()["received"] == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"id": "../../../etc/passwd"}, 400),
        ({"sha256": "x"}, 400),
        ({"mime_type": "no type"}, 400),
        ({"filename": "a\nb"}, 400),
        ({"size": 0}, 400),
        ({"mime_type": "image/jpeg", "size": 5 * 1024 * 1024 + 1}, 413),
        ({"size": 100 * 1024 * 1024 + 1}, 413),
    ],
)
async def test_what_nobody_may_send_is_refused_before_a_byte_comes(agent: TestDevice, changes: dict[str, Any], status: int) -> None:
    """Form, type and size are judged when the upload begins."""
    assert (await agent.post("/v1/uploads", wanted(**changes))).status_code == status


async def test_a_damaged_upload_is_told_and_removed(served: Served, agent: TestDevice) -> None:
    """Where the hash differs from what was told, Meta gets nothing and the upload begins anew."""
    await agent.post("/v1/uploads", wanted(sha256="ab" * 32))
    for at in range(0, len(CONTENT), LARGEST_PIECE):
        await put(agent, at, CONTENT[at : at + LARGEST_PIECE])

    answer = await pass_on(agent)

    assert (answer.status_code, answer.json()["error"]["error_data"]["wabiz_code"]) == (422, "upload_damaged")
    assert served.meta.files == {}
    assert (await put(agent, 0, CONTENT[:LARGEST_PIECE])).status_code == 404


async def test_as_many_at_once_as_one_after_another(agent: TestDevice) -> None:
    """The bound on what is open holds for requests that come together, and none of them loses what it began."""
    begun = [agent.post("/v1/uploads", wanted(id=f"{number:032x}", size=1)) for number in range(24)]
    told = [answer.status_code for answer in await asyncio.gather(*begun)]

    assert sorted(told) == [200] * 16 + [429] * 8


async def test_uploads_are_their_devices_own_bounded_and_end(served: Served, admin: TestDevice, agent: TestDevice) -> None:
    """Another device sees none of them, a device has so many open, and after a day they are gone."""
    other = await served.person(admin, "Lee", "agent")
    await agent.post("/v1/uploads", wanted())
    assert (await put(other, 0, CONTENT[:LARGEST_PIECE])).status_code == 404
    assert (await pass_on(other)).json()["error"]["error_data"]["wabiz_code"] == "unknown_upload"

    told = [(await agent.post("/v1/uploads", wanted(id=f"{number:032x}", size=1))).status_code for number in range(16)]
    assert told == [200] * 15 + [429]

    removed = await served.http.delete(f"/v1/uploads/{UPLOAD}", headers=agent.headers)
    assert removed.status_code == 200
    assert (await put(agent, 0, CONTENT[:LARGEST_PIECE])).status_code == 404
    served.clock.move(LIFE + timedelta(seconds=1))
    assert served.hub.files.arrivals.sweep() == 15
    assert not list((served.hub.archive.place.media / "arriving").rglob("head"))


async def test_all_devices_together_have_a_bound(tmp_path: Path) -> None:
    """What others have under way counts until it is done or removed; what is begun goes on; the figures say why one was refused."""
    async with served_hub(tmp_path, more="\n[limits]\nupload_bytes = 3000000\n") as served:
        admin = await served.admin()
        first, second = await served.person(admin, "Kim", "agent"), await served.person(admin, "Lee", "agent")
        begun = await first.post("/v1/uploads", wanted())
        beside = await second.post("/v1/uploads", wanted())
        beyond = await second.post("/v1/uploads", wanted(id="b" * 32, size=500_000))
        await bring(first)
        assert (await pass_on(first)).status_code == 200
        later = await second.post("/v1/uploads", wanted(id="b" * 32, size=500_000))

        assert (begun.status_code, beside.status_code, later.status_code) == (200, 200, 200)
        assert (beyond.status_code, beyond.json()["code"], beyond.headers["retry-after"]) == (503, "no_room", "60")
        assert b'wabiz_requests_refused_total{reason="uploads_full"} 1.0' in served.hub.metrics.text()


async def test_uploads_leave_room_on_the_disk_and_webhooks_take_it(tmp_path: Path) -> None:
    """Where too little would be free no upload begins or goes on, in pieces or whole, each told in its own shape; customers' messages
    and files come in all the same."""
    free = 10 * len(CONTENT)
    async with served_hub(tmp_path, more=f"\n[limits]\nfree_bytes = {len(CONTENT)}\n", disk_free=lambda _: free) as served:
        admin = await served.admin()
        agent = await served.person(admin, "Kim", "agent")
        begun = await agent.post("/v1/uploads", wanted())
        free = 3 * len(CONTENT) - 1
        promised = await agent.post("/v1/uploads", wanted(id="b" * 32))
        free = len(CONTENT) + 1
        piece, again = await put(agent, 0, CONTENT[:LARGEST_PIECE]), await agent.post("/v1/uploads", wanted())
        form = {"messaging_product": "whatsapp", "type": "image/png"}
        whole = await served.http.post(f"/v26.0/{NUMBER}/media", data=form, files={"file": ("a.png", b"x")}, headers=agent.headers)
        await served.incoming("still here")

        assert (begun.status_code, again.status_code) == (200, 200)
        assert [(one.status_code, one.json()["code"]) for one in (promised, piece)] == [(503, "no_room")] * 2
        told = whole.json()["error"]
        assert (whole.status_code, told["code"], told["error_data"]["wabiz_code"]) == (503, 131016, "no_room")
        assert whole.headers["retry-after"] == "60"
        assert len(await agent.seen("message")) == 1
        free = 10 * len(CONTENT)
        await bring(agent)
        assert (await pass_on(agent)).status_code == 200


def test_what_is_free_is_asked_where_the_folder_will_be(tmp_path: Path) -> None:
    """Also before it is there, and of the disk itself."""
    assert 0 < free_on_disk(tmp_path / "not" / "yet") < 1 << 62


def test_a_small_disk_is_left_a_twentieth(tmp_path: Path) -> None:
    """Where the floor is more than the disk can spare, files are taken as long as a twentieth of it stays free."""
    room = Room(tmp_path, most=1 << 40, least_free=512 * MIB, free=lambda _: 30 * MIB, size=lambda _: 100 * MIB)

    room.check(25 * MIB)
    with pytest.raises(NoRoom):
        room.check(25 * MIB + 1)
