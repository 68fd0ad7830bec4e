"""`wabiz keys`: what a terminal sends has the name that `[keymap]` wants, and the keymap in force is there for programs."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from wabiz_tui.cli.main import main
from wabiz_tui.tui.actions import ACTIONS


def test_the_keymap_in_force_is_printed_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every action with its id, keys and title; what config.toml changes is in it."""
    monkeypatch.setenv("WABIZ_HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text('[keymap]\n"list.next" = "ctrl+n"\n')

    assert main(["keys", "--json"]) == 0

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["id"] for row in rows] == [action.id for action in ACTIONS]
    assert rows[0] == {"id": "list.next", "keys": ["ctrl+n"], "title": "Next"}


def test_without_a_terminal_the_other_way_is_named(tmp_path: Path) -> None:
    """Nobody can press a key there: exit 2, and --json is named."""
    refused = subprocess.run(
        [sys.executable, "-m", "wabiz_tui.cli.main", "keys"],
        env=os.environ | {"WABIZ_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 2
    assert "--json" in refused.stderr


@pytest.mark.parametrize("leaving", [b"\x03", b"qq"], ids=["Ctrl+C", "q q"])
def test_pressed_keys_are_named(tmp_path: Path, leaving: bytes) -> None:
    """Arrows, chords and letters of other scripts, one a line, with what they do; the terminal is as it was afterwards."""
    outer, inner = pty.openpty()
    probing = subprocess.Popen(
        [sys.executable, "-m", "wabiz_tui.cli.main", "keys"], env=os.environ | {"WABIZ_HOME": str(tmp_path)}, stdin=inner, stdout=inner
    )
    os.close(inner)
    told = b""
    while b"\x1b[>1u" not in told:
        told += os.read(outer, 4096)
    os.write(outer, b"\x1b[A" + "é".encode() + b"\x1b[1;5P" + b"j" + leaving)
    while b"\x1b[<u" not in told:
        told += os.read(outer, 4096)

    assert probing.wait(20) == 0
    os.close(outer)
    lines = [line.split() for line in told.decode().split("\r\n")]
    names = [line[0] for line in lines if line]
    assert [name for name in ("up", "é", "ctrl+f1", "j") if any(name in found for found in names)] == ["up", "é", "ctrl+f1", "j"], names
    assert ["j", "Next", "(list.next)"] in lines
