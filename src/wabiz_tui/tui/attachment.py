"""Whether anybody is before the terminal multiplexer this program runs in: what is shown to nobody can be shown to the next one."""

import asyncio
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 2.0


async def until_detached(environment: Mapping[str, str] = os.environ, *, every: float = LOOK_SECONDS) -> None:
    """Return once somebody was there and nobody is any more; never where that cannot be known."""
    look = _tmux_look(environment) or _screen_look(environment)
    if look is None:
        await asyncio.get_running_loop().create_future()
        return
    was_attached = await look.was_attached()
    while True:
        is_attached = await look.is_attached()
        if was_attached and is_attached is False:
            return
        was_attached = was_attached or is_attached is True
        await asyncio.sleep(every)


class _Socket:
    """The multiplexer's socket. GNU screen gives it the right to execute while its session is attached, tmux while any is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def is_attached(self) -> bool | None:
        """None where it cannot be told."""
        try:
            return bool(await asyncio.to_thread(self._mode) & stat.S_IXUSR)
        except OSError:
            return None

    async def was_attached(self) -> bool:
        """Whether anybody has ever been there."""
        return await self.is_attached() is True

    def _mode(self) -> int:
        return self.path.stat().st_mode


class _Tmux(_Socket):
    def __init__(self, path: Path, pane: str) -> None:
        super().__init__(path)
        self.pane = pane

    async def is_attached(self) -> bool | None:
        # Without a question where the answer is plain: nobody is at any session of this server.
        if await super().is_attached() is not True:
            return await super().is_attached()
        counts = await self._ask("#{session_attached} #{session_group_attached}")
        return None if counts is None else sum(counts) > 0

    async def was_attached(self) -> bool:
        # A script may drive a session that nobody has ever seen. Else whoever was there may have gone while the program started.
        return bool(sum(await self._ask("#{session_last_attached}") or []))

    async def _ask(self, wanted: str) -> list[int] | None:
        """The numbers that tmux puts in the place of its formats; None where it does not answer."""
        command = ("tmux", "-S", str(self.path), "display-message", "-p", "-t", self.pane, wanted)
        try:
            asking = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError:
            return None
        try:
            answer, _ = await asyncio.wait_for(asking.communicate(), _ANSWER_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                asking.kill()
            return None
        return [int(part) for part in answer.split() if part.isdigit()] or None


def _tmux_look(environment: Mapping[str, str]) -> _Socket | None:
    path, pane = environment.get("TMUX", "").partition(",")[0], environment.get("TMUX_PANE", "")
    return _Tmux(Path(path), pane) if path and pane else None


def _screen_look(environment: Mapping[str, str]) -> _Socket | None:
    name = environment.get("STY", "")
    if not name or "/" in name:
        return None
    own = environment.get("SCREENDIR", "")
    user = environment.get("USER", "")
    folders = [Path(own)] if own else [Path(place) / f"S-{user}" for place in ("/run/screen", "/var/run/screen", "/tmp/screens")]  # noqa: S108 where GNU screen keeps its sockets; only looked at
    return next((_Socket(folder / name) for folder in (*folders, Path.home() / ".screen") if (folder / name).exists()), None)
