"""The hand on the simulator: reading and waiting, beginning anew, and how it refuses."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.simulator_stage import APP_SECRET, CUSTOMER, NUMBER, TOKEN, WABA, Stage, staged
from wabiz_tui.graph.parsed import IncomingMessage, Parsed
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.simulator.webhooks.account_events import EVENTS


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


async def test_waiting_for_what_is_sent(stage: Stage) -> None:
    """A long poll answers when as many sends match as were waited for, and at the end of its time with those there are."""
    await stage.write()
    waiting = asyncio.ensure_future(stage.ask("sent?wait=10s&count=2&type=text"))
    for text in ("one", "two"):
        for _ in range(5):
            await stage.ask("clock")
        assert not waiting.done()
        await stage.send(text)
    rows = await waiting
    none = await stage.ask("sent?wait=0.05s&type=image")

    assert [row["text"] for row in rows["sent"]] == ["one", "two"]
    assert (rows["count"], rows["position"], none["count"]) == (2, 2, 0)


async def test_filters(stage: Stage) -> None:
    """Sends and deliveries are found by person, number, type, text, state, time, id and position; of many the newest are shown."""
    await stage.write()
    await stage.write("x", **{"from": "4915730000088"})
    first = (await stage.send("one")).json()["messages"][0]["id"]
    await stage.send("two", to="+4915730000088")
    await stage.ask("deliveries?type=statuses&wait=10s&count=6&delivered=true")

    async def texts(query: str) -> list[str]:
        return [row["text"] for row in (await stage.ask(f"sent?{query}"))["sent"]]

    assert await texts("to=%2B4915730000088") == ["two"]
    assert await texts(f"wamid={first}") == ["one"]
    assert await texts("after=1") == ["two"]
    assert await texts("limit=1") == ["two"]
    assert await texts("text=on&status=read") == ["one"]
    assert await texts("number=nobody") == []
    assert await texts("since=1h ago") == ["one", "two"]
    assert await texts(f"since={int(datetime.now(UTC).timestamp()) + 3600}") == []
    assert (await stage.ask(f"deliveries?wamid={first}"))["count"] == 3
    assert (await stage.ask("deliveries?field=messages&after=2&body=1&limit=1"))["deliveries"][0]["body"].startswith("{")


async def test_reset_begins_anew(stage: Stage) -> None:
    """After a reset nobody is there, nothing was sent, faults are gone, time runs, ids begin anew, and the callback still holds."""
    await stage.control("clock", set="2026-11-22T12:00:00Z", freeze=True)
    first = await stage.write()
    await stage.send()
    await stage.control("settings", window="sync", pair_burst=1)
    await stage.control("fault", kind="drop", count=99)
    await stage.control("number", number=NUMBER, quality="RED")
    told = await stage.control("reset")
    state = await stage.ask("state")
    await stage.control("clock", set="2026-11-22T12:00:00Z", freeze=True)
    again = await stage.write()

    assert told["reset"]
    assert (state["people"], state["sent"], state["deliveries"], state["faults"], state["waiting"]) == (0, 0, 0, [], 0)
    assert (state["settings"]["window"], state["settings"]["pair_burst"], state["frozen"]) == ("async", 45, False)
    assert state["callback"]["verified"]
    assert again["delivered"]
    assert (again["wamid"], again["delivery"]) == (first["wamid"], first["delivery"])
    assert stage.world.account.numbers[NUMBER].quality == "GREEN"


async def test_every_account_event_is_read(stage: Stage) -> None:
    """Each webhook field there is a short form of is posted, signed, and known to the parser."""
    kinds: set[str] = set()
    for field in EVENTS:
        outcome = await stage.control("event", **{"field": field, "from": CUSTOMER})
        assert outcome["delivered"], field
        parts: list[Parsed] = parse(stage.hub.bodies[-1])
        kinds |= {type(part).__name__ for part in parts}
        assert not any(isinstance(part, IncomingMessage) for part in parts), field

    await stage.control("event", field="account_update", event="DISABLED_UPDATE", ban_info={"waba_ban_state": "REINSTATE"})
    await stage.control("event", field="user_preferences", user_id="DE.7", preference="resume")
    assert b'"waba_ban_state":"REINSTATE"' in stage.hub.bodies[-2]
    assert b'"value":"resume"' in stage.hub.bodies[-1]
    assert all(stage.hub.signed())
    assert {"EchoedMessage", "HistoryMessage"} <= kinds


async def test_who_somebody_is_changes(stage: Stage) -> None:
    """A moved number is told by system message and user id update in the order asked, a recycled one not at all, and the new owner is
    another person; hidden, unnamed and verified anew are told as Meta tells them."""
    await stage.write(name="Zoë")
    old = stage.hub.values("messages")[0]["from_user_id"]
    moved = await stage.control("customer", phone=CUSTOMER, new_phone="+49 157 1", order="update_first")
    await stage.control("customer", phone="491571", identity_changed=True, name=None, username="@zoe", parent_user_id="DE.ENT.1")
    await stage.write("hidden", name=None, **{"from": "491571", "hide_phone": True})
    await stage.control("customer", phone="491571", recycle={"name": "Somebody Else"}, hide_phone=False)
    await stage.write("new owner", **{"from": "491571"})
    (update,) = stage.hub.values("user_id_update")
    system, identity, hidden, stranger = stage.hub.values("messages")[1:]

    assert update["user_id"] == {"previous": old, "current": moved["customer"]["user_id"]}
    assert [body.find(b'"user_id_update"') > 0 for body in stage.hub.bodies[1:3]] == [True, False]
    assert system["from"] == CUSTOMER
    assert (system["system"]["type"], system["system"]["wa_id"]) == ("user_changed_user_id", "491571")
    assert old in system["system"]["body"]
    assert identity["system"]["type"] == "customer_identity_changed"
    assert "hash" in identity["identity"]
    assert "from" not in hidden
    assert hidden["from_parent_user_id"] == "DE.ENT.1"
    assert stranger["from_user_id"] not in (old, moved["customer"]["user_id"])
    assert b'"profile":{"username":"@zoe"}' in stage.hub.bodies[4]


SLIPS: list[tuple[str, str, Any, str]] = [
    ("POST", "inbuond", {}, "'inbound'"),
    ("GET", "send", None, "'sent'"),
    ("GET", "sent?wiat=1s", None, "'wait'"),
    ("GET", "sent?wait=soon", None, "wait"),
    ("GET", "deliveries?count=-1", None, "count"),
    ("POST", "clock", {"advnce": "1h"}, "'advance'"),
    ("POST", "clock", {"advance": "-1h"}, "advance"),
    ("POST", "clock", {"rate": -1}, "rate"),
    ("POST", "clock", {"freeze": "yes"}, "freeze"),
    ("POST", "settings", {"windw": "off"}, "'window'"),
    ("POST", "settings", {"pace": "fast"}, "pace"),
    ("POST", "settings", {"statuses": 1}, "statuses"),
    ("POST", "customer", {"phone": "1", "charakter": "mute"}, "'character'"),
    ("POST", "customer", {"phone": "1", "character": "nasty"}, "hostile"),
    ("POST", "customer", {}, "phone"),
    ("POST", "event", {"field": "acount_update"}, "'account_update'"),
    ("POST", "event", {"field": "calls"}, "from"),
    ("POST", "event", {"field": "flows", "number": "1"}, NUMBER),
    ("POST", "scenario", {"toml": "[random]\nlanguages = ['tlh']"}, "languages"),
    ("POST", "scenario", {"toml": "[[fault]]\nkind = 'delay'\nsecond = 1"}, "'seconds'"),
    ("POST", "scenario", {"toml": "[clock]\nstart = 'noon'"}, "start"),
    ("POST", "scenario", {}, "toml"),
    ("POST", "inbound", {"from": "1", "text": "hi", "at": "someday"}, "RFC 3339"),
    ("POST", "status", {"wamid": "x"}, "status"),
    ("POST", "callback", {"for": "nobody", "url": "http://x/"}, "account"),
]


async def test_refusals_name_what_is_right(stage: Stage) -> None:
    """Every slip is answered 400 or 404 with a sentence that names the key and what is valid."""
    for method, path, body, word in SLIPS:
        answer = await stage.http.request(method, f"/_control/{path}", json=body)
        assert answer.status_code in (400, 404), path
        assert word in answer.json()["sentence"]


async def test_no_answer_tells_a_secret(stage: Stage) -> None:
    """Neither records nor state nor refusals hold the app secret, the token or the verify token."""
    await stage.write()
    names = ("", "/state", "/sent", "/deliveries?body=1", "/callback", "/settings", "/customers", "/fault", "/clock", "/reads")
    said = "".join([(await stage.http.get(f"/_control{name}")).text for name in names])

    assert WABA in said
    assert not any(secret in said for secret in (APP_SECRET, TOKEN, "test_verify"))
