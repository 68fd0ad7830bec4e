"""What commands print: the contract's keys, and nothing that acts on a terminal."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from wabiz_tui.cli.output import conversation_record, json_line, message_record, print_table
from wabiz_tui.model.content import Image, MetaError, Text
from wabiz_tui.model.values import Conversation, Delivery, DeliveryState, Direction, Message

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_conversation_always_has_the_contracts_keys() -> None:
    """Even an empty conversation prints every key that scripts rely on, with JSON's own null, list and false."""
    record = json.loads(json_line(conversation_record(Conversation(id="a" * 32, number="1065", contact="b" * 32))))

    assert list(record)[:11] == [
        "id",
        "number",
        "contact",
        "name",
        "status",
        "assignee",
        "unread",
        "last_at",
        "window_until",
        "labels",
        "held",
    ]
    assert (record["assignee"], record["labels"], record["held"], record["unread"], record["status"]) == (None, [], False, 0, "open")


def test_a_message_prints_its_delivery_as_a_word_and_its_content_as_an_object() -> None:
    """Scripts read `delivery` as one word, the reason beside it, and the whole content under `content`."""
    failed = Delivery(state=DeliveryState.FAILED, at={"failed": NOW}, error=MetaError(code=131047, title="Re-engagement message"))
    message = Message(id="a" * 32, conversation="b" * 32, direction=Direction.OUTGOING, content=Text("hi"), sent_at=NOW, delivery=failed)

    record = json.loads(json_line(message_record(message)))

    assert list(record)[:9] == ["id", "wamid", "conversation", "direction", "kind", "text", "sent_at", "delivery", "content"]
    assert (record["delivery"], record["kind"], record["text"], record["sent_at"]) == ("failed", "text", "hi", "2026-11-22T12:00:00Z")
    assert record["delivery_error"]["code"] == 131047
    assert record["content"] == {"kind": "text", "body": "hi"}


def test_the_text_of_a_picture_is_its_caption() -> None:
    """`text` is what a person would read first, whatever the kind."""
    message = Message(id="a" * 32, conversation="b" * 32, direction=Direction.INCOMING, content=Image(caption="Taj Mahal"), sent_at=NOW)

    assert message_record(message)["text"] == "Taj Mahal"
    assert message_record(message)["kind"] == "image"


def test_json_says_the_same_to_a_program_and_nothing_to_a_terminal() -> None:
    """C0, C1, DEL, bidi and zero-width characters travel as escapes and decode to the exact original."""
    hostile = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) + "\u202e\u2066\u200b\ufeff\u2028 é 日本 🚲"

    line = json_line({"text": hostile})

    assert json.loads(line)["text"] == hostile
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in line)
    assert not set("\u202e\u2066\u200b\ufeff\u2028") & set(line)
    assert "日本 🚲" in line


ROW = ("01a2" * 8, "Maximiliane Augusta von Habsburg-Lothringen", "open", 12, "2026-11-22 22:08", "b" * 32)
COLUMNS = ("conversation", "name", "status", "unread", "last", "contact")


def be_a_terminal(monkeypatch: pytest.MonkeyPatch, *, columns: int = 80) -> None:
    """Standard output, as it is in the body of a test, is a terminal that only writes."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_table_prints_the_id_that_the_next_command_is_given_whole(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """However narrow the terminal, the first id of a row can be copied from it, and no line is longer than the terminal."""
    be_a_terminal(monkeypatch, columns=columns)

    print_table(COLUMNS, [ROW], empty="")

    lines = capsys.readouterr().out.splitlines()
    assert any("01a2" * 8 in line for line in lines)
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("columns", ["20", "80"])
def test_without_a_terminal_a_table_is_whole_cells_between_tabs(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipe has no width: nothing is cut, wrapped, padded or emphasised, and no cell brings a tab or a line of its own."""
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "xterm-256color")
    hostile = "\x1b[31mone\ttwo\nthree\u202e" + "x" * 4000

    print_table(COLUMNS, [ROW, ("a" * 32, hostile, None, True, NOW, "")], empty="", minor=("contact",))

    heading, first, second = capsys.readouterr().out.removesuffix("\n").split("\n")
    assert heading.split("\t") == list(COLUMNS)
    assert first.split("\t") == [str(cell) for cell in ROW]
    assert second.split("\t") == ["a" * 32, "␛[31mone␉two␊three‹RLO›" + "x" * 4000, "", "yes", f"{NOW.astimezone():%Y-%m-%d %H:%M}", ""]


def test_a_table_without_headings_has_none_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """What is a list of names and values begins with the first of them."""
    print_table(("", ""), [("link", "online")], empty="")

    assert capsys.readouterr().out == "link\tonline\n"


def test_who_reads_a_pipe_finds_no_line_where_there_is_no_row(capsys: pytest.CaptureFixture[str]) -> None:
    """That there is nothing is said to people, beside what a script counts."""
    print_table(("id",), [], empty="Nothing waits.")

    assert capsys.readouterr() == ("", "Nothing waits.\n")


def test_a_terminal_is_told_that_there_is_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal the sentence stands where the table would."""
    be_a_terminal(monkeypatch)

    print_table(("id",), [], empty="Nothing waits.")

    assert capsys.readouterr() == ("Nothing waits.\n", "")


def test_what_a_narrow_terminal_has_no_room_for_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The least important columns go first and no more than need be; a last line says which, and where they are to be had."""
    be_a_terminal(monkeypatch, columns=100)

    print_table(COLUMNS, [ROW], empty="", minor=("contact", "last", "status"))

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["conversation", "name", "status", "unread"]
    assert lines[-1] == "Not shown, for want of room: contact, last. A wider terminal or --json shows all."


@pytest.mark.parametrize(("name", "value", "is_bold"), [("TERM", "dumb", False), ("NO_COLOR", "1", False), ("TERM", "xterm", True)])
def test_headings_are_bold_where_the_terminal_knows_it(
    name: str, value: str, is_bold: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a dumb terminal nor who asked for no colour gets an escape."""
    be_a_terminal(monkeypatch)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)

    print_table(("team",), [("Night shift",)], empty="")

    out = capsys.readouterr().out
    assert ("\x1b[1m" in out) is is_bold
    assert ("\x1b" in out) is is_bold


def test_a_table_prints_a_time_to_the_minute(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Seconds, fractions and the offset are for programs."""
    be_a_terminal(monkeypatch)
    at = NOW + timedelta(seconds=7, microseconds=838395)

    print_table(("what", "when"), [("lease", at)], empty="")

    out = capsys.readouterr().out
    assert f"{NOW.astimezone():%Y-%m-%d %H:%M}\n" in out
    assert ":07" not in out


def test_printing_loads_no_drawing_library() -> None:
    """A table costs neither Rich nor Textual: their import takes longer than a desk's answer."""
    code = (
        "import sys; sys.stdout.isatty = lambda: True\n"
        "from wabiz_tui.cli.output import print_table; print_table(('a',), [('✓ x' * 90,)], empty='')\n"
        "print([m for m in sys.modules if m.startswith(('rich.console', 'rich.table', 'textual'))])"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout.splitlines()[-1] == "[]"
