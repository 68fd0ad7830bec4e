"""The entry point `wabiz`: without arguments it opens the inbox at once, else it finds the command and turns errors into exit codes."""

import sys

from wabiz_tui.model.errors import Denied, DocumentError, WabizError

_SERVERS = (["hub"], ["simulator"], ["demo"])


def run() -> None:
    """Run the command line of this process and leave with 0 done, 1 failed, 2 usage, 3 denied or 4 unreachable."""
    if sys.argv[1:2] not in _SERVERS:
        from wabiz_tui.desk.process.hardening import harden

        # What passes through an agent's command is as private as in the desk: no core dump, no look by a neighbour, files 0600.
        harden()
    _import_msgspec_alone()
    from wabiz_tui.cli.streams import as_typed, prepare_streams

    prepare_streams()
    sys.exit(main([as_typed(argument) for argument in sys.argv[1:]]))


def _import_msgspec_alone() -> None:
    """msgspec prefers typing_extensions to typing where both are there. On Python 3.11 they are the same to it, and importing the first,
    with `inspect` and half of its friends, takes longer than importing msgspec."""
    if "typing_extensions" not in sys.modules:
        sys.modules["typing_extensions"] = None  # pyright: ignore[reportArgumentType] this is how Python writes that there is none
        try:
            __import__("msgspec")
        finally:
            del sys.modules["typing_extensions"]


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code; a refusal of ours is one line on standard error, never a traceback."""
    try:
        if not arguments:
            # Start-up counts most here: neither click nor a table is needed to open the inbox.
            from wabiz_tui.cli.opening import open_inbox

            return open_inbox(passphrase_fd=None)
        from wabiz_tui.cli.commands import invoke

        return invoke(arguments)
    except WabizError as error:
        return report(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`wabiz messages … | head`): nothing is left to tell it.
        sys.stderr.close()
        return 1
    except UnicodeError:
        print("wabiz: The command line holds bytes that are no text in UTF-8; type it again.", file=sys.stderr)
        return 2
    except OSError as error:
        return _not_written(error)


def _not_written(error: OSError) -> int:
    """The system refused what no command expects to be refused, which is to write its output (`wabiz messages … > /full/disk`)."""
    from wabiz_tui.cli.streams import drop_output

    drop_output()
    print(f"wabiz: It could not be written or read ({error.strerror}); make room, or choose another place.", file=sys.stderr)
    return 1


def report(error: WabizError) -> int:
    """Tell `error` on standard error (a denial as JSON `{code, sentence}`) and return its exit code."""
    from wabiz_tui.model.text import safe_line

    if isinstance(error, DocumentError):
        # Each mistake of a document has its own file and line.
        for line in error.sentence.splitlines():
            print(f"wabiz: {safe_line(line)}", file=sys.stderr)
        return error.exit_status
    sentence = safe_line(error.sentence)
    if isinstance(error, Denied):
        from wabiz_tui.model.codec import encode
        from wabiz_tui.model.wire import ErrorBody

        print(encode(ErrorBody(error.code, sentence)).decode(), file=sys.stderr)
    else:
        print(f"wabiz: {sentence}", file=sys.stderr)
    return error.exit_status


if __name__ == "__main__":
    run()
