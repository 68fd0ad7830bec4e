"""Pages of the feed on their way to the cache: few at first and more together later, none lost and none twice."""

from tests.support.desk_samples import NOON
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.sync.pages import Ahead
from wabiz_tui.model.errors import Unreachable
from wabiz_tui.model.feed import Change, ChangesPage


class Ready(Link):
    """A hub with `last` pages of one change each; its archive `begins` at another number from page `restored` on."""

    def __init__(self, last: int, *, restored: int = 1000) -> None:
        self.last, self.restored = last, restored
        self.asked: list[int] = []
        self.is_gone_at: int | None = None

    async def changes(self, since: int, *, limit: int = 1) -> ChangesPage:
        self.asked.append(since)
        if since == self.is_gone_at:
            self.is_gone_at = None
            raise Unreachable("The hub does not answer.")
        begins = 500 if since >= self.restored else 0
        change = Change(since + 1, "contact", f"{since:032x}")
        return ChangesPage([change], since + 1, self.last, more=since + 1 < self.last, at=NOON, begins=begins)


async def portions(ahead: Ahead, last: int) -> list[list[int]]:
    found: list[list[int]] = []
    cursor = 0
    while cursor < last:
        page = await ahead.pages(cursor)
        found.append([change.seq for change in page.changes])
        cursor = page.next
    return found


async def test_the_first_page_goes_in_alone_and_later_ones_together() -> None:
    """Each is asked for once, and portions grow to four pages of the usual size."""
    hub = Ready(14)
    found = await portions(Ahead(hub), 14)
    assert [len(one) for one in found] == [1, 2, 3, 4, 4]
    assert [seq for one in found for seq in one] == list(range(1, 15))
    assert hub.asked == list(range(14))


async def test_what_came_before_the_line_broke_goes_in() -> None:
    """The page that failed is asked for again by the next call."""
    hub = Ready(6)
    hub.is_gone_at = 2
    assert await portions(Ahead(hub), 6) == [[1], [2], [3, 4, 5], [6]]


async def test_pages_of_a_restored_archive_do_not_go_in_with_those_from_before() -> None:
    """What begins anew must let go of everything that is held first."""
    assert await portions(Ahead(Ready(6, restored=2)), 6) == [[1], [2], [3, 4, 5], [6]]
