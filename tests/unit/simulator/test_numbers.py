"""Business numbers of the pretend account: registration, PIN, settings, profile, QR codes, username, callbacks of their own."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.support.simulator_stage import APP_SECRET, CUSTOMER, NUMBER, VERIFY, WABA, Hub, Stage, serving, staged
from wabiz_tui.graph.signature import is_signed
from wabiz_tui.model.secret import Secret

SECOND = "106540352242923"
APP_TOKEN = f"670843887433847|{APP_SECRET}"


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged(phone_number_ids=(NUMBER, SECOND)) as made:
        yield made


def registration(pin: str) -> dict[str, str]:
    return {"messaging_product": "whatsapp", "pin": pin}


async def test_registering_a_number(stage: Stage) -> None:
    """A deregistered number cannot send (133010), rests five minutes (133015), and comes back with its PIN alone (133005, 133008)."""
    await stage.graph("POST", NUMBER, {"pin": "246810"})
    await stage.graph("POST", f"{NUMBER}/deregister", {})
    status = (await stage.graph("GET", NUMBER, fields="status"))["status"]
    unsent = (await stage.send()).json()["error"]["code"]
    again = (await stage.refused("POST", f"{NUMBER}/deregister", {}))["code"]
    too_early = (await stage.refused("POST", f"{NUMBER}/register", registration("246810")))["code"]
    await stage.control("clock", advance="6m")
    malformed = (await stage.refused("POST", f"{NUMBER}/register", registration("12")))["code"]
    wrong = [(await stage.refused("POST", f"{NUMBER}/register", registration("000000")))["code"] for _ in range(6)]
    right = await stage.graph("POST", f"{NUMBER}/register", registration("246810"))

    assert (status, unsent, again, too_early, malformed) == ("DISCONNECTED", 133010, 133010, 133015, 100)
    assert wrong == [133005] * 5 + [133008]
    assert right == {"success": True}
    assert (await stage.send()).status_code == 200


async def test_registering_too_often(stage: Stage) -> None:
    """The eleventh attempt within 72 hours is refused with 133016; after them it is allowed."""
    for _ in range(10):
        await stage.graph("POST", f"{NUMBER}/register", registration("123456"))
    refused = await stage.refused("POST", f"{NUMBER}/register", registration("123456"))
    await stage.control("clock", advance="73h")

    assert refused["code"] == 133016
    assert (await stage.graph("POST", f"{NUMBER}/register", registration("123456")))["success"]


async def test_verifying_a_number(stage: Stage) -> None:
    """An unverified number is registered only after its code; codes that were not asked for or are wrong are refused."""
    await stage.control("number", verified=False, registered=False)
    unverified = (await stage.refused("POST", f"{NUMBER}/register", registration("123456")))["code"]
    not_asked = (await stage.refused("POST", f"{NUMBER}/verify_code", {"code": "123456"}))["code"]
    wrong_way = (await stage.refused("POST", f"{NUMBER}/request_code", {"code_method": "PIGEON", "language": "en_US"}))["code"]
    await stage.graph("POST", f"{NUMBER}/request_code", {"code_method": "SMS", "language": "en_US"})
    wrong = (await stage.refused("POST", f"{NUMBER}/verify_code", {"code": "654321"}))["code"]
    await stage.graph("POST", f"{NUMBER}/verify_code", {"code": "123-456"})

    assert (unverified, not_asked, wrong_way, wrong) == (133006, 136025, 100, 136025)
    assert (await stage.graph("GET", NUMBER, fields="code_verification_status"))["code_verification_status"] == "VERIFIED"
    assert (await stage.graph("POST", f"{NUMBER}/register", registration("123456")))["success"]
    assert (await stage.refused("POST", f"{NUMBER}/request_code", {"code_method": "SMS", "language": "en_US"}))["code"] == 136024


async def test_pin_and_name_are_told(stage: Stage) -> None:
    """A changed PIN is told as a security event, a new display name after its review; a PIN has six digits."""
    await stage.graph("POST", NUMBER, {"pin": "246810"})
    await stage.graph("POST", NUMBER, {"new_display_name": "Fresh Bread"})
    (security,) = await stage.hub.until(lambda: stage.hub.told_of("security"))
    (name,) = await stage.hub.until(lambda: stage.hub.told_of("phone_number_name_update"))

    assert security["event"] == "PIN_CHANGED"
    assert (name["decision"], name["requested_verified_name"]) == ("APPROVED", "Fresh Bread")
    assert (await stage.graph("GET", NUMBER))["verified_name"] == "Fresh Bread"
    assert (await stage.refused("POST", NUMBER, {"pin": "12345x"}))["code"] == 100
    assert (await stage.refused("POST", NUMBER, {"shoe_size": 42}))["code"] == 100


async def test_list_of_numbers(stage: Stage) -> None:
    """Both numbers are listed in pages, with the fields asked for; what the account is told of them shows."""
    await stage.control("number", number=SECOND, quality="YELLOW", throughput="HIGH")
    await stage.control("account", tier="TIER_100K")
    first = await stage.graph("GET", f"{WABA}/phone_numbers", limit=1, fields="id,quality_rating,throughput")
    rest = (await stage.http.get(first["paging"]["next"], headers=stage.bearer)).json()
    told = await stage.hub.until(lambda: stage.hub.told_of("business_capability_update"))

    assert first["data"] == [{"id": NUMBER, "quality_rating": "GREEN", "throughput": {"level": "STANDARD"}}]
    assert rest["data"] == [{"id": SECOND, "quality_rating": "YELLOW", "throughput": {"level": "HIGH"}}]
    assert "next" not in rest["paging"]
    limit = "whatsapp_business_manager_messaging_limit"
    assert (await stage.graph("GET", NUMBER, fields=limit))[limit] == "TIER_100K"
    assert told[0]["max_daily_conversations_per_business"] == "TIER_100K"


async def test_business_profile(stage: Stage) -> None:
    """What is set is shown where it is asked for; an empty text takes it away; each limit is kept."""
    path, product = f"{NUMBER}/whatsapp_business_profile", {"messaging_product": "whatsapp"}
    await stage.graph(
        "POST", path, {**product, "about": "Open", "vertical": "RETAIL", "websites": ["https://a.example"], "email": "a@b.co"}
    )
    await stage.graph("POST", path, {**product, "email": ""})
    shown = (await stage.graph("GET", path, fields="about,email,websites,vertical"))["data"]
    wrong: list[dict[str, Any]] = [
        {"about": ""}, {"about": "x" * 140}, {"address": "x" * 257}, {"description": "x" * 513}, {"email": "no"}, {"vertical": "SPACE"},
        {"websites": ["https://a.example"] * 3}, {"websites": ["ftp://a.example"]},
    ]  # fmt: skip
    codes = [(await stage.refused("POST", path, {**product, **one}))["code"] for one in wrong]

    assert shown == [{"about": "Open", "websites": ["https://a.example"], "vertical": "RETAIL"}]
    assert codes == [100] * len(wrong)
    assert (await stage.refused("POST", path, {"about": "x"}))["code"] == 100
    assert (await stage.refused("GET", path, fields="shoe_size"))["code"] == 100


async def test_settings_one_feature_a_request(stage: Stage) -> None:
    """Settings are read whole and changed one at a time; conversational components keep their limits."""
    path = f"{NUMBER}/settings"
    await stage.graph("POST", path, {"user_identity_change": {"enable_identity_key_check": True}})
    both = await stage.refused("POST", path, {"calling": {"status": "enabled"}, "payload_encryption": {"status": "enabled"}})
    await stage.graph("POST", f"{NUMBER}/conversational_automation", {"prompts": ["Hours?"], "enable_welcome_message": True})
    many = await stage.refused("POST", f"{NUMBER}/conversational_automation", {"prompts": ["x"] * 5})
    settings = await stage.graph("GET", path)
    automation = await stage.graph("GET", NUMBER, fields="conversational_automation")

    assert settings["user_identity_change"] == {"enable_identity_key_check": True}
    assert settings["calling"]["status"] == "disabled"
    assert (both["code"], many["code"]) == (100, 100)
    assert automation["conversational_automation"]["prompts"] == ["Hours?"]


async def test_qr_codes(stage: Stage) -> None:
    """A code is made, changed, listed and deleted; a message is 1 to 140 characters."""
    path = f"{NUMBER}/message_qrdls"
    made = await stage.graph("POST", path, {"prefilled_message": "Hi", "generate_qr_image": "PNG"})
    changed = await stage.graph("POST", path, {"prefilled_message": "Hello", "code": made["code"]})
    listed = await stage.graph("GET", path)
    one = await stage.graph("GET", f"{path}/{made['code']}")
    gone = await stage.graph("DELETE", f"{path}/{made['code']}")

    assert (len(made["code"]), made["deep_link_url"]) == (14, f"https://wa.me/message/{made['code']}")
    assert made["qr_image_url"]
    assert (changed["code"], changed["prefilled_message"]) == (made["code"], "Hello")
    assert listed["data"] == one["data"]
    assert (gone, (await stage.graph("GET", path))["data"]) == ({"success": True}, [])
    assert (await stage.refused("POST", path, {"prefilled_message": "x" * 141}))["code"] == 100
    assert (await stage.refused("DELETE", f"{path}/{made['code']}"))["error_subcode"] == 33


@pytest.mark.parametrize("name", ["ab", "x" * 36, "12.34", ".dot", "dot.", "two..dots", "www.shop", "shop.com", "Shop", "a b"])
async def test_usernames_that_are_none(stage: Stage, name: str) -> None:
    """Each rule of a business username is kept."""
    assert (await stage.refused("POST", f"{NUMBER}/username", {"username": name}))["code"] == 100


async def test_username(stage: Stage) -> None:
    """A username is set once in all numbers, shown and taken back."""
    await stage.graph("POST", f"{NUMBER}/username", {"username": "fresh.bread"})
    taken = await stage.refused("POST", f"{SECOND}/username", {"username": "fresh.bread"})
    shown = await stage.graph("GET", f"{NUMBER}/username")
    await stage.graph("DELETE", f"{NUMBER}/username")

    assert (taken["code"], shown) == (147001, {"username": "fresh.bread", "status": "approved"})
    assert await stage.graph("GET", f"{NUMBER}/username") == {}
    assert (await stage.graph("GET", f"{NUMBER}/username_suggestions"))["data"]


async def test_callbacks_of_number_and_account(stage: Stage) -> None:
    """A number's own callback goes before the account's, and that before the app's; taken away, the next one up is told."""
    number_hub, account_hub = Hub(), Hub()
    async with serving(number_hub.app()) as number_url, serving(account_hub.app()) as account_url:
        override = {"override_callback_uri": f"{account_url}/webhooks/whatsapp", "verify_token": VERIFY}
        await stage.graph("POST", f"{WABA}/subscribed_apps", override)
        own = {"override_callback_uri": f"{number_url}/webhooks/whatsapp", "verify_token": VERIFY}
        await stage.graph("POST", NUMBER, {"webhook_configuration": own})
        await stage.write("to the number's own", number=NUMBER)
        await stage.write("to the account's", number=SECOND)
        await stage.graph("POST", NUMBER, {"pin": "246810"})
        shown = (await stage.graph("GET", NUMBER, fields="webhook_configuration"))["webhook_configuration"]
        await stage.graph("POST", NUMBER, {"webhook_configuration": {"override_callback_uri": ""}})
        await stage.write("the account's again", number=NUMBER)
        await stage.graph("POST", f"{WABA}/subscribed_apps")
        await stage.write("the app's again", number=NUMBER)

    def texts(hub: Hub) -> list[str]:
        return [message["text"]["body"] for message in hub.values("messages")]

    assert texts(number_hub) == ["to the number's own"]
    assert texts(account_hub) == ["to the account's", "the account's again"]
    assert texts(stage.hub) == ["the app's again"]
    assert [hub.told_of("security") for hub in (number_hub, account_hub)] == [[], []]
    assert (await stage.hub.until(lambda: stage.hub.told_of("security")))[0]["event"] == "PIN_CHANGED"
    assert is_signed(number_hub.bodies[0], number_hub.signatures[0], [Secret(APP_SECRET)])
    assert set(shown) == {"phone_number", "whatsapp_business_account", "application"}


