"""The line between desk and hub cut everywhere: no message is ever doubled, none is lost, and a file goes up once."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.cut_line import CutLine, cut_line
from tests.support.desk_samples import counting_bytes, ident
from tests.support.hub_archive import NUMBER
from tests.support.hub_served import Served, served_hub
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.outbox.outbox import Author, Outbox
from wabiz_tui.desk.outbox.posting import Post
from wabiz_tui.model.secret import Secret

KEY = Secret(b"o" * 32)
MESSAGES = f"POST /v26.0/{NUMBER}/messages".encode()
FILE = b"%PDF-1.7\n" + bytes(range(256)) * 4000
"""Two pieces."""
CUSTOMERS = 12


class Scene:
    """A desk's outbox, a line that breaks and the hub behind it."""

    def __init__(self, served: Served, line: CutLine, outbox: Outbox, conversations: list[str]) -> None:
        self.served, self.line, self.outbox, self.conversations = served, line, outbox, conversations
        self.written = 0

    def next_conversation(self) -> str:
        # Meta takes 45 messages to one customer at a stretch.
        self.written += 1
        return self.conversations[self.written % len(self.conversations)]

    async def text(self, words: str) -> str:
        return (await self.outbox.write(self.next_conversation(), NUMBER, words, key=None, reply_to=None)).id

    async def file(self, path: Path) -> str:
        conversation, none = self.next_conversation(), timedelta()
        return (await self.outbox.write_file(conversation, NUMBER, path, caption="", key=None, reply_to=None, undo=none)).id

    async def settled(self, identifier: str) -> str:
        return (await self.outbox.await_left(identifier, timeout=60)).state


@asynccontextmanager
async def scene(home: Path) -> AsyncGenerator[Scene]:
    async with served_hub(home) as served:
        served.hub.gateway.set_rate(NUMBER, 1_000_000)
        agent = await served.person(await served.admin(), "Kim", "agent")
        for number in range(CUSTOMERS):
            await served.incoming(wamid=f"wamid.{number}", sender=f"4477009001{number:02}")
        conversations = sorted(await agent.seen("conversation"))
        async with cut_line(str(served.http.base_url)) as line:
            clock = DeskClock(served.clock)
            link = Link(line.url, device=agent.reply.device, tenant=agent.reply.tenant, seed=agent.seed, clock=clock)
            letters = Letters(home / "outbox.db", KEY)

            def again(_conversation: str) -> None:
                # Whoever was cut off asks again at once: no test waits for a pause.
                outbox.hurry()

            outbox = Outbox(
                letters, Post(link, letters, now=clock.now), author=Author(ident(7), "Kim"), now=clock.now,
                changed=again, refused=lambda error: None, random_bytes=counting_bytes(),
            )  # fmt: skip
            outbox.start()
            try:
                yield Scene(served, line, outbox, conversations)
            finally:
                await outbox.stop()
                await link.close()
                await asyncio.to_thread(letters.close)


def places(length: int, *, step: int) -> Iterable[int]:
    """Every byte at both ends, and some between."""
    return sorted({*range(min(16, length)), *range(0, length, step), *range(max(length - 32, 0), length + 1)})


def sent_texts(served: Served) -> Counter[str]:
    return Counter(body["text"]["body"] for body in served.meta.sent if body["type"] == "text")


@pytest.mark.timeout(300)  # some hundred sends, one after the other
async def test_a_text_cut_off_anywhere_arrives_once(tmp_path: Path) -> None:
    """Each cut of the request and of its answer ends with the message accepted, and Meta has each once, in the order of writing."""
    async with scene(tmp_path) as at:
        at.line.only = MESSAGES
        assert await at.settled(await at.text("whole")) == "accepted"
        there, back = at.line.longest
        texts = ["whole"]
        for way, length in (("request", there), ("answer", back)):
            for count in places(length, step=19):
                setattr(at.line, way, count)
                texts.append(f"{way} {count:04}")
                assert await at.settled(await at.text(texts[-1])) == "accepted"

        assert at.line.cuts >= len(texts) - 4
        assert sent_texts(at.served) == Counter(texts)
        assert [body["text"]["body"] for body in at.served.meta.sent] == texts


@pytest.mark.timeout(300)
async def test_a_file_cut_off_at_any_step_goes_up_once_and_is_sent_once(tmp_path: Path) -> None:
    """Beginning, pieces, passing on and message, cut on the way there and back: one file at Meta and one message for each letter;
    nothing of the files is left on the agent's machine."""
    path = tmp_path / "offer.pdf"
    path.write_bytes(FILE)
    steps = (b"POST /v1/uploads", b"PUT /v1/uploads", f"POST /v26.0/{NUMBER}/media".encode(), MESSAGES)
    async with scene(tmp_path) as at:
        letters = 0
        for step in steps:
            at.line.only, at.line.longest = step, [0, 0]
            assert await at.settled(await at.file(path)) == "accepted"
            letters += 1
            there, back = at.line.longest
            for way, counts in (("request", (0, 1, there // 2, there - 1, there)), ("answer", (0, 9, back // 2, back - 1))):
                for count in counts:
                    setattr(at.line, way, count)
                    assert await at.settled(await at.file(path)) == "accepted"
                    letters += 1
        documents = Counter(body["document"]["id"] for body in at.served.meta.sent)
        files = set(at.served.meta.files.values())
        async with asyncio.timeout(30):
            while any((tmp_path / "outbox-files").iterdir()):  # noqa: ASYNC110 the outbox tidies when it has nothing else to do
                await asyncio.sleep(0.01)

    assert at.line.cuts >= letters - len(steps) - 4
    assert len(documents) == letters == len(at.served.meta.files)
    assert set(documents.values()) == {1}
    assert files == {FILE}
