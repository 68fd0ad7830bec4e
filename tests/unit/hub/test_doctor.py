"""`wabiz hub doctor` against the simulator: all well, and each thing that can be wrong told in its place."""

import asyncio
import json
import os
from collections import namedtuple
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.hub_archive import HandClock, seeded
from tests.support.simulator_stage import APP_SECRET, NUMBER, TOKEN, VERIFY, WABA, Stage, staged
from wabiz_tui.cli.main import main
from wabiz_tui.hub.operations.doctor import examine
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import initialise, load_settings, open_archive
from wabiz_tui.model.clock import Clock, SystemClock
from wabiz_tui.model.paths import paths_under

MORE = '\n[server]\ntrusted_proxies = ["10.0.0.0/8"]\n'


def put(folder: Path, name: str, value: str) -> None:
    (folder / name).write_text(value)
    (folder / name).chmod(0o600)


def init(home: Path, graph_url: str) -> Path:
    secrets = home / "secrets"
    secrets.mkdir(parents=True, mode=0o700)
    for name, value in (("graph_token", TOKEN), ("app_secret", APP_SECRET), ("verify_token", VERIFY)):
        put(secrets, name, value)
    initialise(
        paths_under(home), archive=str(home / "archive.db"), waba_id=WABA, phone_number_ids=[NUMBER], graph_url=graph_url,
        secrets_dir=secrets, clock=SystemClock(), random_bytes=os.urandom, environment={},
    )  # fmt: skip
    with (home / "hub.toml").open("a") as config:
        config.write(MORE)
    home.chmod(0o700)
    return home / "hub.toml"


@asynccontextmanager
async def told_hub(home: Path) -> AsyncGenerator[tuple[Stage, Path]]:
    """A simulator that tells a hub, and the hub.toml of one that it could be."""
    async with staged() as stage:
        async with asyncio.timeout(60):
            while not stage.hub.handshakes:  # noqa: ASYNC110 the handshake tells nobody
                await asyncio.sleep(0.01)
        yield stage, init(home, stage.url)


async def states(config: Path, clock: Clock | None = None) -> dict[str, str]:
    """The worst state of each check."""
    findings = await examine(config, clock=clock or SystemClock(), random_bytes=os.urandom, environment={})
    worst: dict[str, str] = {}
    for one in findings:
        assert one.sentence.endswith((".", "*", "/*", "'"))
        assert not [secret for secret in (TOKEN, APP_SECRET, VERIFY) if secret in one.sentence]
        worst[one.check] = max(worst.get(one.check, "ok"), one.state, key=("ok", "warning", "failed").index)
    return worst


async def test_a_hub_that_is_well(tmp_path: Path) -> None:
    """Every check is ok but for the address that this one cannot have."""
    async with told_hub(tmp_path / "home") as (_, config):
        found = await states(config)
        assert {check for check, state in found.items() if state != "ok"} == {"public url"}
        assert set(found) >= {"settings", "tls", "secrets", "archive folder", "archive", "journal", "files", "clock", "graph token"}
        assert set(found) >= {"app secret", "callback", "subscription", "webhook", f"number {NUMBER}"}


async def test_what_is_wrong_at_meta_is_told(tmp_path: Path) -> None:
    """A wrong token, lost scopes, a wrong or half-changed app secret, no subscription, another verify token, a number that is not ours,
    a clock that is off: each is told by its own check, and a secret by none."""
    async with told_hub(tmp_path / "home") as (stage, config):
        folder = config.parent / "secrets"

        put(folder, "app_secret", f"{APP_SECRET}\nan-older-one")
        assert (await states(config))["app secret"] == "warning"
        put(folder, "app_secret", "none-of-meta")
        assert (await states(config))["app secret"] == "failed"
        put(folder, "app_secret", APP_SECRET)

        put(folder, "verify_token", "of-another-hub")
        assert (await states(config))["webhook"] == "failed"
        put(folder, "verify_token", VERIFY)

        assert (await states(config, HandClock(SystemClock().now() + timedelta(hours=1))))["clock"] == "failed"
        assert (await states(config, HandClock(SystemClock().now() + timedelta(seconds=40))))["clock"] == "warning"

        text = config.read_text()
        config.write_text(text.replace(f'["{NUMBER}"]', '["999"]'))
        assert (await states(config))["number 999"] == "failed"
        config.write_text(text)

        await stage.graph("DELETE", f"{WABA}/subscribed_apps")
        assert (await states(config))["subscription"] == "failed"
        await stage.graph("POST", f"{WABA}/subscribed_apps")

        put(folder, "graph_token", "EAAwrong")
        assert (await states(config))["graph token"] == "failed"
        put(folder, "graph_token", TOKEN)

        await stage.control("fault", kind="permission_lost")
        assert (await states(config))["graph token"] == "failed"


async def test_what_is_wrong_here_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Files that others may read, a full disk, webhooks that nobody folds, a TLS key that is none, a Meta out of reach, an archive of
    other keys: each is told, and the command ends with 1."""
    config = init(tmp_path / "home", "http://127.0.0.1:9")
    folder = config.parent / "secrets"
    assert (await states(config))["meta"] == "failed"

    (folder / "stray").write_text("x")
    (folder / "stray").chmod(0o644)
    assert (await states(config))["secrets"] == "failed"
    (folder / "stray").unlink()

    usage = namedtuple("usage", "total used free")
    for free, state in ((10**8, "failed"), (2 * 10**9, "warning")):
        monkeypatch.setattr("shutil.disk_usage", lambda _path, free=free: usage(10**12, 0, free))
        assert (await states(config))["archive folder"] == state
    monkeypatch.undo()

    text = config.read_text()
    config.write_text(text + f'tls_cert = "{folder}/graph_token"\n')
    assert (await states(config))["tls"] == "failed"
    config.write_text(text)

    await journaled(config)
    assert (await states(config))["journal"] == "failed"

    monkeypatch.setenv("WABIZ_HOME", str(config.parent))
    assert await asyncio.to_thread(main, ["hub", "doctor", "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"check": "journal", "state": "failed"}.items() <= {
        k: v for one in told if one["check"] == "journal" for k, v in one.items()
    }.items()

    put(folder, "archive_key", "00" * 32)
    assert (await states(config))["archive"] == "failed"
    (folder / "app_secret").chmod(0o640)
    assert (await states(config))["secrets"] == "failed"


async def journaled(config: Path) -> None:
    """Acknowledge a webhook ten minutes ago that nobody folds."""
    settings = load_settings(config)
    early = HandClock(SystemClock().now() - timedelta(minutes=10))
    archive = open_archive(settings, load_secrets(settings.secret_places, {}), clock=early, random_bytes=seeded())
    journal = archive.open_journal()
    await journal.append(b"{}")
    await asyncio.to_thread(journal.stop)
    archive.close()
