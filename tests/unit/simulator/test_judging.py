"""Who may be written to by the pretend account, and what fails after it was accepted."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.support.simulator_stage import CUSTOMER, NUMBER, WABA, Stage, staged

HELLO = {"type": "template", "text": None, "template": {"name": "hello_world", "language": {"code": "en_US"}}}


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


async def failures(stage: Stage, *wamids: str) -> list[int | None]:
    """With which code each message failed; None for one that did not. Waits until something was told of each."""
    await stage.hub.until(lambda: set(wamids) <= {status["id"] for status in stage.hub.values("statuses")})
    codes = {one["id"]: one["errors"][0]["code"] for one in stage.hub.values("statuses") if one["status"] == "failed"}
    return [codes.get(wamid) for wamid in wamids]


async def accepted(stage: Stage, **parts: Any) -> str:
    answer = await stage.send(**parts)
    assert answer.status_code == 200, answer.text
    return answer.json()["messages"][0]["id"]


def reaction(wamid: str) -> dict[str, Any]:
    return {"type": "reaction", "text": None, "reaction": {"message_id": wamid, "emoji": "👍"}}


async def test_messaging_limit_counts_people_outside_the_window(stage: Stage) -> None:
    """Above the tier new people fail with 131048, those reached before or with an open window do not count, and a day later all is new."""
    await stage.write()
    stage.world.account.reach.limit = 2
    first, second = [await accepted(stage, **HELLO, to=f"+49157300001{number:02d}") for number in (1, 2)]
    third = await accepted(stage, **HELLO, to="+4915730000103")
    known, inside = await accepted(stage, **HELLO, to="+4915730000101"), await accepted(stage, **HELLO)
    codes = await failures(stage, first, second, third, known, inside)
    await stage.control("settings", window="sync")
    refused = await stage.send(**HELLO, to="+4915730000104")
    await stage.control("clock", advance="25h")

    assert codes == [None, None, 131048, None, None]
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 131048)
    assert (await stage.send(**HELLO, to="+4915730000104")).status_code == 200


async def test_reactions_need_a_target(stage: Stage) -> None:
    """A reaction to a message of either side arrives; to an unknown one, to a reaction or after thirty days it fails with 131009."""
    theirs = (await stage.write())["wamid"]
    ours = await accepted(stage)
    fine = [await accepted(stage, **reaction(wamid)) for wamid in (theirs, ours)]
    wrong = [await accepted(stage, **reaction(wamid)) for wamid in ("wamid.unknown", fine[0])]
    codes = await failures(stage, *fine, *wrong)
    await stage.control("clock", advance="31d")
    await stage.write("the window is open again")
    old = await accepted(stage, **reaction(theirs))

    assert codes == [None, None, 131009, 131009]
    assert await failures(stage, old) == [131009]
    states = [status["status"] for status in stage.hub.values("statuses") if status["id"] == fine[0]]
    assert states == ["sent"]


async def test_marks_need_a_message_of_a_customer(stage: Stage) -> None:
    """Our own, unknown and old messages cannot be marked read; typing needs one too; a batched one is found."""
    ours = await accepted(stage, **HELLO)
    theirs = (await stage.write())["wamid"]

    async def mark(wamid: str, **more: Any) -> int:
        body = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid, **more}
        answer = await stage.http.post(f"/v26.0/{NUMBER}/messages", json=body, headers=stage.bearer)
        return answer.json().get("error", {}).get("code", 0)

    assert await mark(theirs, typing_indicator={"type": "text"}) == 0
    assert await mark(theirs, typing_indicator={"type": "smoke"}) in (100, 131009)
    assert [await mark("wamid.unknown"), await mark(ours)] == [131009, 131009]
    await stage.control("clock", advance="31d")
    assert await mark(theirs) == 131009


async def test_who_cannot_be_reached(stage: Stage) -> None:
    """Blocked by us, blocking us, another identity key than the one told: each has its code, and is accepted first."""
    await stage.write()
    customer = stage.world.people.find(wa_id=CUSTOMER)
    assert customer is not None
    customer.blocks.add(NUMBER)
    blocking = await accepted(stage)
    customer.blocks.clear()
    customer.identity_key_hash = "right"
    unchecked = await accepted(stage, recipient_identity_key_hash="wrong")
    await stage.graph("POST", f"{NUMBER}/settings", {"user_identity_change": {"enable_identity_key_check": True}})
    wrong, right = await accepted(stage, recipient_identity_key_hash="wrong"), await accepted(stage, recipient_identity_key_hash="right")

    assert await failures(stage, blocking, unchecked, wrong, right) == [131026, None, 137000, None]


async def test_blocking_is_for_who_wrote_lately(stage: Stage) -> None:
    """Only who wrote within a day can be blocked; part of a list may fail with HTTP 400 and both lists; unblocking undoes it."""
    await stage.write()
    path, product = f"{NUMBER}/block_users", {"messaging_product": "whatsapp"}
    users = [{"user": f"+{CUSTOMER}"}, {"user": "+4915730009999"}]
    part = await stage.graph("POST", path, {**product, "block_users": users}, expect=400)
    listed = await stage.graph("GET", path)
    failed = await failures(stage, await accepted(stage))
    undone = await stage.graph("DELETE", path, {**product, "block_users": users[:1]})
    await stage.control("clock", advance="25h")
    late = await stage.graph("POST", path, {**product, "block_users": users[:1]}, expect=400)

    assert (part["error"]["code"], part["block_users"]["added_users"][0]["wa_id"]) == (139100, CUSTOMER)
    assert part["block_users"]["failed_users"][0]["input"] == "+4915730009999"
    assert [row["wa_id"] for row in listed["data"]] == [CUSTOMER]
    assert failed == [130403]
    assert undone["block_users"]["removed_users"][0]["wa_id"] == CUSTOMER
    assert late["block_users"]["failed_users"][0]["errors"][0]["code"] == 131047
    assert (await stage.refused("POST", path, product))["code"] == 100


async def test_throughput_is_a_numbers_own(stage: Stage) -> None:
    """A number shared with the Business app sends twenty a second, a high one a thousand."""
    await stage.write()
    await stage.control("settings", statuses=False, pair_burst=1000)
    await stage.control("clock", freeze=True)
    await stage.control("number", coexistence=True)
    shared = [(await stage.send()).status_code for _ in range(21)]
    await stage.control("number", coexistence=False, throughput="HIGH")
    more = [(await stage.send()).status_code for _ in range(70)]

    assert shared == [200] * 20 + [400]
    assert more == [200] * 70


async def test_refusals_name_what_is_wrong(stage: Stage) -> None:
    """To oneself, to a group that is not there, to a foreign user id, from an unapproved name: the code says it."""
    display = stage.world.display(NUMBER)
    codes = [
        (await stage.send(to=f"+{display}")).json()["error"]["code"],
        (await stage.send(to="some-group", recipient_type="group")).json()["error"]["code"],
        (await stage.send(to=None, recipient="XX.1")).json()["error"]["code"],
        (await stage.send(to="no digits")).json()["error"]["code"],
    ]
    await stage.control("number", name_status="DECLINED")
    unapproved = (await stage.send()).json()["error"]

    assert codes == [131021, 131041, 131009, 131009]
    assert unapproved["code"] == 131037
    assert unapproved["message"].startswith("(#131037) ")
    assert unapproved["error_data"]["messaging_product"] == "whatsapp"


async def test_history_of_a_message(stage: Stage) -> None:
    """The states of a message and whether their webhooks arrived can be read, never what was in it."""
    await stage.write()
    wamid = await accepted(stage)
    await stage.hub.until(lambda: len(stage.hub.values("statuses")) >= 3)
    (row,) = (await stage.graph("GET", f"{NUMBER}/message_history", message_id=wamid))["data"]
    events = await stage.graph("GET", f"{row['id']}/events", status_filter="READ")

    assert {one["delivery_status"] for one in row["events"]["data"]} == {"SENT", "DELIVERED", "READ"}
    assert {one["webhook_update_state"] for one in row["events"]["data"]} <= {"DELIVERED", "PENDING"}
    assert [one["node"]["delivery_status"] for one in events["data"]] == ["READ"]
    assert "Hi" not in str(row)
    assert (await stage.refused("GET", f"{row['id']}/events", status_filter="EATEN"))["code"] == 100


async def test_analytics_count_what_happened(stage: Stage) -> None:
    """Sent and delivered messages are counted by day, number, category and template; bad spans are refused."""
    await stage.write()
    sent = [await accepted(stage), await accepted(stage, **HELLO)]
    await stage.hub.until(lambda: len([one for one in stage.hub.values("statuses") if one["status"] == "read"]) == len(sent))
    start = int(stage.world.now().timestamp()) - 3600
    span = f".start({start}).end({start + 86400})"
    plain = (await stage.graph("GET", WABA, fields=f"analytics{span}.granularity(DAY)"))["analytics"]
    priced = await stage.graph("GET", WABA, fields=f'pricing_analytics{span}.granularity(DAILY).dimensions(["PRICING_CATEGORY","PHONE"])')
    template = await stage.graph(
        "GET", f"{WABA}/template_analytics", start=start, end=start + 86400, granularity="DAILY", template_ids="[900000000000001]"
    )
    wrong = [
        (await stage.refused("GET", WABA, fields=fields))["code"]
        for fields in (
            f"analytics{span}",
            f"analytics{span}.granularity(FORTNIGHT)",
            f"analytics.start({start}).end({start - 1}).granularity(DAY)",
            f"analytics.start({start}).end({start + 400 * 86400}).granularity(DAY)",
            "analytics.granularity(DAY)",
        )
    ]

    (point,) = plain["data_points"]
    assert (point["sent"], point["delivered"]) == (2, 2)
    rows = priced["pricing_analytics"]["data"][0]["data_points"]
    assert {(row["pricing_category"], row["volume"]) for row in rows} == {("SERVICE", 1), ("UTILITY", 1)}
    assert [row["sent"] for row in template["data"][0]["data_points"]] == [1]
    assert wrong == [100] * 5


async def test_account_as_an_object(stage: Stage) -> None:
    """The account shows its defaults or the fields asked for, and is renamed."""
    await stage.graph("POST", WABA, {"name": "Fresh Bread"})

    assert set(await stage.graph("GET", WABA)) == {"id", "name", "timezone_id", "message_template_namespace"}
    chosen = await stage.graph("GET", WABA, fields="name,health_status,account_review_status")
    assert (chosen["name"], chosen["account_review_status"]) == ("Fresh Bread", "APPROVED")
    assert (await stage.refused("POST", WABA, {}))["code"] == 100
