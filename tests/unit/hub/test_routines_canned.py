"""Canned responses and macros over HTTP: who keeps them, who sees them, and what running one does."""

from pathlib import Path
from typing import Any

import httpx

from tests.support.hub_served import Served, TestDevice, served_hub
from wabiz_tui.model.codec import encode

SHORT = {"shortcut": "thanks", "text": "Thank you, {{contact.name}}! {{agent.name}}"}


async def put(device: TestDevice, path: str, body: object) -> httpx.Response:
    return await device.served.http.put(path, content=encode(body), headers=device.headers)


async def delete(device: TestDevice, path: str) -> httpx.Response:
    return await device.served.http.delete(path, headers=device.headers)


async def staff(served: Served) -> tuple[TestDevice, TestDevice, TestDevice]:
    """An administrator, a supervisor and an agent."""
    admin = await served.admin()
    return admin, await served.person(admin, "Sam", "supervisor"), await served.person(admin, "Agent", "agent")


async def kept(device: TestDevice, path: str, body: object) -> str:
    answer = await device.post(path, body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def audited(admin: TestDevice, action: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await admin.get("/v1/audit/entries?limit=1000")).json()["entries"]
    return [one for one in entries if one["action"] == action]


async def test_a_canned_response_is_kept_changed_and_removed(tmp_path: Path) -> None:
    """Who may write keeps it; agents read it by request and by the feed; each act is audited by id, never with its text."""
    async with served_hub(tmp_path) as served:
        admin, lead, agent = await staff(served)

        identifier = await kept(lead, "/v1/canned", SHORT)
        seen = (await agent.seen("canned"))[identifier]
        listed = (await agent.get("/v1/canned")).json()
        changed = await put(lead, f"/v1/canned/{identifier}", {"shortcut": "ty", "text": "Thanks"})
        refused = await agent.post("/v1/canned", SHORT)
        removed = await delete(lead, f"/v1/canned/{identifier}")
        again = await delete(lead, f"/v1/canned/{identifier}")

        assert seen == listed[0]
        assert (seen["shortcut"], seen["text"], seen["by"]) == ("thanks", SHORT["text"], lead.reply.person)
        assert changed.json()["shortcut"] == "ty"
        assert code_of(refused) == (403, "forbidden")
        assert (removed.status_code, code_of(again)) == (200, (404, "not_found"))
        assert (await agent.seen("canned"), (await agent.get("/v1/canned")).json()) == ({}, [])
        for action in ("canned.added", "canned.changed", "canned.removed"):
            [entry] = await audited(admin, action)
            assert entry["about"] == identifier
            assert "Thank" not in str(entry)


async def test_a_shortcut_is_a_teams_own(tmp_path: Path) -> None:
    """No team has a shortcut twice, whatever its case; another team may; and only the team and those who lead see it."""
    async with served_hub(tmp_path) as served:
        admin, lead, agent = await staff(served)
        team = await kept(admin, "/v1/teams", {"name": "Claims"})

        await kept(lead, "/v1/canned", SHORT)
        twice = await lead.post("/v1/canned", {**SHORT, "shortcut": "THANKS"})
        other = await kept(lead, "/v1/canned", {**SHORT, "shortcut": "Thanks", "team": team})
        stranger = await lead.post("/v1/canned", {**SHORT, "team": "0" * 32})

        assert code_of(twice) == (409, "shortcut_taken")
        assert code_of(stranger) == (400, "unknown_team")
        assert other not in await agent.seen("canned")
        assert other in await lead.seen("canned")
        assert [one["id"] for one in (await agent.get("/v1/canned")).json()] != [other]
        assert len((await lead.get("/v1/canned")).json()) == 2


async def test_a_mistake_in_a_canned_response_is_told(tmp_path: Path) -> None:
    """A variable that is none is refused with the nearest name, and what is no JSON of this shape as any bad input."""
    async with served_hub(tmp_path) as served:
        _, lead, _ = await staff(served)

        unknown = await lead.post("/v1/canned", {"shortcut": "a", "text": "{{contact.nme}}"})
        shapeless = await lead.post("/v1/canned", {"shortcut": 1})

        assert code_of(unknown) == (400, "unknown_variable")
        assert "{{contact.name}}" in unknown.json()["sentence"]
        assert shapeless.status_code == 400


async def test_a_macro_does_all_its_work_at_once_and_sends(tmp_path: Path) -> None:
    """Label, priority, status, assignee and a text to the customer, in the caller's name; a repeat under the key does nothing."""
    async with served_hub(tmp_path) as served:
        admin, lead, agent = await staff(served)
        await served.incoming()
        [conversation] = await agent.seen("conversation")
        canned = await kept(lead, "/v1/canned", SHORT)
        steps = [
            {"do": "assign", "value": lead.reply.person},
            {"do": "label", "value": "thanked"},
            {"do": "priority", "value": "low"},
            {"do": "canned", "value": canned},
            {"do": "status", "value": "pending"},
        ]
        macro = await kept(lead, "/v1/macros", {"name": "Thank and hand on", "steps": steps})

        ran = await agent.post(f"/v1/conversations/{conversation}/macros/{macro}", {"key": "k1"})
        again = await agent.post(f"/v1/conversations/{conversation}/macros/{macro}", {"key": "k1"})
        out_of_sight = await agent.post(f"/v1/conversations/{conversation}/macros/{macro}", {"key": "k2"})

        assert ran.status_code == 200, ran.text
        assert ran.json() == again.json()
        assert [one.get("state", "done") for one in ran.json()["steps"]] == ["done", "done", "done", "sent", "done"]
        assert [one["text"]["body"] for one in served.meta.sent] == ["Thank you, Ada Lovelace! Agent"]
        seen = (await lead.seen("conversation"))[conversation]
        assert (seen["assignee"], seen["labels"], seen["priority"], seen["status"]) == (lead.reply.person, ["thanked"], "low", "pending")
        assert code_of(out_of_sight) == (404, "not_found")
        assert macro in await agent.seen("macro")
        [entry] = await audited(admin, "macro.run")
        assert entry["about"] == conversation


async def test_a_refused_text_leaves_the_work_standing(tmp_path: Path) -> None:
    """Outside the window the text is not sent: the answer says so in a sentence and names the steps that stand."""
    async with served_hub(tmp_path) as served:
        _, lead, agent = await staff(served)
        await served.incoming()
        [conversation] = await agent.seen("conversation")
        canned = await kept(lead, "/v1/canned", SHORT)
        steps = [{"do": "canned", "value": canned}, {"do": "label", "value": "late"}]
        macro = await kept(lead, "/v1/macros", {"name": "Late", "steps": steps})

        served.clock.at = served.clock.at.replace(day=24)
        await agent.log_in()
        ran = (await agent.post(f"/v1/conversations/{conversation}/macros/{macro}", {})).json()

        assert [(one.get("state", "done"), one.get("code", "")) for one in ran["steps"]] == [("refused", "window_closed"), ("done", "")]
        assert "Step 1 was not sent" in ran["sentence"]
        assert "Step 2 stands" in ran["sentence"]
        assert (await agent.seen("conversation"))[conversation]["labels"] == ["late"]
        assert served.meta.sent == []


async def test_a_macro_that_cannot_be_filled_does_nothing(tmp_path: Path) -> None:
    """Where a value is missing nothing is done and nothing sent; the answer names the variable."""
    async with served_hub(tmp_path) as served:
        _, lead, agent = await staff(served)
        await served.incoming()
        [conversation] = await agent.seen("conversation")
        canned = await kept(lead, "/v1/canned", {"shortcut": "c", "text": "Your order {{contact.fields.order}}"})
        macro = await kept(lead, "/v1/macros", {"name": "M", "steps": [{"do": "label", "value": "x"}, {"do": "canned", "value": canned}]})

        ran = await agent.post(f"/v1/conversations/{conversation}/macros/{macro}", {"key": "k"})
        in_use = await delete(lead, f"/v1/canned/{canned}")

        assert code_of(ran) == (400, "missing_values")
        assert "{{contact.fields.order}}" in ran.json()["sentence"]
        assert (await agent.seen("conversation"))[conversation].get("labels", []) == []
        assert code_of(in_use) == (409, "in_use")


async def test_a_macro_with_a_wrong_step_is_refused(tmp_path: Path) -> None:
    """The step is named by its place; a key belongs to one run."""
    async with served_hub(tmp_path) as served:
        _, lead, agent = await staff(served)
        await served.incoming()
        [conversation] = await agent.seen("conversation")
        wrong = [("priority", "urgnt"), ("status", "snoozed 0x"), ("assign", "0" * 32), ("team", "0" * 32), ("canned", "0" * 32)]
        for do, value in wrong:
            answer = await lead.post("/v1/macros", {"name": "W", "steps": [{"do": "label", "value": "a"}, {"do": do, "value": value}]})
            assert code_of(answer) == (400, "bad_step"), answer.text
            assert "Step 2" in answer.json()["sentence"]
        empty = await lead.post("/v1/macros", {"name": "W", "steps": []})
        first = await kept(lead, "/v1/macros", {"name": "A", "steps": [{"do": "status", "value": "snoozed 4h"}]})
        second = await kept(lead, "/v1/macros", {"name": "B", "steps": [{"do": "label", "value": "b"}]})
        taken = await lead.post("/v1/macros", {"name": "a", "steps": [{"do": "label", "value": "b"}]})

        ran = await agent.post(f"/v1/conversations/{conversation}/macros/{first}", {"key": "k"})
        other = await agent.post(f"/v1/conversations/{conversation}/macros/{second}", {"key": "k"})

        assert code_of(empty) == (400, "bad_step")
        assert code_of(taken) == (409, "name_taken")
        assert ran.status_code == 200
        assert (await agent.seen("conversation"))[conversation]["snoozed_until"] == "2026-11-22T16:00:00Z"
        assert code_of(other) == (409, "key_reused")
