"""A fault of ours ends the screen with a sentence and a reference, and shows nothing of what customers wrote."""

from contextlib import suppress

import pytest

from tests.support.tui_pilot import seated
from wabiz_tui.tui.crash import crash_text


def _fail(secret: str) -> None:
    local = secret * 2
    raise ValueError(f"cannot show {local}")


async def test_crash_shows_no_content() -> None:
    """The end of the app after a fault is one sentence with a reference; neither message nor locals are in it."""
    said, code = "", None
    with suppress(ValueError):
        async with seated() as seat:
            seat.app.call_later(_fail, "customer's words")
            await seat.pilot.pause()
            said = "".join(str(each) for each in seat.app._exit_renderables)
            code = seat.app.return_code

    assert code == 1
    assert "Reference" in said
    assert "customer" not in said


def test_reference_is_the_same_for_the_same_fault() -> None:
    """Two faults at one line bear one reference, whatever the words were."""
    references = []
    for words in ("one", "another"):
        with pytest.raises(ValueError, match="cannot show") as caught:
            _fail(words)
        references.append(crash_text(caught.value))

    assert references[0] == references[1]
