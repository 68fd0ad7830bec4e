"""Every room of the client against the pretend Meta, over real HTTP."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.simulator_stage import APP_SECRET, CUSTOMER, NUMBER, TOKEN, VERIFY, WABA, Stage, staged
from wabiz_tui.cloud.accounts import app_token
from wabiz_tui.cloud.analytics import build_analytics, build_conversation_analytics, build_expression, build_pricing_analytics
from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.outcomes import Refused
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.graph.errors import meaning
from wabiz_tui.graph.requests import build_text
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret

APP = "670843887433847"
BY = app_token(APP, Secret(APP_SECRET))
BODY = build_text(to=f"+{CUSTOMER}", body="Hi")
COMPONENTS = [{"type": "BODY", "text": "Your bicycle is ready to collect."}]


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged(requires_proof=True) as made:
        yield made


@pytest.fixture
async def cloud(stage: Stage) -> AsyncGenerator[CloudClient, None]:
    """With appsecret_proof, which this app demands."""
    transport = Transport(stage.url, Secret(TOKEN), app_secret=Secret(APP_SECRET))
    try:
        yield CloudClient(transport)
    finally:
        await transport.close()


async def listed(items: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item async for item in items]


async def test_messages(cloud: CloudClient, stage: Stage) -> None:
    """A message is sent, read marks and typing are taken, and the history tells states."""
    wamid = (await stage.write())["wamid"]

    accepted = await cloud.messages.send(NUMBER, BODY)
    await cloud.messages.mark_read(NUMBER, wamid, typing=True)
    await stage.hub.until(lambda: len(stage.hub.values("statuses")) >= 3)
    (entry,) = await listed(cloud.messages.history(NUMBER, accepted.wamid))

    assert accepted.wa_id == CUSTOMER
    assert entry["message_id"] == accepted.wamid
    assert len(await listed(cloud.messages.history_events(entry["id"]))) == 3


async def test_a_refused_send(cloud: CloudClient, stage: Stage) -> None:
    """A refusal carries code, rule, details and trace."""
    await stage.control("settings", window="sync")

    with pytest.raises(Refused) as refused:
        await cloud.messages.send(NUMBER, BODY)

    assert (refused.value.graph_code, refused.value.retry, bool(refused.value.trace)) == (131047, meaning(131047).retry, True)


async def test_templates(cloud: CloudClient) -> None:
    """A template is listed over pages, filtered, made, read, changed and deleted."""
    everything = await listed(cloud.templates.list(WABA, limit=3))
    approved = await listed(cloud.templates.list(WABA, status="APPROVED", language="en"))
    body = {"name": "ready", "language": "en", "category": "UTILITY", "components": COMPONENTS}
    made = await cloud.templates.create(WABA, body)
    read = await cloud.templates.get(made["id"])
    with pytest.raises(Refused):
        await cloud.templates.unpause(made["id"])
    await cloud.templates.delete(WABA, "ready", template=made["id"])

    assert len(everything) == len({item["id"] for item in everything}) == 11
    assert {(item["status"], item["language"]) for item in approved} == {("APPROVED", "en")}
    assert (read["name"], read["components"]) == ("ready", COMPONENTS)
    assert made["id"] not in {item["id"] for item in await listed(cloud.templates.list(WABA))}


async def test_a_rejected_template_is_edited(cloud: CloudClient) -> None:
    """An edit replaces the components."""
    (template,) = await listed(cloud.templates.list(WABA, name="free_bike"))

    await cloud.templates.edit(template["id"], {"components": COMPONENTS})

    assert (await cloud.templates.get(template["id"]))["components"] == COMPONENTS


async def test_numbers(cloud: CloudClient) -> None:
    """A number tells what it is and how well, and its settings can be changed one by one."""
    (number,) = await listed(cloud.numbers.list(WABA))
    info = await cloud.numbers.info(NUMBER)
    await cloud.numbers.change_settings(NUMBER, "calling", {"status": "enabled"})

    assert number["id"] == info["id"] == NUMBER
    assert info["throughput"] == {"level": "STANDARD"}
    for node in (NUMBER, WABA):
        assert (await cloud.numbers.health(node))["can_send_message"] == "AVAILABLE"
    assert (await cloud.numbers.settings(NUMBER))["calling"]["status"].lower() == "enabled"


async def test_registration(cloud: CloudClient, stage: Stage) -> None:
    """A number is taken off and put back; a wrong code is refused with Meta's own."""
    await cloud.numbers.deregister(NUMBER)
    await cloud.numbers.request_code(NUMBER, "SMS", "en_US")
    with pytest.raises(Refused) as refused:
        await cloud.numbers.verify_code(NUMBER, Secret("000000"))
    await stage.control("clock", advance="1h")
    await cloud.numbers.register(NUMBER, Secret("123456"))

    assert refused.value.graph_code is not None
    assert (await cloud.numbers.health(NUMBER))["can_send_message"] == "AVAILABLE"


