"""The files of messages on an agent's machine: sealed, bounded, gated by the policy, and gone when their time is over."""

import asyncio
import base64
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.desk_bench import COLD, ahead_of, make_desk, opened
from tests.support.desk_hub import POLICY, FakeHub
from tests.support.desk_samples import contact, conversation, message, until
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.media.lending import ending_of, lent_folder
from wabiz_tui.desk.media.memory import memory_folder
from wabiz_tui.desk.media.sealed import PIECE, SealedReader, SealedWriter
from wabiz_tui.desk.media.store import MediaStore
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import decode
from wabiz_tui.model.content import Image
from wabiz_tui.model.errors import BadInput, DamagedStore, Denied, NotFound, StoreFull, Unreachable, WabizError
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Message
from wabiz_tui.model.wire import Receipt

SECRET = Secret(bytes(range(32)))
MARK = b"this is what the customer sent"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


def picture(hub: FakeHub, number: int, content: bytes, *, told: bytes | None = None, **fields: object) -> Message:
    """A message with a file, at the hub and in its feed. `told` is what Meta announced the hash of."""
    digest = base64.b64encode(hashlib.sha256(content if told is None else told).digest()).decode()
    image = Image(id=str(number), mime_type="image/png", sha256=digest, filename="../../me.png", size=len(content), stored="stored")
    found = message(number, 1, content=image, sent_at=hub.now(), **fields)
    hub.put(conversation(1, last_at=hub.now()), contact(1), found)
    hub.files[found.id] = content
    return found


def sealed_files(paths: Paths) -> list[Path]:
    folder = paths.cache / "media"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def store_of(desk: LocalDesk) -> MediaStore:
    return desk._opened_session().media  # pyright: ignore[reportPrivateUsage] the limit is not among a client's calls


