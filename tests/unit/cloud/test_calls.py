"""Graph's manners: versions, paths, pages, answers to writes."""

import contextlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.cloud_wire import TOKEN, Recorder, SleepingClock
from wabiz_tui.cloud.client import VERSION, CloudClient
from wabiz_tui.cloud.outcomes import Refused, Unanswered
from wabiz_tui.cloud.patience import Patience
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.model.errors import BadInput, CloudError, UsageError
from wabiz_tui.model.secret import Secret

Answers = Callable[[dict[str, list[str]]], tuple[int, Any]]
STALE = (400, {"error": {"code": 131059, "message": "(#131059) cursor"}})


class Scripted(httpx.AsyncBaseTransport):
    """Answers each question by its query."""

    def __init__(self, answer: Answers) -> None:
        self.answer, self.asked = answer, list[dict[str, list[str]]]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        query = parse_qs(urlsplit(request.url.raw_path.decode()).query)
        self.asked.append(query)
        status, body = self.answer(query)
        return httpx.Response(status, content=json.dumps(body).encode())


def client(wire: httpx.AsyncBaseTransport, **options: Any) -> CloudClient:
    return CloudClient(Transport("https://graph.facebook.com", TOKEN, wire=wire), **options)


def page(items: list[Any], after: str | None, *, has_next: bool = True) -> tuple[int, Any]:
    paging: dict[str, Any] = {"cursors": {"before": "x", "after": after}} if after is not None else {}
    return 200, {"data": items, "paging": {**paging, **({"next": "https://evil.example/next"} if has_next else {})}}


async def names(cloud: CloudClient) -> list[str]:
    return [item["id"] async for item in cloud.templates.list("1")]


async def test_pages_follow_cursors() -> None:
    """A list is asked for page after page, by cursors and never by the address an answer gives, with the filters kept."""
    pages = {None: page([{"id": "1"}, {"id": "2"}], "a"), "a": page([{"id": "3"}], "b"), "b": page([{"id": "4"}], "c", has_next=False)}
    wire = Scripted(lambda query: pages[query.get("after", [None])[0]])

    found = [item["id"] async for item in client(wire).templates.list("1", status="APPROVED", limit=2)]

    assert found == ["1", "2", "3", "4"]
    assert [(query["limit"], query["status"]) for query in wire.asked] == [(["2"], ["APPROVED"])] * 3


@pytest.mark.parametrize(
    "last",
    [
        page([{"id": "1"}], None),
        page([{"id": "1"}], "", has_next=True),
        page([{"id": "1"}], "a", has_next=False),
        (200, {"data": [{"id": "1"}]}),
        (200, {"data": [{"id": "1"}], "paging": None}),
        (200, {"data": [{"id": "1"}, 7, None, "x", []], "paging": {"cursors": [], "next": 1}}),
    ],
)
async def test_the_end_of_a_list(last: tuple[int, Any]) -> None:
    """Without `next`, or without a cursor, a list is at its end; what is no object is no item."""
    wire = Scripted(lambda _: last)

    assert await names(client(wire)) == ["1"]
    assert len(wire.asked) == 1


async def test_a_list_in_a_circle() -> None:
    """Pages that lead back to one another end in an error, not in an endless walk."""
    wire = Scripted(lambda query: page([], {"a": "b", "b": "c", "c": "a"}.get(query.get("after", ["c"])[0], "a")))

    with pytest.raises(BadInput):
        await names(client(wire))
    assert len(wire.asked) <= 5


async def test_a_stale_cursor_starts_again_once() -> None:
    """A cursor that went stale starts the list again; what was told already is not told twice."""
    stale = [STALE]
    pages = {None: page([{"id": "1"}, {"id": "2"}], "a"), "a": page([{"id": "2"}, {"id": "3"}], None)}
    wire = Scripted(lambda query: stale.pop() if "after" in query and stale else pages[query.get("after", [None])[0]])

    assert await names(client(wire)) == ["1", "2", "3"]
    assert len(wire.asked) == 4


async def test_a_cursor_that_stays_stale() -> None:
    """The second stale cursor is told; so is one on the very first page."""
    wire = Scripted(lambda query: STALE if "after" in query else page([{"id": "1"}], "a"))
    with pytest.raises(Refused) as refused:
        await names(client(wire))
    first = Scripted(lambda _: STALE)
    with pytest.raises(Refused):
        await names(client(first))

    assert refused.value.graph_code == 131059
    assert (len(wire.asked), len(first.asked)) == (4, 1)


