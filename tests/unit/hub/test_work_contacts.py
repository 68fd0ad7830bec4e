"""Contact fields, and blocking a person at the hub and at Meta."""

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.support.hub_archive import NUMBER
from tests.support.hub_served import value_of
from tests.support.work import Floor, floor, refusal
from wabiz_tui.hub.archive.contacts import load_contacts

TEXT = {"messaging_product": "whatsapp", "to": "447700900123", "type": "text", "text": {"body": "Hi"}}


async def _contact(work: Floor, conversation: str) -> str:
    return (await work.sue.seen("conversation"))[conversation]["contact"]


async def test_fields_are_merged_one_by_one(tmp_path: Path) -> None:
    """Two who change different fields at once both have their way; names are the same whatever their case; null removes."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        contact = await _contact(work, conversation)
        path = f"/v1/contacts/{contact}/fields"

        await asyncio.gather(*(who.post(path, {"fields": fields}) for who, fields in (
            (work.ann, {"Tier": "gold", "Account no.": "0042"}), (work.ben, {"Language": "Welsh"}),
        )))  # fmt: skip
        changed = await work.ann.post(path, {"fields": {"TIER": "silver", "language": None, "gone": None}})
        again = await work.ann.post(path, {"fields": {"tier": "silver"}})

        assert changed.json()["fields"] == {"Tier": "silver", "Account no.": "0042"}
        assert again.json()["fields"] == changed.json()["fields"]
        assert (await work.ben.seen("contact"))[contact]["fields"] == changed.json()["fields"]
        told = await work.activities(conversation)
        assert sorted(told[:2]) == ["changed fields: Account no., Tier (Ann)", "changed fields: Language (Ben)"]
        assert told[2:] == ["changed fields: Language, Tier (Ann)"]
        assert not any("gold" in str(entry) for entry in await work.audited("contact.fields"))


async def test_fields_are_answered_as_the_feed_tells_them(tmp_path: Path) -> None:
    """The customer's number in one of their fields is masked in the answer to whoever changes another, as it is in the feed."""
    async with floor(tmp_path) as work:
        contact = await _contact(work, await work.chat("447700900123"))
        path = f"/v1/contacts/{contact}/fields"
        await work.sue.post(path, {"fields": {"Other phone": "+44 7700 900123"}})

        answer = await work.ann.post(path, {"fields": {"Tier": "gold"}})

        assert answer.json()["fields"] == {"Other phone": "+44 ••••23", "Tier": "gold"}
        assert answer.json()["fields"] == (await work.ann.seen("contact"))[contact]["fields"]


async def test_fields_are_bounded(tmp_path: Path) -> None:
    """What is no name, too long or too many is refused, and nothing of it is kept."""
    wrong: tuple[tuple[dict[str, str], str], ...] = (
        ({"": "x"}, "bad_input"),
        ({"a\nb": "x"}, "bad_input"),
        ({"x" * 65: "x"}, "bad_input"),
        ({"a": "x" * 1001}, "bad_input"),
        ({"a": "1", "A": "2"}, "bad_input"),
        ({f"n{index}": "x" for index in range(65)}, "too_many_fields"),
    )
    async with floor(tmp_path) as work:
        contact = await _contact(work, await work.chat())

        for fields, code in wrong:
            assert refusal(await work.ann.post(f"/v1/contacts/{contact}/fields", {"fields": fields})) == (400, code)
        assert "fields" not in (await work.ann.seen("contact"))[contact]


