"""Enrolment, tokens, shares, epochs, receipts and revocation, over HTTP."""

from datetime import timedelta
from pathlib import Path

from tests.support.hub_archive import seeded
from tests.support.hub_served import TestDevice, served_hub
from wabiz_tui.hub.archive.epochs import outbox_share_name, share_name
from wabiz_tui.hub.archive.people import revoke_device
from wabiz_tui.hub.operations.settings import open_archive
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.wire import EnrolmentCode, ReceiptReply, ShareReply, TokenRequest
from wabiz_tui.proof.armour import from_base64
from wabiz_tui.proof.enrolment import build_request
from wabiz_tui.proof.notes import verify_checkpoint
from wabiz_tui.proof.signing import generate


async def test_a_code_enrols_one_device_once(tmp_path: Path) -> None:
    """A code works once, not with a changed secret or fingerprint, and not after seven days."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        invited = decode((await admin.post("/v1/people", {"name": "Bo", "role": "agent"})).content, EnrolmentCode)
        late = decode((await admin.post("/v1/people", {"name": "Cy", "role": "agent"})).content, EnrolmentCode)
        secret, fingerprint = invited.code.split(".")
        seed = generate(seeded(7))

        async def status(code: str) -> int:
            return (await served.http.post("/v1/enroll", content=encode(build_request(code, seed)))).status_code

        wrong = [await status(f"{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}.{fingerprint}"), await status(f"{secret}.{'0' * 16}")]
        first, second = await status(invited.code), await status(invited.code)
        served.clock.move(timedelta(days=8))
        old = await status(late.code)

        assert (wrong, first, second, old) == ([403, 403], 200, 403, 403)


async def test_an_assertion_is_good_once(tmp_path: Path) -> None:
    """The same proof twice, one by another key, one of another time and one for another hub get no token."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        assertion = admin.assertion()
        first, replayed = await admin.ask_token(assertion), await admin.ask_token(assertion)
        thief = TestDevice(served, generate(seeded(1234)), admin.reply)
        served.clock.move(timedelta(minutes=10))
        old = admin.assertion()
        served.clock.move(timedelta(minutes=10))

        assert first.status_code == 200
        assert (replayed.status_code, replayed.json()["code"]) == (403, "replayed")
        assert (await thief.ask_token()).status_code == 401
        skewed = await admin.ask_token(old)
        assert (skewed.status_code, skewed.json()["code"]) == (401, "clock_skew")
        assert skewed.headers["wabiz-time"] == served.clock.now().isoformat()


async def test_tokens_run_out_and_are_not_guessed(tmp_path: Path) -> None:
    """No token, a wrong one and one after fifteen minutes are refused as invalid; tokens are nowhere in the files."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        none = await served.http.get("/v1/me")
        wrong = await served.http.get("/v1/me", headers={"Authorization": "Bearer guess"})
        before = await admin.get("/v1/me")
        served.clock.move(timedelta(minutes=16))
        after = await admin.get("/v1/me")

        assert [answer.status_code for answer in (none, wrong, before, after)] == [401, 401, 200, 401]
        assert after.json()["code"] == "invalid_token"
        assert before.json()["role"] == "admin"


async def test_epochs_follow_each_other_and_a_receipt_ends_one(tmp_path: Path) -> None:
    """A new epoch begins once, both shares live until the receipt, which destroys the old one and is answered alike when repeated."""
    async with served_hub(tmp_path) as served:
        agent = await served.person(await served.admin(), "Agent", "agent")
        first = await agent.share()
        again = decode((await agent.post("/v1/device/epochs", {"after": 1})).content, ShareReply)
        same = decode((await agent.post("/v1/device/epochs", {"after": 1})).content, ShareReply)
        ahead = await agent.post("/v1/device/epochs", {"after": 5})
        old = await agent.get("/v1/device/share?epoch=1")
        receipt = agent.receipt(epoch=1, next_epoch=2)

        answers = [await agent.post("/v1/receipts", receipt) for _ in range(2)]
        gone = await agent.get("/v1/device/share?epoch=1")
        now = await agent.share()

        assert first.epoch == 1
        assert again.epoch == same.epoch == now.epoch == 2
        assert again.share == same.share == now.share
        assert again.share != first.share
        assert again.outbox_share == first.outbox_share
        assert first.lease == 8 * 3600
        assert ahead.status_code == 409
        assert decode(old.content, ShareReply).share == first.share
        assert [answer.status_code for answer in answers] == [200, 200]
        assert (gone.status_code, gone.json()["code"]) == (404, "share_destroyed")
        reply = decode(answers[0].content, ReceiptReply)
        assert reply.share_destroyed
        audit_key = from_base64(agent.reply.audit_key, size=32, what="key")
        assert verify_checkpoint(reply.checkpoint, origin=f"wabiz/{agent.reply.tenant}", public=audit_key).size > 3
        assert served.hub.archive.shares.names("share/" + agent.reply.device) == [share_name(agent.reply.device, 2)]


async def test_receipts_must_be_true_and_in_their_chain(tmp_path: Path) -> None:
    """A forged receipt, one out of its place, one of another device and one of an epoch to come change nothing."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent, other = await served.person(admin, "A", "agent"), await served.person(admin, "B", "agent")
        await agent.post("/v1/device/epochs", {"after": 1})
        good = agent.receipt(epoch=1, next_epoch=2)

        stranger = await other.post("/v1/receipts", good)
        forged = await agent.post(
            "/v1/receipts",
            {"receipt": good.receipt.replace('"messages":3', '"messages":4'), "signature": good.signature, "public_key": good.public_key},
        )
        gap = await agent.post("/v1/receipts", agent.receipt(epoch=1, next_epoch=2, number=5))
        early = await agent.post("/v1/receipts", TestDevice(served, agent.seed, agent.reply).receipt(epoch=2, next_epoch=3))

        assert [answer.status_code for answer in (stranger, forged, gap, early)] == [401, 401, 400, 400]
        assert (await agent.get("/v1/receipts")).json() == []
        assert (await agent.get("/v1/device/share?epoch=1")).status_code == 200


