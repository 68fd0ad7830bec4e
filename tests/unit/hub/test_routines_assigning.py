"""Dealing open work out over HTTP: to whom, how much, and to nobody off shift."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.hub_served import served_hub
from tests.support.routines import apply, look, policy_text
from tests.support.work import Floor

BALANCED = '[assignment]\nauto = "balanced"\n'
MONDAY = 'monday = ["09:00-17:00"]\n'


async def floor(served: Any, tables: str = BALANCED, *, hours: str = "") -> Floor:
    """Ann and Ben are agents, Sue is a supervisor; the policy deals work out."""
    made = Floor(served, await served.admin())
    await made.person("Sue", "supervisor")
    await apply(await made.person("Cora", "compliance"), policy_text(tables, hours=hours))
    await made.person("Ann")
    await made.person("Ben")
    return made


async def holders(made: Floor) -> dict[str, str]:
    """Who has which conversation, by name; nobody is an empty name."""
    await made.sue.log_in()
    return {one: value.get("assignee_name", "") for one, value in (await made.sue.seen("conversation")).items()}


async def test_whoever_has_the_least_is_given_the_next(tmp_path: Path) -> None:
    """New conversations go round; who resolved one gets the next; supervisors get none; the line, the log and the feed tell it."""
    async with served_hub(tmp_path) as served:
        made = await floor(served)

        first, second, third = [await made.chat(f"44770090012{number}") for number in range(3)]
        after_three = await holders(made)
        await made.ben.post(f"/v1/conversations/{second}/status", {"status": "resolved"})
        fourth = await made.chat("447700900129")
        after_four = await holders(made)

        assert [after_three[one] for one in (first, second, third)] == ["Ann", "Ben", "Ann"]
        assert after_four[fourth] == "Ben"
        assert any("Ben: dealt out by load" in line for line in await made.activities(fourth))
        assert len([one for one in await made.audited("conversation.assigned") if one["by"] == ""]) == 4
        assert fourth not in await made.ann.seen("conversation")
        assert fourth in await made.ben.seen("conversation")


async def test_nobody_is_given_more_than_the_policy_says(tmp_path: Path) -> None:
    """What goes beyond `most_open` waits, and goes to the first who has room again."""
    async with served_hub(tmp_path) as served:
        made = await floor(served, BALANCED + "most_open = 1\n")

        first, second, third = [await made.chat(f"44770090012{number}") for number in range(3)]
        before = await holders(made)
        await made.ben.post(f"/v1/conversations/{second}/status", {"status": "resolved"})
        after = await holders(made)

        assert [before[one] for one in (first, second, third)] == ["Ann", "Ben", ""]
        assert after[third] == "Ben"


async def test_a_customer_who_comes_back_meets_who_knows_them(tmp_path: Path) -> None:
    """A conversation opened again goes to who had it, whoever else has less to do."""
    async with served_hub(tmp_path) as served:
        made = await floor(served)
        mine = await made.chat("447700900120")
        await made.ann.post(f"/v1/conversations/{mine}/status", {"status": "resolved"})
        await made.chat("447700900121")
        others = [await made.chat(f"44770090013{number}") for number in range(3)]

        await made.chat("447700900120")
        now = await holders(made)

        assert now[mine] == "Ann"
        assert sorted(now[one] for one in others) in (["Ann", "Ann", "Ben"], ["Ann", "Ben", "Ben"])


async def test_work_waits_for_a_shift_to_begin(tmp_path: Path) -> None:
    """On a Sunday nobody is given anything; when the shift begins on Monday, what waited is dealt out, the longest waiting first."""
    async with served_hub(tmp_path) as served:  # a Sunday at noon
        made = await floor(served, hours=MONDAY)
        waiting = [await made.chat(f"44770090012{number}") for number in range(3)]
        before = await holders(made)

        served.clock.move(timedelta(hours=21))
        await made.sue.log_in()

        async def all_given() -> Any:
            now = await holders(made)
            return now if all(now[one] for one in waiting) else None

        now = await look(served, all_given)

        assert set(before.values()) == {""}
        assert sorted(now[one] for one in waiting) in (["Ann", "Ann", "Ben"], ["Ann", "Ben", "Ben"])
        assert now[waiting[0]] != now[waiting[1]]


async def test_a_break_is_left_alone(tmp_path: Path) -> None:
    """Who is on a break is given nothing until they are back."""
    async with served_hub(tmp_path) as served:
        made = await floor(served)
        broke = await made.ann.post("/v1/shift", {"state": "break", "reason": "tea"})
        assert broke.status_code == 200, broke.text

        given = [await made.chat(f"44770090012{number}") for number in range(2)]
        now = await holders(made)

        assert [now[one] for one in given] == ["Ben", "Ben"]


async def test_a_teams_work_goes_to_its_team(tmp_path: Path) -> None:
    """A conversation moved to a team is dealt out to its members only, and waits where there is none on shift."""
    async with served_hub(tmp_path) as served:
        made = await floor(served, BALANCED + 'roles = ["agent", "supervisor"]\n')
        claims, empty = await made.team("Claims"), await made.team("Empty")
        await made.person("Cleo", "agent", "Claims")
        talk = await made.chat()

        moved = await made.sue.post(f"/v1/conversations/{talk}/team", {"team": claims})
        with_team = await holders(made)
        await made.sue.post(f"/v1/conversations/{talk}/team", {"team": empty})
        without = await holders(made)

        assert moved.status_code == 200, moved.text
        assert with_team[talk] == "Cleo"
        assert without[talk] == ""


async def test_what_somebody_let_go_is_not_given_back_to_them(tmp_path: Path) -> None:
    """It goes to the other one; what both let go waits in the queue, and is anybody's to take."""
    async with served_hub(tmp_path) as served:
        made = await floor(served)
        talk = await made.chat()

        had: list[str] = []
        while name := (await holders(made))[talk]:
            had.append(name)
            let_go = await made.devices[name].post(f"/v1/conversations/{talk}/assignee", {"person": None})
            assert let_go.status_code == 200, let_go.text
            assert len(had) <= 2
        taken = await made.ann.post(f"/v1/conversations/{talk}/assignee", {"person": made.ann.reply.person, "expected": None})

        assert sorted(had) == ["Ann", "Ben"]
        assert taken.status_code == 200, taken.text


async def test_a_policy_that_begins_to_deal_gives_out_what_waits(tmp_path: Path) -> None:
    """With dealing off nobody is given anything; with the policy that puts it on, what waits goes out in the same act."""
    async with served_hub(tmp_path) as served:
        made = await floor(served, "")
        talk = await made.chat()
        off = await holders(made)

        await apply(made.devices["Cora"], policy_text(BALANCED))
        on = await holders(made)

        assert off[talk] == ""
        assert on[talk] in ("Ann", "Ben")
