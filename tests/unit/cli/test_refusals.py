"""How commands refuse: one line a mistake, records for programs, and sentences that say what to do next."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wabiz_tui.cli import sending
from wabiz_tui.cli.main import main
from wabiz_tui.cli.session import ask_passphrase
from wabiz_tui.desk.process.connection import ENDED
from wabiz_tui.model.errors import NoKeyStore, Unreachable

WRONG = '[cache]\nwindo = "14d"\nleese = "8h"\n'


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    file = tmp_path / "policy.toml"
    file.write_text(WRONG)
    return file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WABIZ_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_each_mistake_of_a_document_has_its_own_line(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two unknown keys are two lines, each with file, line and key; exit 2."""
    assert main(["policy", "check", str(wrong)]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert [next(key for key in ("windo", "leese") if f" {key}" in line or f".{key}" in line) for line in lines] == ["windo", "leese"]
    assert "policy.toml:2" in lines[0]
    assert "policy.toml:3" in lines[1]


def test_a_program_reads_the_mistakes_as_a_record(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the check of a wrong document prints what is wrong where, and exits with 2."""
    assert main(["policy", "check", str(wrong), "--json"]) == 2

    record = json.loads(capsys.readouterr().out)
    assert record["valid"] is False
    assert [(error["line"], error["file"]) for error in record["errors"]] == [(2, str(wrong)), (3, str(wrong))]
    assert all("\n" not in error["sentence"] for error in record["errors"])


@pytest.mark.parametrize("command", [["messages", "nope"], ["send", "0" * 31, "hello"], ["media", "0" * 33]])
def test_what_is_no_id_is_a_usage_error(command: list[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped id exits with 2 and is told before anything is opened."""
    assert main(command) == 2
    assert "32 hexadecimal digits" in capsys.readouterr().err
    assert not home.exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["messages"], "Missing argument 'CONVERSATION'; `wabiz messages --help`"),
        (["status", "--nosuch"], "No such option '--nosuch'; `wabiz status --help`"),
        (["priority", "0" * 32], "Choose from: urgent, high, medium, low, none; `wabiz priority --help`"),
        (["receipts", "nosuch"], "No such command 'nosuch'; `wabiz receipts --help`"),
        (["rekey", "--new-passphrase-fd", "987"], "--new-passphrase-fd 987 is not an open file descriptor"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(command: list[str], said: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong and where the right call stands, on standard error alone; exit 2."""
    assert main(command) == 2

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("wabiz: ")
    assert said in err
    assert not home.exists()


def test_without_a_terminal_the_way_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can be asked: the sentence names the option that a script has, once for who opens and once for who chooses."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    with pytest.raises(NoKeyStore, match=r"opens with a passphrase, .* give it with --passphrase-fd N\."):
        ask_passphrase()
    with pytest.raises(NoKeyStore, match="no key store that wabiz may use"):
        ask_passphrase(again=True)


@pytest.mark.parametrize("command", [["outbox", "--json", "list"], ["shift", "--json", "start"]])
def test_options_that_would_not_reach_the_command_are_refused(command: list[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script that asked for JSON in the wrong place learns it, and gets no table instead."""
    assert main(command) == 2
    assert capsys.readouterr().err == f"wabiz: Options come last: `wabiz {command[0]} {command[2]} … --json`.\n"
    assert not home.exists()


def test_a_wipe_that_cannot_ask_names_the_way(home: Path) -> None:
    """Off a terminal and without --yes nothing is removed: exit 2 and one sentence that names it."""
    (home / "data").mkdir(parents=True)

    refused = subprocess.run(
        [sys.executable, "-m", "wabiz_tui.cli.main", "wipe"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "--yes" in refused.stderr
    assert (home / "data").exists()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("arguments", [["lock", "--json"], ["audit", "checkpoint", "--json"]], ids=" ".join)
def test_options_of_all_commands_are_taken_by_all(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What these refuse is a machine that is not enrolled, not the option."""
    assert main(arguments) in (2, 3)
    assert "wabiz enroll" in capsys.readouterr().err


def test_a_desk_that_ended_while_it_sent_leaves_no_doubt_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message may have gone: the sentence says so, and that --key makes a repeat safe; exit 4."""

    class Ending:
        async def send_now(self, *_: object, **__: object) -> None:
            raise Unreachable("The desk has ended; start wabiz again.", code=ENDED)

    def with_ending_desk(_: object, act: object) -> object:
        import asyncio

        return asyncio.run(act(Ending()))  # pyright: ignore[reportCallIssue, reportUnknownArgumentType, reportUnknownVariableType]

    monkeypatch.setattr(sending, "with_desk", with_ending_desk)

    assert main(["send", "a" * 32, "hello"]) == 4
    told = capsys.readouterr().err
    assert "may have been sent" in told
    assert "--key" in told


def _checked(home: Path, *, output: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """`wabiz policy check --json` of a document with a key in two scripts, its output put where the shell's words say."""
    document = home.parent / "policy.toml"
    document.write_text('"fenêtre日" = 1\n', encoding="utf-8")
    command = f'"$0" -m wabiz_tui.cli.main policy check "$1" --json {output}'
    return subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, str(document)],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full is Linux's")
def test_a_full_disk_behind_the_output_is_told_in_one_line(home: Path) -> None:
    """Output that cannot be written is exit 1 and one sentence, no traceback."""
    refused = _checked(home, output="> /dev/full")

    assert refused.returncode == 1
    assert refused.stderr.count(b"\n") == 1
    assert refused.stderr.startswith(b"wabiz: ")


def test_closed_streams_change_no_answer(home: Path) -> None:
    """A service manager may start a command with none of the three streams open: its exit code is what it is elsewhere."""
    assert _checked(home, output="<&- >&- 2>&-").returncode == 2


def test_a_locale_without_unicode_gets_the_same_records(home: Path) -> None:
    """In an ASCII locale the records are ASCII, and mean what they mean elsewhere."""
    narrow = _checked(home, output="", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="")
    wide = _checked(home, output="", PYTHONUTF8="1")

    assert narrow.returncode == wide.returncode == 2
    assert narrow.stdout.isascii()
    assert not wide.stdout.isascii()
    assert [json.loads(line) for line in narrow.stdout.splitlines()] == [json.loads(line) for line in wide.stdout.splitlines()]


def test_no_runtime_folder_of_the_session_is_no_warning(home: Path) -> None:
    """Over sudo, cron and some SSH servers nothing names a runtime folder; nobody is told of a line of a library."""
    environment = {name: value for name, value in os.environ.items() if name not in ("WABIZ_HOME", "XDG_RUNTIME_DIR")}
    plain = subprocess.run(
        [sys.executable, "-m", "wabiz_tui.cli.main", "keys", "--json"],
        env=environment | {"HOME": str(home)}, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip

    assert (plain.returncode, plain.stderr) == (0, b"")
