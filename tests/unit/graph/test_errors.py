"""The table of Meta's errors against the codes of the reference, and what becomes of codes nobody knows."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wabiz_tui.graph.errors import TABLE, Retry, build_error, meaning, parse_error
from wabiz_tui.model.text import safe_line

# cloud-api §12, read row by row: code(s), HTTP status, retry column.
REFERENCE: list[tuple[tuple[int, ...], int, str]] = [
    ((0,), 401, "A"),
    ((1,), 400, "F"),
    ((2,), 503, "B"),
    ((3,), 500, "A"),
    ((10, *range(200, 300)), 403, "A"),
    ((4, 80007), 400, "B"),
    ((33,), 400, "A"),
    ((100,), 400, "F"),
    ((190,), 401, "A"),
    ((368,), 403, "A"),
    ((613,), 400, "B"),
    ((2500,), 400, "A"),
    ((130403,), 400, "N"),
    ((130429,), 400, "B"),
    ((130472,), 400, "N"),
    ((130497,), 403, "A"),
    ((130501,), 400, "N"),
    ((131000,), 500, "F"),
    ((131005,), 403, "A"),
    ((131008, 131009), 400, "F"),
    ((131016,), 500, "B"),
    ((131021,), 400, "N"),
    ((131026,), 400, "N"),
    ((131030,), 400, "A"),
    ((131031,), 403, "A"),
    ((131035, 131036), 400, "N"),
    ((131037,), 400, "A"),
    ((131042, 131044), 400, "A"),
    ((131045,), 500, "A"),
    ((131047,), 400, "W"),
    ((131048,), 400, "A"),
    ((131049,), 400, "N"),
    ((131050,), 400, "N"),
    ((131051,), 400, "F"),
    ((131052,), 400, "N"),
    ((131053,), 400, "F"),
    ((131055, 134100), 400, "F"),
    ((134101,), 400, "B"),
    ((134102,), 500, "A"),
    ((131056,), 400, "B"),
    ((131057,), 500, "B"),
    ((131059,), 400, "F"),
    ((131060,), 400, "N"),
    ((131062,), 400, "F"),
    ((131063,), 400, "A"),
    ((131064,), 400, "A"),
    ((132000, 132008, 132012), 400, "F"),
    ((132001,), 404, "F"),
    ((132005,), 400, "F"),
    ((132007,), 400, "F"),
    ((132015,), 400, "W"),
    ((132016,), 400, "N"),
    ((132018,), 400, "F"),
    ((132068,), 400, "A"),
    ((132069,), 400, "B"),
    ((133000,), 500, "A"),
    ((133004,), 503, "B"),
    ((133005, 133006, 133008, 133009, 133010, 133015, 133016), 400, "A"),
    ((134011,), 400, "A"),
    ((135000,), 400, "F"),
    ((137000,), 400, "F"),
    ((131020, 131041, 131202, 131204, *range(131209, 131215)), 400, "F"),
    ((131201,), 206, "F"),
    ((131207,), 403, "F"),
    ((131208,), 429, "B"),
    ((131215,), 400, "A"),
    ((138002, 138004, 138005), 400, "B"),
    (tuple(code for code in range(138000, 138019) if code not in (138002, 138004, 138005)), 400, "N"),
    (tuple(range(139000, 139005)), 400, "F"),
    ((139100, 139101, 139102), 400, "F"),
    ((139103,), 400, "B"),
    (tuple(range(147001, 147006)), 400, "F"),
    ((2388019, 2388039, 2388040, 2388047, 2388072, 2388073, 2388293, 2388299), 400, "F"),
    ((2494100,), 400, "B"),
    ((2593107, 2593108, 2593109), 400, "A"),
]
RETRY = {"A": "admin", "F": "fix", "B": "backoff", "N": "never", "W": "wait"}


def test_the_table_holds_the_codes_of_the_reference() -> None:
    """No code of the reference is missing, and none was made up."""
    codes = {code for row, _, _ in REFERENCE for code in row}

    assert codes - set(range(200, 300)) == set(TABLE)


@pytest.mark.parametrize(("codes", "http_status", "retry"), REFERENCE)
def test_rows(codes: tuple[int, ...], http_status: int, retry: str) -> None:
    """Each code has the HTTP status and the retry rule of the reference, and a sentence without a bare code or a gap."""
    for code in codes:
        known = meaning(code)
        assert known.http_status == http_status
        assert known.retry == RETRY[retry]
        assert known.retry in get_args(Retry)
        assert known.tell("the details").endswith(".")
        assert not {"{", "}", str(code)} & set(known.tell("x").split())


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"error_user_msg": "Tell people this", "error_data": {"details": "and not this"}, "message": "nor this"}, "Tell people this"),
        ({"error_data": {"details": "the moon is full"}, "message": "(#1) x"}, "the moon is full"),
        ({"message": "(#777001) Moon"}, "(#777001) Moon"),
        ({"message": "  "}, "Unknown error"),
        ({}, "Unknown error"),
        ({"error_data": [], "message": 3}, "3"),
    ],
)
def test_unknown_codes_show_metas_own_words(error: dict[str, Any], told: str) -> None:
    """A code of next year is not repeated, and shows what Meta says of it, the sentence for people first."""
    read = parse_error(json.dumps({"error": {"code": 777001, "error_subcode": 2494055, **error}}).encode(), 400)

    assert read.sentence == f"WhatsApp refused: {told}."
    assert (read.is_transient, read.is_uncertain, read.graph_code) == (False, False, 777001)


@settings(deadline=None, derandomize=True)
@given(st.text(), st.integers(), st.integers(100, 599))
def test_metas_words_are_made_safe(text: str, code: int, status: int) -> None:
    """Whatever stands in an error: one bounded line without controls."""
    body = {"error": {"code": code, "error_data": {"details": text * 50}, "fbtrace_id": text}}

    error = parse_error(json.dumps(body).encode(), status)

    assert len(error.sentence) <= 700
    assert safe_line(error.sentence) == error.sentence
    assert len(error.details) <= 500


def test_what_is_built_is_whole() -> None:
    """A body can carry what Meta shows to people."""
    error = build_error(131047, "closed", "trace", subcode=2494010, user_title="Closed", user_message="Use a template")["error"]

    assert (error["error_subcode"], error["error_user_title"], error["error_user_msg"]) == (2494010, "Closed", "Use a template")
    assert error["message"] == "(#131047) Re-engagement message"
