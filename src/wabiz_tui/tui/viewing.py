"""Show a customer's file in a viewer of the agent's own: lent by the desk from memory, taken back when the viewer ends."""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress

from wabiz_tui.model.desk import Media
from wabiz_tui.model.errors import UsageError, WabizError

_HANDED_ON = 5.0
"""A program that ends sooner than this many seconds has handed the file to another one, which nobody can wait for: the file then
stays until its time is over."""
_NO_VIEWER = (
    "There is no program here to show it with: name one under [desk] viewer in config.toml. Over SSH a viewer needs a display of its own."
)


def viewer_command(setting: str, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The program that opens files: the one that is set, else the desktop's. Raises UsageError where there is none."""
    import shlex

    try:
        words = shlex.split(setting)
    except ValueError as error:
        raise UsageError("[desk] viewer in config.toml has a quote that is not closed.") from error
    if not words and sys.platform == "darwin":
        words = ["open", "-W"]
    elif not words and any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        words = ["xdg-open"]
    program = shutil.which(words[0], path=environment.get("PATH")) if words else None
    if program is None:
        raise UsageError(_NO_VIEWER, code="no_viewer")
    return [program, *words[1:]]


async def show(desk: Media, message: str, command: list[str]) -> None:
    """Lend, open, wait for the viewer, take back. Raises what the desk raises, and UsageError for a viewer that cannot be started."""
    lent = await desk.lend_media(message)
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        # Without our terminal: what a viewer prints would tear the screen, and what it reads are the agent's keys.
        viewer = await asyncio.create_subprocess_exec(
            *command,
            lent.path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        await desk.return_media(message)
        raise UsageError(f"{os.path.basename(command[0])} could not be started; see [desk] viewer in config.toml.") from error  # noqa: PTH119
    is_shown = False
    try:
        is_shown = await viewer.wait() == 0
    finally:
        if not is_shown or loop.time() - began >= _HANDED_ON:
            with suppress(WabizError):
                # A desk that is locked or gone has taken it back already.
                await desk.return_media(message)
    if not is_shown:
        raise UsageError(f"{os.path.basename(command[0])} could not show it.", code="viewer_failed")  # noqa: PTH119
