"""Who has a conversation: taken, given, transferred, moved between teams."""

import asyncio
from pathlib import Path

from tests.support.work import floor, refusal
from wabiz_tui.model.codec import encode


async def test_of_two_who_take_at_once_one_has_it(tmp_path: Path) -> None:
    """However many ask at once, one has the conversation; the others are told by whom."""
    async with floor(tmp_path) as work:
        agents = [work.ann, work.ben, *[await work.person(f"Agent {index}") for index in range(4)]]
        conversation = await work.chat()

        answers = await asyncio.gather(
            *(one.post(f"/v1/conversations/{conversation}/assignee", {"person": one.reply.person}) for one in agents)
        )

        won = [answer for answer in answers if answer.status_code == 200]
        assert len(won) == 1
        name = won[0].json()["assignee_name"]
        lost = [answer for answer in answers if answer.status_code != 200]
        assert [refusal(answer) for answer in lost] == [(409, "taken")] * 5
        assert all(name in answer.json()["sentence"] for answer in lost)
        assert await work.activities(conversation) == [f"assigned {name} ({name})"]
        assert len(await work.audited("conversation.assigned")) == 1


async def test_what_another_has_is_not_there(tmp_path: Path) -> None:
    """Only who tries to take it is told who has it: to give it on or to let it go, it does not exist, nor in another team."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        path, ben = f"/v1/conversations/{conversation}/assignee", work.ben.reply.person
        await work.ann.post(path, {"person": work.ann.reply.person})
        cal = await work.person("Cal", "agent", "Fraud")
        other = await work.chat("447700900456")
        await work.sue.post(f"/v1/conversations/{other}/team", {"team": await work.team("Fraud")})

        assert refusal(await work.ben.post(path, {"person": ben})) == (409, "taken")
        assert refusal(await work.ben.post(path, {"person": None})) == (404, "not_found")
        assert refusal(await work.ben.post(path, {"person": cal.reply.person})) == (404, "not_found")
        assert refusal(await work.ben.post(f"/v1/conversations/{other}/assignee", {"person": ben})) == (404, "not_found")
        assert (await cal.post(f"/v1/conversations/{other}/assignee", {"person": cal.reply.person})).status_code == 200
        assert refusal(await work.ben.post(f"/v1/conversations/{other}/assignee", {"person": ben})) == (404, "not_found")


async def test_a_transfer_tells_its_reason_and_can_be_repeated(tmp_path: Path) -> None:
    """Given on with a reason, it leaves the giver's sight; given on again, or taken again, nothing more happens."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        path, ann, ben = f"/v1/conversations/{conversation}/assignee", work.ann.reply.person, work.ben.reply.person
        taken = [await work.ann.post(path, {"person": ann}) for _ in range(2)]
        given = [await work.ann.post(path, {"person": ben, "expected": ann, "reason": "speaks\n Welsh"}) for _ in range(2)]

        assert [answer.json()["assignee"] for answer in taken] == [ann, ann]
        assert [(answer.status_code, answer.json()) for answer in given] == [(200, None)] * 2
        assert await work.activities(conversation) == ["assigned Ann (Ann)", "assigned Ben: speaks Welsh (Ann)"]
        assert conversation not in await work.ann.seen("conversation")
        assert (await work.ben.seen("conversation"))[conversation]["assignee"] == ben
        assert any(message["direction"] == "incoming" for message in (await work.ben.seen("message")).values())
        assert refusal(await work.sue.post(path, {"person": ann, "expected": None})) == (409, "taken")
        assert (await work.sue.post(path, {"person": ann, "expected": ben})).status_code == 200


async def test_work_is_given_only_to_who_can_do_it(tmp_path: Path) -> None:
    """Unknown people, people of other roles, people who left and people on a break are refused, each by a sentence with a code."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        cora = await work.person("Cora", "compliance")
        gone = await work.person("Gone")
        assert (await work.admin.post(f"/v1/people/{gone.reply.person}/revoke", {})).status_code == 200

        async def give(person: str) -> tuple[int, str]:
            return refusal(await work.sue.post(f"/v1/conversations/{conversation}/assignee", {"person": person}))

        assert await give("0" * 32) == (400, "unknown_person")
        assert await give(cora.reply.person) == (400, "wrong_role")
        assert await give(gone.reply.person) == (400, "person_left")
        assert await work.activities(conversation) == []


async def test_a_team_decides_who_may_have_it(tmp_path: Path) -> None:
    """Who is not in a conversation's team is refused by name, unless it moves with them; supervisors may have any."""
    async with floor(tmp_path) as work:
        conversation, fraud = await work.chat(), await work.team("Fraud")
        dee = await work.person("Dee", "agent", "Fraud", "Cards")
        path, team = f"/v1/conversations/{conversation}/assignee", f"/v1/conversations/{conversation}/team"
        moved = await work.sue.post(team, {"team": fraud, "expected": None, "reason": "looks odd"})

        refused = await work.sue.post(path, {"person": work.ann.reply.person})
        assert moved.json()["team"] == fraud
        assert refusal(refused) == (400, "not_in_team")
        assert "Ann" in refused.json()["sentence"]
        assert "Fraud" in refused.json()["sentence"]
        assert (await work.sue.post(path, {"person": work.sue.reply.person})).status_code == 200
        assert (await work.sue.post(path, {"person": dee.reply.person, "expected": work.sue.reply.person})).status_code == 200
        both = await work.sue.post(path, {"person": work.ann.reply.person, "expected": dee.reply.person, "team": None})
        assert (both.json()["assignee_name"], both.json().get("team")) == ("Ann", None)
        assert (await work.activities(conversation))[-2:] == ["taken from its team (Sue)", "assigned Ann (Sue)"]
        assert refusal(await work.sue.post(path, {"person": work.ann.reply.person, "team": fraud})) == (400, "not_in_team")


