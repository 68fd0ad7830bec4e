"""What commands print: the contract's keys, and nothing that acts on a terminal."""

import json
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


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_table_prints_the_id_that_the_next_command_is_given_whole(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """However narrow the terminal, the first id of a row can be copied from it, and no line is longer than the terminal."""
    monkeypatch.setenv("COLUMNS", str(columns))
    row = ("01a2" * 8, "Maximiliane Augusta von Habsburg-Lothringen", "open", 12, "2026-11-22 22:08", "b" * 32)

    print_table(("conversation", "name", "status", "unread", "last", "contact"), [row], empty="")

    lines = capsys.readouterr().out.splitlines()
    assert any("01a2" * 8 in line for line in lines)
    assert max(map(len, lines)) <= columns


def test_a_table_prints_a_time_to_the_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """Seconds, fractions and the offset are for programs."""
    at = NOW + timedelta(seconds=7, microseconds=838395)

    print_table(("what", "when"), [("lease", at)], empty="")

    out = capsys.readouterr().out
    assert f"{NOW.astimezone():%Y-%m-%d %H:%M} " in out
    assert ":07" not in out
