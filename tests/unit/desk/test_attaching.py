"""Files to be sent: judged before anything is kept, sealed under a key each, brought once, and gone afterwards."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.desk_forensics import pages
from tests.support.desk_samples import StillClock, counting_bytes, ident, until
from wabiz_tui.desk.cache.attachments import Attachment
from wabiz_tui.desk.cache.letters import Letter, Letters
from wabiz_tui.desk.link.link import Accepted
from wabiz_tui.desk.media.sealed import SealedReader
from wabiz_tui.desk.outbox.attaching import seal_file
from wabiz_tui.desk.outbox.outbox import Author, Outbox
from wabiz_tui.model.content import Document, Image, Media
from wabiz_tui.model.errors import CloudError, Unreachable, UsageError, WabizError
from wabiz_tui.model.secret import Secret

KEY, NUMBER = Secret(b"o" * 32), "106540352242922"
PDF, JPEG, PNG = b"%PDF-1.7 CANARY-IN-THE-FILE", b"\xff\xd8\xff\xe0 picture", b"\x89PNG\r\n\x1a\n picture"
STILL, MOVING = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00", b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02"
KIB, MIB = 1024, 1024 * 1024


class Post:
    """The hub, which accepts, or fails as told."""

    def __init__(self) -> None:
        self.failures: list[WabizError] = []
        self.taken: list[Letter] = []
        self.dropped: list[str] = []

    async def __call__(self, letter: Letter) -> Accepted:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(letter)
        return Accepted((f"wamid.{letter.id}", ident(900 + len(self.taken))))


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
async def outbox(tmp_path: Path, post: Post) -> AsyncIterator[Outbox]:
    letters = Letters(tmp_path / "outbox.db", KEY)
    opened = Outbox(
        letters, post, author=Author(ident(7), "Kim"), now=StillClock().now, changed=lambda _: None, refused=lambda _: None,
        random_bytes=counting_bytes(), dropped=post.dropped.append,
    )  # fmt: skip
    yield opened
    await opened.stop()
    await asyncio.to_thread(letters.close)


def made(folder: Path, name: str, content: bytes, size: int = 0) -> Path:
    path = folder / name
    with path.open("wb") as file:
        file.write(content)
        if size:
            file.truncate(size)
    return path


async def write(outbox: Outbox, path: Path, *, key: str | None = None, caption: str = "", undo: timedelta = timedelta()) -> Letter:
    return await outbox.write_file(ident(1), NUMBER, path, caption=caption, key=key, reply_to=None, undo=undo)


def file_of(letter: Letter) -> str:
    assert letter.content is not None
    return letter.content.file


def sealed_files(outbox: Outbox) -> list[Path]:
    return sorted(outbox.letters.files.iterdir()) if outbox.letters.files.exists() else []


@pytest.mark.parametrize(
    ("name", "content", "size", "told"),
    [
        ("Offer.PDF", PDF, 0, "document application/pdf"),
        ("photo.jpeg", JPEG, 5 * MIB, "image image/jpeg"),
        ("no extension", PNG, 0, "image image/png"),
        ("still.webp", STILL, 100 * KIB, "sticker image/webp"),
        ("moving.webp", MOVING, 500 * KIB, "sticker image/webp"),
        ("notes.txt", b"words", 0, "document text/plain"),
    ],
)
def test_what_whatsapp_takes_is_told_by_the_bytes(tmp_path: Path, name: str, content: bytes, size: int, told: str) -> None:
    """Kind and type by Meta's list, up to its sizes; where the bytes say what the file is, its name need not."""
    sealed = seal_file(made(tmp_path, name, content, size), tmp_path / "files", identifier=ident(1), key=KEY)

    assert f"{type(sealed.content).__name__.lower()} {sealed.attachment.mime_type}" == told
    assert sealed.attachment.size == (size or len(content))


@pytest.mark.parametrize(
    ("name", "content", "size", "said"),
    [
        ("photo.jpg", JPEG, 5 * MIB + 1, "an image of at most 5.0 MB"),
        ("song.mp3", b"ID3", 16 * MIB + 1, "an audio file of at most 16.0 MB"),
        ("huge.pdf", PDF, 100 * MIB + 1, "a document of at most 100.0 MB"),
        ("still.webp", STILL, 100 * KIB + 1, "a sticker of at most 100.0 KB"),
        ("empty.txt", b"", 0, "empty"),
        ("tool.exe", b"MZ", 0, "no files of this kind"),
        ("photo.jpg", PDF, 0, "does not fit"),
        ("photo.jpg", b"words", 0, "called .jpg and is none"),
        ("notes.txt", b"\x00\x01", 0, "holds no text"),
        ("not there.pdf", None, 0, "cannot be read"),
    ],
)
def test_what_it_does_not_take_is_refused_and_not_kept(tmp_path: Path, name: str, content: bytes | None, size: int, said: str) -> None:
    """One sentence says why; nothing of the file is on the disk."""
    path = tmp_path / name if content is None else made(tmp_path, name, content, size)

    with pytest.raises(UsageError, match=said):
        seal_file(path, tmp_path / "files", identifier=ident(1), key=KEY)

    assert not (tmp_path / "files").exists()


