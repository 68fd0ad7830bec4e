"""The command line: exit codes, refusals in one line, and an overview that imports nothing."""

import json
import os
import subprocess
import sys

import pytest

from wabiz_tui.cli import main as entry
from wabiz_tui.cli.commands import COMMANDS, wabiz
from wabiz_tui.cli.session import read_passphrase
from wabiz_tui.model.errors import BadInput, Denied, Locked, Unreachable, UsageError, WabizError


@pytest.mark.parametrize(
    ("error", "status"),
    [(WabizError("x"), 1), (UsageError("x"), 2), (Locked("x"), 3), (Unreachable("x"), 4), (BadInput("x"), 1)],
    ids=str,
)
def test_each_kind_of_error_has_its_exit_code(error: WabizError, status: int) -> None:
    """0 done, 1 failed, 2 usage, 3 denied, 4 unreachable."""
    assert entry.report(error) == status


def test_a_denial_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read why they were denied as `{code, sentence}` on standard error."""
    entry.report(Denied("Ask your \x1b[31madministrator."))

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0]) == {"code": "denied", "sentence": "Ask your ␛[31madministrator."}


def test_every_command_of_the_overview_exists() -> None:
    """The table of commands names only modules and objects that are there."""
    import click

    context = click.Context(wabiz)
    for name in COMMANDS:
        assert wabiz.get_command(context, name) is not None  # pyright: ignore[reportAttributeAccessIssue]


def test_the_overview_imports_no_half_of_wabiz() -> None:
    """`wabiz --help` answers without loading hub, desk or screen."""
    code = (
        "import sys; from wabiz_tui.cli.main import main; main(['--help']);"
        "print([m for m in sys.modules if m.startswith(('wabiz_tui.hub', 'wabiz_tui.desk', 'wabiz_tui.tui', 'textual', 'httpx'))])"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout.splitlines()[-1] == "[]"


def test_the_passphrase_is_the_first_line_of_the_descriptor() -> None:
    """What follows the first line end is not part of the passphrase, and the secret does not print."""
    reading, writing = os.pipe()
    os.write(writing, "pässword mit leer\r\nnext".encode())
    os.close(writing)

    passphrase = read_passphrase(reading)

    assert passphrase is not None
    assert passphrase.text() == "pässword mit leer"
    assert "leer" not in repr(passphrase)


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 5000])
def test_no_passphrase_is_made_of_nothing_or_of_too_much(content: bytes) -> None:
    """An empty or endless first line is a usage error that names the descriptor."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)

    with pytest.raises(UsageError, match="passphrase-fd"):
        read_passphrase(reading)


def test_a_closed_descriptor_is_named() -> None:
    """A number that is no open descriptor is a usage error, no traceback."""
    with pytest.raises(UsageError, match="not an open file descriptor"):
        read_passphrase(987)
