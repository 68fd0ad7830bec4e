"""The peer of moving: Textual's OptionList with as many rows as the inbox holds conversations."""

import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.widgets import OptionList


class Options(App[None]):
    BINDINGS: ClassVar = [("q", "quit", "")]
    CSS = "OptionList { height: 100%; }"

    def compose(self) -> ComposeResult:
        rows = int(sys.argv[1])
        yield OptionList(*(f"Customer {row:05d}    The order has not arrived yet, row {row}    {row % 60:2d} min" for row in range(rows)))


if __name__ == "__main__":
    Options().run()