def test_pipes_folders_and_wrong_captions_are_refused(tmp_path: Path) -> None:
    """What would never end is not waited for, and no caption is lost in silence."""
    os.mkfifo(tmp_path / "pipe.pdf")
    for path in (tmp_path / "pipe.pdf", tmp_path):
        with pytest.raises(UsageError, match="plain file"):
            seal_file(path, tmp_path / "files", identifier=ident(1), key=KEY)
    for name, content, caption in (("a.mp3", b"ID3", "words"), ("a.pdf", PDF, "x" * 1025)):
        with pytest.raises(UsageError, match="caption"):
            seal_file(made(tmp_path, name, content), tmp_path / "files", identifier=ident(1), key=KEY, caption=caption)


def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    """Sealing and reading 40 MiB takes a few pieces of memory, and gives the bytes back."""
    path = made(tmp_path, "large.pdf", PDF, 40 * MIB)
    tracemalloc.start()
    sealed = seal_file(path, tmp_path / "files", identifier=ident(1), key=KEY)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    reader = SealedReader(tmp_path / "files" / ident(1), KEY, sealed.attachment.size)
    assert reader.read(0, len(PDF)) == PDF
    assert reader.read(40 * MIB - 5, 10) == bytes(5)
    reader.close()
    assert peak < 4 * MIB


async def test_the_name_is_cleaned_and_bounded(tmp_path: Path, outbox: Outbox) -> None:
    """What a name could do to a terminal, a header or a folder is taken out; its extension stays."""
    letter = await write(outbox, made(tmp_path, "a\x1b[2J\u202efdp" + "x" * 200 + ".pdf", PDF))

    assert letter.content is not None
    shown = letter.content.shown.content
    assert isinstance(shown, Document)
    assert shown.filename.isprintable()
    assert shown.filename.endswith(".pdf")
    assert len(shown.filename) <= 200


async def test_a_file_lies_sealed_until_it_is_sent_and_leaves_nothing(tmp_path: Path, outbox: Outbox) -> None:
    """At rest neither file nor name is readable; sent, the sealed file and its key are gone from every page."""
    letter = await write(outbox, made(tmp_path, "CANARY-NAME.pdf", PDF), caption="CANARY-CAPTION")
    (sealed,) = sealed_files(outbox)
    attachment = await outbox.letters.attachment(file_of(letter))
    assert attachment is not None
    assert (sealed.name, sealed.stat().st_mode & 0o777, sealed.parent.stat().st_mode & 0o777) == (file_of(letter), 0o600, 0o700)
    assert b"CANARY" not in sealed.read_bytes()

    outbox.start()
    assert (await outbox.await_left(letter.id, timeout=60)).state == "accepted"
    await until(lambda: not sealed_files(outbox))
    accepted = await outbox.letters.find(letter.id)
    assert accepted is not None
    assert accepted.content is not None
    await outbox.letters.settle([accepted.content.shown])
    await outbox.letters.scrub()

    plain = b"".join(pages(outbox.letters.path, KEY.reveal()))
    for word in (b"CANARY", attachment.key.reveal()):
        assert word not in plain


async def test_a_file_is_taken_back_with_its_message(tmp_path: Path, outbox: Outbox) -> None:
    """Recalled in its undo time or discarded after it failed, nothing of the file stays."""
    outbox.start()
    letter = await write(outbox, made(tmp_path, "a.pdf", PDF), undo=timedelta(seconds=5))

    assert await outbox.recall(letter.id)

    await until(lambda: not sealed_files(outbox))
    assert await outbox.letters.attachment(file_of(letter)) is None