async def test_automation(cloud: CloudClient) -> None:
    """Prompts and commands are set and read; what is too long is refused here."""
    await cloud.numbers.set_automation(NUMBER, prompts=["Opening hours?"], commands={"help": "Get help"}, welcomes=True)

    told = await cloud.numbers.automation(NUMBER)
    assert told["prompts"] == ["Opening hours?"]
    assert told["commands"] == [{"command_name": "help", "command_description": "Get help"}]
    with pytest.raises(BadInput):
        await cloud.numbers.set_automation(NUMBER, prompts=["x" * 81])


async def test_profile(cloud: CloudClient) -> None:
    """What is given is changed, the rest stays; what is too long is refused here by name."""
    await cloud.profiles.update(NUMBER, about="Bicycles since 1990", websites=["https://bicycle.example"])
    await cloud.profiles.update(NUMBER, email="shop@bicycle.example")

    told = await cloud.profiles.get(NUMBER)
    assert (told["about"], told["websites"], told["email"]) == (
        "Bicycles since 1990", ["https://bicycle.example"], "shop@bicycle.example",
    )  # fmt: skip
    for wrong in ({"about": "x" * 140}, {"about": ""}, {"address": "x" * 257}, {"websites": ["x"] * 3}, {"websites": ["x" * 257]}):
        with pytest.raises(BadInput):
            await cloud.profiles.update(NUMBER, **wrong)  # pyright: ignore[reportArgumentType] wrong on purpose


async def test_username_and_links(cloud: CloudClient) -> None:
    """A username is suggested, taken and given up; a link is made, changed and removed."""
    name = (await cloud.profiles.username_suggestions(NUMBER))[0]
    await cloud.profiles.set_username(NUMBER, name)
    link = await cloud.profiles.create_link(NUMBER, "I have a question", image="PNG")
    await cloud.profiles.change_link(NUMBER, link["code"], "I have two")

    assert (await cloud.profiles.username(NUMBER))["username"] == name
    assert link["qr_image_url"]
    assert [one["prefilled_message"] for one in await listed(cloud.profiles.links(NUMBER))] == ["I have two"]

    await cloud.profiles.remove_username(NUMBER)
    await cloud.profiles.delete_link(NUMBER, link["code"])
    assert await listed(cloud.profiles.links(NUMBER)) == []
    assert not (await cloud.profiles.username(NUMBER)).get("username")


async def test_blocking(cloud: CloudClient, stage: Stage) -> None:
    """Blocking takes whom it can and says who was left out, and why; it is no error."""
    await stage.write()

    mixed = await cloud.users.block(NUMBER, [f"+{CUSTOMER}", "+4915730000999"])
    blocked = await listed(cloud.users.blocked(NUMBER))
    undone = await cloud.users.unblock(NUMBER, [f"+{CUSTOMER}"])

    assert mixed.done == (f"+{CUSTOMER}",)
    assert [(one.input, one.code is not None, bool(one.reason)) for one in mixed.failed] == [("+4915730000999", True, True)]
    assert [one["wa_id"] for one in blocked] == [CUSTOMER]
    assert (undone.done, undone.failed) == ((f"+{CUSTOMER}",), ())
    with pytest.raises(Refused):
        await cloud.users.block("1", [f"+{CUSTOMER}"])


async def test_a_forgotten_contact(cloud: CloudClient, stage: Stage) -> None:
    """The contact book forgets one user; an unknown one is refused."""
    await stage.write()
    (person,) = [one for one in stage.world.people.all() if one.wa_id == CUSTOMER]
    assert person.user_id is not None

    await cloud.users.forget(NUMBER, person.user_id)
    with pytest.raises(Refused):
        await cloud.users.forget(NUMBER, "DE.1")


async def test_account(cloud: CloudClient, stage: Stage) -> None:
    """The account tells of itself; its subscription can be overridden, restored and ended."""
    hub_url = (await cloud.apps.subscriptions(APP, by=BY).__anext__())["callback_url"]
    await cloud.accounts.subscribe(WABA, callback=hub_url, verify_token=Secret(VERIFY))
    (row,) = await listed(cloud.accounts.subscriptions(WABA))
    await cloud.accounts.subscribe(WABA)
    (plain,) = await listed(cloud.accounts.subscriptions(WABA))
    await cloud.accounts.unsubscribe(WABA)

    assert (await cloud.accounts.info(WABA))["id"] == WABA
    assert (row["override_callback_uri"], "override_callback_uri" in plain) == (hub_url, False)
    assert await listed(cloud.accounts.subscriptions(WABA)) == []
    with pytest.raises(BadInput):
        await cloud.accounts.subscribe(WABA, callback=hub_url)


