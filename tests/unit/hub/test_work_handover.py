"""Hand a person's open work over in one call."""

from pathlib import Path

from tests.support.work import Floor, floor, refusal
from wabiz_tui.hub.work.handover import hand_over


async def _held(work: Floor, *senders: str) -> list[str]:
    """Conversations that Ann has."""
    chats = [await work.chat(sender) for sender in senders]
    for one in chats:
        assert (await work.ann.post(f"/v1/conversations/{one}/assignee", {"person": work.ann.reply.person})).status_code == 200
    return chats


async def test_all_open_work_goes_in_one_call(tmp_path: Path) -> None:
    """What is open, pending or snoozed goes to whom it is handed, what is resolved stays; a repeat finds nothing; one entry tells it."""
    async with floor(tmp_path) as work:
        ann, ben = work.ann.reply.person, work.ben.reply.person
        chats = await _held(work, *(f"44770090010{index}" for index in range(4)))
        for one, status in zip(chats, ("pending", "snoozed", "resolved"), strict=False):
            assert (await work.ann.post(f"/v1/conversations/{one}/status", {"status": status})).status_code == 200

        moved = [(await work.ann.post(f"/v1/people/{ann}/handover", {"to": ben, "reason": "dentist"})).json() for _ in range(2)]

        outcome = {"person": ann, "to": ben, "to_name": "Ben"}
        assert moved == [outcome | {"given": 3}, outcome]
        rows = await work.sue.seen("conversation")
        assert [rows[one]["assignee_name"] for one in chats] == ["Ben", "Ben", "Ann", "Ben"]
        assert [rows[one]["status"] for one in chats] == ["pending", "snoozed", "resolved", "open"]
        assert (await work.activities(chats[3]))[-1] == "handed over Ben: dentist (Ann)"
        [entry] = await work.audited("work.handed_over")
        assert entry["about"] == ann


async def test_it_goes_to_the_buddy_or_to_the_queues(tmp_path: Path) -> None:
    """Without a name it goes to the buddy, save what is with a team the buddy is not in; without a buddy, to nobody."""
    async with floor(tmp_path) as work:
        ann, ben = work.ann.reply.person, work.ben.reply.person
        fraud = await work.team("Fraud")
        assert (await work.admin.post(f"/v1/people/{ann}", {"teams": [fraud], "buddy": ben})).status_code == 200
        plain, teamed = await _held(work, "447700900100", "447700900101")
        assert (await work.ann.post(f"/v1/conversations/{teamed}/team", {"team": fraud})).status_code == 200

        first = (await work.ann.post(f"/v1/people/{ann}/handover", {})).json()
        second = (await work.ben.post(f"/v1/people/{ben}/handover", {})).json()

        assert first == {"person": ann, "to": ben, "to_name": "Ben", "given": 1, "queued": 1}
        assert second == {"person": ben, "queued": 1}
        rows = await work.sue.seen("conversation")
        assert [rows[one].get("assignee") for one in (plain, teamed)] == [None, None]
        assert rows[teamed]["team"] == fraud


async def test_who_may_hand_over_whose(tmp_path: Path) -> None:
    """One's own anybody who works; others' only supervisors. To oneself or to who cannot work, nobody."""
    async with floor(tmp_path) as work:
        ann, ben = work.ann.reply.person, work.ben.reply.person
        [chat] = await _held(work, "447700900100")

        assert refusal(await work.ben.post(f"/v1/people/{ann}/handover", {})) == (403, "forbidden")
        assert refusal(await work.ann.post(f"/v1/people/{ann}/handover", {"to": ann})) == (400, "same_person")
        assert refusal(await work.ann.post(f"/v1/people/{ann}/handover", {"to": "0" * 32})) == (400, "unknown_person")
        assert refusal(await work.sue.post(f"/v1/people/{'0' * 32}/handover", {})) == (404, "not_found")
        assert (await work.sue.post(f"/v1/people/{ann}/handover", {"to": ben})).json()["given"] == 1
        assert chat in await work.ben.seen("conversation")


async def test_batches_go_on_where_they_ended(tmp_path: Path) -> None:
    """Each call moves so many, says whether more are left, and the next goes on; nothing is moved twice."""
    async with floor(tmp_path) as work:
        await _held(work, *(f"44770090010{index}" for index in range(5)))
        ann, archive = work.ann.reply.person, work.served.hub.archive

        steps = [await archive.write(lambda writing: hand_over(writing, ann, to=work.ben.reply.person, at_once=2)) for _ in range(4)]

        assert [(step.given, step.has_more) for step in steps] == [(2, True), (2, True), (1, False), (0, False)]
        assert len(await work.audited("work.handed_over")) == 3