async def test_a_change_of_team_lets_go_whoever_is_outside_it(tmp_path: Path) -> None:
    """Moved to a team its assignee is in, it stays with them; to another, nobody has it; an older sight of the team is a conflict."""
    async with floor(tmp_path) as work:
        dee = await work.person("Dee", "agent", "Fraud", "Cards")
        conversation = await work.chat()
        path, fraud, cards, other = (
            f"/v1/conversations/{conversation}/team",
            work.teams["Fraud"],
            work.teams["Cards"],
            await work.team("Late"),
        )
        await dee.post(f"/v1/conversations/{conversation}/assignee", {"person": dee.reply.person})

        kept = [(await dee.post(path, {"team": team})).json() for team in (fraud, cards, cards)]
        stale = await work.sue.post(path, {"team": other, "expected": fraud})
        left = await dee.post(path, {"team": other, "expected": cards})

        assert [(one["team"], one["assignee_name"]) for one in kept] == [(fraud, "Dee"), (cards, "Dee"), (cards, "Dee")]
        assert refusal(stale) == (409, "moved")
        assert (left.status_code, left.json()) == (200, None)
        seen = (await work.sue.seen("conversation"))[conversation]
        assert (seen["team"], seen.get("assignee")) == (other, None)
        assert await work.activities(conversation) == ["assigned Dee (Dee)", "moved Fraud (Dee)", "moved Cards (Dee)", "moved Late (Dee)"]
        assert refusal(await work.sue.post(path, {"team": "0" * 32})) == (400, "unknown_team")


async def test_the_feed_carries_what_teams_are_called(tmp_path: Path) -> None:
    """A team comes with its name to whoever follows the feed, with the new one when it is renamed, and goes when it is removed."""
    async with floor(tmp_path) as work:
        fraud, cards = await work.team("Fraud"), await work.team("Cards")

        assert await work.ann.seen("team") == {fraud: {"id": fraud, "name": "Fraud"}, cards: {"id": cards, "name": "Cards"}}
        headers = work.admin.headers
        await work.served.http.put(f"/v1/teams/{fraud}", content=encode({"name": "Swindle"}), headers=headers)
        await work.served.http.delete(f"/v1/teams/{cards}", headers=headers)
        assert await work.ann.seen("team") == {fraud: {"id": fraud, "name": "Swindle"}}


async def test_who_does_not_work_is_given_nothing(tmp_path: Path) -> None:
    """On a break nothing is given to them, and the refusal says why; after it, they can have it."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        path, ben = f"/v1/conversations/{conversation}/assignee", {"person": work.ben.reply.person}
        assert (await work.ben.post("/v1/shift", {"state": "break"})).status_code == 200

        refused = await work.sue.post(path, ben)
        assert (await work.ben.post("/v1/shift", {"state": "start"})).status_code == 200
        given = await work.sue.post(path, ben)

        assert refusal(refused) == (400, "off_duty")
        assert "Ben is on a break" in refused.json()["sentence"]
        assert given.json()["assignee_name"] == "Ben"


async def test_what_a_removed_team_had_is_moved_as_by_hand(tmp_path: Path) -> None:
    """Whoever is not in the team that gets it has it no more, whoever is keeps it, and each conversation tells of it."""
    async with floor(tmp_path) as work:
        dee, eve = await work.person("Dee", "agent", "Fraud"), await work.person("Eve", "agent", "Fraud", "Cards")
        chats = {who: await work.chat(f"44770090012{index}") for index, who in enumerate((dee, eve))}
        for who, chat in chats.items():
            path = f"/v1/conversations/{chat}/assignee"
            assert (await work.sue.post(path, {"person": who.reply.person, "team": work.teams["Fraud"]})).status_code == 200

        path = f"/v1/teams/{work.teams['Fraud']}?move_to={work.teams['Cards']}"
        assert (await work.served.http.delete(path, headers=work.admin.headers)).status_code == 200

        seen = await work.sue.seen("conversation")
        assert [(seen[chat]["team"], seen[chat].get("assignee_name")) for chat in chats.values()] == [
            (work.teams["Cards"], None),
            (work.teams["Cards"], "Eve"),
        ]
        assert [(await work.activities(chat))[-1].split(" (")[0] for chat in chats.values()] == ["moved Cards", "moved Cards"]
        assert chats[dee] not in {one for one, value in (await dee.seen("conversation")).items() if value}
