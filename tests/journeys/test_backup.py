"""A hub is lost and restored as docs/backup.md says, with real processes and an agent's machine that knew more than the backup."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.road import Road, until
from wabiz_tui.cli.demo.stage import HOME
from wabiz_tui.hub.archive.erasure.erasing import erase_messages
from wabiz_tui.hub.archive.messages import find_by_wamid
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.audit import Act
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import load_settings, open_archive
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.paths import paths_under


class Losable(Road):
    """A road whose hub can be stopped, lost and started again at its address."""

    @property
    def around(self) -> dict[str, str]:
        return {**os.environ, HOME: str(self.home / "hub"), **self._secrets}

    @property
    def config(self) -> Path:
        return paths_under(self.home / "hub").config / "hub.toml"

    def hub_command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "wabiz_tui.cli.main", "hub", *arguments]
        return subprocess.run(command, env=self.around, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)

    def told(self, *arguments: str) -> dict[str, Any]:
        done = self.hub_command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start_again(self) -> None:
        port = self.hub.url.rsplit(":", 1)[1]
        self.hub = self._server("hub", ["hub", "serve", "--config", "hub.toml", "--port", port], self.around)

    def erase(self, wamid: str) -> None:
        """While the hub is down, since no command for it is part of this."""
        settings = load_settings(self.config)
        archive = open_archive(settings, load_secrets(settings.secret_places, self.around), clock=SystemClock(), random_bytes=os.urandom)

        def work(writing: Writing) -> None:
            message = find_by_wamid(writing, wamid)
            assert message is not None
            assert erase_messages(writing, [message], Act("message.erased")).messages == 1

        try:
            archive.write_now(work)
        finally:
            archive.close()

    def lose_archive(self) -> None:
        for path in (self.home / "hub").glob("archive.db*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def losable() -> Iterator[Losable]:
    with Losable(keep=False, seed=3, scenario=None) as stage:
        stage.agent = stage.person(stage.seat("admin", stage.admin_code), "Robin", "agent")
        yield stage


def test_a_lost_hub_is_restored_and_machines_follow(losable: Losable, tmp_path: Path) -> None:
    """What was backed up is back, on the machine too; what was erased since is on neither; what came after the backup and was lost with
    the hub leaves the machine; and work goes on."""
    losable.customer_writes("kept words", phone="491570000301", name="Ada Kept")
    erased = losable.customer_writes("erased words", phone="491570000301", name="Ada Kept")
    row = losable.conversation_of("Ada Kept")
    folder = tmp_path / "backups"
    folder.mkdir()
    made = losable.told("backup", str(folder))
    assert {"content", "keys"} == set(made)
    assert (made["content"]["counts"]["tables"]["message"], len(made["content"]["sha256"])) == (2, 64)
    losable.customer_writes("after the backup", phone="491570000302", name="Bob Lost")
    assert losable.conversation_of("Bob Lost")

    (folder / "half.content").write_text("no backup\n")
    busy = losable.hub_command("restore", str(folder), "--replace", "--yes")
    assert (busy.returncode, "Traceback" in busy.stderr) == (1, False)
    losable.hub.stop()
    losable.erase(erased)
    losable.told("backup", "--keys", str(tmp_path / "newest.keys"))
    full = losable.hub_command("restore", str(folder))
    assert full.returncode == 1
    assert "--replace" in full.stderr
    losable.lose_archive()
    old = next(folder.glob("*.keys"))
    done = losable.told("restore", str(folder), "--keys", str(old), "--keys", str(tmp_path / "newest.keys"))
    assert (done["erased"]["messages"], done["devices_revoked"]) == (1, 0)
    losable.start_again()

    losable.agent.run("sync")
    names = [one["name"] for one in losable.agent.records("conversations")]
    assert "Ada Kept" in names
    assert "Bob Lost" not in names
    assert [one["text"] for one in losable.agent.records("messages", row["id"])] == ["kept words"]
    losable.customer_writes("and on", phone="491570000301", name="Ada Kept")

    def texts() -> list[str]:
        losable.agent.run("sync")
        return [one["text"] for one in losable.agent.records("messages", row["id"])]

    assert until(lambda: "and on" in texts())
    entries = [entry["action"] for entry in losable.seats[0].records("audit", "list")]
    assert entries.count("hub.restored") == 1
