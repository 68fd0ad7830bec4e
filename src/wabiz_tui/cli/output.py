"""What commands print: JSON Lines for programs, tables for people; neither lets a customer's text act on the terminal."""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from wabiz_tui.cli.streams import is_unicode
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import kind_of, plain_text
from wabiz_tui.model.values import Conversation, Message

# JSON escapes C0 by itself. C1, DEL, bidi controls and zero-width characters are legal in JSON text but act on a terminal;
# written as \uXXXX they say the same to a program and do nothing to a screen.
_ACTING = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def json_line(value: object) -> str:
    """`value` as one line of JSON."""
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", encode(value).decode())


def print_json(values: Iterable[object]) -> None:
    """In a locale that is not UTF-8 all but ASCII is written as \\uXXXX, which is the same JSON."""
    is_plain = not is_unicode(sys.stdout.encoding)
    for value in values:
        line = json_line(value)
        sys.stdout.write((_in_ascii(line) if is_plain else line) + "\n")
    sys.stdout.flush()


def _in_ascii(line: str) -> str:
    import json

    return json.dumps(json.loads(line), separators=(",", ":"))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str, minor: Sequence[str] = ()) -> None:
    """A table for people; every cell is cleaned and kept to one line. `empty` is said when there is no row.

    On a terminal it keeps to its width, and the columns in `minor` are left out there, the first one first, where there is no room.
    Without one, tabs stand between whole cells, below a line of headings if there are any: no cell holds a tab or a line end.
    """
    from wabiz_tui.model.text import safe_line

    cells = [[safe_line(_cell(value)) for value in row] for row in rows]
    is_terminal = sys.stdout.isatty()
    if not cells:
        # Whoever reads a pipe counts lines.
        print(empty, file=sys.stdout if is_terminal else sys.stderr)
    elif is_terminal:
        _write(_fitted(columns, cells, minor))
    else:
        _write("\t".join(row) for row in ((columns, *cells) if any(columns) else cells))


def _fitted(columns: Sequence[str], rows: Sequence[Sequence[str]], minor: Sequence[str]) -> Iterator[str]:
    from shutil import get_terminal_size

    from wabiz_tui.cli.table import Layout

    width = get_terminal_size().columns
    layout = Layout(columns, rows, width, minor=minor)
    if any(columns):
        bold, plain = _emphasis()
        yield from (f"{bold}{line}{plain}" for line in layout.lines(columns))
        yield ("─" if is_unicode(sys.stdout.encoding) else "-") * min(layout.width, width)
    for row in rows:
        yield from layout.lines(row)
    if layout.left_out:
        from wabiz_tui.tui.wording.spans import wrap

        yield ""
        yield from wrap(f"Not shown, for want of room: {', '.join(layout.left_out)}. A wider terminal or --json shows all.", width)


def _emphasis() -> tuple[str, str]:
    """What makes a line bold and ends that, where the terminal knows it and nobody asked for plain text (no-color.org)."""
    is_plain = os.environ.get("TERM", "dumb") in ("", "dumb", "unknown") or os.environ.get("NO_COLOR")
    return ("", "") if is_plain else ("\x1b[1m", "\x1b[0m")


def _write(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _cell(value: object) -> str:
    """As a person reads it: a time in their own zone, to the minute."""
    if isinstance(value, datetime):
        return value.astimezone().replace(tzinfo=None).isoformat(" ", "minutes")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def say(sentence: str) -> None:
    """One line for people on standard output."""
    from wabiz_tui.model.text import safe_line

    sys.stdout.write(safe_line(sentence) + "\n")
    sys.stdout.flush()


def conversation_record(conversation: Conversation) -> dict[str, Any]:
    """A conversation as `wabiz conversations --json` prints it: the contract's keys are always there."""
    record: dict[str, Any] = msgspec.to_builtins(conversation)
    contract = ("id", "number", "contact", "name", "status", "assignee", "unread", "last_at", "window_until", "labels", "held")
    first = {key: record.get(key, _default(conversation, key)) for key in contract}
    return first | {key: value for key, value in record.items() if key not in first}


def message_record(message: Message) -> dict[str, Any]:
    """A message as `wabiz messages --json` prints it: the contract's keys are always there, then what else is known."""
    record: dict[str, Any] = msgspec.to_builtins(message)
    delivery = record.pop("delivery", None)
    content = record.pop("content")
    first: dict[str, Any] = {
        "id": message.id,
        "wamid": message.wamid,
        "conversation": message.conversation,
        "direction": str(message.direction),
        "kind": kind_of(message.content),
        "text": plain_text(message.content),
        "sent_at": record["sent_at"],
        "delivery": delivery["state"] if delivery else None,
        "content": content,
    }
    rest = {key: value for key, value in record.items() if key not in first}
    if delivery:
        rest |= {f"delivery_{key}": value for key, value in delivery.items() if key != "state"}
    return first | rest


def _default(conversation: Conversation, key: str) -> Any:
    value: Any = getattr(conversation, key)
    return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] labels
