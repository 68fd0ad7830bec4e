"""Answers to a send, good and bad."""

import json

import pytest

from wabiz_tui.graph.errors import TABLE, build_error, meaning, parse_error
from wabiz_tui.graph.responses import build_accepted, parse_accepted
from wabiz_tui.model.errors import CloudError


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
