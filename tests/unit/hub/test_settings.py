"""hub.toml and the hub's secrets: made once, checked, and never showing a secret."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.hub_archive import NUMBER, TENANT, HandClock, seeded
from tests.support.hub_served import ENVIRONMENT
from wabiz_tui.cli.main import main
from wabiz_tui.hub.archive.engine.sqlcipher import SqlcipherPlace
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.serve import serve
from wabiz_tui.hub.operations.settings import initialise, load_settings
from wabiz_tui.model.errors import Conflict, DocumentError, UsageError
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import EnrolmentCode
from wabiz_tui.proof.enrolment import parse_code


def init(home: Path, *, secrets_dir: Path | None = None, archive: str = "", graph_url: str = "https://graph.facebook.com") -> EnrolmentCode:
    names = {"graph_token_env": "T_GRAPH", "app_secret_env": "T_APP", "verify_token_env": "T_VERIFY"} if secrets_dir is None else {}
    return initialise(
        paths_under(home),
        archive=archive or str(home / "the archive.db"),
        waba_id=TENANT,
        phone_number_ids=[NUMBER, "42"],
        graph_url=graph_url,
        secrets_dir=secrets_dir,
        clock=HandClock(),
        random_bytes=seeded(),
        environment=ENVIRONMENT,
        **names,
    )


def test_init_writes_names_and_no_secret(tmp_path: Path) -> None:
    """hub.toml is private, reads back, and holds none of the secrets; the hub's own keys are private files."""
    home = tmp_path / "a home"
    code = init(home)

    text = (home / "hub.toml").read_text()
    settings = load_settings(home / "hub.toml")
    assert parse_code(code.code)
    assert (settings.hub.tenant, settings.hub.numbers) == (TENANT, (NUMBER, "42"))
    assert not any(value in text for value in ENVIRONMENT.values())
    private = [home / "hub.toml", *(home / "data" / "secrets").iterdir(), *home.glob("the archive.db*")]
    assert len(private) >= 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    with pytest.raises(UsageError, match="hub already"):
        init(home)


