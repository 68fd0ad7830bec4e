"""Words that must not stand on the command line come over standard input."""

import io
import sys

import pytest

from wabiz_tui.cli.streams import words_given
from wabiz_tui.model.errors import UsageError


def given(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    return words_given("-", most_bytes=8)


def test_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash stands for standard input, whose last line end is no part of it; any other argument for itself."""
    assert given(monkeypatch, "ünd\n".encode()) == "ünd"
    assert words_given("--", most_bytes=8) == "--"


def test_too_long_stays_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than the bound is not cut to something that would be taken, also where the cut is within a character."""
    assert len(given(monkeypatch, b"x" * 100)) == 9
    assert len(given(monkeypatch, "xxxxxxxxü".encode())) == 9


def test_no_text_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no UTF-8 are refused in one sentence."""
    with pytest.raises(UsageError, match="no UTF-8"):
        given(monkeypatch, b"\xff\xfe")
