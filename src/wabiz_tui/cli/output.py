"""What commands print: JSON Lines for programs, tables for people; neither lets a customer's text act on the terminal."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from wabiz_tui.cli.streams import is_unicode
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import kind_of, plain_text
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.values import Conversation, Message

# JSON escapes C0 by itself. C1, DEL, bidi controls and zero-width characters are legal in JSON text but act on a terminal;
# written as \uXXXX they say the same to a program and do nothing to a screen.
_ACTING = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

_ID_LENGTH = 32


def json_line(value: object) -> str:
    """`value` as one line of JSON."""
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", encode(value).decode())


def print_json(values: Iterable[object]) -> None:
    """In a locale that is not UTF-8 all but ASCII is written as \\uXXXX, which is the same JSON."""
    is_plain = not is_unicode(sys.stdout.encoding)
    for value in values:
        line = json_line(value)
        sys.stdout.write((json.dumps(json.loads(line), separators=(",", ":")) if is_plain else line) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """A table for people; every cell is cleaned and kept to one line. `empty` is said when there is no row."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from wabiz_tui.model.text import safe_line

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        cells = [safe_line(_cell(value)) for value in row]
        table.add_row(*(Text(cell) for cell in cells))
        named = next((column for column, cell in zip(table.columns, cells, strict=True) if is_id(cell)), None)
        if named is not None:
            # What the next command is given stays whole on the narrowest terminal; a second id beside it is for --json.
            named.no_wrap, named.min_width = True, _ID_LENGTH
    console = Console(highlight=False, markup=False, emoji=False)
    if table.row_count:
        console.print(table)
    else:
        console.print(empty)


def _cell(value: object) -> str:
    """As a person reads it: a time in their own zone, to the minute."""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
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
