"""Who may call the pretend Graph API: tokens, their proof, and permissions that are lost."""

import hashlib
import hmac
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.support.simulator_stage import APP_SECRET, CUSTOMER, NUMBER, TOKEN, WABA, Stage, staged

APP = "670843887433847"
APP_TOKEN = f"{APP}|{APP_SECRET}"


def proof(token: str) -> str:
    return hmac.new(APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


async def test_wrong_and_expired_tokens(stage: Stage) -> None:
    """A wrong token and an expired one are 190 with HTTP 401 and their own subcodes; none at all is 2500; debug_token knows them."""
    wrong = await stage.http.get(f"/v26.0/{NUMBER}", headers={"Authorization": "Bearer EAAwrong"})
    none = await stage.http.get(f"/v26.0/{NUMBER}")
    valid = await stage.graph("GET", "debug_token", input_token=TOKEN)
    invalid = await stage.graph("GET", "debug_token", input_token="EAAwrong")
    app = await stage.graph("GET", "debug_token", input_token=APP_TOKEN)
    await stage.control("fault", kind="token_expired")
    expired = await stage.refused("GET", NUMBER, expect=401)

    assert (wrong.status_code, wrong.json()["error"]["code"], wrong.json()["error"]["error_subcode"]) == (401, 190, 467)
    assert wrong.headers["www-authenticate"].startswith("OAuth")
    assert (none.status_code, none.json()["error"]["code"]) == (400, 2500)
    assert (valid["data"]["is_valid"], valid["data"]["app_id"], valid["data"]["expires_at"]) == (True, APP, 0)
    assert set(valid["data"]["scopes"]) == {"whatsapp_business_messaging", "whatsapp_business_management"}
    assert (invalid["data"]["is_valid"], invalid["data"]["error"]["code"]) == (False, 190)
    assert app["data"]["type"] == "APP"
    assert (expired["code"], expired["error_subcode"], expired["type"]) == (190, 463, "OAuthException")


async def test_app_token_sees_that_a_token_has_expired(stage: Stage) -> None:
    """The app's own token does not expire with the user's, and debug_token tells it so."""
    await stage.control("fault", kind="token_expired")

    answer = await stage.http.get("/v26.0/debug_token", params={"input_token": TOKEN, "access_token": APP_TOKEN})

    assert (answer.status_code, answer.json()["data"]["is_valid"], answer.json()["data"]["error"]["subcode"]) == (200, False, 463)


async def test_proof_is_checked_when_given(stage: Stage) -> None:
    """A right appsecret_proof passes in query and body, a wrong one is refused in Meta's words."""
    right = await stage.graph("GET", NUMBER, appsecret_proof=proof(TOKEN))
    wrong = await stage.refused("GET", NUMBER, appsecret_proof=proof("another"))
    in_body = await stage.graph(
        "POST", f"{NUMBER}/whatsapp_business_profile", {"messaging_product": "whatsapp", "about": "Open", "appsecret_proof": proof(TOKEN)}
    )

    assert right["id"] == NUMBER
    assert (wrong["code"], wrong["message"]) == (100, "Invalid appsecret_proof provided in the API argument")
    assert in_body == {"success": True}


async def test_proof_can_be_demanded() -> None:
    """An app that demands the proof refuses calls without it."""
    async with staged(requires_proof=True) as stage:
        missing = await stage.refused("GET", NUMBER)
        given = await stage.graph("GET", NUMBER, appsecret_proof=proof(TOKEN))

    assert missing["message"] == "API calls from the server require an appsecret_proof argument"
    assert given["id"] == NUMBER


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ({"kind": "permission_lost"}, 10, 403),
        ({"kind": "permission_lost", "code": 200}, 200, 403),
        ({"kind": "account_locked"}, 131031, 403),
        ({"kind": "payment_missing"}, 131042, 400),
        ({"kind": "upgrade"}, 131057, 500),
    ],
)
async def test_account_faults_stop_sends(stage: Stage, fault: dict[str, Any], code: int, status: int) -> None:
    """Each trouble of an account refuses sends with its code until it is cleared."""
    await stage.write()
    await stage.control("fault", **fault)
    refused = [await stage.send() for _ in range(2)]
    await stage.control("fault", kind="clear")

    assert [(one.status_code, one.json()["error"]["code"]) for one in refused] == [(status, code)] * 2
    assert (await stage.send()).status_code == 200


async def test_one_scope_may_be_lost(stage: Stage) -> None:
    """Without the messaging permission templates can still be read, and the other way round; an upgrade is over after a minute."""
    await stage.write()
    await stage.control("fault", kind="permission_lost", scope="whatsapp_business_messaging")
    sends, reads = await stage.send(), await stage.graph("GET", f"{WABA}/message_templates")
    await stage.control("fault", kind="clear")
    await stage.control("fault", kind="permission_lost", scope="whatsapp_business_management")
    unreadable = await stage.refused("GET", f"{WABA}/message_templates", expect=403)
    sends_again = await stage.send()
    await stage.control("fault", kind="clear")
    await stage.control("fault", kind="upgrade")
    health = (await stage.send()).json()["error"]
    await stage.control("clock", advance="61s")

    assert sends.json()["error"]["code"] == 10
    assert reads["data"]
    assert unreadable["code"] == 10
    assert sends_again.status_code == 200
    assert (health["code"], health["is_transient"]) == (131057, True)
    assert (await stage.send()).status_code == 200


async def test_payment_that_fails_later(stage: Stage) -> None:
    """With `async` a missing payment fails the message after it was accepted; health_status tells of it."""
    await stage.write()
    await stage.control("fault", kind="payment_missing", **{"async": True})

    accepted = await stage.send()
    (status,) = await stage.hub.until(lambda: stage.hub.values("statuses"))
    health = (await stage.graph("GET", NUMBER, fields="health_status"))["health_status"]

    assert accepted.status_code == 200
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131042)
    assert health["can_send_message"] == "BLOCKED"
    assert {one["entity_type"] for one in health["entities"]} == {"PHONE_NUMBER", "WABA", "BUSINESS", "APP"}


async def test_nothing_secret_is_said_again(stage: Stage) -> None:
    """No refusal repeats the token it was given."""
    answers = [
        await stage.http.get(f"/v26.0/{NUMBER}", headers={"Authorization": "Bearer EAA-secret-thing"}),
        await stage.http.get("/v26.0/nothing", params={"access_token": TOKEN}),
        await stage.http.post(f"/v26.0/{NUMBER}/messages", json={"access_token": TOKEN, "to": f"+{CUSTOMER}"}),
    ]

    assert not any(secret in answer.text for answer in answers for secret in ("EAA-secret-thing", TOKEN))