async def whole(desk: LocalDesk, identifier: str) -> bytes:
    got = b""
    while piece := await desk.read_media(identifier, offset=len(got), limit=100_000):
        got += piece
    return got


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])
def test_sealed_file_gives_back_what_was_sealed(tmp_path: Path, size: int) -> None:
    """Whatever its size, every part of a sealed file reads as it was written, and nothing of it lies open."""
    content = (MARK * (size // len(MARK) + 1))[:size]
    writer = SealedWriter(tmp_path / "a.sealed", SECRET)
    for place in range(0, size, 70_001):
        writer.write(content[place : place + 70_001])
    writer.finish()

    with closing(SealedReader(tmp_path / "a.sealed", SECRET, size)) as reader:
        assert reader.read(0, size + 5) == content
        assert reader.read(size // 2, 1000) == content[size // 2 : size // 2 + 1000]
    assert MARK not in (tmp_path / "a.sealed").read_bytes()
    assert stat.S_IMODE((tmp_path / "a.sealed").stat().st_mode) == 0o600


@pytest.mark.parametrize("harm", ["flip", "cut", "swap", "other key", "longer"])
def test_a_changed_file_is_never_taken_for_the_true_one(tmp_path: Path, harm: str) -> None:
    """A bit, a missing end, two exchanged pieces, a wrong key or a wrong length are each noticed."""
    path, size, step = tmp_path / "a.sealed", 2 * PIECE + 100, PIECE + 16
    writer = SealedWriter(path, SECRET)
    writer.write(os.urandom(size))
    writer.finish()
    raw = path.read_bytes()
    changed = {
        "flip": bytes([raw[0] ^ 1]) + raw[1:],
        "cut": raw[: 2 * step],
        "swap": raw[step : 2 * step] + raw[:step] + raw[2 * step :],
    }.get(harm, raw)
    path.write_bytes(changed)

    key, told = Secret(bytes(32)) if harm == "other key" else SECRET, size + PIECE if harm == "longer" else size

    with closing(SealedReader(path, key, told)) as reader, pytest.raises(DamagedStore):
        reader.read(0, told)


async def test_file_is_fetched_once_and_lies_sealed(hub: FakeHub, paths: Paths) -> None:
    """What two clients ask for at once is fetched once; on the disk nothing of it is readable, in a folder that is ours alone."""
    content = MARK + os.urandom(700_000)
    found = picture(hub, 1, content)
    async with opened(hub, paths) as desk:
        first, second = await asyncio.gather(desk.fetch_media(found.id), desk.fetch_media(found.id))
        again = await whole(desk, found.id)

    assert first == second
    assert (first.size, first.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert again == content
    assert hub.media_asked == [""]
    [sealed] = sealed_files(paths)
    assert MARK not in sealed.read_bytes()
    assert stat.S_IMODE(sealed.parent.stat().st_mode) == 0o700


async def test_cut_line_is_taken_up_where_it_was(hub: FakeHub, paths: Paths) -> None:
    """A line that breaks again and again costs no byte twice, and the file is whole."""
    content = os.urandom(900_000)
    found = picture(hub, 1, content)
    hub.cut_media_after, hub.media_cuts = 200_000, 3
    async with opened(hub, paths) as desk:
        assert await whole(desk, found.id) == content

    starts = [int(asked.removeprefix("bytes=").rstrip("-") or 0) for asked in hub.media_asked]
    assert len(starts) == 4
    assert starts == sorted(set(starts))


async def test_wrong_file_is_refused_and_nothing_of_it_kept(hub: FakeHub, paths: Paths) -> None:
    """A file whose hash is not the one WhatsApp announced does not reach the agent."""
    found = picture(hub, 1, b"not what was announced", told=b"announced")
    async with opened(hub, paths) as desk:
        with pytest.raises(BadInput, match="not the one WhatsApp announced"):
            await desk.fetch_media(found.id)

    assert sealed_files(paths) == []


async def test_file_that_was_damaged_here_is_fetched_again(hub: FakeHub, paths: Paths) -> None:
    """A sealed file that was changed or removed on this machine is not shown; the hub's takes its place."""
    found = picture(hub, 1, MARK * 1000)
    async with opened(hub, paths) as desk:
        await desk.fetch_media(found.id)
        [sealed] = sealed_files(paths)
        sealed.write_bytes(os.urandom(sealed.stat().st_size))
        after_change = await whole(desk, found.id)
        sealed_files(paths)[0].unlink()
        after_removal = await whole(desk, found.id)

    assert after_change == after_removal == MARK * 1000
    assert len(hub.media_asked) == 3


@pytest.mark.parametrize(
    ("allowed", "works"), [("off", set[str]()), ("inline", {"read"}), ("viewer", {"read", "lend"}), ("save", {"read", "lend", "save"})]
)
async def test_policy_is_the_gate(hub: FakeHub, paths: Paths, allowed: str, works: set[str]) -> None:
    """Each step of `[privacy] media` allows itself and those before it; a refusal has a code and fetches nothing."""
    hub.set_policy(POLICY + f'[privacy]\nmedia = "{allowed}"\n')
    found = picture(hub, 1, MARK)
    done: set[str] = set()
    codes: set[str] = set()
    async with opened(hub, paths) as desk:
        for name, ask in {
            "read": lambda: desk.read_media(found.id),
            "lend": lambda: desk.lend_media(found.id),
            "save": lambda: desk.read_media(found.id, use="save"),
        }.items():
            try:
                await ask()
                done.add(name)
            except Denied as error:
                codes.add(error.code)

    assert codes == ({f"media_{allowed}"} if allowed != "save" else set())
    assert done == works
    assert len(hub.media_asked) == (1 if works else 0)


async def test_lent_file_lies_in_memory_and_is_taken_back(hub: FakeHub, paths: Paths) -> None:
    """A viewer gets a file of a harmless name in a folder of ours in memory; it goes when returned, at lock, and is never on the disk."""
    one, two = picture(hub, 1, MARK), picture(hub, 2, MARK + b"2")
    async with opened(hub, paths) as desk:
        first, again, second = await desk.lend_media(one.id), await desk.lend_media(one.id), await desk.lend_media(two.id)
        path = Path(first.path)
        seen = _seen(path)
        await desk.return_media(one.id)
        left = _names(path.parent)
        await desk.lock()
        after_lock = _names(path.parent)

    assert seen == (MARK, ".png", 0o400, 0o700)
    assert again.path == first.path
    assert not path.is_relative_to(paths.cache.parent)
    assert left == [Path(second.path).name]
    assert after_lock == []


async def test_file_lent_twice_at_once_is_one_file(hub: FakeHub, paths: Paths) -> None:
    """Whoever asks at the same time gets the same file: a second one would lie there after the first was returned."""
    found = picture(hub, 1, MARK)
    async with opened(hub, paths) as desk:
        first, second = await asyncio.gather(desk.lend_media(found.id), desk.lend_media(found.id))
        lying = _names(Path(first.path).parent)
        await desk.return_media(found.id)
        left = _names(Path(first.path).parent)

    assert first.path == second.path
    assert lying == [Path(first.path).name]
    assert left == []


def _seen(path: Path) -> tuple[bytes, str, int, int]:
    return path.read_bytes(), path.suffix, stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def test_what_a_killed_desk_lent_is_removed_by_the_next(hub: FakeHub, paths: Paths) -> None:
    """Files that an earlier desk lent or fetched and no row names are gone soon after the next one is open."""
    found = picture(hub, 1, MARK)
    async with opened(hub, paths) as desk:
        place = Path((await desk.lend_media(found.id)).path).parent
    (place / "left.png").write_bytes(MARK)
    (paths.cache / "media" / "0123.sealed").write_bytes(b"orphan")
    (paths.cache / "media" / "4567.part").write_bytes(b"orphan")
    async with opened(hub, paths) as desk:
        await until(lambda: not (place / "left.png").exists() and len(sealed_files(paths)) == 1)
        assert await whole(desk, found.id) == MARK

    assert len(hub.media_asked) == 1


async def test_what_a_killed_desk_lent_goes_though_nobody_unlocks_the_next(hub: FakeHub, paths: Paths) -> None:
    """A desk that begins takes back what lies open, before it asks anybody for anything."""
    async with opened(hub, paths, config=COLD):
        pass
    left = lent_folder(get_enrolment(paths).device) / "left.png"
    left.write_bytes(MARK)
    desk = make_desk(paths, config=COLD)

    await desk.begin()

    assert (await desk.status()).locked
    assert not left.exists()
    await desk.close()


def test_endings_are_ours() -> None:
    """A viewer never meets an ending that its sender chose."""
    assert ending_of("image/jpeg; x=1") == ".jpg"
    assert ending_of("application/x-msdownload") == ending_of("") == ending_of("text/html") == ".bin"


def test_no_memory_no_lending(tmp_path: Path) -> None:
    """Where every candidate lies on a disk, lending is refused; a folder that others can write to is refused too."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"1 0 0:1 / / rw - ext4 disk rw\n2 1 0:2 / {tmp_path}/in\\040memory rw - tmpfs tmpfs rw\n")
    (tmp_path / "in memory").mkdir()

    with pytest.raises(Denied, match="no place in memory"):
        memory_folder("wabiz-x", candidates=(tmp_path,), mounts=mounts)
    made = memory_folder("wabiz-x", candidates=(tmp_path, tmp_path / "in memory"), mounts=mounts)
    made.chmod(0o777)
    with pytest.raises(Denied, match="written by others"):
        memory_folder("wabiz-x", candidates=(tmp_path / "in memory",), mounts=mounts)


async def test_space_is_bounded_by_the_least_used(hub: FakeHub, paths: Paths) -> None:
    """When the files need more room than there is, those that were not looked at for longest go, rows and bytes."""
    found = [picture(hub, number, os.urandom(400_000)) for number in range(1, 6)]
    clock = SystemClock()
    async with opened(hub, paths, clock=clock) as desk:
        store_of(desk)._most_held = 1_300_000  # pyright: ignore[reportPrivateUsage] the limit is not among a client's calls
        for each in found[:3]:
            await desk.fetch_media(each.id)
            ahead_of(clock, seconds=1)()
        await desk.fetch_media(found[0].id)
        ahead_of(clock, seconds=1)()
        await desk.fetch_media(found[3].id)
        asked = len(hub.media_asked)
        await desk.read_media(found[0].id)
        await desk.read_media(found[2].id)
        assert len(hub.media_asked) == asked
        assert len(sealed_files(paths)) == 3
        await desk.read_media(found[1].id)
        assert len(hub.media_asked) == asked + 1


async def test_files_go_by_policy_before_their_messages(hub: FakeHub, paths: Paths) -> None:
    """Past `[cache] media` a file is invisible at once, destroyed by the purge with its key, and counted in the receipt."""
    hub.set_policy(POLICY + 'media = "1h"\n')
    found = picture(hub, 1, MARK)
    clock = SystemClock()
    async with opened(hub, paths, clock=clock) as desk:
        await desk.fetch_media(found.id)
        [sealed] = sealed_files(paths)
        ahead_of(clock, hours=2)()
        hub.ahead = clock.ahead
        await desk.purge()
        await until(lambda: not sealed.exists())
        assert [row.id for row in await desk.messages(found.conversation)] == [found.id]
        assert decode((await desk.receipts())[-1].receipt, Receipt).removed.media == 1


@pytest.mark.parametrize(("allowed", "kept"), [("inline", 1), ("off", 0)])
async def test_tighter_policy_takes_back_what_it_forbids(hub: FakeHub, paths: Paths, allowed: str, kept: int) -> None:
    """What may only be seen inside wabiz is lent no longer; what may not be here at all is destroyed with its key, by a purge."""
    found = picture(hub, 1, MARK)
    async with opened(hub, paths) as desk:
        lent = Path((await desk.lend_media(found.id)).path)
        hub.set_policy(POLICY + f'[privacy]\nmedia = "{allowed}"\n')
        await desk.sync()
        await until(lambda: not lent.exists() and len(sealed_files(paths)) == kept)
        if not kept:
            await until(lambda: any(device.receipts for device in hub.devices.values()))
            assert decode((await desk.receipts())[-1].receipt, Receipt).removed.media == 1


async def test_revoked_device_keeps_no_file(hub: FakeHub, paths: Paths) -> None:
    """When the hub revokes the device, sealed files and lent ones are destroyed with the rest."""
    found = picture(hub, 1, MARK)
    async with opened(hub, paths) as desk:
        lent = Path((await desk.lend_media(found.id)).path)
        for device in hub.devices.values():
            hub.revoke(device.id)
        await until(lambda: sealed_files(paths) == [] and not lent.exists())


async def test_message_without_file_or_unknown(hub: FakeHub, paths: Paths) -> None:
    """A message that is not here, or has no file, has none to open; without the hub a file that is not here is not to be had."""
    found = picture(hub, 1, MARK)
    words = message(2, 1, sent_at=hub.now())
    hub.put(words)
    async with opened(hub, paths) as desk:
        for wanted in (words.id, "0" * 32, "no id"):
            with pytest.raises(NotFound):
                await desk.fetch_media(wanted)
        hub.cut_media_after, hub.media_cuts = 1, 100
        hub.files[found.id] = b""
        hub.media_cuts = 0
        with pytest.raises(BadInput):
            await desk.fetch_media(found.id)


async def test_full_disk_leaves_nothing_half(hub: FakeHub, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk takes no more, the fetch fails in one sentence and leaves no part."""
    found = picture(hub, 1, MARK)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    async with opened(hub, paths) as desk:
        monkeypatch.setattr("wabiz_tui.desk.media.sealed.os.fsync", full)
        with pytest.raises(StoreFull):
            await desk.fetch_media(found.id)
        monkeypatch.undo()
        assert sealed_files(paths) == []
        assert await whole(desk, found.id) == MARK


@pytest.mark.parametrize(("ahead", "fetched"), [("none", 0), ("mine", 1), ("all", 2)])
async def test_ahead_only_as_the_policy_says(hub: FakeHub, paths: Paths, ahead: str, fetched: int) -> None:
    """Files are fetched before anybody asks: of nobody, of the agent's own conversations, or of all."""
    hub.set_policy(POLICY + f'media_ahead = "{ahead}"\n')
    async with opened(hub, paths) as desk:
        mine = picture(hub, 1, MARK)
        hub.put(conversation(1, last_at=hub.now(), assignee=hub.person))
        other = message(2, 2, content=mine.content, sent_at=hub.now())
        hub.files[other.id] = MARK
        hub.put(conversation(2, last_at=hub.now()), contact(2), other)
        await desk.sync()
        await until(lambda: len(sealed_files(paths)) >= fetched)
        await asyncio.sleep(0.05)

    assert len(sealed_files(paths)) == len(hub.media_asked) == fetched


async def test_unreachable_hub_is_said(hub: FakeHub, paths: Paths) -> None:
    """Without the hub a file that is here is shown, and one that is not says why."""
    here, away = picture(hub, 1, MARK), picture(hub, 2, MARK + b"2")
    async with opened(hub, paths) as desk:
        await desk.fetch_media(here.id)
        hub.cut_media_after, hub.media_cuts = 1, 0

        async def gone(message: str, *, start: int = 0) -> None:
            raise Unreachable("The hub does not answer.")

        async def nothing(_message: str, *, start: int = 0):
            await gone(_message, start=start)
            yield b""

        store = store_of(desk)
        store._of = store._of._replace(download=nothing)  # pyright: ignore[reportPrivateUsage] the line is cut for this store alone
        assert await whole(desk, here.id) == MARK
        with pytest.raises(WabizError, match="does not answer"):
            await desk.fetch_media(away.id)