async def test_equal_items_without_an_id_are_told_once() -> None:
    """Blocked users have no id of their own: the whole row names them."""
    rows = [{"wa_id": "1"}, {"wa_id": "2"}, {"wa_id": "1"}]

    assert [row["wa_id"] async for row in client(Scripted(lambda _: page(rows, None))).users.blocked("1")] == ["1", "2"]


@pytest.mark.parametrize("version", ["", "26.0", "v26", "v0.1", "v26.0/../x", "V26.0", "v26.0\n", "latest"])
def test_versions_that_are_none(version: str) -> None:
    """A version that could be misread as something else is refused when the client is made."""
    with pytest.raises(UsageError):
        client(Recorder(b"{}"), version=version)


async def test_the_version_is_always_said() -> None:
    """The newest confirmed version unless another is configured."""
    for version in (VERSION, "v25.0"):
        wire = Recorder(b"{}")
        await client(wire, version=version).numbers.info("1")
        assert wire.asked[0].url.path == f"/{version}/1"
    assert VERSION == "v26.0"


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_ids_that_are_places(name: str) -> None:
    """An id that would step out of its place in the path is refused before anything is sent."""
    wire = Recorder(b"{}")

    with pytest.raises(BadInput):
        await client(wire).numbers.info(name)
    assert wire.asked == []


@pytest.mark.parametrize("name", ["a/b", "a?b", "a#b", "a%2fb", "../x", "ä ö", "a\\b", "a;b"])
async def test_ids_stay_one_part(name: str) -> None:
    """Whatever an id holds, it is one part of the path, and read back as it was."""
    wire = Recorder(b"{}")

    await client(wire).numbers.settings(name)

    parts = wire.asked[0].url.raw_path.split(b"/")
    assert (len(parts), parts[3]) == (4, b"settings")
    assert httpx.URL(f"https://x/{parts[2].decode()}").path == f"/{name}"


async def test_a_write_that_was_not_carried_out() -> None:
    """`success: false` with status 200 is a refusal; an unreadable 200 was carried out."""
    with pytest.raises(Refused):
        await client(Recorder(b'{"success":false}')).accounts.unsubscribe("1")
    await client(Recorder(b"")).accounts.unsubscribe("1")
    await client(Recorder(b'{"success":true}')).accounts.unsubscribe("1")


async def test_questions_are_repeated_with_patience_only() -> None:
    """A client with patience asks a failed question again; one without asks once."""

    def busy_twice() -> Scripted:
        left = [1, 1]
        return Scripted(lambda _: (500, None) if left and left.pop() else (200, {"id": "1"}))

    clock, wire = SleepingClock(), busy_twice()
    patient = client(wire, patience=Patience(), clock=clock, sleep=clock.sleep)

    assert await clock.run(patient.numbers.info("1")) == [{"id": "1"}]
    assert len(wire.asked) == 3
    with pytest.raises(Unanswered):
        await client(busy_twice()).numbers.info("1")


async def test_a_token_with_a_line_break() -> None:
    """A token read with its line's end is named as the fault, not shown and not sent."""
    wire = Recorder(b"{}")
    transport = Transport("https://graph.facebook.com", Secret(TOKEN.text() + "\n"), wire=wire)

    with pytest.raises(BadInput) as wrong:
        await CloudClient(transport).numbers.info("1")

    assert TOKEN.text() not in str(wrong.value)
    assert wire.asked == []


async def test_every_failure_of_a_call_is_of_the_tree() -> None:
    """Whatever a server answers to a question, the caller meets CloudError or BadInput."""
    bodies: list[Any] = [None, 7, "x", [], {}, {"data": 7}, {"data": [7]}, {"paging": 7}, {"error": 7}, {"success": "no"}]
    for status in (200, 206, 302, 400, 429, 500):
        for body in bodies:
            cloud = client(Scripted(lambda _, status=status, body=body: (status, body)))
            for call in (cloud.numbers.info("1"), cloud.users.block("1", ["+1"]), names(cloud), cloud.media.info("1")):
                with contextlib.suppress(CloudError, BadInput):
                    await call
