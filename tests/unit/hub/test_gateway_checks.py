"""What the hub refuses at the gateway: each reason with its own code, in Graph's shape, and nothing archived."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_served import Served, TestDevice, served_hub, value_of
from wabiz_tui.graph.requests import build_text
from wabiz_tui.hub.gateway.addressing import spellings
from wabiz_tui.hub.gateway.refusals import REFUSALS, render_refusals
from wabiz_tui.model.wire import address_of

CLOSED = '[hours]\ntimezone = "UTC"\nholidays = ""\nmonday = ["09:00-10:00"]\noff_shift = "closed"\n'
DOCS = Path(__file__).parents[3] / "docs" / "gateway.md"


def template(name: str = "spring", language: str = "en", **more: Any) -> dict[str, Any]:
    return {"id": f"id-{name}", "name": name, "language": language, "status": "APPROVED", "category": "UTILITY", "components": []} | more


def send_template(recipient: str, name: str = "spring", language: str = "en") -> dict[str, Any]:
    inner = {"name": name, "language": {"code": language}}
    return {"messaging_product": "whatsapp", "recipient": recipient, "type": "template", "template": inner}


async def agent_and_customer(served: Served, *, admin: TestDevice | None = None) -> tuple[TestDevice, str]:
    await served.incoming()
    agent = await served.person(admin or await served.admin(), "Agent", "agent")
    [conversation] = await agent.seen("conversation")
    return agent, address_of(conversation)


async def prefers(served: Served, value: str, *, sender: str = "447700900123", at: int = 0) -> None:
    told = {
        "wa_id": sender,
        "category": "marketing_messages",
        "value": value,
        "detail": "told",
        "timestamp": at or int(served.clock.now().timestamp()),
    }
    contacts = [{"profile": {"name": "Ada"}, "wa_id": sender}]
    await served.webhook(value_of(contacts=contacts, user_preferences=[told]), field="user_preferences")


def told(answer: Any) -> tuple[int, int, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["error_data"].get("wabiz_code", "")


def test_the_printed_refusals_are_the_ones_given() -> None:
    """docs/gateway.md holds the table as it is, and every status is an error's."""
    assert render_refusals() in DOCS.read_text(encoding="utf-8")
    assert all(400 <= one.status < 600 for one in REFUSALS.values())


async def test_off_shift_nothing_leaves_and_the_answer_says_until_when(tmp_path: Path) -> None:
    """Under `off_shift = "closed"` an agent's send is refused with code 10 and Retry-After; on shift it goes."""
    async with served_hub(tmp_path) as served:  # a Sunday at noon
        admin = await served.admin()
        agent, recipient = await agent_and_customer(served, admin=admin)
        officer = await served.person(admin, "Casey", "compliance")
        await officer.post("/v1/policy", {"text": f'name = "shut"\n{CLOSED}', "file": "p.toml"})
        body = build_text(recipient=recipient, body="Good day")

        refused = await agent.send(body)
        served.clock.move(timedelta(hours=21, minutes=30))
        await agent.log_in()
        allowed = await agent.send(body)

        assert told(refused) == (403, 10, "off_shift")
        assert "2026-11-23T09:00" in refused.json()["error"]["error_data"]["details"]
        assert int(refused.headers["retry-after"]) == 21 * 3600
        assert allowed.status_code == 200


async def test_marketing_stops_where_the_customer_said_so(tmp_path: Path) -> None:
    """After `stop` a marketing template is refused with 131050 and a utility one goes; after `resume` both go."""
    async with served_hub(tmp_path) as served:
        served.meta.templates = [template(), template("sale", category="MARKETING")]
        agent, recipient = await agent_and_customer(served)
        await prefers(served, "stop")

        refused = await agent.send(send_template(recipient, "sale"), key="a")
        utility = await agent.send(send_template(recipient), key="b")
        served.clock.move(timedelta(seconds=5))
        await prefers(served, "resume")
        resumed = await agent.send(send_template(recipient, "sale"), key="c")

        assert told(refused) == (400, 131050, "opted_out")
        assert (utility.status_code, resumed.status_code) == (200, 200)
        assert len(served.meta.sent) == 2


async def test_an_unknown_category_stops_only_who_opted_out(tmp_path: Path) -> None:
    """While Meta does not tell the templates, others get theirs and somebody who opted out gets none."""
    async with served_hub(tmp_path) as served:
        agent, recipient = await agent_and_customer(served)

        before = await agent.send(send_template(recipient), key="a")
        await prefers(served, "stop")
        after = await agent.send(send_template(recipient), key="b")

        assert before.status_code == 200
        assert told(after) == (503, 131016, "category_unknown")


async def test_a_template_that_cannot_go_is_told_before_it_leaves(tmp_path: Path) -> None:
    """Unknown name, another language, pending, paused and disabled each get Meta's code at once; one approved since then goes."""
    async with served_hub(tmp_path) as served:
        states = {"wait": "PENDING", "rest": "PAUSED", "off": "DISABLED"}
        served.meta.templates = [template(), *(template(name, status=status) for name, status in states.items())]
        agent, recipient = await agent_and_customer(served)

        answers = {name: told(await agent.send(send_template(recipient, name), key=name)) for name in ("none", "wait", "rest", "off")}
        other = await agent.send(send_template(recipient, language="de"), key="de")
        served.meta.templates = [template("wait")]
        served.clock.move(timedelta(seconds=6))
        approved = await agent.send(send_template(recipient, "wait"), key="later")

        assert answers == {
            "none": (404, 132001, "template_unknown"),
            "wait": (404, 132001, "template_unapproved"),
            "rest": (400, 132015, "template_paused"),
            "off": (400, 132016, "template_disabled"),
        }
        assert "it exists in en" in other.json()["error"]["error_data"]["details"]
        assert approved.status_code == 200
        assert [one["template"]["name"] for one in served.meta.sent] == ["wait"]


