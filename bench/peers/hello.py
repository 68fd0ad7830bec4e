"""The peer of start-up: a bare Textual application of one Static widget, which obeys one key."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.widgets import Static


class Hello(App[None]):
    BINDINGS: ClassVar = [("j", "obey", ""), ("q", "quit", "")]

    def compose(self) -> ComposeResult:
        yield Static("Hello from a bare application")

    def action_obey(self) -> None:
        self.query_one(Static).update("The key was obeyed")


if __name__ == "__main__":
    Hello().run()
