"""A phone that is off, and events and templates that a scenario brings along."""

import pytest

from tests.support.simulator_stage import CUSTOMER, Stage, staged
from wabiz_tui.model.errors import DocumentError
from wabiz_tui.simulator.customers.scenario import parse_scenario

SCENARIO = """
[clock]
start = "2026-11-22T12:00:00Z"
freeze = true
[[template]]
name = "parcel_here"
language = "en"
category = "UTILITY"
components = [{ type = "BODY", text = "Your parcel is here." }]
[[template]]
name = "hello_world"
language = "en_US"
category = "MARKETING"
status = "PAUSED"
components = [{ type = "BODY", text = "Buy." }]
[[event]]
after = "30s"
field = "account_alerts"
alert_type = "LOW_QUALITY"
[[event]]
field = "user_preferences"
after = 40
from = "4915730001001"
preference = "stop"
"""


async def _states(stage: Stage) -> list[str]:
    return [one["status"] for one in (await stage.ask("sent"))["sent"][-1]["statuses"]]


async def test_a_phone_that_is_off() -> None:
    """A message to it is sent and no more; once it is on the rest is told; what is older than 30 days never is."""
    async with staged(pace=1.0) as stage:
        await stage.control("clock", freeze=True)
        await stage.write()
        await stage.control("customer", phone=CUSTOMER, online=False)
        await stage.send()
        await stage.control("clock", advance="20h")
        off = await _states(stage)
        await stage.control("customer", phone=CUSTOMER, online=True)
        on = await _states(stage)
        await stage.control("customer", phone=CUSTOMER, online=False)
        await stage.send("late")
        await stage.control("clock", advance="31d")
        await stage.control("customer", phone=CUSTOMER, online=True)

        assert (off, on) == (["sent"], ["sent", "delivered", "read"])
        assert await _states(stage) == ["sent"]
        assert (await stage.ask(f"customer?phone={CUSTOMER}"))["customers"][0]["online"] is True


async def test_a_scenario_with_events_and_templates() -> None:
    """Its templates are there from the start, in place of shipped ones; its events are told at their times."""
    async with staged() as stage:
        await stage.control("scenario", toml=SCENARIO)

        async def template(name: str, language: str) -> int:
            body = {"name": name, "language": {"code": language}}
            return (await stage.send(type="template", template=body)).status_code

        assert (await template("parcel_here", "en"), await template("hello_world", "en_US")) == (200, 400)
        await stage.control("clock", advance="29s")
        assert stage.hub.told_of("account_alerts") == []
        await stage.control("clock", advance="2s")
        assert [one["alert_type"] for one in stage.hub.told_of("account_alerts")] == ["LOW_QUALITY"]
        await stage.control("clock", advance="10s")
        assert stage.hub.told_of("user_preferences")[0]["user_preferences"][0]["value"] == "stop"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ('[[event]]\nfield = "account_alert"', "account_alerts"),
        ('[[event]]\nfield = "account_alerts"\nafter = "soon"', "after"),
        ('[[template]]\nname = "Not Small"\nlanguage = "en"\ncategory = "UTILITY"\ncomponents = []', "name"),
        (SCENARIO.replace('"PAUSED"', '"PAUSE"'), "PAUSED"),
    ],
)
def test_wrong_events_and_templates_are_refused(wrong: str, named: str) -> None:
    """A scenario's slip is found before it plays, with its line and the nearest name."""
    with pytest.raises(DocumentError) as refused:
        parse_scenario(wrong)

    assert named in str(refused.value)
