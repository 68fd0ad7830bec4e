"""What the actions of the whole app do, by their id, from keys and palette alike; all others belong to the inbox."""

from typing import TYPE_CHECKING

from wabiz_tui.tui.actions import matching
from wabiz_tui.tui.dialogs.finder import Finder, Match
from wabiz_tui.tui.dialogs.help import Help
from wabiz_tui.tui.driver import forget_picture
from wabiz_tui.tui.inbox.screen import InboxScreen
from wabiz_tui.tui.wording.spans import Span

if TYPE_CHECKING:
    from wabiz_tui.tui.app import WabizApp


class Commands:
    def __init__(self, app: "WabizApp") -> None:
        self.app = app

    def act(self, identifier: str) -> None:
        """Do the action of that id, wherever it was chosen."""
        app = self.app
        match identifier:
            case "app.lock":
                app.leaving.lock()
            case "app.quit_now":
                app.leaving.leave()
            case "app.theme":
                app.theme = "wabiz-light" if app.theme == "wabiz-dark" else "wabiz-dark"
            case "app.redraw":
                forget_picture(app.driver)
                app.refresh(layout=True)
            case _:
                if isinstance(app.screen, InboxScreen):
                    self._act_in(app.screen, identifier)

    def _act_in(self, inbox: InboxScreen, identifier: str) -> None:
        match identifier:
            case "app.help":
                self.app.push_screen(Help(self.app.keys))
            case "app.palette":
                self.app.push_screen(Finder("Actions", "what you want to do", self._find), self._chosen)
            case _:
                inbox.verbs.act(identifier)

    async def _find(self, words: str) -> list[Match]:
        keys = self.app.keys
        return [
            Match(action.id, (Span(action.title), Span(f"  {action.id}", "faint")), (Span(keys.first(action.id), "key"),))
            for action in matching(words)
        ]

    def _chosen(self, identifier: str | None) -> None:
        if identifier is not None:
            self.act(identifier)
