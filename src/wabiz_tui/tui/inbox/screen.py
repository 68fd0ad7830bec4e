"""The inbox: composes queue, talk and frame, binds keys, and hands what is asked and told to the rooms that know."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.getters import query_one
from textual.message import Message
from textual.screen import Screen

from wabiz_tui.model.desk import QueuePage, View
from wabiz_tui.model.errors import Locked, WabizError
from wabiz_tui.model.values import Conversation
from wabiz_tui.tui.actions import ACTIONS, single_keys
from wabiz_tui.tui.conversation.composer import Composer
from wabiz_tui.tui.conversation.timeline import Timeline
from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.inbox.company import Company
from wabiz_tui.tui.inbox.deciding import Deciding
from wabiz_tui.tui.inbox.finding import Finding
from wabiz_tui.tui.inbox.going import Going
from wabiz_tui.tui.inbox.queue import Queue
from wabiz_tui.tui.inbox.reading import Reading
from wabiz_tui.tui.inbox.surround import Surround, classes_at
from wabiz_tui.tui.inbox.talking import Talking
from wabiz_tui.tui.inbox.triage import Triage
from wabiz_tui.tui.inbox.upkeep import Upkeep
from wabiz_tui.tui.inbox.verbs import Verbs
from wabiz_tui.tui.typeahead import TakesText

TICK_SECONDS: Final = 15.0


class InboxScreen(TakesText, Screen[None]):
    """Knows where things stand; what is said lives in wording/, what keys do in Verbs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(single_keys(action), f"act('{action.id}')", action.title, id=action.id, show=False)
        for action in ACTIONS
        if single_keys(action) and (action.where in ("inbox", "list") or action.group in ("Move", "Talk"))
    ]

    class LockedOut(Message):
        """The desk turned out to be locked."""

    class Refused(Message):
        """What a key asked for was not done."""

    class Leave(Message):
        """The agent is done."""

    head = query_one("#head", Lines)
    person = query_one("#person", Lines)
    which = query_one("#which", Lines)
    queue = query_one(Queue)
    timeline = query_one(Timeline)
    composer = query_one(Composer)

    def __init__(self, reading: Reading, now: Callable[[], datetime], first: QueuePage, *, columns: int, viewer: str = "") -> None:
        # From the start: every class that changes later styles each widget anew, a quarter of the time until the inbox stands.
        super().__init__(classes=" ".join(name for name, is_set in classes_at(columns).items() if is_set))
        self.reading, self.desk, self.now, self.first = reading, reading.desk, now, first
        self.viewer = viewer
        self.triage = Triage(self.desk, now)
        self.surround = Surround(self)
        self.talking, self.deciding, self.finding = Talking(self), Deciding(self), Finding(self)
        self.company = Company(self)
        self.going, self.upkeep = Going(self), Upkeep(self)
        self.verbs = Verbs(self)
        self.shown_view: View = "open"
        self.conversation: str | None = None
        self.wants_info: bool | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="views", ground="bar")
        yield Lines(id="banner")
        with Horizontal(id="work"):
            yield Queue(self.now, id="queue")
            with Vertical(id="talk"):
                yield Lines(id="head", ground="bar")
                yield Timeline(self.now, id="timeline")
                yield Composer(id="composer")
            yield Lines(id="person", ground="panel")
        yield Lines(id="hints")
        yield Lines(id="status", ground="bar")
        yield Lines(id="which", ground="float")

    def on_mount(self) -> None:
        self.queue.begin(self.first, self.shown_view, self.reading.status.person)
        self.set_focus(self.queue)
        self.run_worker(self.upkeep.run, group="refresh")
        self.set_interval(TICK_SECONDS, self.upkeep.tick)
        self.upkeep.dirty()

    def on_resize(self) -> None:
        self.surround.place()
        self.call_after_refresh(self.surround.draw)

    # What is typed

    @property
    def takes_keys(self) -> bool:
        return self.focused is not None

    @property
    def is_writing(self) -> bool:
        return self.composer.has_focus

    # What is done

    @property
    def row(self) -> Conversation | None:
        """What the verbs work on: the open conversation, else the one under the cursor."""
        if self.conversation is not None and self.reading.page is not None:
            return self.reading.page.conversation
        return self.queue.current

    def start(self, work: Coroutine[Any, Any, None], group: str = "acts") -> None:
        self.run_worker(self.guard(work), group=group)

    async def guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`; what the desk refuses becomes a sentence, a locked desk the locked screen."""
        try:
            await work
        except Locked:
            self.post_message(self.LockedOut())
        except WabizError as error:
            self.say(error.sentence, "bad")
            self.post_message(self.Refused())

    def say(self, sentence: str, role: str = "text") -> None:
        """One sentence in the place of the hints, for a while."""
        self.surround.say(sentence, role)

    def action_act(self, identifier: str) -> None:
        self.verbs.act(identifier)
        page = self.reading.page
        if page is not None and page.conversation.id == self.conversation and page.conversation.unread and not self.timeline.has_later:
            # What came while the talk stood open counts as read once the agent does something there.
            self.start(self.desk.mark_read(page.conversation.id, self.reading.last_incoming()), group="read")

    # Facts from the parts

    @on(Lines.Measured, "#head,#person")
    def _measured(self) -> None:
        self.surround.draw_talk()

    @on(Queue.PageWanted)
    def _page_wanted(self, event: Queue.PageWanted) -> None:
        self.start(self.upkeep.fetch_page(event.offset), group="pages")

    @on(Queue.Chosen)
    def _chosen(self, event: Queue.Chosen) -> None:
        self.start(self.going.open_talk(event.conversation))

    @on(Timeline.EarlierWanted)
    def _earlier_wanted(self) -> None:
        if self.conversation is not None and self.timeline.messages:
            self.start(self.upkeep.fetch_earlier(self.conversation, self.timeline.messages[0].id), group="pages")

    @on(Timeline.LaterWanted)
    def _later_wanted(self) -> None:
        if self.conversation is not None and self.timeline.messages:
            self.start(self.upkeep.fetch_later(self.conversation, self.timeline.messages[-1].id), group="pages")

    @on(Timeline.EndWanted)
    def _end_wanted(self) -> None:
        if self.conversation is not None:
            self.start(self.upkeep.show_end(self.conversation))

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        self.company.look()
        self.start(self.talking.send(event.conversation, event.text, event.reply_to))

    @on(Composer.Written)
    def _written(self, event: Composer.Written) -> None:
        self.start(self.desk.save_draft(event.conversation, event.text, reply_to=event.reply_to), group="drafts")

    @on(Composer.Typed)
    def _typed(self) -> None:
        self.company.typed()

    @on(Composer.Left)
    def _left(self) -> None:
        self.company.look()
        self.set_focus(self.timeline)

    @on(Composer.Refused)
    def _refused(self, event: Composer.Refused) -> None:
        self.say(event.sentence, "warn")

    def on_descendant_focus(self) -> None:
        self.surround.draw_hints()
