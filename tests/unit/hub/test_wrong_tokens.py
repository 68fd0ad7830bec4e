"""Tokens and keys that open nothing: refused by address when there are too many, and right ones never with them."""

from datetime import timedelta
from pathlib import Path

import httpx

from tests.support.hub_served import NUMBER, Served, TestDevice, served_hub
from wabiz_tui.hub.people.rates import MOST_BUCKETS, Rates

PROXIED = '\n[server]\ntrusted_proxies = ["127.0.0.1"]\n'
STREAM = "/v1/changes/stream"
GUESSED = "wbk_" + "f" * 32 + "_" + "x" * 43


async def ask(served: Served, path: str, token: str | None, *, address: str = "198.51.100.7") -> httpx.Response:
    """One request that a trusted proxy took from `address`."""
    headers = {"X-Forwarded-For": address} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    async with served.http.stream("GET", path, headers=headers) as answer:
        if not (path == STREAM and answer.status_code == 200):
            await answer.aread()
    return answer


async def guess(served: Served, count: int = 60) -> set[int]:
    return {(await ask(served, "/v1/me", f"guess-{number}")).status_code for number in range(count)}


async def lost(served: Served, admin: TestDevice) -> TestDevice:
    """A device that was revoked, with the token it had."""
    device = await served.person(admin, "Lost", "agent")
    assert (await admin.post(f"/v1/devices/{device.reply.device}/revoke", {})).status_code == 200
    return device


async def test_guesses_of_an_address_have_their_limit_at_every_door(tmp_path: Path) -> None:
    """After 60 wrong tokens an address hears 429 with the wait from /v1, the stream and the gateway, whatever it guesses; a second
    later one guess more is heard."""
    async with served_hub(tmp_path, more=PROXIED) as served:
        heard = await guess(served)
        beyond = [await ask(served, path, token) for path in ("/v1/me", STREAM) for token in ("guess", GUESSED)]
        program = [await ask(served, f"/v26.0/{NUMBER}", token) for token in ("guess", GUESSED)]
        served.clock.move(timedelta(seconds=1))
        later = [(await ask(served, "/v1/me", "guess")).status_code for _ in range(2)]

        assert heard == {401}
        assert {(one.status_code, one.json()["code"], one.headers["retry-after"]) for one in beyond} == {(429, "wrong_tokens", "1")}
        told = [(one.status_code, one.json()["error"]["code"], one.json()["error"]["error_data"]["wabiz_code"]) for one in program]
        assert told == [(429, 4, "wrong_tokens")] * 2
        assert {one.headers["retry-after"] for one in program} == {"1"}
        assert later == [401, 429]


async def test_what_opens_something_passes_beside_the_guesses(tmp_path: Path) -> None:
    """From an address that guessed too often a right token and a right key work, a revoked device hears that it is revoked, a request
    without a token that it needs one; and other addresses are heard as before."""
    async with served_hub(tmp_path, more=PROXIED) as served:
        admin = await served.admin()
        gone = await lost(served, admin)
        wanted = {"name": "Desk", "numbers": [NUMBER], "permissions": ["message.send"]}
        key = (await admin.post("/v1/integrations", wanted)).json()["key"]
        await guess(served, 61)
        program = await ask(served, f"/v26.0/{NUMBER}/message_history?message_id=x", key)
        revoked, bare = await ask(served, "/v1/me", gone.token), await ask(served, "/v1/me", None)

        assert (await ask(served, "/v1/me", "guess")).status_code == 429
        assert (await ask(served, "/v1/me", admin.token)).status_code == 200
        assert (await ask(served, STREAM, admin.token)).status_code == 200
        assert program.status_code == 200
        assert (revoked.status_code, revoked.json()["code"]) == (401, "revoked")
        assert (bare.status_code, bare.json()["code"]) == (401, "invalid_token")
        assert (await ask(served, "/v1/me", "guess", address="198.51.100.8")).status_code == 401


async def test_this_machine_has_more_room_and_an_end_too(tmp_path: Path) -> None:
    """Without a proxy's word all programs of this machine share a limit of 2000, and only their wrong tokens are refused beyond it."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        few = {(await served.http.get("/v1/me", headers={"Authorization": f"Bearer {number}"})).status_code for number in range(100)}
        for _ in range(1900):
            served.hub.rates.neighbours.take("")
        beyond = await served.http.get("/v1/me", headers={"Authorization": "Bearer guess"})

        assert few == {401}
        assert beyond.status_code == 429
        assert (await admin.get("/v1/me")).status_code == 200


def test_addresses_are_remembered_within_a_bound() -> None:
    """However many addresses guess, only so many are remembered."""
    rates = Rates(lambda: 0.0)
    for number in range(MOST_BUCKETS + 500):
        rates.strangers.take(str(number))

    assert len(rates.strangers) == MOST_BUCKETS
