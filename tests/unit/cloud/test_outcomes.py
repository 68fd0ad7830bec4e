"""What came of a request, as types: by what may be done about it."""

import json

import pytest

from wabiz_tui.cloud.outcomes import NeverLeft, Refused, Unanswered, Uncertain, WrongHash, may_have_arrived, never_left, outcome
from wabiz_tui.cloud.patience import may_ask_again, may_send_again
from wabiz_tui.graph.errors import TABLE, parse_error
from wabiz_tui.model.errors import BadInput, CloudError, Unreachable, error_from


def answered(status: int, code: int | None, **parts: object) -> bytes:
    return json.dumps({"error": {"code": code, "message": "m", "fbtrace_id": "Abc", **parts}} if code is not None else {}).encode()


def told(status: int, code: int | None, *, is_safe: bool = False, **parts: object) -> CloudError:
    return outcome(parse_error(answered(status, code, **parts), status), is_safe=is_safe, hide=str)


@pytest.mark.parametrize("code", sorted(TABLE))
def test_every_code_of_the_table(code: int) -> None:
    """A code is a refusal with its retry rule and trace; only class B may be sent again; 131000 on a send is uncertain."""
    error = told(TABLE[code].http_status, code)

    if code == 131000:
        assert isinstance(error, Uncertain)
        assert error.is_uncertain
        assert not may_send_again(error)
        return
    assert isinstance(error, Refused)
    assert (error.retry, error.trace, error.graph_code) == (TABLE[code].retry, "Abc", code)
    assert may_send_again(error) == (TABLE[code].retry == "backoff")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, Refused),
        (404, None, Refused),
        (302, None, Refused),
        (429, None, Refused),
        (500, None, Uncertain),
        (502, None, Uncertain),
        (599, None, Uncertain),
        (500, 131000, Uncertain),
        (500, 131016, Refused),
        (503, 2, Refused),
        (500, 987654, Refused),
    ],
)
def test_kinds_of_an_answer_to_a_send(status: int, code: int | None, kind: type[CloudError]) -> None:
    """5xx without a code, and 131000, may have been carried out; every code is an answer; 4xx is one without."""
    assert type(told(status, code)) is kind


def test_a_question_is_never_uncertain() -> None:
    """What would be uncertain for a send is an unanswered question, which may be asked again."""
    error = told(502, None, is_safe=True)

    assert type(error) is Unanswered
    assert (error.is_transient, error.is_uncertain, may_ask_again(error)) == (True, False, True)


def test_unknown_codes_are_not_sent_again() -> None:
    """A code nobody knows is never repeated by machine, though the body calls it transient."""
    error = told(500, 987654, is_transient=True)

    assert not may_send_again(error)
    assert isinstance(error, Refused)
    assert error.retry == "never"


def test_what_may_be_sent_again_without_an_answer() -> None:
    """Only what never left."""
    assert may_send_again(never_left("ConnectError"))
    assert not may_send_again(may_have_arrived("ReadError", is_safe=False))
    assert not may_send_again(may_have_arrived("ReadError", is_safe=True))
    assert may_ask_again(may_have_arrived("ReadError", is_safe=True))


def test_what_meta_wrote_is_bounded() -> None:
    """A body with a novel in it makes no novel of an error."""
    error = told(400, 100, error_data={"details": "x" * 100_000}, fbtrace_id="y" * 100_000)

    assert len(error.details) == 500
    assert len(error.sentence) < 1000
    assert error.trace is not None
    assert len(error.trace) == 200


def test_the_kinds_cross_a_socket_as_their_parents() -> None:
    """A code that several kinds share stands for the one the vocabulary knows."""
    assert type(error_from("cloud", "x")) is CloudError
    assert type(error_from("unreachable", "x")) is Unreachable
    assert issubclass(WrongHash, BadInput)
    assert issubclass(NeverLeft, Unanswered)
