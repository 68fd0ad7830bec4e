"""The standard streams as they are handed to a command: closed, full, or in a locale that is not UTF-8."""

import os
import sys
from typing import Final

from wabiz_tui.model.errors import UsageError

STDIN: Final = "-"
_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def prepare_streams() -> None:
    """Open what is closed on nothing, so that no socket or database gets its number, and let no character end a command."""
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given, which is this one: those below it are open by now.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 for as long as the process runs
    for stream in (sys.stdout, sys.stderr):
        # What the locale cannot write is written as \uXXXX. Only a stand-in of a test has no such method.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def is_unicode(encoding: str | None) -> bool:
    """Whether every character can be written as it is."""
    return (encoding or "utf-8").lower().replace("-", "").replace("_", "").startswith("utf")


def as_typed(argument: str) -> str:
    """An argument whose bytes are UTF-8 though the locale is another; what is neither stays as it is."""
    try:
        return os.fsencode(argument).decode()
    except UnicodeError:
        return argument


def words_given(argument: str, *, most_bytes: int) -> str:
    """The argument, or standard input where it is `-`: what stands on the command line can be read by everybody on the machine.

    What is longer than `most_bytes` comes cut, as characters that are too many for whoever bounds them. Raises UsageError."""
    if argument != STDIN:
        return argument
    raw = sys.stdin.buffer.read(most_bytes + 1)
    try:
        return raw.decode().removesuffix("\n")
    except UnicodeDecodeError as error:
        # What is cut off in the middle of a character is too long anyway.
        if len(raw) <= most_bytes:
            raise UsageError("Standard input is no UTF-8 text.") from error
        return "x" * len(raw)


def drop_output() -> None:
    """Write nothing more: what could not be written would be tried again, and complained of, at the end of the process."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.__stdout__.fileno() if sys.__stdout__ else 1)
    os.close(nothing)
