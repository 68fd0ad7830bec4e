"""Where the agent writes: grows from one line to five, sends with Enter, tells why it cannot when the window is shut."""

from collections.abc import Iterable
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as Fact

from wabiz_tui.model.work import Presence
from wabiz_tui.tui.actions import BY_ID
from wabiz_tui.tui.conversation.editing import Buffer
from wabiz_tui.tui.drawn import Drawn
from wabiz_tui.tui.wording.company import company_spans
from wabiz_tui.tui.wording.spans import Line, Span, clip_spans, clusters, line, spans_width, wrap

LONGEST: Final = 4096
"""Characters that Meta takes in a text message (Cloud API, text object)."""
TALLEST: Final = 5
SAVE_AFTER: Final = 0.25
"""Seconds of rest after which the draft goes to the desk."""

_KEYS: Final = {
    "left": "left", "right": "right", "ctrl+b": "left", "ctrl+f": "right", "alt+b": "word_left", "alt+f": "word_right",
    "ctrl+left": "word_left", "ctrl+right": "word_right", "ctrl+a": "line_begin", "ctrl+e": "line_end", "home": "line_begin",
    "end": "line_end", "backspace": "delete_left", "ctrl+h": "delete_left", "delete": "delete_right", "ctrl+d": "delete_right",
    "ctrl+w": "kill_word", "alt+backspace": "kill_word", "ctrl+u": "kill_begin", "ctrl+k": "kill_end", "ctrl+y": "yank",
}  # fmt: skip


