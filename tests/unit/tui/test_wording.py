"""The words on the screen: rows, ages, ticks, contents, frames."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tests.support import tui_data as still
from wabiz_tui.model.content import ContactCards, Content, Interactive, Order, Text, Unsupported
from wabiz_tui.model.values import Conversation, Delivery, DeliveryState, Direction
from wabiz_tui.tui.wording import frame, times
from wabiz_tui.tui.wording.bubbles import Laid, message_lines
from wabiz_tui.tui.wording.contents import content_rows, size_of
from wabiz_tui.tui.wording.delivery import TICKS, sentence
from wabiz_tui.tui.wording.keys_page import keys_page
from wabiz_tui.tui.wording.rows import row_line, row_pair, window_left
from wabiz_tui.tui.wording.spans import Line, clip_middle, spans_width
from wabiz_tui.tui.wording.talk import shut_sentence

ROOT = Path(__file__).parents[3]


def said(line: Line) -> str:
    return "".join(span.text for span in line.spans)


def rows_of(content: Content, width: int = 60) -> str:
    return "\n".join("".join(span.text for span in row) for row in content_rows(content, width))


@pytest.mark.parametrize("width", [60, 80, 99, 100, 120, 200])
@pytest.mark.parametrize("row", still.conversations(), ids=lambda row: row.id[-2:])
def test_rows_fill_their_width(row: Conversation, width: int) -> None:
    """Each row of the queue is exactly as wide as the pane, whatever script its words are in."""
    assert spans_width(row_line(row, width, still.NOW, me=still.ME).spans) == width
    for line in row_pair(row, width // 3, still.NOW, me=still.ME):
        assert spans_width(line.spans) == width // 3


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (timedelta(hours=21), ("20h", "muted")),
        (timedelta(minutes=48), ("47m", "warn.strong")),
        (timedelta(seconds=59), ("shut", "faint")),
        (-timedelta(hours=1), ("shut", "faint")),
    ],
)
def test_window_left(left: timedelta, shown: tuple[str, str]) -> None:
    """The window shuts a minute early, warns below two hours, and says when it is shut."""
    assert window_left(still.NOW + left, still.NOW) == shown
    assert window_left(None, still.NOW) == ("shut", "faint")


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (5, "now"),
        (60, "1m"),
        (3_599, "59m"),
        (3_600, "1h"),
        (86_400, "1d"),
        (13 * 86_400, "13d"),
        (14 * 86_400, "2w"),
        (800 * 86_400, "2y"),
    ],
)
def test_ages(ago: int, shown: str) -> None:
    """Ages are one unit and at most four cells."""
    assert times.age(still.NOW - timedelta(seconds=ago), still.NOW) == shown


def test_days_and_moments_are_those_of_the_zone() -> None:
    """A day begins at midnight where the agent is, not in UTC."""
    zone = ZoneInfo("Asia/Tokyo")
    now = datetime(2026, 11, 18, 16, 0, tzinfo=UTC).astimezone(zone)  # the 19th, 01:00 in Tokyo

    assert times.day(datetime(2026, 11, 18, 14, 0, tzinfo=UTC), now) == "Yesterday"
    assert times.clock(datetime(2026, 11, 18, 14, 0, tzinfo=UTC), now) == "23:00"
    assert times.tomorrow_at(now, 8) == datetime(2026, 11, 19, 23, 0, tzinfo=UTC)
    assert times.moment(times.tomorrow_at(now, 8), now) == "tomorrow 08:00"


def test_system_zone_knows_the_change_of_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's zone is applied with the offset of each instant, in summer and in winter."""
    import time

    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    try:
        zone = times.SystemZone()
        summer, winter = (datetime(2026, month, 1, 12, tzinfo=UTC).astimezone(zone) for month in (7, 12))
        assert (summer.hour, winter.hour) == (13, 12)
        assert summer.astimezone(UTC).hour == 12
    finally:
        monkeypatch.undo()
        time.tzset()


def test_every_state_has_its_tick() -> None:
    """No delivery state is without a mark, and no two that an agent must tell apart share one."""
    assert set(TICKS) == set(DeliveryState)
    assert len({TICKS[state] for state in DeliveryState}) == len(DeliveryState) - 1  # read and played look alike


def test_failure_says_reason_and_way() -> None:
    """A failed message tells Meta's reason with its code and how to try again."""
    told = sentence(still.delivery("failed", error=still.MetaError(code=131026, title="Message undeliverable")))

    assert told == "Not sent: Message undeliverable (code 131026) Ctrl+R tries again."
    assert sentence(Delivery(DeliveryState.READ)) == ""


@pytest.mark.parametrize("message", [*still.every_kind(), *still.parcel_thread(), *still.hostile_thread()], ids=lambda each: each.id[-6:])
@pytest.mark.parametrize("width", [40, 54, 80, 120])
def test_bubbles_fit(message: still.Message, width: int) -> None:
    """Every kind of message fits its pane, at most 72 cells of text wide."""
    for line in message_lines(message, width, still.NOW, contact="Ana"):
        assert spans_width(line.spans) <= width
        assert sum(spans_width([span]) for span in line.spans if span.ground) <= 72