async def test_a_number_with_a_callback_of_its_own(cloud: CloudClient) -> None:
    """A number's override is set, told by the number, and removed."""
    hub_url = (await cloud.apps.subscriptions(APP, by=BY).__anext__())["callback_url"]
    await cloud.numbers.override_webhook(NUMBER, hub_url, Secret(VERIFY))
    configured = (await cloud.numbers.info(NUMBER))["webhook_configuration"]
    await cloud.numbers.remove_override(NUMBER)

    assert configured["phone_number"] == hub_url
    assert "phone_number" not in (await cloud.numbers.info(NUMBER))["webhook_configuration"]
    with pytest.raises(BadInput):
        await cloud.numbers.override_webhook(NUMBER, "https://x/" + "y" * 200, Secret(VERIFY))


async def test_the_app(cloud: CloudClient) -> None:
    """With the app's own token its callback is set, and tokens are judged."""
    (row,) = await listed(cloud.apps.subscriptions(APP, by=BY))
    await cloud.apps.subscribe(APP, row["callback_url"], Secret(VERIFY), ["messages", "account_update"], by=BY)

    good = await cloud.apps.token_info(Secret(TOKEN), by=BY)
    bad = await cloud.apps.token_info(Secret("another"), by=BY)
    with pytest.raises(Refused):
        await listed(cloud.apps.subscriptions(APP, by=Secret(TOKEN)))

    assert (good["is_valid"], bad["is_valid"]) == (True, False)
    assert "whatsapp_business_messaging" in good["scopes"]


async def test_a_call_without_the_proof(stage: Stage) -> None:
    """An app that demands appsecret_proof refuses calls without it, and with a wrong one."""
    for app_secret in (None, Secret("another")):
        transport = Transport(stage.url, Secret(TOKEN), app_secret=app_secret)
        with pytest.raises(Refused) as refused:
            await CloudClient(transport).numbers.info(NUMBER)
        await transport.close()
        assert refused.value.graph_code == 100


async def test_figures(cloud: CloudClient, stage: Stage) -> None:
    """Sent and delivered messages are counted in each of Meta's three ways, and by template."""
    await stage.write()
    template = next(one for one in stage.world.templates.items if one["name"] == "hello_world")
    named = {"name": "hello_world", "language": {"code": "en_US"}}
    await cloud.send(NUMBER, {"messaging_product": "whatsapp", "to": f"+{CUSTOMER}", "type": "template", "template": named})
    await stage.hub.until(lambda: len(stage.hub.values("statuses")) >= 3)
    start, end = stage.world.now() - timedelta(days=1), stage.world.now() + timedelta(hours=1)

    plain = await cloud.accounts.analytics(WABA, build_analytics(start, end, "HALF_HOUR"))
    talks = await cloud.accounts.analytics(WABA, build_conversation_analytics(start, end, dimensions=["PHONE"]))
    prices = await cloud.accounts.analytics(WABA, build_pricing_analytics(start, end, dimensions=["PRICING_CATEGORY", "COUNTRY"]))
    (by_template,) = await listed(cloud.accounts.template_analytics(WABA, [template["id"]], start, end))

    assert sum(point["sent"] for point in plain["data_points"]) == 1
    assert talks["data"][0]["data_points"][0]["conversation"] == 1
    assert prices["data"][0]["data_points"][0]["pricing_category"] == "UTILITY"
    assert by_template["data_points"][0]["sent"] == 1


SPAN = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))


def test_field_expressions() -> None:
    """An expression is written as Meta's page shows it."""
    built = build_analytics(*SPAN, phone_numbers=["16505550111"], country_codes=["US", "DE"])

    assert built == (
        'analytics.start(1793491200).end(1793577600).granularity(DAY).phone_numbers(["16505550111"]).country_codes(["US","DE"])'
    )
    assert build_pricing_analytics(*SPAN) == "pricing_analytics.start(1793491200).end(1793577600).granularity(DAILY)"


@pytest.mark.parametrize(
    "change",
    [
        {"field": "analytics,owner"},
        {"granularity": "DAY).x("},
        {"lists": {"phone_numbers": ['1"]).end(9']}},
        {"lists": {"phone_numbers([]).x": ["1"]}},
        {"start": datetime(2026, 11, 1)},  # noqa: DTZ001 without a zone on purpose
        {"end": SPAN[0]},
    ],
)
def test_expressions_cannot_be_ended_early(change: dict[str, Any]) -> None:
    """No filter brings a field or a call of its own, and a span has a zone and a direction."""
    whole: dict[str, Any] = {"field": "analytics", "start": SPAN[0], "end": SPAN[1], "granularity": "DAY", "lists": {}}

    with pytest.raises(BadInput):
        build_expression(**whole | change)
