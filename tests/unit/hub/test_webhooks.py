"""Meta's door: who gets in, what is refused, and that a refusal harms nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog.testing

from tests.support.hub_served import VERIFY_TOKEN, body_of, served_hub, text_value
from wabiz_tui.hub.archive.events import count_quarantined
from wabiz_tui.hub.ingest.door import LARGEST_BODY


async def test_the_handshake_echoes_to_the_right_token_only(tmp_path: Path) -> None:
    """The right token gets the challenge back as plain text and nothing else; anything else gets 403."""
    async with served_hub(tmp_path) as served:
        base = "/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1158201444"

        right = await served.http.get(f"{base}&hub.verify_token={VERIFY_TOKEN}")
        wrong = await served.http.get(f"{base}&hub.verify_token=guess")
        none = await served.http.get(base)
        other = await served.http.get(f"/webhooks/whatsapp?hub.mode=other&hub.challenge=1&hub.verify_token={VERIFY_TOKEN}")

        assert (right.status_code, right.text) == (200, "1158201444")
        assert right.headers["content-type"].startswith("text/plain")
        assert [answer.status_code for answer in (wrong, none, other)] == [403, 403, 403]


@pytest.mark.parametrize(
    ("case", "status"),
    [("unsigned", 401), ("forged", 401), ("changed", 401), ("oversized", 413), ("encoded", 415), ("put", 405)],
)
async def test_bad_posts_are_refused_and_the_next_is_served(tmp_path: Path, case: str, status: int) -> None:
    """Each kind of bad post gets its status, keeps nothing, and the good one after it is archived."""
    async with served_hub(tmp_path) as served:
        raw = body_of(text_value("hi", wamid="wamid.X", sender="447700900123", at=served.clock.now()))
        match case:
            case "unsigned":
                answer = await served.post_webhook(raw, signature="")
            case "forged":
                answer = await served.post_webhook(raw, signature="sha256=" + "0" * 64)
            case "changed":
                answer = await served.post_webhook(raw + b" ", signature="sha256=" + "a" * 64)
            case "oversized":
                answer = await served.post_webhook(b" " * (LARGEST_BODY + 1))
            case "encoded":
                answer = await served.post_webhook(raw, **{"Content-Encoding": "gzip"})
            case _:
                answer = await served.http.put("/webhooks/whatsapp", content=raw)
        good = await served.post_webhook(raw)
        await served.folded()

        assert answer.status_code == status
        assert good.status_code == 200
        assert served.hub.journal.last() == 1


async def test_a_flood_of_forged_posts_fills_no_log(tmp_path: Path) -> None:
    """Each is refused and counted; the log has a line a second for the reason, which tells how many had none."""
    async with served_hub(tmp_path) as served:
        with structlog.testing.capture_logs() as logs:
            answers = [await served.post_webhook(b"{}", signature="sha256=" + "0" * 64) for _ in range(20)]
            served.clock.move(timedelta(seconds=2))
            answers.append(await served.post_webhook(b"{}", signature=""))

        assert {answer.status_code for answer in answers} == {401}
        assert [(line["reason"], line["unlogged"]) for line in logs if line["event"] == "webhook_refused"] == [
            ("bad_signature", 0),
            ("bad_signature", 19),
        ]


async def test_a_forged_post_is_answered_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal whose body is read already does not wait for more of it."""
    monkeypatch.setattr("wabiz_tui.hub.ingest.door._DISCARD_SECONDS", 600.0)
    async with served_hub(tmp_path) as served:
        async with asyncio.timeout(60):
            answer = await served.post_webhook(b"{}", signature="sha256=" + "0" * 64)

        assert answer.status_code == 401


async def test_an_oversized_body_without_a_length_is_cut_off(tmp_path: Path) -> None:
    """A body sent in pieces is refused once it is too large, whatever it declared."""
    async with served_hub(tmp_path) as served:

        async def pieces():
            for _ in range(80):
                yield b" " * 65536

        answer = await served.http.post("/webhooks/whatsapp", content=pieces(), headers={"X-Hub-Signature-256": "sha256=" + "0" * 64})

        assert answer.status_code == 413


@pytest.mark.parametrize("raw", [b"", b"not json", b"[1,2]", b"\xff\xfe", b'{"object":"x"}', b"[" * 100_000, b'{"entry":' + b"[" * 5000])
async def test_signed_but_unparsable_bodies_are_quarantined(tmp_path: Path, raw: bytes) -> None:
    """What is signed but cannot be parsed gets 200 and is put aside; the next webhook is folded."""
    async with served_hub(tmp_path) as served:
        answer = await served.post_webhook(raw)
        await served.incoming("after it")

        agent = await served.person(await served.admin(), "Agent", "agent")
        assert answer.status_code == 200
        assert await served.hub.archive.read(count_quarantined) == 1
        assert [message["content"]["body"] for message in (await agent.seen("message")).values()] == ["after it"]


async def test_any_of_several_app_secrets_signs(tmp_path: Path) -> None:
    """While a secret is being changed, webhooks under the old and the new one are both taken."""
    from wabiz_tui.graph.signature import sign
    from wabiz_tui.model.secret import Secret

    async with served_hub(tmp_path) as served:
        served.hub.door._app_secrets = (Secret("old"), Secret("new"))
        raw = body_of(text_value("hi", wamid="wamid.X", sender="447700900123", at=served.clock.now()))

        statuses = [(await served.post_webhook(raw, signature=sign(raw, Secret(name)))).status_code for name in ("old", "new", "other")]

        assert statuses == [200, 200, 401]


async def test_webhooks_for_others_are_kept_and_told_once(tmp_path: Path) -> None:
    """What is for an account or number that hub.toml does not name is archived, counted each time and logged once an id."""
    stranger = text_value("hi", wamid="wamid.X", sender="447700900123", at=datetime(2026, 11, 22, 12, tzinfo=UTC))
    stranger["metadata"]["phone_number_id"] = "999"
    async with served_hub(tmp_path) as served:
        with structlog.testing.capture_logs() as logs:
            await served.incoming()
            for _ in range(2):
                assert (await served.post_webhook(body_of(stranger, waba="777"))).status_code == 200
            await served.folded()
            agent = await served.person(await served.admin(), "Agent", "agent")

        told = [(line["reason"], line["id"]) for line in logs if line["event"] == "webhook_not_for_us"]
        assert sorted(told) == [("unknown_account", "777"), ("unknown_number", "999")]
        assert {message["wamid"] for message in (await agent.seen("message")).values()} == {"wamid.A", "wamid.X"}
        metrics = (await served.http.get("/metrics")).text
        assert 'wabiz_webhooks_unknown_total{reason="unknown_account"} 2.0' in metrics
        assert 'wabiz_webhooks_unknown_total{reason="unknown_number"} 2.0' in metrics