async def test_revocation_is_at_once_and_for_good(tmp_path: Path) -> None:
    """A revoked device hears `revoked` whatever it asks, gets no token, and all its shares are destroyed; others work on."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent = await served.person(admin, "Agent", "agent")
        device = agent.reply.device

        answer = await admin.post(f"/v1/devices/{device}/revoke", {})
        later = [await agent.get("/v1/me"), await agent.get("/v1/device/share"), await agent.ask_token()]
        sent = await agent.send({"messaging_product": "whatsapp"})

        assert answer.status_code == 200
        assert [(one.status_code, one.json()["code"]) for one in later] == [(401, "revoked")] * 3
        assert sent.status_code == 401
        assert served.hub.archive.shares.names(f"share/{device}") == []
        assert served.hub.archive.shares.find(outbox_share_name(device)) is None
        assert (await admin.get("/v1/me")).status_code == 200
        assert (await admin.post("/v1/devices/00/revoke", {})).status_code == 404
        [listed] = [one for one in (await admin.get("/v1/devices")).json() if one["id"] == device]
        assert listed["revoked_at"]


async def test_a_crash_before_the_destruction_is_caught_up(tmp_path: Path) -> None:
    """Shares that the record says are destroyed but are still there are destroyed when the hub starts."""
    async with served_hub(tmp_path) as served:
        agent = await served.person(await served.admin(), "Agent", "agent")
        hub = served.hub
    archive = open_archive(hub.settings, hub.secrets, clock=served.clock, random_bytes=seeded(3))
    with archive.writing() as writing:
        revoke_device(writing, agent.reply.device)
    archive.close()

    again = open_archive(hub.settings, hub.secrets, clock=served.clock, random_bytes=seeded(4))

    assert again.shares.find(outbox_share_name(agent.reply.device)) is None
    again.close()


async def test_hostile_requests_get_sentences(tmp_path: Path) -> None:
    """Bodies that are not what they must be are refused with a code and a sentence, never with an error of the hub's own."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        bodies = [
            b"",
            b"[]",
            b"{",
            b"\xff",
            b'{"name": 5, "role": "agent"}',
            b'{"name":"x","role":"king"}',
            b'{"name":"\\u001b[2J","role":"agent"}',
        ]
        answers = [await served.http.post("/v1/people", content=body, headers=admin.headers) for body in bodies]
        large = await served.http.post("/v1/people", content=b" " * (2 * 1024 * 1024), headers=admin.headers)
        token = await served.http.post("/v1/token", content=encode(TokenRequest("a.b.c")))

        assert [answer.status_code for answer in answers] == [400] * len(bodies)
        assert large.status_code == 413
        assert token.status_code == 401
        assert all(set(answer.json()) == {"code", "sentence"} for answer in answers)
        assert (await admin.get("/v1/nothing")).json()["code"] == "not_found"
