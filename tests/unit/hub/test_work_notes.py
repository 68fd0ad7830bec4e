"""Private notes with mentions, quotes and keys."""

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from tests.support.work import floor, refusal
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.model.work import LONGEST_NOTE


async def test_a_note_is_a_message_that_changes_nothing_else(tmp_path: Path) -> None:
    """It is in feed and history of all who see the conversation, with author, mentions and quote; unread, window, waiting, clock and
    preview stay; nothing goes to Meta."""
    async with floor(tmp_path) as work:
        conversation = await work.chat(text="Where is it?")
        [asked] = (await work.ann.seen("message")).values()
        before = (await work.sue.seen("conversation"))[conversation]
        work.served.clock.move(timedelta(minutes=3))
        sue = work.sue.reply.person

        written = await work.ann.post(
            f"/v1/conversations/{conversation}/notes", {"text": "ask the depot", "mentions": [sue, sue], "reply_to": asked["id"]}
        )

        note = written.json()
        assert written.status_code == 201
        assert note["content"] == {"kind": "note", "body": "ask the depot"}
        assert (note["direction"], note["author"], note["author_name"]) == ("note", work.ann.reply.person, "Ann")
        assert (note["mentions"], note["reply_to"]) == ([sue], asked["wamid"])
        assert (await work.ben.seen("message"))[note["id"]] == note
        history = (await work.sue.get(f"/v1/conversations/{conversation}/messages")).json()["messages"]
        assert [one["id"] for one in history] == [asked["id"], note["id"]]
        assert (await work.sue.seen("conversation"))[conversation] == before
        assert work.served.meta.sent == []
        [entry] = await work.audited("note.written")
        assert "depot" not in str(entry)


async def test_a_note_is_sealed(tmp_path: Path) -> None:
    """No row of the archive, opened as the database has it, holds its words or its key."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        await work.ann.post(f"/v1/conversations/{conversation}/notes", {"text": "zugzwang-in-a-note", "key": "zugzwang-key"})

        def all_rows(reading: Reading) -> str:
            tables = schema.metadata.tables.values()
            return repr([[tuple(row) for row in reading.connection.execute(sa.select(table))] for table in tables])

        rows = await work.served.hub.archive.read(all_rows)

    assert conversation in rows
    assert "zugzwang" not in rows


async def test_a_key_makes_a_repeat_harmless(tmp_path: Path) -> None:
    """The same note under the same key, in body or header, is written once; another under it is a conflict; another author's is not."""
    async with floor(tmp_path) as work:
        path = f"/v1/conversations/{await work.chat()}/notes"
        wanted = {"text": "call back", "key": "k1"}

        first, second = await work.ann.post(path, wanted), await work.ann.post(path, wanted)
        header = await work.served.http.post(path, json={"text": "call back"}, headers=work.ann.headers | {"Idempotency-Key": "k1"})
        other = await work.ann.post(path, {"text": "call never", "key": "k1"})
        others = await work.ben.post(path, wanted)

        assert [one.status_code for one in (first, second, header, others)] == [201, 200, 200, 201]
        assert first.json() == second.json() == header.json()
        assert refusal(other) == (409, "key_reused")
        assert len([one for one in (await work.sue.seen("message")).values() if one["direction"] == "note"]) == 2


async def test_only_who_may_see_it_can_be_mentioned(tmp_path: Path) -> None:
    """Somebody who may not see the conversation is refused by name, as is who left; a mention shows it to nobody."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        gone, cora = await work.person("Gone"), await work.person("Cora", "compliance")
        admin = (await work.admin.get("/v1/me")).json()["person"]
        await work.ann.post(f"/v1/conversations/{conversation}/assignee", {"person": work.ann.reply.person})
        await work.admin.post(f"/v1/people/{gone.reply.person}/revoke", {})

        async def mention(*people: str) -> tuple[int, str, str]:
            answer = await work.ann.post(f"/v1/conversations/{conversation}/notes", {"text": "look", "mentions": list(people)})
            return answer.status_code, answer.json().get("code", ""), answer.json().get("sentence", "")

        refused = await mention(work.ben.reply.person, gone.reply.person, work.sue.reply.person)
        assert refused[:2] == (400, "cannot_see")
        assert refused[2].startswith("Ben, Gone may not")
        assert (await mention(admin))[1] == "cannot_see"
        assert (await mention("0" * 32))[1] == "unknown_person"
        assert (await mention(cora.reply.person))[0] == 201
        assert refusal(await work.ben.post(f"/v1/conversations/{conversation}/notes", {"text": "x"})) == (404, "not_found")


async def test_notes_are_bounded(tmp_path: Path) -> None:
    """Empty and too long texts, too many mentions and keys that are none are refused, and leave nothing."""
    wrong: tuple[dict[str, object], ...] = (
        {"text": " \n"},
        {"text": "x" * (LONGEST_NOTE + 1)},
        {"text": "x", "mentions": ["0" * 32] * 21},
        {"text": "x", "key": ""},
        {"text": "x", "key": "k" * 256},
        {"text": "x", "key": "a\nb"},
    )
    async with floor(tmp_path) as work:
        conversation = await work.chat()

        for note in wrong:
            assert (await work.ann.post(f"/v1/conversations/{conversation}/notes", note)).status_code == 400
        assert all(one["direction"] != "note" for one in (await work.sue.seen("message")).values())


async def test_only_what_is_there_is_quoted(tmp_path: Path) -> None:
    """A message of another conversation, or none, cannot be quoted; a note can, by its id."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        await work.chat("447700900456", "elsewhere")
        path = f"/v1/conversations/{conversation}/notes"
        elsewhere = next(one for one in (await work.ann.seen("message")).values() if one["conversation"] != conversation)
        note = (await work.ann.post(path, {"text": "first"})).json()

        for named in (elsewhere["id"], elsewhere["wamid"], "0" * 32, "x" * 2000):
            assert refusal(await work.ann.post(path, {"text": "x", "reply_to": named})) == (404, "not_found")
        assert (await work.ann.post(path, {"text": "x", "reply_to": note["id"]})).json()["reply_to"] == note["id"]