async def test_the_hub_is_told_of_a_file_that_was_given_up(tmp_path: Path, outbox: Outbox, post: Post) -> None:
    """One that may lie there in part is named once its message is discarded; one that was taken back in its undo time never began."""
    post.failures = [Unreachable("cut in the middle"), CloudError("Refused.", graph_code=131026)]
    outbox.start()
    cut = await write(outbox, made(tmp_path, "a.pdf", PDF))
    await outbox.await_left(cut.id, timeout=60, or_silence=True)
    unbegun = await write(outbox, made(tmp_path, "b.pdf", PDF), undo=timedelta(hours=1))
    assert await outbox.discard(unbegun.id)
    assert await outbox.discard(cut.id)
    refused = await outbox.await_left((await write(outbox, made(tmp_path, "c.pdf", PDF))).id, timeout=60)
    assert await outbox.discard(refused.id)

    assert post.dropped == [file_of(cut), file_of(refused)]


async def test_a_retry_takes_the_file_along(tmp_path: Path, outbox: Outbox, post: Post) -> None:
    """A new attempt has a key of its own and the same file, which was uploaded once; the failed one is no longer there."""
    post.failures = [CloudError("Refused.", graph_code=131026)]
    outbox.start()
    failed = await outbox.await_left((await write(outbox, made(tmp_path, "a.pdf", PDF))).id, timeout=60)
    assert failed.state == "failed"
    await outbox.letters.note_media(file_of(failed), "9001", until=StillClock().now() + timedelta(days=29))
    post.failures = [Unreachable("offline")] * 2

    again = await outbox.retry(failed)
    kept = await outbox.letters.attachment(file_of(failed))

    assert again.key != failed.key
    assert file_of(again) == file_of(failed)
    assert kept is not None
    assert kept.media == "9001"
    outbox.hurry()
    await until(lambda: outbox.hurry() or bool(post.taken))
    assert await outbox.letters.find(failed.id) is None


async def test_the_same_key_sends_one_file_once(tmp_path: Path, outbox: Outbox) -> None:
    """Under the same key the same file is the same message, another file is refused, and neither leaves a stray."""
    outbox.start()
    first = await write(outbox, made(tmp_path, "a.pdf", PDF), key="k", undo=timedelta(hours=1))

    assert (await write(outbox, made(tmp_path, "a.pdf", PDF), key="k")).id == first.id
    with pytest.raises(UsageError):
        await write(outbox, made(tmp_path, "a.pdf", PDF + b"other"), key="k")

    await until(lambda: [path.name for path in sealed_files(outbox)] == [file_of(first)])


async def test_what_a_kill_left_of_a_file_is_removed(tmp_path: Path, outbox: Outbox) -> None:
    """A file sealed by a desk that was killed before its message was written has no key, and goes at the next start."""
    seal_file(made(tmp_path, "a.jpg", JPEG), outbox.letters.files, identifier=ident(5), key=Secret(os.urandom(32)))
    (outbox.letters.files / f"{ident(6)}.part").write_bytes(b"half")

    outbox.start()

    await until(lambda: not sealed_files(outbox))


def test_an_image_shows_no_name(tmp_path: Path) -> None:
    """Meta refuses a filename with anything but documents."""
    content: Media = seal_file(made(tmp_path, "a.jpg", JPEG), tmp_path / "files", identifier=ident(1), key=KEY, caption="look").content

    assert isinstance(content, Image)
    assert (content.filename, content.caption) == ("", "look")


async def test_a_file_whose_letter_comes_while_strays_are_listed_stays(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strays are destroyed beside somebody who writes: what was sealed but had no letter when they were listed is no stray once it has."""
    letters = outbox.letters
    add, list_strays = letters.add, letters.stray_files
    is_sealed, may_be_added = asyncio.Event(), asyncio.Event()
    lists: list[list[Path]] = []

    async def add_when_told(letter: Letter, attachment: Attachment | None = None) -> tuple[Letter, bool]:
        is_sealed.set()
        await may_be_added.wait()
        return await add(letter, attachment)

    async def list_then_add() -> list[Path]:
        lists.append(await list_strays())
        if len(lists) == 2:  # the first looks whether there are any
            may_be_added.set()
            await asyncio.wait((writing,))
        return lists[-1]

    monkeypatch.setattr(letters, "add", add_when_told)
    monkeypatch.setattr(letters, "stray_files", list_then_add)
    writing = asyncio.create_task(write(outbox, made(tmp_path, "a.pdf", PDF), undo=timedelta(days=1)))
    await is_sealed.wait()
    outbox.start()
    letter = await writing
    for _ in range(50):  # what is to be destroyed is destroyed in these turns, if anything is
        await asyncio.sleep(0.01)
    await outbox.stop()

    assert [path.stem for path in lists[1]] == [file_of(letter)]
    assert [path.stem for path in letters.files.iterdir()] == [file_of(letter)]
