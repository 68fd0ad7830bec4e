"""The locked screen with its passphrase field: what is typed goes there; what is being done, and one sentence when it fails."""

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from wabiz_tui.model.desk import Desk, DeskStatus
from wabiz_tui.model.errors import WabizError, WrongKey
from wabiz_tui.model.secret import Secret
from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.typeahead import TakesText
from wabiz_tui.tui.wording.unlocking import FIELD_BELOW, frame_top, unlock_frame


class Unlock(TakesText, Screen[None]):
    """Unlocks at once where no passphrase is needed; Enter tries again. `reason` is why the desk locked, empty at the start of
    the program."""

    class Done(Message):
        def __init__(self, status: DeskStatus) -> None:
            super().__init__()
            self.status = status

    class Leave(Message):
        pass

    AUTO_FOCUS = ""
    # The field takes every letter; these count where it has not the focus, so q leaves after Esc alone.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "again", show=False),
        Binding("escape", "aside", show=False, priority=True),
        Binding("q", "leave", show=False),
    ]

    def __init__(self, desk: Desk, status: DeskStatus, reason: str = "", *, hint: str = "") -> None:
        super().__init__()
        self.desk, self.status, self.reason, self.hint = desk, status, reason, hint
        self.said, self.role = "", "muted"
        self._is_busy = self._is_aside = False
        # What a revoked device held cannot be opened by anything that is typed.
        self._needs_passphrase = status.needs_passphrase and status.link != "revoked"
        # Made here and not in compose, for it is asked what it holds before and after it stands.
        # Selecting on focus would let a letter typed early be replaced by the next one.
        self._field = Input(password=True, placeholder="passphrase", id="passphrase", compact=True, select_on_focus=False)
        self._field.display = self._needs_passphrase

    def compose(self) -> ComposeResult:
        yield Lines(id="frame")
        yield self._field

    def on_mount(self) -> None:
        if self._needs_passphrase:
            self.set_focus(self._field)
        elif self.status.link != "revoked":
            self._begin(None)
        self.call_after_refresh(self._draw)

    @property
    def is_untouched(self) -> bool:
        """Whether nothing is typed and nothing is under way."""
        return not self._is_busy and not self._field.value

    @property
    def takes_keys(self) -> bool:
        return not self._is_busy and (not self._needs_passphrase or self._is_aside or self.focused is not None)

    @property
    def is_writing(self) -> bool:
        return not self._is_busy and self.focused is not None

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        if not self.is_current:
            return
        lines = unlock_frame(
            self.status,
            self.size.width,
            self.size.height,
            said=self.said,
            role=self.role,
            reason=self.reason,
            hint=self.hint,
            has_field=self._needs_passphrase,
        )
        self.query_one("#frame", Lines).show(lines)
        # The field is centred by its style, in the middle row; it belongs into the row that the frame leaves free.
        self._field.styles.offset = (0, frame_top(self.size.height) + FIELD_BELOW - (self.size.height - 1) // 2)

    def _say(self, said: str, role: str = "muted") -> None:
        self.said, self.role = said, role
        self._draw()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if event.value:
            self._begin(Secret(event.value))
            event.input.value = ""

    def action_again(self) -> None:
        if self._needs_passphrase:
            self._back()
        else:
            self._begin(None)

    def action_aside(self) -> None:
        if self._needs_passphrase and not self._is_busy:
            self._is_aside = True
            self._field.value = ""
            self.set_focus(None)
            self._say("q leaves; any other key goes back to the passphrase.")

    def _back(self) -> None:
        self._is_aside = False
        self.set_focus(self._field)
        self._say("")

    def on_key(self, event: events.Key) -> None:
        if self._is_aside and event.key not in ("q", "enter", "escape") and event.character is not None and event.is_printable:
            event.stop()
            self._back()
            self._field.insert_text_at_cursor(event.character)

    def _begin(self, passphrase: Secret | None) -> None:
        if not self._is_busy:
            self._is_busy = True
            self.run_worker(self._unlock(passphrase), group="unlock")

    async def _unlock(self, passphrase: Secret | None) -> None:
        self._say("Opening; the hub gives its share of the key …")
        try:
            status = await self.desk.unlock(passphrase)
        except WrongKey as error:
            self._ask(error.sentence)
        except WabizError as error:
            way = "Enter tries again, q leaves." if not self._needs_passphrase else ""
            self._say(f"{error.sentence}  {way}".rstrip(), "warn")
        else:
            self.post_message(self.Done(status))
        finally:
            self._is_busy = False

    def _ask(self, sentence: str) -> None:
        self._needs_passphrase = True
        self._field.display = True
        self.set_focus(self._field)
        self._say(sentence, "warn")

    def action_leave(self) -> None:
        self.post_message(self.Leave())