def test_secrets_come_from_a_folder(tmp_path: Path) -> None:
    """With a secrets folder the three of Meta's are read from it, several app secrets one a line, and the hub's own are put there."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, value in (("graph_token", "tok\n"), ("app_secret", "old\nnew\n"), ("verify_token", "ver")):
        (folder / name).write_text(value)
        (folder / name).chmod(0o600)
    init(tmp_path / "home", secrets_dir=folder)

    settings = load_settings(tmp_path / "home" / "hub.toml")
    secrets = load_secrets(settings.secret_places, {})
    assert [secret.text() for secret in secrets.app_secrets] == ["old", "new"]
    assert secrets.graph_token.text() == "tok"
    assert {len(key) for key in secrets[3:7]} == {32}
    (folder / "graph_token").chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        load_secrets(settings.secret_places, {})
    passed = tmp_path / "credentials"
    passed.mkdir()
    (passed / "graph_token").write_text("from systemd")
    assert load_secrets(settings.secret_places, {"CREDENTIALS_DIRECTORY": str(passed)}).graph_token.text() == "from systemd"
    (folder / "seal_key").write_text("abcd")
    (folder / "graph_token").chmod(0o600)
    with pytest.raises(UsageError, match="seal_key must be 64"):
        load_secrets(settings.secret_places, {})


def test_wrong_settings_are_refused_by_name(tmp_path: Path) -> None:
    """A missing variable, an unknown key, a foreign engine, a bad id and an open host are each refused in a sentence."""
    init(tmp_path)
    settings = load_settings(tmp_path / "hub.toml")
    with pytest.raises(UsageError, match="T_GRAPH is not set"):
        load_secrets(settings.secret_places, {})
    text = (tmp_path / "hub.toml").read_text()
    (tmp_path / "hub.toml").write_text(text.replace("graph_url", "graph_ulr"))
    with pytest.raises(DocumentError, match=r"hub\.toml:\d+: hub\.graph_ulr.*'graph_url'"):
        load_settings(tmp_path / "hub.toml")
    with pytest.raises(UsageError, match="archive_password"):
        init(tmp_path / "b", archive="postgresql://hub:word@db/x")
    with pytest.raises(UsageError, match="graph-url"):
        init(tmp_path / "c", graph_url="ftp://x")
    (tmp_path / "hub.toml").write_text(text)
    with pytest.raises(UsageError, match="TLS"):
        serve(tmp_path / "hub.toml", "0.0.0.0", 0, HandClock())  # noqa: S104 refused is what is tested


def test_an_archive_has_one_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a process serves an archive another is refused in a sentence; one that was killed holds nothing."""
    init(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    archive = tmp_path / "the archive.db"
    hold = (
        "import sys, pathlib; from wabiz_tui.model.secret import Secret\n"
        "from wabiz_tui.hub.archive.engine.sqlcipher import SqlcipherPlace\n"
        "place = SqlcipherPlace(pathlib.Path(sys.argv[1]), Secret(bytes(32)))\n"
        "with place.held_alone(''): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", hold, str(archive)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Conflict, match=r"Another hub already serves .*the archive\.db; end it first\."):
            serve(tmp_path / "hub.toml", "127.0.0.1", 0, HandClock())
        other.send_signal(signal.SIGKILL)
        other.wait()
        with SqlcipherPlace(archive, Secret(bytes(32))).held_alone(TENANT):
            assert stat.S_IMODE((tmp_path / "the archive.db.lock").stat().st_mode) == 0o600


def test_a_hub_serves_several_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`--waba-id` repeats: the first names the tenant, and all are kept; a bad one is refused whichever it is."""
    monkeypatch.setenv("WABIZ_HOME", str(tmp_path))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    command = ["hub", "init", "--archive", str(tmp_path / "a.db"), "--phone-number-id", NUMBER, "--graph-token-env", "T_GRAPH"]
    command += ["--app-secret-env", "T_APP", "--verify-token-env", "T_VERIFY", "--waba-id", TENANT]

    assert main([*command, "--waba-id", "not an id"]) != 0
    assert main([*command, "--waba-id", "102290129340398", "--waba-id", TENANT]) == 0

    settings = load_settings(tmp_path / "hub.toml")
    assert settings.hub.tenant == TENANT
    assert settings.hub.accounts == (TENANT, "102290129340398")
    assert parse_code(json.loads(capsys.readouterr().out.splitlines()[-1])["code"])


@contextlib.contextmanager
def serving(home: Path) -> Generator[tuple["subprocess.Popen[str]", int]]:
    """A hub of its own in `home`, and its port."""
    home.mkdir()
    init(home)
    code = "import sys; from wabiz_tui.cli.main import main; sys.exit(main(['hub', 'serve', '--port', '0']))"
    environment = {**os.environ, **ENVIRONMENT, "WABIZ_HOME": str(home)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        try:
            yield hub, int(json.loads(hub.stdout.readline())["listening"].rpartition(":")[2])
        finally:
            hub.kill()


def seconds_to_end(*hubs: "subprocess.Popen[str]") -> list[float]:
    """How long each takes when all are told at once."""
    began = time.monotonic()
    for hub in hubs:
        hub.send_signal(signal.SIGTERM)

    def ended(hub: "subprocess.Popen[str]") -> float:
        assert hub.wait(timeout=60) == 0
        return time.monotonic() - began

    with ThreadPoolExecutor(len(hubs)) as waiting:
        return list(waiting.map(ended, hubs))


def test_the_hub_ends_soon_beside_a_half_sent_request(tmp_path: Path) -> None:
    """SIGTERM ends a hub with status 0 within two seconds of what an idle one takes though somebody never finishes a POST; all it
    logs is lines of JSON."""
    with serving(tmp_path / "idle") as (idle, _), serving(tmp_path / "busy") as (hub, port):
        assert hub.stderr is not None
        with socket.create_connection(("127.0.0.1", port), timeout=60) as line, socket.create_connection(("127.0.0.1", port)) as bad:
            bad.sendall(b"nonsense\r\n\r\n")
            assert b"400" in bad.recv(1000)
            line.sendall(b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
            assert b"100" in line.recv(100)
            line.sendall(b"{")
            # The same machine at the same load is the measure: without the cut the hub would wait out its whole grace of 5 s.
            seconds, seconds_of_idle = seconds_to_end(hub, idle)
            assert seconds < seconds_of_idle + 2
        told = [json.loads(line) for line in hub.stderr.read().splitlines()]
        assert all(line.keys() >= {"event", "timestamp"} for line in told)
        assert "request_refused" in {line["event"] for line in told}
