"""Pictures of every screen, in two sizes; looked at before they are accepted."""

import sys
from datetime import UTC
from typing import Any

import pytest

from tests.support import tui_data as still
from tests.support.tui_desk import StillClock, StillDesk
from tests.support.tui_gallery import make_desk
from wabiz_tui.model.config import Config, Screen
from wabiz_tui.tui.app import WabizApp

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11),
    reason="pictures are kept as the lowest supported Python draws them: later ones split styled runs differently",
)

SIZES = [(80, 24), (120, 36)]


def app_over(desk: StillDesk, theme: str = "wabiz-dark") -> WabizApp:
    return WabizApp(desk, clock=StillClock(), zone=UTC, config=Config(screen=Screen(theme=theme)))


PICTURES: dict[str, tuple[str, list[str]]] = {
    "inbox": ("online", []),
    "talk": ("online", ["enter"]),
    "kinds-first": ("online", ["j", "enter", "g", "g"]),
    "kinds-middle": ("online", ["j", "enter", "g", "g", "pagedown"]),
    "kinds-last": ("online", ["j", "enter"]),
    "hostile": ("online", ["j", "j", "j", "j", "j", "j", "j", "j", "j", "j", "enter", "g", "g"]),
    "writing": ("online", ["enter", "r", *"Sorry about", "ctrl+j", *"that"]),
    "shut": ("online", ["G", "enter"]),
    "help": ("online", ["question_mark"]),
    "palette": ("online", ["ctrl+p", *"sn"]),
    "status-menu": ("online", ["s"]),
    "resolved": ("online", ["e"]),
    "lock": ("online", ["ctrl+l"]),
    "unlock": ("locked", []),
    "offline": ("offline", []),
    "syncing": ("syncing", []),
    "revoked": ("revoked", []),
    "empty": ("empty", []),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", PICTURES)
def test_picture(snap_compare: Any, name: str, size: tuple[int, int]) -> None:
    """The screen looks as it did when it was last looked at."""
    state, keys = PICTURES[name]
    press = [part for key in keys for part in (key, "wait:60")] if keys else ["wait:60"]

    assert snap_compare(app_over(make_desk(state)), terminal_size=size, press=press)


@pytest.mark.parametrize("name", ["inbox", "talk"])
def test_picture_in_light(snap_compare: Any, name: str) -> None:
    """The light theme looks as it did."""
    state, keys = PICTURES[name]

    assert snap_compare(app_over(make_desk(state), "wabiz-light"), terminal_size=(120, 36), press=[*keys, "wait:100"])


def test_picture_of_a_wide_screen(snap_compare: Any) -> None:
    """At 200 columns the panes are wider and nothing is stretched out of shape."""
    assert snap_compare(app_over(StillDesk(still.conversations())), terminal_size=(200, 50), press=["enter", "wait:100"])
