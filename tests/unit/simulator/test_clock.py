"""Time in the hands of a test: it stands, runs, jumps, and what falls due on the way happens in its order."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.simulator_stage import CUSTOMER, NOW, Hub, staged
from wabiz_tui.simulator.timeline import MovableClock, Timeline

FROZEN = {"set": "2026-11-22T12:00:00Z", "freeze": True}
CROWDED = """
[clock]
start = "2026-11-22T12:00:00Z"
freeze = true
[typing]
least = "1s"
most = "4s"
[random]
customers = 60
per_minute = 6
[[fault]]
kind = "duplicate"
chance = 0.1
[[fault]]
kind = "drop"
chance = 0.05
[[customer]]
name = "Ana"
phone = "5511987654321"
language = "pt"
script = [{ after = "20s", text = "olá" }, { after = "40s", edit = "olá!" }, { after = "50s", change = { hide_phone = true } }]
"""


class Still:
    """A base clock that a test moves by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


def test_clock_runs_at_any_rate() -> None:
    """A clock keeps its own time: it stands at rate 0, hurries at 60, and both its hands move alike."""
    base = Still()
    clock = MovableClock(base)
    start = clock.monotonic()

    def pass_a_second() -> datetime:
        base.at += timedelta(seconds=1)
        return clock.now()

    assert pass_a_second() == NOW + timedelta(seconds=1)
    clock.run_at(0)
    assert pass_a_second() == NOW + timedelta(seconds=1)
    clock.run_at(60)
    assert pass_a_second() == NOW + timedelta(seconds=61)
    clock.advance(timedelta(hours=1))
    assert clock.monotonic() - start == 61 + 3600
    clock.reset()
    assert clock.now() == base.at


async def test_advance_runs_what_is_due_in_order() -> None:
    """Acts run in the order of their times, each when the clock shows it, those they add on the way too; later ones wait."""
    clock = MovableClock(Still())
    clock.run_at(0)
    timeline = Timeline(clock)
    told: list[tuple[str, float]] = []

    def telling(name: str, then: float | None = None) -> Any:
        async def act() -> None:
            told.append((name, (clock.now() - NOW).total_seconds()))
            if then is not None:
                timeline.after(then, telling(f"{name} again"))
            await asyncio.sleep(0)

        return act

    timeline.after(30, telling("late"))
    timeline.after(10, telling("early", then=5))
    timeline.after(10, telling("also early"))
    timeline.after(90, telling("never"))
    is_settled = await timeline.advance(NOW + timedelta(minutes=1), patience=5)

    assert told == [("early", 10), ("also early", 10), ("early again", 15), ("late", 30)]
    assert is_settled
    assert clock.now() == NOW + timedelta(minutes=1)
    assert timeline.waiting == 1


async def test_a_hanging_act_does_not_hold_time() -> None:
    """What does not end is left behind after the patience given, and said so."""
    clock = MovableClock(Still())
    timeline = Timeline(clock)
    never = asyncio.Event()
    timeline.after(1, never.wait)

    assert not await timeline.advance(NOW + timedelta(hours=1), patience=0.05)
    assert clock.now() == NOW + timedelta(hours=1)
    await timeline.stop()


async def test_a_day_passes_in_one_call() -> None:
    """In a day and an hour the statuses are told in their order, a failing callback is asked again with growing gaps, the window closes
    and the file dies: all at simulated times."""
    hub = Hub(answers=[500] * 40)
    async with staged(hub, pace=1.0) as stage:
        await stage.control("clock", **FROZEN)
        written = await stage.write(type="image")
        assert (written["status"], written["attempts"]) == (500, 1)
        sent = (await stage.send()).json()["messages"][0]["id"]
        moved = await stage.control("clock", advance="25h")
        late = (await stage.send("late")).json()["messages"][0]["id"]
        await stage.control("clock", advance="1m")
        rows = {row["wamid"]: row for row in (await stage.ask("sent"))["sent"]}
        (first, *_) = (await stage.ask("deliveries"))["deliveries"]

        assert moved["settled"]
        assert moved["now"] == "2026-11-23T13:00:00.000Z"
        assert [status["status"] for status in rows[sent]["statuses"]] == ["sent", "delivered", "read"]
        assert rows[late]["statuses"][0]["code"] == 131047
        assert first["attempts"] > 10
        assert first["delivered"]
        assert hub.answers == []


async def test_frozen_time_changes_nothing_by_itself() -> None:
    """While the clock stands no status comes; hurried, it comes by itself."""
    async with staged(pace=1.0) as stage:
        await stage.control("clock", freeze=True)
        await stage.write()
        await stage.send()
        stood = await stage.ask("sent")
        await stage.control("clock", rate=1000)
        ran = await stage.ask("sent?status=read&wait=10s")

        assert stood["sent"][0]["statuses"] == []
        assert ran["count"] == 1


async def test_same_seed_same_calls_same_bytes(tmp_path: Path) -> None:
    """Two runs with one seed, clock and calls tell the same bytes at the same times under the same ids; another seed does not."""
    (tmp_path / "crowded.toml").write_text(CROWDED)
    played: list[list[Any]] = []
    for seed in (3, 3, 4):
        async with staged(scenario=tmp_path / "crowded.toml", seed=seed, pace=1.0) as stage:
            await stage.write("a")
            await stage.control("clock", advance="2m")
            writers = sorted({message["from"] for message in stage.hub.values("messages") if "from" in message})
            for phone in writers[:5]:
                await stage.send("Good day! Which size do you need?", to=f"+{phone}")
            await stage.control("clock", advance="3m")
            await stage.control("customer", phone=CUSTOMER, new_phone="4915730000078")
            rows = (await stage.ask("deliveries?body=1"))["deliveries"]
            played.append([(row["id"], row["at"], row["body"], row["dropped"], row["ids"]) for row in rows])

    assert len(played[0]) > 40
    assert played[0] == played[1]
    assert [row[2] for row in played[0]] != [row[2] for row in played[2]]
    assert json.loads(played[0][0][2])["object"] == "whatsapp_business_account"


async def test_start_of_the_clock_comes_from_the_scenario(tmp_path: Path) -> None:
    """`[clock]` says when the play begins and that time stands."""
    (tmp_path / "s.toml").write_text(CROWDED)
    async with staged(scenario=tmp_path / "s.toml") as stage:
        told = await stage.ask("clock")

        assert told["now"] == datetime(2026, 11, 22, 12, tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        assert told["frozen"]
