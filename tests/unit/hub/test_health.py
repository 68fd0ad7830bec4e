"""What a hub tells of itself: to everybody that it lives, to those who watch it how far it is behind, and nothing of content."""

import resource
from datetime import timedelta
from pathlib import Path

import pytest
import structlog.testing

from tests.support.hub_archive import NUMBER
from tests.support.hub_served import body_of, served_hub, text_value
from wabiz_tui.hub.front.addresses import Trust, parse_network, place_caller
from wabiz_tui.hub.operations.health import may_watch
from wabiz_tui.model.errors import StoreError, StoreFull
from wabiz_tui.model.secret import Secret


def figure(text: str, name: str) -> float:
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{")))


async def test_readiness_tells_how_far_the_hub_is_behind(tmp_path: Path) -> None:
    """/readyz counts webhooks not folded and files not fetched, with the age of the oldest; /metrics tells the same."""
    async with served_hub(tmp_path) as served:
        assert (await served.http.get("/healthz")).text == "ok\n"
        served.meta.trouble = "down"
        stamp = str(int((served.clock.now() - timedelta(minutes=3)).timestamp()))
        image = {"id": "M", "mime_type": "image/jpeg", "sha256": "", "caption": "look"}
        message = {"from": "447700900123", "id": "wamid.P", "timestamp": stamp, "type": "image", "image": image}
        metadata = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
        await served.webhook({"messaging_product": "whatsapp", "metadata": metadata, "messages": [message]})
        served.clock.move(timedelta(seconds=60))

        ready = await served.http.get("/readyz")

        assert ready.status_code == 200
        told = ready.json()
        assert told["journal"] == {"entries": 0, "seconds": 0.0}
        assert told["media"]["pending"] == 1
        assert told["media"]["oldest_seconds"] > 50
        assert 6 * 86_400 < told["media"]["expires_in"] < 8 * 86_400
        metrics = (await served.http.get("/metrics")).text
        assert figure(metrics, "wabiz_media_pending") == 1
        assert figure(metrics, "wabiz_archive_up") == 1


async def test_the_journal_lag_is_told(tmp_path: Path) -> None:
    """A webhook that is acknowledged and not folded counts, with its age."""
    async with served_hub(tmp_path) as served:
        served.hub.intake.stop()
        raw = body_of(text_value("hi", wamid="wamid.X", sender="447700900123", at=served.clock.now()))
        await served.hub.journal.append(raw)
        await served.hub.journal.append(raw)
        served.clock.move(timedelta(seconds=30))

        told = (await served.http.get("/readyz")).json()

        assert told["journal"]["entries"] in (0, 1, 2)  # the intake may fold what comes before it has heard of its end
        if told["journal"]["entries"]:
            assert told["journal"]["seconds"] > 20


async def test_windows_that_close_are_counted(tmp_path: Path) -> None:
    """A conversation that waits for an answer counts in the last hour of its window, and not before or after."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        seen: list[float] = []
        for ahead in (timedelta(hours=22), timedelta(hours=1, minutes=30), timedelta(hours=1)):
            served.clock.move(ahead)
            seen.append(figure((await served.http.get("/metrics")).text, "wabiz_windows_closing"))
        assert seen == [0, 1, 0]


async def test_an_archive_that_does_not_answer_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with a reason, counted; /healthz still lives; and figures are read once for many who ask."""
    async with served_hub(tmp_path) as served:
        asked = 0

        async def broken(_work: object) -> None:
            nonlocal asked
            asked += 1
            raise StoreError("The disk is gone.")

        monkeypatch.setattr(served.hub.health._archive, "read", broken)
        refused = await served.http.get("/readyz")
        assert refused.status_code == 503
        assert refused.json() == {"code": "store", "sentence": "The disk is gone."}
        stranger = await served.http.get("/readyz", headers={"X-Forwarded-For": "198.51.100.1"})
        assert stranger.json() == {"code": "store", "sentence": "The hub cannot reach its archive."}
        metrics = (await served.http.get("/metrics")).text
        assert figure(metrics, "wabiz_archive_up") == 0
        assert 'wabiz_store_errors_total{code="store"}' in metrics
        assert (await served.http.get("/healthz")).status_code == 200
        monkeypatch.undo()
        assert (await served.http.get("/readyz")).status_code == 200
        monkeypatch.setattr(served.hub.health._archive, "read", broken)
        before = asked
        assert (await served.http.get("/readyz")).status_code == 200
        assert asked == before


async def test_a_hub_that_could_keep_no_webhook_is_not_ready(tmp_path: Path) -> None:
    """Where no file may grow, as on a full disk, /readyz says so before any webhook was refused, and is ready again with room."""
    async with served_hub(tmp_path) as served:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        try:
            full = await served.http.get("/readyz")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        again = await served.http.get("/readyz")

        assert (full.status_code, again.status_code) == (503, 200)


async def test_an_archive_that_fails_asks_callers_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To /v1, its stream and the gateway it is 503 with Retry-After, counted; where the archive lies and what ails it is told to none."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()

        async def broken(_work: object) -> None:
            raise StoreFull("The database at db.internal is full.")

        monkeypatch.setattr(served.hub.archive, "read", broken)
        answers = [await admin.get(path) for path in ("/v1/people", "/v1/changes", "/v1/changes/stream", f"/v26.0/{NUMBER}")]
        monkeypatch.undo()

        assert [answer.status_code for answer in answers] == [503] * 4
        assert [answer.json()["code"] for answer in answers[:3]] == ["store_full"] * 3
        assert answers[3].json()["error"]["error_data"]["wabiz_code"] == "busy"
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        assert not any("db.internal" in answer.text for answer in answers)
        assert figure((await served.http.get("/metrics")).text, 'wabiz_store_errors_total{code="store_full"}') == 3


@pytest.mark.parametrize(
    ("peer", "headers", "may"),
    [
        ("127.0.0.1", {}, True),
        ("10.0.0.1", {}, True),
        ("198.51.100.1", {}, False),
        ("127.0.0.1", {"x-forwarded-for": "198.51.100.1"}, False),
        ("10.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
        ("198.51.100.1", {"authorization": "Bearer watch-word"}, True),
        ("198.51.100.1", {"authorization": "Bearer other"}, False),
    ],
)
def test_figures_are_for_this_machine_trusted_proxies_and_the_token(peer: str, headers: dict[str, str], may: bool) -> None:
    """Whoever comes through a proxy is behind it, whatever address they claim."""
    trust = Trust([parse_network("10.0.0.0/8")])
    scope = {"client": (peer, 1), "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "server": None}
    place_caller(scope, trust.caller(scope))
    assert may_watch(scope, trust.is_proxy_address, Secret("watch-word")) is may


async def test_no_content_reaches_the_log(tmp_path: Path) -> None:
    """A flood of webhooks, good, forged and broken, leaves no word, name or number of a customer in any log line."""
    words, name, number = "SECRETWORDS", "Marguerite", "447700900999"
    async with served_hub(tmp_path) as served:
        with structlog.testing.capture_logs() as logs:
            for index in range(30):
                value = text_value(f"{words} {index}", wamid=f"wamid.{index}", sender=number, at=served.clock.now())
                value["contacts"][0]["profile"]["name"] = name
                raw = body_of(value)
                await served.post_webhook(raw)
                await served.post_webhook(raw, signature="sha256=" + "0" * 64)
                await served.post_webhook(raw[:-20])
                await served.post_webhook(raw.replace(b'"text"', b'"novelty"'))
            await served.folded()
            admin = await served.admin()
            await served.http.post("/v1/token", content=words.encode())
            await admin.get(f"/v1/media/{words}")
            await admin.get(f"/v26.0/{number}?fields={words}")
        assert logs
        told = repr(logs)
        assert not [secret for secret in (words, name, number, number[2:]) if secret in told]
