"""Answers to a send, good and bad."""

import json
from collections.abc import Callable

import pytest

from wabiz_tui.graph.errors import TABLE, build_error, meaning, parse_error
from wabiz_tui.graph.responses import (
    CreatedTemplate,
    MediaInfo,
    build_accepted,
    build_created,
    build_media_info,
    build_page,
    build_success,
    build_uploaded,
    parse_accepted,
    parse_created,
    parse_media_info,
    parse_page,
    parse_success,
    parse_uploaded,
)
from wabiz_tui.model.errors import BadInput, CloudError


def test_accepted_round_trip() -> None:
    """An accepted send tells the wamid and the WhatsApp spelling of the number."""
    accepted = parse_accepted(json.dumps(build_accepted(wamid="w", input="+5511987654321", wa_id="551187654321")).encode())

    assert (accepted.wamid, accepted.input, accepted.wa_id) == ("w", "+5511987654321", "551187654321")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"messages":[]}', b'{"messages":[{}]}', b"<html>"])
def test_unreadable_acceptance_is_uncertain(raw: bytes) -> None:
    """An accepted send whose answer cannot be read may not be repeated by machine."""
    with pytest.raises(CloudError) as failure:
        parse_accepted(raw)

    assert failure.value.is_uncertain


@pytest.mark.parametrize("code", sorted(TABLE))
def test_error_round_trip(code: int) -> None:
    """Every error of the table can be answered with and is read again as itself."""
    error = parse_error(json.dumps(build_error(code, "the details", "trace")).encode(), meaning(code).http_status)

    assert (error.graph_code, error.details, error.trace) == (code, "the details", "trace")
    assert error.is_transient == (meaning(code).retry == "backoff")
    assert error.is_uncertain == (code == 131000)
    assert error.sentence.endswith((".", "…"))
    assert "{" not in error.sentence


@pytest.mark.parametrize(
    ("raw", "status", "is_transient", "is_uncertain"),
    [
        (b"", 500, False, True),
        (b"<html>bad gateway</html>", 502, False, True),
        (b'{"error":{"message":"x"}}', 503, False, True),
        (b'{"error":{"code":2}}', 503, True, False),
        (b'{"error":{"code":131016}}', 500, True, False),
        (b"", 429, True, False),
        (b"", 404, False, False),
        (b'{"error":{"code":999999,"is_transient":true}}', 500, True, False),
        (b'{"error":[]}', 400, False, False),
    ],
)
def test_what_may_be_repeated(raw: bytes, status: int, is_transient: bool, is_uncertain: bool) -> None:
    """A refusal with a code is no sign that the message went; a 5xx without one is."""
    error = parse_error(raw, status)

    assert (error.is_transient, error.is_uncertain) == (is_transient, is_uncertain)


def test_unknown_code_shows_the_details() -> None:
    """A code of next year is not repeated and shows what Meta said."""
    error = parse_error(b'{"error":{"code":777001,"error_data":{"details":"the moon is full"}}}', 400)

    assert "the moon is full" in error.sentence
    assert not error.is_transient


def test_permission_codes() -> None:
    """The whole range 200 to 299 is about permissions."""
    assert meaning(200).retry == meaning(299).retry == "admin"


def _raw(body: object) -> bytes:
    return json.dumps(body).encode()


def test_accepted_without_a_number() -> None:
    """A send by BSUID tells no wa_id; a template's tells its state; keys nobody knows do no harm."""
    body = build_accepted(wamid="w", input="BR.1", user_id="BR.1", message_status="held_for_quality_assessment")
    body["messages"][0]["future"] = [1]

    accepted = parse_accepted(_raw(body))

    assert (accepted.wa_id, accepted.user_id, accepted.message_status) == (None, "BR.1", "held_for_quality_assessment")


@pytest.mark.parametrize("size_as_text", [False, True])
def test_media_info_round_trip(size_as_text: bool) -> None:
    """A file's whereabouts are read with the size as a number and as text."""
    info = MediaInfo("1", "https://lookaside.fbsbx.com/x", "image/jpeg", "abc", 42)

    assert parse_media_info(_raw(build_media_info(info, size_as_text=size_as_text))) == info


@pytest.mark.parametrize(("told", "size"), [(None, 0), ("many", 0), (-1, 0), (True, 0), (7.0, 7)])
def test_media_info_with_a_strange_size(told: object, size: int) -> None:
    """A size that is none does not keep the file from being fetched, and a missing id is the one asked for."""
    assert parse_media_info(_raw({"url": "https://x", "file_size": told}), media="9") == MediaInfo("9", "https://x", size=size)


def test_pages() -> None:
    """A list goes on only where Meta names a next page; what is no object is left out."""
    going_on = parse_page(_raw(build_page([{"id": "1"}], before="b", after="a", next_url="https://next")))
    last = parse_page(_raw(build_page([{"id": "2"}], before="b", after="a")))

    assert (going_on.items, going_on.after) == (({"id": "1"},), "a")
    assert (last.items, last.after) == (({"id": "2"},), None)
    assert parse_page(_raw(build_page([]))).items == ()
    assert parse_page(_raw({"data": [1, {"id": "3"}]})).items == ({"id": "3"},)


def test_small_answers_round_trip() -> None:
    """Uploads, created templates and plain success are read as they were built."""
    created = CreatedTemplate("1", "PENDING", "UTILITY")

    assert parse_uploaded(_raw(build_uploaded("7"))) == "7"
    assert parse_created(_raw(build_created(created))) == created
    assert parse_success(_raw(build_success()))
    assert not parse_success(_raw(build_success(is_success=False)))
    assert not parse_success(b"{}")


@pytest.mark.parametrize("parse", [parse_uploaded, parse_media_info, parse_created])
@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"<html>"])
def test_answers_without_what_was_asked_for(parse: Callable[[bytes], object], raw: bytes) -> None:
    """An answer that lacks what it was asked for is bad input, not a crash."""
    with pytest.raises(BadInput):
        parse(raw)
