"""Where the agent stood when the screen had to go, so that it comes back there."""

from typing import NamedTuple


class Place(NamedTuple):
    """`text` is a draft that no desk could take; `locked` is why the desk was locked, empty where it was not."""

    conversation: str = ""
    text: str = ""
    reply_to: str | None = None
    locked: str = ""


class Left(NamedTuple):
    """How the app ended: its exit code, and where it is to go on when it is started again."""

    code: int
    place: Place
