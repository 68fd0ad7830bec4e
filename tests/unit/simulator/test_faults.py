"""Faults on demand: each as it is asked for, by count, time or chance, the same for the same seed."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from tests.support.simulator_stage import CUSTOMER, NOW, NUMBER, Hub, staged
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.customers.incoming import write
from wabiz_tui.simulator.webhooks.faults import Faults


def struck(faults: Faults, times: int, **asked: Any) -> list[bool]:
    faults.add({"kind": "drop", **asked}, NOW)
    return [faults.take("drop", NOW) is not None for _ in range(times)]


def test_counts_times_and_chances() -> None:
    """A fault happens once, as often as counted, while it lasts, from when it begins, or by a seeded chance."""
    assert struck(Faults(), 3) == [True, False, False]
    assert struck(Faults(), 3, count=2) == [True, True, False]
    assert struck(Faults(1), 40, chance=0.5) == struck(Faults(1), 40, chance=0.5)
    assert 150 < sum(struck(Faults(1), 1000, chance=0.2)) < 250
    assert sum(struck(Faults(1), 1000, chance=0.2, count=7)) == 7
    assert not any(struck(Faults(), 20, chance=0))
    later = Faults()
    later.add({"kind": "drop", "after": "30s", "for": "1m"}, NOW)
    moments = [later.find("drop", NOW + timedelta(seconds=after)) is not None for after in (0, 29, 30, 89, 90)]
    assert moments == [False, False, True, True, False]


def test_looking_is_not_using() -> None:
    """A fault by chance that was seen to strike strikes whoever takes it next; one that is aside does not."""
    faults = Faults(3)
    faults.add({"kind": "reorder", "chance": 0.3}, NOW)
    for _ in range(100):
        if faults.find("reorder", NOW) is not None:
            assert faults.take("reorder", NOW) is not None
    faults.add({"kind": "cut", "when": "before"}, NOW)
    assert faults.take("cut", NOW, when="after") is None
    assert faults.take("cut", NOW, when="before") is not None


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"kind": "dupliicate"}, "'duplicate'"),
        ({}, "kind"),
        ({"kind": "delay", "second": 3}, "'seconds'"),
        ({"kind": "delay", "seconds": "soon"}, "seconds"),
        ({"kind": "delay", "seconds": [1, 2, 3]}, "seconds"),
        ({"kind": "drop", "chance": 1.5}, "chance"),
        ({"kind": "drop", "count": -1}, "count"),
        ({"kind": "drop", "after": "later"}, "after"),
        ({"kind": "media_fail", "status": 999}, "status"),
    ],
)
def test_wrong_faults_are_refused(asked: dict[str, Any], word: str) -> None:
    """What is wrong is named, with what is valid."""
    with pytest.raises(BadInput, match=word):
        Faults().add(asked, NOW)


async def test_loss_duplication_and_order_by_chance() -> None:
    """Under chance some webhooks are lost, some come twice and some late: none otherwise, and each duplicate has the same bytes."""
    async with staged() as stage:
        for fault in (
            {"kind": "drop", "chance": 0.2},
            {"kind": "duplicate", "chance": 0.3, "copies": 2},
            {"kind": "delay", "chance": 0.3, "seconds": [0.01, 0.1]},
            {"kind": "bad_signature", "chance": 0.1},
        ):
            await stage.control("fault", **fault)
        customer = stage.world.people.meet(wa_id=CUSTOMER)
        for index in range(120):
            write(stage.world, customer, {"type": "text", "text": {"body": str(index)}})
        moved = await stage.control("clock", advance="5s")
        lost = sum(row["dropped"] for row in (await stage.ask("deliveries"))["deliveries"])
        came = Counter(stage.hub.bodies)

        assert moved["settled"]
        assert len(came) == 120 - lost
        assert 10 < lost < 45
        assert {1, 3} <= set(came.values()) <= {1, 2, 3}
        assert 2 < stage.hub.signed().count(False) < 40


async def test_statuses_in_every_order() -> None:
    """`sent` before the answer, no `delivered`, the old ones late, and a failure after `sent`."""
    async with staged(pace=1.0) as stage:
        await stage.control("clock", set="2026-11-22T12:00:00Z", freeze=True)
        await stage.write()
        told: list[list[str]] = []
        for kind in ("early_status", "skip_delivered", "late_statuses", "failed_after_sent"):
            await stage.control("fault", kind=kind)
            wamid = (await stage.send()).json()["messages"][0]["id"]
            before = (await stage.ask(f"sent?wamid={wamid}"))["sent"][0]["statuses"]
            assert [one["status"] for one in before] == (["sent"] if kind == "early_status" else [])
            await stage.control("clock", advance="1m")
            told.append([one["status"] for one in (await stage.ask(f"sent?wamid={wamid}"))["sent"][0]["statuses"]])

        assert told == [["sent", "delivered", "read"], ["sent", "read"], ["read", "delivered", "sent"], ["sent", "failed"]]
        assert [one["errors"][0]["code"] for one in stage.hub.values("statuses") if one["status"] == "failed"] == [131026]


async def test_batches_mix_numbers_and_kinds() -> None:
    """Messages, statuses and echoes of two numbers come in one POST, in one entry or an entry each."""
    async with staged(phone_number_ids=(NUMBER, "222")) as stage:
        for entries in ("", "each"):
            await stage.control("fault", kind="batch", size=4, count=4, entries=entries)
            await stage.write("a", wait=False)
            await stage.write("b", number="222", wait=False)
            await stage.write("c", echo=True, wait=False)
            await stage.control("status", wamid="wamid.X", status="sent", to=CUSTOMER, wait=False)
        await stage.hub.until(lambda: len(stage.hub.bodies) == 2)
        whole, apart = (json.loads(body)["entry"] for body in stage.hub.bodies)

        assert ([len(entry["changes"]) for entry in whole], [len(entry["changes"]) for entry in apart]) == ([4], [1, 1, 1, 1])
        assert [change["value"]["metadata"]["phone_number_id"] for change in whole[0]["changes"]] == [NUMBER, "222", NUMBER, NUMBER]
        assert {change["field"] for change in whole[0]["changes"]} == {"messages", "smb_message_echoes"}


async def test_only_what_is_meant() -> None:
    """`only` keeps a fault to statuses, a field or a number."""
    async with staged() as stage:
        await stage.control("fault", kind="drop", only="statuses", for_seconds=60)
        written = await stage.write()
        status = await stage.control("status", wamid="wamid.X", status="sent", to=CUSTOMER)

        assert (written["delivered"], status["delivered"], status["dropped"]) == (True, False, True)


async def test_media_that_is_not_what_was_told() -> None:
    """A file whose hash was told wrongly, one that fails twice, one whose link has died."""
    async with staged() as stage:
        await stage.control("fault", kind="media_hash")
        for _ in range(2):
            await stage.write(type="image")
        wrong, right = (message["image"] for message in stage.hub.values("messages"))
        info = (await stage.http.get(f"/v26.0/{right['id']}", headers=stage.bearer)).json()
        await stage.control("fault", kind="media_fail", count=2, status=503)
        codes = [(await stage.http.get(info["url"], headers=stage.bearer)).status_code for _ in range(3)]
        await stage.control("fault", kind="media_expired")
        dead = (await stage.http.get(info["url"], headers=stage.bearer)).status_code

        assert wrong["sha256"] != right["sha256"]
        assert (codes, dead) == ([503, 503, 200], 404)


async def test_faults_of_a_scenario_have_their_time() -> None:
    """`[[fault]]` begins after its time and ends after its span."""
    text = '[[fault]]\nkind = "drop"\nafter = "10s"\nfor = "20s"\n'
    async with staged() as stage:
        await stage.control("scenario", toml=text)
        outcomes: list[bool] = []
        for _ in range(3):
            await stage.control("clock", freeze=True)
            outcomes.append((await stage.write())["delivered"])
            await stage.control("clock", advance="15s")

        assert outcomes == [True, False, True]


async def test_burst_keeps_its_rate() -> None:
    """A burst is as many messages as rate times span, evenly over simulated time, from as many people as asked."""
    hub = Hub()
    async with staged(hub) as stage:
        await stage.control("clock", set="2026-11-22T12:00:00Z", freeze=True)
        await stage.control("fault", kind="burst", rate=100, for_seconds=3, customers=50)
        await stage.control("clock", advance="1s")
        early = len(hub.values("messages"))
        await stage.control("clock", advance="5s")
        messages = hub.values("messages")

        assert 99 <= early <= 102
        assert len(messages) == 300
        assert len({message["from"] for message in messages}) == 50
        assert len({message["id"] for message in messages}) == 300
