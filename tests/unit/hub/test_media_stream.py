"""Files as streams: bounded memory, every way of being cut off, ranges, and patience with a Meta that is down."""

import asyncio
import contextlib
import gc
import tracemalloc
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.hub_archive import open_archive
from tests.support.hub_served import Served, served_hub
from tests.unit.hub.test_media import picture, settled
from wabiz_tui.hub.archive.files import file_of, keep_file, media_counts, next_media_ms, place_of, read_file, reseal_file
from wabiz_tui.hub.archive.sealed_files import PIECE, FileWriter, open_file
from wabiz_tui.hub.ingest.media import pause_after
from wabiz_tui.model.errors import Conflict, DamagedStore

UNIT, MESSAGE = "unit/c/2026-11/media", "ab" * 16
SIZES = (0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE)


def content_of(size: int) -> bytes:
    return bytes(index * 7 % 251 for index in range(1024)) * (size // 1024 + 1)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back_as_it_was_whatever_its_size(tmp_path: Path, size: int) -> None:
    """Whole, in ranges over the borders of pieces, and after it was sealed anew; nothing of it lies in the clear."""
    content = content_of(size)[:size]
    with closing(open_archive(tmp_path)) as archive:
        keep_file(archive, MESSAGE, UNIT, content)
        assert read_file(archive, MESSAGE, UNIT) == content
        reseal_file(archive, MESSAGE, UNIT)
        reader = open_file(archive, place_of(archive, MESSAGE, UNIT))
        assert reader is not None
        assert reader.size == size
        for start, end in ((0, size), (PIECE - 3, PIECE + 3), (max(0, size - 1), size), (5, 5)):
            assert b"".join(reader.pieces(start, end)) == content[start:end]
        reader.close()
        assert size < 64 or content[:64] not in file_of(archive, MESSAGE).read_bytes()
        assert [path.name for path in file_of(archive, MESSAGE).parent.iterdir()] == [MESSAGE]


def test_a_file_of_the_first_kind_is_still_read(tmp_path: Path) -> None:
    """What was sealed as one piece without a head opens, and is sealed in pieces when it is sealed anew."""
    content = content_of(PIECE + 9)[: PIECE + 9]
    with closing(open_archive(tmp_path)) as archive:
        path = file_of(archive, MESSAGE)
        path.parent.mkdir(parents=True)
        archive.keys.make_now(UNIT)
        path.write_bytes(archive.sealer.seal(UNIT, content, about=f"media/{MESSAGE}"))
        assert read_file(archive, MESSAGE, UNIT) == content
        reseal_file(archive, MESSAGE, UNIT)
        assert path.read_bytes().startswith(b"wabizf2\n")
        assert read_file(archive, MESSAGE, UNIT) == content


@pytest.mark.parametrize("cut", ["last piece", "in a piece", "swapped", "flipped", "head"])
def test_a_damaged_file_is_told(tmp_path: Path, cut: str) -> None:
    """A file that lost its end, whose pieces changed places or whose bits did is damaged, never shorter or other."""
    piece = PIECE + 28
    with closing(open_archive(tmp_path)) as archive:
        keep_file(archive, MESSAGE, UNIT, content_of(3 * PIECE)[: 3 * PIECE])
        path = file_of(archive, MESSAGE)
        raw = path.read_bytes()
        head, body = raw[:28], raw[28:]
        pieces = [body[:piece], body[piece : 2 * piece], body[2 * piece :]]
        match cut:
            case "last piece":
                pieces.pop()
            case "in a piece":
                pieces[2] = pieces[2][:-5]
            case "swapped":
                pieces[0], pieces[1] = pieces[1], pieces[0]
            case "flipped":
                pieces[1] = pieces[1][:50] + bytes([pieces[1][50] ^ 1]) + pieces[1][51:]
            case _:
                head = head[:20] + bytes(8)
        path.write_bytes(head + b"".join(pieces))
        with pytest.raises(DamagedStore):
            read_file(archive, MESSAGE, UNIT)


def test_a_key_that_goes_while_a_file_is_written_keeps_nothing_of_it(tmp_path: Path) -> None:
    """Renewed or destroyed meanwhile: the writer says so, and neither file nor key comes back."""
    with closing(open_archive(tmp_path)) as archive:
        writer = FileWriter(archive, place_of(archive, MESSAGE, UNIT))
        writer.write(content_of(2 * PIECE))
        archive.keys.destroy([UNIT])
        with pytest.raises(Conflict):
            writer.finish()
        writer.give_up()
        assert archive.keys.find(UNIT) is None
        assert not list(file_of(archive, MESSAGE).parent.iterdir())


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Writing and reading 24 MiB piece by piece holds a few pieces at most."""
    with closing(open_archive(tmp_path)) as archive:
        piece = content_of(PIECE)[:PIECE]
        tracemalloc.start()
        writer = FileWriter(archive, place_of(archive, MESSAGE, UNIT))
        for _ in range(96):
            writer.write(piece)
        writer.finish()
        reader = open_file(archive, place_of(archive, MESSAGE, UNIT))
        assert reader is not None
        assert sum(len(part) for part in reader.pieces()) == 96 * PIECE
        reader.close()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * PIECE


async def put_off(served: Served) -> None:
    """Wait until the one file was tried in vain."""
    async with asyncio.timeout(60):
        while (await served.hub.archive.read(next_media_ms) or 0) <= served.clock.now().timestamp() * 1000:  # noqa: ASYNC110 as `settled`
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("trouble", ["down", "token", "cut", "wrong"])
async def test_a_file_is_not_lost_while_its_id_lives(tmp_path: Path, trouble: str) -> None:
    """Meta down, a token that expired, a line that breaks or bytes that are not those of the hash: fetched when it is well again."""
    async with served_hub(tmp_path) as served:
        content = b"\xff\xd8 a picture of a cat " * 200
        served.meta.files["MEDIA1"] = content
        served.meta.trouble = trouble
        await picture(served, content)
        await put_off(served)
        counts = await served.hub.archive.read(media_counts)
        assert (counts.pending, counts.failed) == (1, 0)
        served.meta.trouble = ""
        served.clock.move(timedelta(hours=2))
        served.hub.media.wake()
        await settled(served, "stored")
        agent = await served.person(await served.admin(), "Agent", "agent")
        [message] = await agent.seen("message")
        assert (await agent.get(f"/v1/media/{message}")).content == content


async def test_a_file_is_given_in_ranges(tmp_path: Path) -> None:
    """A download that broke off goes on where it was, as long as it is the same file; nonsense gets the whole, too far gets 416."""
    async with served_hub(tmp_path) as served:
        content = content_of(PIECE + 1000)
        served.meta.files["MEDIA1"] = content
        await picture(served, content)
        await settled(served, "stored")
        agent = await served.person(await served.admin(), "Agent", "agent")
        [message] = await agent.seen("message")

        async def ask(**headers: str):
            return await served.http.get(f"/v1/media/{message}", headers=agent.headers | headers)

        whole = await ask()
        assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, content, "bytes")
        tag = whole.headers["etag"]
        rest = await ask(Range="bytes=5000-", **{"If-Range": tag})
        assert (rest.status_code, rest.content) == (206, content[5000:])
        assert rest.headers["content-range"] == f"bytes 5000-{len(content) - 1}/{len(content)}"
        assert (await ask(Range="bytes=10-19")).content == content[10:20]
        assert (await ask(Range="bytes=-7")).content == content[-7:]
        assert (await ask(Range="bytes=5000-", **{"If-Range": '"other"'})).status_code == 200
        for nonsense in ("bytes=9-3", "lines=1-2", "bytes=1-2,4-5", "bytes=-"):
            assert (await ask(Range=nonsense)).content == content
        far = await ask(Range=f"bytes={len(content)}-")
        assert (far.status_code, far.headers["content-range"]) == (416, f"bytes */{len(content)}")


def test_pauses_grow_and_heed_meta() -> None:
    """From seconds to an hour, never shorter than Meta asks for."""
    assert timedelta(seconds=4) < pause_after(1) < timedelta(seconds=6)
    assert pause_after(3) > pause_after(1) * 2
    assert timedelta(minutes=50) < pause_after(500) < timedelta(minutes=70)
    assert pause_after(1, told=timedelta(minutes=3)) == timedelta(minutes=3)


async def test_who_breaks_a_download_off_leaves_no_file_open(tmp_path: Path) -> None:
    """Without waiting for a collection of garbage: a bad line that is tried again and again must not use up the hub's descriptors."""
    async with served_hub(tmp_path) as served:
        content = content_of(40 * PIECE)
        served.meta.files["MEDIA1"] = content
        await picture(served, content)
        await settled(served, "stored")
        agent = await served.person(await served.admin(), "Agent", "agent")
        [message] = await agent.seen("message")
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                async with served.http.stream("GET", f"/v1/media/{message}", headers=agent.headers) as response:
                    await anext(response.aiter_bytes(1000))
                    assert _open_under(tmp_path)
            async with asyncio.timeout(20):
                while _open_under(tmp_path):  # noqa: ASYNC110 the hub hears of it when it writes
                    await asyncio.sleep(0.01)
        finally:
            gc.enable()


def _open_under(folder: Path) -> list[str]:
    """Stored files that this process has open."""
    found: list[str] = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [name for name in found if name.startswith(str(folder)) and ".media/" in name]
