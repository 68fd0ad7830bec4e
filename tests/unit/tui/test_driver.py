"""What goes out to the terminal, at the last step."""

from typing import Any

from textual.drivers.headless_driver import HeadlessDriver

from wabiz_tui.tui.driver import forget_picture, note_size, thrifty_driver


class Recording(HeadlessDriver):
    """Keeps what would have gone out."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def write(self, data: str) -> None:
        self.sent.append(data)


def make_driver(**options: Any) -> Any:
    driver: Any = thrifty_driver(Recording, **options)()
    driver._get_terminal_size = lambda: (200, 50)
    return driver


def test_a_picture_is_not_sent_twice_in_a_row() -> None:
    """The same picture again is left out, another one and what is no picture go out, and after being told it goes out anew."""
    driver = make_driver()
    first, second = "\x1b[1;1H" + "a" * 200, "\x1b[1;1H" + "b" * 200
    for data in (first, "\x1b[?2026l", first, "\x07", "\x07", second, first):
        driver.write(data)
    forget_picture(driver)
    driver.write(first)

    assert driver.sent == [first, "\x1b[?2026l", "\x07", "\x07", second, first, first]


def test_another_size_shows_all_of_it_again() -> None:
    """A terminal that became narrower and wide again has lost what stood at its edge."""
    driver = make_driver()
    picture = "\x1b[1;1H" + "a" * 200
    driver.write(picture)
    note_size(driver, 50)
    driver.write(picture)

    assert driver.sent == [picture, picture]


def test_what_is_painted_stays() -> None:
    """The alternate screen is not entered again over the first paint, which some terminals would clear; later it is."""
    driver = make_driver(painted="\x1b[?1049h\x1b[1H" + "a" * 200)
    for _ in range(2):
        driver.write("\x1b[?1049h")

    assert driver.sent == ["\x1b[?1049h"]


def test_disputed_text_is_put_right_on_the_way_out() -> None:
    """The column is set after text whose width terminals disagree about."""
    driver = make_driver()
    driver.write("\x1b[3;5H" + "👨‍👩‍👧" + "b" * 200)

    assert driver.sent[0].startswith("\x1b[3;5H\x1b[2X👨‍👩‍👧\x1b[7Gb")