class Composer(Drawn, can_focus=True):
    """Holds the draft of one conversation. Posts facts; sends and saves nothing itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(BY_ID[f"composer.{verb}"].keys, verb, BY_ID[f"composer.{verb}"].title, id=f"composer.{verb}", show=False)
        for verb in ("send", "newline", "leave", "unquote")
    ]
    ground = "panel"

    class Sent(Fact):
        def __init__(self, conversation: str, text: str, reply_to: str | None) -> None:
            super().__init__()
            self.conversation, self.text, self.reply_to = conversation, text, reply_to

    class Written(Fact):
        """The draft rests: it is to be saved."""

        def __init__(self, conversation: str, text: str, reply_to: str | None) -> None:
            super().__init__()
            self.conversation, self.text, self.reply_to = conversation, text, reply_to

    class Typed(Fact):
        """A key or a paste went into the text."""

    class Left(Fact):
        pass

    class Refused(Fact):
        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.buffer = Buffer()
        self.conversation = ""
        self.reply_to: str | None = None
        self.quote: list[Span] = []
        self.shut = ""
        self.company: list[Presence] = []
        self._is_unsaved = False
        self._top = 0
        self._saving = None

    def begin(self, conversation: str, text: str, reply_to: str | None, quote: list[Span]) -> None:
        """Another conversation, with its draft."""
        self.save_now()
        self.conversation, self.reply_to, self.quote = conversation, reply_to, quote
        self.buffer = Buffer(text)
        self._top = 0
        self._fit()

    def set_quote(self, quote: list[Span]) -> None:
        """The row that shows the message which is answered."""
        if quote != self.quote:
            self.quote = quote
            self._fit()

    def set_shut(self, sentence: str) -> None:
        """Why nothing may be written now; empty when the window is open."""
        if sentence != self.shut:
            self.shut = sentence
            self._fit()

    def set_company(self, others: Iterable[Presence]) -> None:
        """Who else is at this conversation."""
        self.company = list(others)
        self.redraw()

    def answer(self, reply_to: str, quote: list[Span]) -> None:
        self.reply_to, self.quote = reply_to, quote
        self._changed()

    def restore(self, text: str, reply_to: str | None) -> None:
        """Put back what could not be sent, before what was written meanwhile."""
        rest = self.buffer.text
        self.buffer.set(f"{text}\n{rest}" if rest else text)
        self.reply_to = reply_to
        self._changed()

    def save_now(self) -> None:
        draft = self.take_unsaved()
        if draft is not None:
            self.post_message(draft)

    def take_unsaved(self) -> Written | None:
        """The draft, if it is not saved; whoever takes it saves it."""
        if not self._is_unsaved or not self.conversation:
            return None
        self._is_unsaved = False
        return self.Written(self.conversation, self.buffer.text, self.reply_to if self.buffer.text else None)

    def _changed(self) -> None:
        self._is_unsaved = True
        if self._saving is not None:
            self._saving.stop()
        self._saving = self.set_timer(SAVE_AFTER, self.save_now)
        self._fit()

    @property
    def _width(self) -> int:
        return max(4, self.wide - 4)

    def _fit(self) -> None:
        """As tall as the text, within limits; the cursor in sight."""
        rows = self.buffer.rows(self._width)
        at, _ = self.buffer.place(rows)
        shown = min(TALLEST, len(rows))
        self._top = max(0, min(max(self._top, at - shown + 1), at, len(rows) - shown))
        tall = len(wrap(self.shut, self._width)) if self.shut else shown + bool(self.quote)
        if self.styles.height is None or self.styles.height.value != tall + 2:
            self.styles.height = tall + 2
        if self.has_focus:
            # The terminal's own cursor is hidden, but input methods and braille displays follow it.
            _, cell = self.buffer.place(rows)
            self.app.cursor_position = self.region.offset + (3 + cell, 1 + bool(self.quote) + at - self._top)
        self.redraw()

    def line_at(self, y: int) -> Line:
        if y == 0 or y == self.high - 1:
            return self._edge(is_top=y == 0)
        if self.shut:
            told = wrap(self.shut, self._width)
            return line(Span("  "), Span(told[y - 1] if y <= len(told) else "", "warn"), ground=self.ground)
        y -= 1
        if self.quote:
            if y == 0:
                return line(*clip_spans([Span("  ↩ ", "accent"), *self.quote], self.wide), ground=self.ground)
            y -= 1
        rows = self.buffer.rows(self._width)
        at = self._top + y
        prompt = Span("› " if at == 0 else "  ", "accent" if self.has_focus else "faint")
        if not self.buffer.text and not self.has_focus:
            return line(Span(" "), prompt, Span("i to write, r to answer a message", "faint"), ground=self.ground)
        if at >= len(rows):
            return line(ground=self.ground)
        spans = [Span(" "), prompt, *self._row_spans(rows[at].begin, rows[at].end, is_last=self.buffer.place(rows)[0] == at)]
        return Line(tuple(spans), self.ground)

    def _row_spans(self, begin: int, end: int, *, is_last: bool) -> list[Span]:
        text = self.buffer.text[begin:end]
        if not self.has_focus or not is_last:
            return [Span(text)]
        split = self.buffer.cursor - begin
        under = next(clusters(text[split:]), " ") if split < len(text) else " "
        return [Span(text[:split]), Span(under, "cursor"), Span(text[split + len(under) :])]

    def _edge(self, *, is_top: bool) -> Line:
        """A blank line above and below: the upper one for who else is here, the lower one for the count when the limit comes near."""
        if is_top:
            company = company_spans(self.company, self.wide - 4)
            return line(Span("   "), *company, ground=self.ground) if company else line(ground=self.ground)
        count = len(self.buffer.text)
        if count < LONGEST - 600:
            return line(ground=self.ground)
        told = Span(
            f"{LONGEST - count} characters left" if count <= LONGEST else f"{count - LONGEST} too many",
            "warn" if count <= LONGEST else "bad.strong",
        )
        return line(Span(" " * max(0, self.wide - spans_width([told]) - 2)), told, ground=self.ground)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Letters belong to the text, and so do readline's keys."""
        return (character is not None and character.isprintable() and not key.startswith("alt+")) or (key in _KEYS and not self.shut)

    def on_key(self, event: events.Key) -> None:
        if self.shut:
            if event.is_printable:
                event.stop()
                event.prevent_default()
            return
        if event.key in _KEYS:
            self.buffer.edit(_KEYS[event.key])
        elif event.key in ("up", "down"):
            self.buffer.move_row(-1 if event.key == "up" else 1, self._width)
        elif event.key.startswith("alt+"):
            # Also Esc and a letter typed so fast that they arrived as one: neither text nor, as nobody can tell, a command.
            return
        elif event.character is not None and event.is_printable:
            self.buffer.insert(event.character)
        else:
            return
        event.stop()
        event.prevent_default()
        self._changed()
        self.post_message(self.Typed())

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if not self.shut:
            self.buffer.insert(event.text)
            self._changed()
            self.post_message(self.Typed())

    def action_send(self) -> None:
        text = self.buffer.text.strip()
        if not text or self.shut:
            return
        if len(text) > LONGEST:
            self.post_message(self.Refused(f"WhatsApp takes {LONGEST} characters at most; this is {len(text) - LONGEST} too long."))
            return
        reply_to, self.reply_to, self.quote = self.reply_to, None, []
        self.buffer = Buffer()
        self._is_unsaved = False
        if self._saving is not None:
            self._saving.stop()
        self._top = 0
        self._fit()
        self.post_message(self.Sent(self.conversation, text, reply_to))

    def action_newline(self) -> None:
        if not self.shut:
            self.buffer.insert("\n")
            self._changed()

    def action_unquote(self) -> None:
        if self.reply_to is not None:
            self.reply_to, self.quote = None, []
            self._changed()

    def action_leave(self) -> None:
        self.save_now()
        self.post_message(self.Left())

    def on_blur(self) -> None:
        self.save_now()
        self._fit()

    def on_focus(self) -> None:
        self._fit()

    def measured(self) -> None:
        self._fit()
