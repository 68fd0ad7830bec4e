"""What goes out to the terminal, at the last step."""

from typing import Any

from textual.drivers.headless_driver import HeadlessDriver

from wabiz_tui.tui.driver import WORTH_COMPARING, thrifty_driver


class Recording(HeadlessDriver):
    """Keeps what would have gone out."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def write(self, data: str) -> None:
        self.sent.append(data)


def test_a_picture_is_not_sent_twice_in_a_row() -> None:
    """The same picture again is left out, another one and all that is short go out, and after being told it goes out anew."""
    driver: Any = thrifty_driver(Recording)()
    first, second = "\x1b[1;1H" + "a" * WORTH_COMPARING, "\x1b[1;1H" + "b" * WORTH_COMPARING
    for data in (first, "\x1b[?2026l", first, "x", "x", second, first):
        driver.write(data)
    driver.last_picture = ""
    driver.write(first)

    assert driver.sent == [first, "\x1b[?2026l", "x", "x", second, first, first]


def test_disputed_text_is_put_right_on_the_way_out() -> None:
    """The column is set after text whose width terminals disagree about."""
    driver: Any = thrifty_driver(Recording)()
    driver.write("\x1b[3;5H" + "👨‍👩‍👧" + "b" * WORTH_COMPARING)

    assert driver.sent[0].startswith("\x1b[3;5H\x1b[2X👨‍👩‍👧\x1b[7Gb")