def test_kinds_say_what_they_are() -> None:
    """Orders are added up, cards masked, choices named, forms opened, the unsupported explained."""
    order = Order(product_items=({"product_retailer_id": "a", "quantity": 2, "item_price": 9.5, "currency": "GBP"}, {"quantity": "x"}))
    form = Interactive(type="nfm_reply", nfm_reply={"response_json": '{"floor": 3, "who": "A\\u001b[mB"}'})
    card = ContactCards(({"name": {"formatted_name": "Ruth"}, "phones": [{"phone": "+447700900123"}]}, {"name": "nonsense"}))

    assert "Total" in rows_of(order)
    assert "19.00 GBP" in rows_of(order)
    assert "900123" not in rows_of(card)
    assert "chose Yes" in rows_of(Interactive(type="button_reply", button_reply={"title": "Yes"}))
    assert "floor: 3" in rows_of(form)
    assert "who: A␛[mB" in rows_of(form)
    assert "Not supported: poll" in rows_of(Unsupported(type="poll"))


@pytest.mark.parametrize("broken", ["{", "[1]", '{"a":' * 5000, "null"])
def test_broken_forms_do_not_break_the_screen(broken: str) -> None:
    """A form whose answers are no JSON object is shown without answers."""
    assert rows_of(Interactive(type="nfm_reply", nfm_reply={"response_json": broken})).startswith("▤ Form filled in")


def test_file_names_keep_their_ending() -> None:
    """A long name is shortened in the middle; the true ending is always seen, folders never."""
    assert clip_middle("a-very-long-invoice-name.pdf.exe", 16) == "a-very-long….exe"
    assert "../" not in rows_of(still.Document(filename="../../etc/passwd.pdf"))


def test_long_messages_are_folded() -> None:
    """A message of many lines is folded and says how many are missing; unfolded it shows all."""
    message = msgspec.structs.replace(still.parcel_thread()[0], content=Text("\n".join(map(str, range(100)))), reactions={})
    folded = message_lines(message, 80, still.NOW, contact="Ana")
    unfolded = message_lines(message, 80, still.NOW, contact="Ana", is_unfolded=True)

    assert len(folded) < 30
    assert any("76 more lines" in said(line) for line in folded)
    assert len(unfolded) == 101


def test_unchanged_messages_are_laid_out_once() -> None:
    """Laying out again after one message changed makes only that one anew."""
    messages = still.parcel_thread()
    laid = Laid()
    laid.lay(messages, 80, still.NOW, contact="Ana")
    before = dict(laid._cache)
    messages[-1] = msgspec.structs.replace(messages[-1], content=Text("other"))
    laid.lay(messages, 80, still.NOW, contact="Ana")

    anew = [identifier for identifier, (_, lines) in laid._cache.items() if lines is not before[identifier][1]]
    assert anew == [messages[-1].id]


def test_separators_and_groups() -> None:
    """Each day has its separator, the first unread message its own, and close messages of one author stand under one name."""
    messages = still.parcel_thread()
    laid = Laid()
    laid.lay(messages, 80, still.NOW, contact="Priya Raman", first_unread=messages[-2].id)
    text = [said(line) for line in laid.lines]

    assert sum("Yesterday" in line for line in text) == sum("Today" in line for line in text) == 1
    assert sum(" Unread " in line for line in text) == 1
    assert sum(line.strip() == "Priya Raman" for line in text) == 4
    assert len(laid.lines) == len(laid.owners)


def test_shut_window_tells_since_when() -> None:
    """The composer says since when the window is shut and what may still go out."""
    row = msgspec.structs.replace(still.conversations()[0], window_until=still.ago(hours=2))

    assert shut_sentence(row, still.NOW) == "The window has been shut since 12:30: only a template may go out until they write again."
    assert shut_sentence(still.conversations()[0], still.NOW) == ""


def test_status_line_keeps_its_four_fields() -> None:
    """At 80 columns the four fixed fields stand; what has no room is left out."""
    line = said(frame.status_line(still.status(outbox=2), 80, still.NOW))

    assert len(line) == 80
    for field in ("link: ● online", "policy: 3 UK support", "lease: 7h 12m", "shift: until 17:30"):
        assert field in line


@pytest.mark.parametrize(("size", "shown"), [(0, ""), (12, "12 B"), (218_000, "218 KB"), (4_410_000, "4.4 MB")])
def test_sizes(size: int, shown: str) -> None:
    """Sizes are said in the unit people use."""
    assert size_of(size) == shown


def test_notes_and_theirs_differ_in_ground() -> None:
    """A note's ground is its own, so no customer's text can pass for one."""
    grounds = {
        direction: next(span.ground for span in message_lines(message, 80, still.NOW, contact="x")[0].spans if span.ground)
        for message in still.parcel_thread()
        for direction in [message.direction]
        if direction is not Direction.ACTIVITY
    }

    assert grounds == {Direction.INCOMING: "theirs", Direction.OUTGOING: "ours", Direction.NOTE: "note"}


def test_keys_page_is_current() -> None:
    """docs/keys.md is what the table of actions says."""
    assert (ROOT / "docs" / "keys.md").read_text() == keys_page()


@pytest.mark.parametrize(("hour", "minute", "written"), [(0, 5, "12:05 am"), (9, 0, "9:00 am"), (12, 30, "12:30 pm"), (23, 59, "11:59 pm")])
def test_times_of_day_by_twelve_hours(hour: int, minute: int, written: str) -> None:
    """`time_format = "12h"` writes clock times and moments so; "24h" again as before."""
    now = datetime(2026, 3, 4, 13, 0, tzinfo=UTC)
    at = now.replace(hour=hour, minute=minute)
    times.use_hours("12h")
    try:
        assert times.clock(at, now) == written
        assert times.moment(at + timedelta(days=1), now) == f"tomorrow {written}"
    finally:
        times.use_hours("24h")
    assert times.clock(at, now) == f"{hour:02d}:{minute:02d}"