async def test_subscriptions_of_the_app(stage: Stage) -> None:
    """The app token alone sets the app's callback, which must answer the handshake; only the fields asked for are told."""
    path, told = "670843887433847/subscriptions", Hub()
    by_user = await stage.refused("GET", path)
    async with serving(told.app()) as url:
        asked = {"object": "whatsapp_business_account", "callback_url": f"{url}/webhooks/whatsapp", "verify_token": VERIFY}
        unknown = await stage.refused("POST", path, {**asked, "fields": "shoe_size"}, access_token=APP_TOKEN)
        await stage.graph("POST", path, {**asked, "fields": "messages,security"}, access_token=APP_TOKEN)
        listed = await stage.graph("GET", path, access_token=APP_TOKEN)
        await stage.graph("POST", NUMBER, {"new_display_name": "Not told"})
        await stage.write("heard")
        await stage.graph("DELETE", f"{WABA}/subscribed_apps")
        silent = await stage.graph("GET", f"{WABA}/subscribed_apps")

    assert (by_user["code"], unknown["code"]) == (15, 100)
    assert [field["name"] for field in listed["data"][0]["fields"]] == ["messages", "security"]
    assert [message["text"]["body"] for message in told.values("messages")] == ["heard"]
    assert told.told_of("phone_number_name_update") == []
    assert silent == {"data": []}


async def test_contact_book_is_forgotten(stage: Stage) -> None:
    """After Meta forgot a customer's number, one with a username is known by the user id alone."""
    await stage.write(username="zoe")
    user_id = stage.world.people.find(wa_id=CUSTOMER)
    assert user_id is not None
    path = f"{NUMBER}/contact_book"
    await stage.graph("DELETE", path, messaging_product="whatsapp", bsuid=user_id.user_id)
    await stage.control("inbound", user_id=user_id.user_id, text="again")

    assert "from" not in stage.hub.values("messages")[-1]
    assert (await stage.refused("DELETE", path, messaging_product="whatsapp", bsuid="XX.1"))["code"] == 131009