async def test_a_template_must_fit_where_its_form_is_known(tmp_path: Path) -> None:
    """Too few parameters are refused with 132000 before the message is archived; as many as there are go."""
    async with served_hub(tmp_path) as served:
        served.meta.templates = [template(components=[{"type": "BODY", "text": "Hello {{1}}, see you"}])]
        agent, recipient = await agent_and_customer(served)
        body = send_template(recipient)
        filled = {**body["template"], "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}]}

        refused, sent = await agent.send(body, key="a"), await agent.send({**body, "template": filled}, key="b")

        assert (refused.status_code, refused.json()["error"]["code"]) == (400, 132000)
        assert sent.status_code == 200
        assert len(served.meta.sent) == 1


async def test_limits_are_kept_before_anything_is_archived(tmp_path: Path) -> None:
    """A text too long is refused with the code and field that Meta would name, and the archive has nothing of it."""
    async with served_hub(tmp_path) as served:
        agent, recipient = await agent_and_customer(served)
        body = build_text(recipient=recipient, body="x") | {"text": {"body": "x" * 4097}}

        answer = await agent.send(body)

        assert answer.json()["error"]["code"] in (100, 131009)
        assert "text.body" in answer.text
        assert [one for one in (await agent.seen("message")).values() if one["direction"] == "outgoing"] == []


async def test_a_number_is_found_however_it_is_written(tmp_path: Path) -> None:
    """Without its plus and country code, with blanks, or in Brazil's other spelling, a number is the customer's who wrote."""
    async with served_hub(tmp_path) as served:
        agent, _ = await agent_and_customer(served)
        await served.incoming(wamid="wamid.BR", sender="551187654321")
        await served.incoming(wamid="wamid.US", sender="15551230000")
        written = ("+44 7700 900123", "447700900123", "+55 11 98765-4321", "5551230000")

        answers = [await agent.send(build_text(to="+1", body="x") | {"to": to}, key=to) for to in written]

        assert [answer.status_code for answer in answers] == [200] * 4
        assert [one["to"] for one in served.meta.sent] == list(written)
        assert len(await agent.seen("conversation")) == 3


@pytest.mark.parametrize(
    ("typed", "other"),
    [
        ("5511987654321", "551187654321"),
        ("551187654321", "5511987654321"),
        ("5215512345678", "525512345678"),
        ("5491112345678", "541112345678"),
        ("447700900123", None),
    ],
)
def test_spellings_of_one_number(typed: str, other: str | None) -> None:
    """Brazil, Mexico and Argentina have two spellings, each found from the other; elsewhere there is one."""
    assert spellings(typed) == ((typed,) if other is None else (typed, other))
    assert all(set(spellings(one)) == set(spellings(typed)) for one in spellings(typed))


async def test_an_opt_out_is_kept_in_any_order_and_before_the_first_message(tmp_path: Path) -> None:
    """A stop from somebody unknown holds when we write first; an older stop told after a resume changes nothing."""
    async with served_hub(tmp_path) as served:
        served.meta.templates = [template("sale", category="MARKETING")]
        agent = await served.person(await served.admin(), "Agent", "agent")
        now = int(served.clock.now().timestamp())
        await prefers(served, "stop", at=now - 50)
        body = {key: value for key, value in send_template("", "sale").items() if key != "recipient"} | {"to": "+447700900123"}

        first = await agent.send(body, key="a")
        await prefers(served, "resume", at=now - 30)
        await prefers(served, "stop", at=now - 40)
        second = await agent.send(body, key="b")

        assert told(first) == (400, 131050, "opted_out")
        assert second.status_code == 200


async def test_an_opt_out_survives_the_merge_of_two_contacts(tmp_path: Path) -> None:
    """Whoever of two turns out to be the same person: where one said stop, the one that remains has said it."""
    for stopped in ("447700900123", "GB.13491208655302741918"):
        async with served_hub(tmp_path / stopped) as served:
            served.meta.templates = [template("sale", category="MARKETING")]
            agent = await served.person(await served.admin(), "Agent", "agent")
            await served.incoming()
            message = {"from_user_id": "GB.13491208655302741918", "id": "wamid.B", "type": "text", "text": {"body": "and me"}}
            user = {"user_id": "GB.13491208655302741918", "profile": {"name": "Ada"}}
            at = {"timestamp": str(int(served.clock.now().timestamp()))}
            await served.webhook(value_of(messages=[message | at], contacts=[user]))
            preference = {"category": "marketing_messages", "value": "stop", "timestamp": int(at["timestamp"])}
            of = {"user_id": stopped} if "." in stopped else {"wa_id": stopped}
            await served.webhook(value_of(contacts=[of], user_preferences=[preference | of]), field="user_preferences")
            both = user | {"wa_id": "447700900123"}
            await served.webhook(value_of(messages=[message | at | {"id": "wamid.C", "from": "447700900123"}], contacts=[both]))

            answer = await agent.send(send_template("GB.13491208655302741918", "sale"))

            assert len(await agent.seen("conversation")) == 1, stopped
            assert told(answer) == (400, 131050, "opted_out"), stopped
