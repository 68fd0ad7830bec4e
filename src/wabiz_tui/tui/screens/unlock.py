"""The unlock screen: a passphrase where one is needed, what is being done, and one sentence when it fails."""

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from wabiz_tui.model.desk import Desk, DeskStatus
from wabiz_tui.model.errors import WabizError, WrongKey
from wabiz_tui.model.secret import Secret
from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.wording.unlocking import frame_top, unlock_frame


class Unlock(Screen[None]):
    """Unlocks at once where no passphrase is needed; Enter tries again."""

    class Done(Message):
        def __init__(self, status: DeskStatus) -> None:
            super().__init__()
            self.status = status

    class Leave(Message):
        pass

    BINDINGS = [("enter", "again", ""), ("q", "leave", ""), ("ctrl+q", "leave", "")]  # noqa: RUF012 Textual reads it so

    def __init__(self, desk: Desk, status: DeskStatus) -> None:
        super().__init__()
        self.desk, self.status = desk, status
        self.said, self.role = "", "muted"
        self._is_busy = False

    def compose(self) -> ComposeResult:
        yield Lines(id="frame")
        yield Input(password=True, placeholder="passphrase", id="passphrase", compact=True)

    def on_mount(self) -> None:
        field = self.query_one(Input)
        field.display = self.status.needs_passphrase
        if self.status.needs_passphrase:
            field.focus()
        else:
            self._begin(None)
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        lines = unlock_frame(self.status, self.size.width, self.size.height, said=self.said, role=self.role)
        self.query_one("#frame", Lines).show(lines)
        # The field is centred by its style; the second row below the sentence is where it belongs.
        field = self.query_one(Input)
        field.styles.offset = (0, frame_top(4, self.size.height) + 5 - (self.size.height - 1) // 2)

    def _say(self, said: str, role: str = "muted") -> None:
        self.said, self.role = said, role
        self._draw()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if event.value:
            self._begin(Secret(event.value))
            event.input.value = ""

    def action_again(self) -> None:
        if not self.query_one(Input).display:
            self._begin(None)

    def _begin(self, passphrase: Secret | None) -> None:
        if not self._is_busy:
            self._is_busy = True
            self.run_worker(self._unlock(passphrase), group="unlock")

    async def _unlock(self, passphrase: Secret | None) -> None:
        self._say("Fetching the key share from the hub …")
        try:
            status = await self.desk.unlock(passphrase)
        except WrongKey as error:
            self._ask(error.sentence)
        except WabizError as error:
            self._say(f"{error.sentence}  Enter tries again, q leaves.", "warn")
        else:
            self.post_message(self.Done(status))
        finally:
            self._is_busy = False

    def _ask(self, sentence: str) -> None:
        field = self.query_one(Input)
        field.display = True
        field.focus()
        self._say(sentence, "warn")

    def action_leave(self) -> None:
        self.post_message(self.Leave())