async def test_a_block_stands_at_the_hub_and_at_meta(tmp_path: Path) -> None:
    """Blocked, Meta is told and every send is refused; lifted, they go again. Both are told with who and why, once each."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        contact = await _contact(work, conversation)
        path = f"/v1/contacts/{contact}"

        blocked = [await work.ann.post(f"{path}/block", {"reason": "threats"}) for _ in range(2)]
        refused = await work.ann.send(TEXT)
        shown = (await work.ben.seen("contact"))[contact]
        lifted = [await work.ann.post(f"{path}/unblock", {"reason": "said sorry"}) for _ in range(2)]
        sent = await work.ann.send(TEXT, key="key-2")

        done = {"contact": contact, "blocked": True, "at_meta": [{"number": NUMBER, "state": "done"}]}
        assert [answer.json() for answer in blocked] == [done, done]
        assert refused.json()["error"]["error_data"]["wabiz_code"] == "blocked"
        assert shown["blocked_at"]
        assert [answer.json() for answer in lifted] == [done | {"blocked": False}, {"contact": contact, "blocked": False}]
        assert sent.status_code == 200
        assert "blocked_at" not in (await work.ben.seen("contact"))[contact]
        assert work.served.meta.blocks == [("POST", "+447700900123"), ("POST", "+447700900123"), ("DELETE", "+447700900123")]
        assert await work.activities(conversation) == ["blocked: threats (Ann)", "unblocked: said sorry (Ann)"]
        assert len(await work.audited("contact.blocked")) == len(await work.audited("contact.unblocked")) == 1


async def test_what_meta_refuses_is_told_and_lifted_without_her(tmp_path: Path) -> None:
    """Meta blocks only who wrote in the last day: the hub blocks by itself, says why she did not, and asks her for no lifting."""
    async with floor(tmp_path) as work:
        contact = await _contact(work, await work.chat())
        path, work.served.meta.blocking = f"/v1/contacts/{contact}", "refuse"

        blocked = (await work.ann.post(f"{path}/block", {})).json()
        refused = await work.ann.send(TEXT)
        lifted = (await work.ann.post(f"{path}/unblock", {})).json()

        assert (blocked["blocked"], blocked["at_meta"][0]["state"]) == (True, "refused")
        assert "24 hours" in blocked["sentence"]
        assert refused.json()["error"]["error_data"]["wabiz_code"] == "blocked"
        assert lifted == {"contact": contact, "blocked": False}
        assert [method for method, _ in work.served.meta.blocks] == ["POST"]


async def test_an_uncertain_block_is_lifted_only_with_meta(tmp_path: Path) -> None:
    """Where no answer came Meta may block: the contact stays blocked until she says that she does not, asked as often as it takes."""
    async with floor(tmp_path) as work:
        contact = await _contact(work, await work.chat())
        path, work.served.meta.blocking = f"/v1/contacts/{contact}", "break"

        blocked = (await work.ann.post(f"{path}/block", {})).json()
        still = (await work.ann.post(f"{path}/unblock", {})).json()
        work.served.meta.blocking = "accept"
        lifted = (await work.ann.post(f"{path}/unblock", {})).json()

        assert (blocked["blocked"], blocked["at_meta"][0]["state"]) == (True, "unknown")
        assert (still["blocked"], still["at_meta"][0]["state"]) == (True, "unknown")
        assert lifted["blocked"] is False


async def test_contacts_out_of_sight_are_not_there(tmp_path: Path) -> None:
    """A contact whose conversations are all with another agent is answered as one that does not exist."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        contact = await _contact(work, conversation)
        await work.ann.post(f"/v1/conversations/{conversation}/assignee", {"person": work.ann.reply.person})

        for act, body in (("fields", {"fields": {"a": "b"}}), ("block", {}), ("unblock", {})):
            hidden = await work.ben.post(f"/v1/contacts/{contact}/{act}", body)
            absent = await work.ben.post(f"/v1/contacts/{'0' * 32}/{act}", body)
            assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, absent.content)
        assert work.served.meta.blocks == []


async def test_fields_blocks_and_work_survive_a_merge(tmp_path: Path) -> None:
    """When two contacts turn out to be one person, the later text of each field stays, the block of either, and the work on both."""
    async with floor(tmp_path) as work:
        served = work.served
        phone_chat = await work.chat("447700900123")
        first = await _contact(work, phone_chat)
        await work.ann.post(f"/v1/contacts/{first}/fields", {"fields": {"Tier": "old", "Only here": "1"}})
        await served.webhook(_written("wamid.U1", user_id="GB.13491208655302741918"))
        [second] = [one for one in await work.sue.seen("contact") if one != first]
        served.clock.move(timedelta(minutes=1))
        await work.ann.post(f"/v1/contacts/{second}/fields", {"fields": {"tier": "new", "Only there": "2"}})
        await work.ann.post(f"/v1/contacts/{second}/block", {})
        rows = await work.sue.seen("conversation")
        [other_chat] = [one for one in rows if one != phone_chat]
        await work.ann.post(f"/v1/conversations/{phone_chat}/labels", {"add": ["VIP", "late"]})
        await work.ben.post(f"/v1/conversations/{other_chat}/labels", {"add": ["vip", "refund"]})
        await work.ben.post(f"/v1/conversations/{other_chat}/priority", {"priority": "high"})
        await work.ben.post(f"/v1/conversations/{other_chat}/assignee", {"person": work.ben.reply.person})

        await served.webhook(_written("wamid.U2", user_id="GB.13491208655302741918", wa_id="447700900123"))

        stored = (await served.hub.archive.read(lambda reading: load_contacts(reading, [first])))[first].value()
        assert stored.fields == {"tier": "new", "Only here": "1", "Only there": "2"}
        assert stored.blocked_at is not None
        [joined] = (await work.sue.seen("conversation")).values()
        assert (joined["labels"], joined["priority"], joined["assignee_name"]) == (["late", "refund", "VIP"], "high", "Ben")
        episodes = (await work.sue.get(f"/v1/conversations/{joined['id']}/episodes")).json()
        assert sorted(one["status"] for one in episodes) == ["open", "resolved"]
        refused = await work.ben.send(TEXT)
        assert refused.json()["error"]["error_data"]["wabiz_code"] == "blocked"


def _written(wamid: str, *, user_id: str, wa_id: str | None = None) -> dict[str, object]:
    sender = {"from_user_id": user_id} | ({"from": wa_id} if wa_id else {})
    message = {**sender, "id": wamid, "timestamp": "1795348800", "type": "text", "text": {"body": "me"}}
    contact = {"profile": {"name": "Ada"}, "user_id": user_id} | ({"wa_id": wa_id} if wa_id else {})
    return value_of(messages=[message], contacts=[contact])
