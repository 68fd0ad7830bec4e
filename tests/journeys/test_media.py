"""A customer's file on an agent's machine, over real processes."""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.road import Road, until

# It runs for longer than a program that hands the file to another one.
VIEWER = """#!{python}
import hashlib, sys, time
path = sys.argv[1]
with open(path, "rb") as file, open({seen!r}, "w") as seen:
    seen.write(path + " " + hashlib.sha256(file.read()).hexdigest())
time.sleep(5.5)
"""
CONTENT = b"\x89PNG the customer's picture " * 20_000


@pytest.mark.timeout(300)  # the first journey of a process starts the whole road
def test_file_of_a_message(road: Road, tmp_path: Path) -> None:
    """A customer's picture is fetched whole and sealed, shown by a viewer from memory, refused to be saved, and nowhere readable."""
    picture = {"mime": "image/png", "base64": base64.b64encode(CONTENT).decode()}
    road.control("inbound", {"from": "491570000801", "name": "Pia Picture", "image": picture})
    chat = until(lambda: [row for row in _synced(road, "conversations") if row["name"] == "Pia Picture"])[0]["id"]
    message = until(lambda: [row for row in _synced(road, "messages", chat) if row["content"]["stored"] == "stored"])[0]["id"]

    found = road.agent.records("media", message)[0]
    assert (found["mime_type"], found["size"], found["sha256"]) == ("image/png", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())

    refused = road.agent.run("media", message, "--out", str(tmp_path / "saved.png"), check=False)
    assert (refused.returncode, json.loads(refused.stderr)["code"]) == (3, "media_viewer")
    assert not (tmp_path / "saved.png").exists()

    seen = tmp_path / "seen"
    viewer = tmp_path / "viewer"
    viewer.write_text(VIEWER.format(python=sys.executable, seen=str(seen)))
    viewer.chmod(0o755)
    config = road.agent.home / "config.toml"
    before = config.read_text() if config.exists() else ""
    config.write_text(before + f"[desk]\nviewer = {json.dumps(str(viewer))}\n")
    try:
        road.agent.run("media", message, "--open")
    finally:
        config.write_text(before)
    path, digest = seen.read_text().split()
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    assert not Path(path).exists()
    assert not Path(path).is_relative_to(road.agent.home)
    readable = [file for file in road.agent.home.rglob("*") if file.is_file() and b"the customer's picture" in file.read_bytes()]
    assert readable == []


def _synced(road: Road, *command: str) -> list[dict[str, Any]]:
    road.agent.run("sync")
    return road.agent.records(*command)
