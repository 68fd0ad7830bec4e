"""The inbox: composes queue, talk and frame, shows what the desk says, and hands actions to its verbs."""

import asyncio
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

from wabiz_tui.model.desk import DeskStatus, QueuePage, TimelinePage, View
from wabiz_tui.model.errors import Locked, WabizError
from wabiz_tui.model.values import Conversation
from wabiz_tui.tui.actions import ACTIONS, single_keys
from wabiz_tui.tui.conversation.composer import Composer
from wabiz_tui.tui.conversation.timeline import Timeline
from wabiz_tui.tui.drawn import Lines
from wabiz_tui.tui.inbox.company import Company
from wabiz_tui.tui.inbox.deciding import Deciding
from wabiz_tui.tui.inbox.finding import Finding
from wabiz_tui.tui.inbox.queue import Queue
from wabiz_tui.tui.inbox.reading import Reading
from wabiz_tui.tui.inbox.surround import Surround
from wabiz_tui.tui.inbox.talking import Talking
from wabiz_tui.tui.inbox.triage import Triage
from wabiz_tui.tui.inbox.verbs import Verbs
from wabiz_tui.tui.place import Place
from wabiz_tui.tui.typeahead import TakesText
from wabiz_tui.tui.wording import talk
from wabiz_tui.tui.wording.bubbles import quote_row
from wabiz_tui.tui.wording.person import person_lines
from wabiz_tui.tui.wording.spans import Span

NARROW_BELOW: Final = 100
WIDE_FROM: Final = 160
INFO_FROM: Final = 120
TICK_SECONDS: Final = 15.0


class InboxScreen(TakesText, Screen[None]):
    """Knows where things stand; what they mean lives in wording/, what keys do in Verbs."""

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

    def __init__(self, reading: Reading, now: Callable[[], datetime], first: QueuePage, *, viewer: str = "") -> None:
        super().__init__()
        self.reading, self.desk, self.now, self.first = reading, reading.desk, now, first
        self.viewer = viewer
        self.triage = Triage(self.desk, now)
        self.surround = Surround(self)
        self.talking, self.deciding, self.finding = Talking(self), Deciding(self), Finding(self)
        self.company = Company(self)
        self.verbs = Verbs(self)
        self.shown_view: View = "open"
        self.conversation: str | None = None
        self.wants_info: bool | None = None
        self._dirty = asyncio.Event()

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
        self.run_worker(self._refresh_loop, group="refresh")
        self.set_interval(TICK_SECONDS, self.tick)
        self.dirty()

    def on_resize(self) -> None:
        self._place()
        self.call_after_refresh(self.draw)

    def _place(self) -> None:
        """Which panes stand, by the width and by what is open."""
        width = self.size.width
        self.set_class(width < NARROW_BELOW, "-narrow")
        self.set_class(width >= WIDE_FROM, "-wide")
        self.set_class(self.conversation is not None, "-talking")
        self.set_class(self.wants_info if self.wants_info is not None else width >= INFO_FROM, "-info")

    # What is typed

    @property
    def takes_keys(self) -> bool:
        return self.focused is not None

    @property
    def is_writing(self) -> bool:
        return self.composer.has_focus

    async def keep_draft(self) -> None:
        """The draft is at the desk when this returns; for the moments after which nothing can be saved any more."""
        draft = self.composer.take_unsaved()
        if draft is not None:
            await self.desk.save_draft(draft.conversation, draft.text, reply_to=draft.reply_to)

    # What the desk says

    def dirty(self) -> None:
        """Something moved: read it again soon, however often this is called."""
        self._dirty.set()

    async def _refresh_loop(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            await self.guard(self._refresh())

    async def _refresh(self) -> None:
        await self.reading.fetch_frame()
        current = self.queue.current.id if self.queue.current is not None else None
        for offset in self.queue.offsets_in_sight():
            self.queue.put(await self.reading.fetch_rows(self.shown_view, offset))
        self.queue.follow(self.conversation or current)
        if self.conversation is not None:
            page = await self.reading.newest(self.conversation, len(self.timeline.messages))
            self.timeline.put_newest(page)
        self.draw()

    async def guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`; what the desk refuses becomes a sentence, a locked desk the locked screen."""
        try:
            await work
        except Locked:
            self.post_message(self.LockedOut())
        except WabizError as error:
            self.say(error.sentence, "bad")
            self.post_message(self.Refused())

    def start(self, work: Coroutine[Any, Any, None], group: str = "acts") -> None:
        self.run_worker(self.guard(work), group=group)

    @property
    def row(self) -> Conversation | None:
        """What the verbs work on: the open conversation, else the one under the cursor."""
        if self.conversation is not None and self.reading.page is not None:
            return self.reading.page.conversation
        return self.queue.current

    # What is shown

    def draw(self) -> None:
        """The frame around the work, from what is known."""
        if not self.is_mounted:
            return
        self.surround.draw()
        self._draw_talk(self.now(), self.reading.status)

    def _draw_talk(self, now: datetime, status: DeskStatus) -> None:
        page = self.reading.page
        if page is None or self.conversation is None:
            return
        self.head.show([talk.talk_head(page, status, max(1, self.head.size.width), now)])
        self.person.show(person_lines(page, status, max(1, self.person.size.width), now))
        self.composer.set_shut(talk.shut_sentence(page.conversation, now))

    @on(Lines.Measured, "#head,#person")
    def _measured(self) -> None:
        self._draw_talk(self.now(), self.reading.status)

    def say(self, sentence: str, role: str = "text") -> None:
        """One sentence in the place of the hints, for a while."""
        self.surround.say(sentence, role)

    def tick(self) -> None:
        """Time went on."""
        self.queue.redraw()
        if self.conversation is not None:
            self.timeline.tick()
            self.company.tick()
        self.draw()
        self.dirty()

    # Going about

    async def show_view(self, view: View) -> None:
        self.shown_view = view
        page = await self.reading.fetch_rows(view, 0)
        self.close_talk()
        self.queue.begin(page, view, self.reading.status.person)
        await self.reading.fetch_frame()
        self.draw()

    async def open_talk(self, conversation: str) -> None:
        """Show a conversation at its first unread message and mark it read."""
        self.composer.save_now()
        page = await self.reading.open_talk(conversation)
        draft = await self.desk.draft(conversation)
        was_open = self.conversation is not None
        self.conversation = conversation
        self.company.move_to(conversation)
        self._place()
        self.timeline.begin(page)
        reply_to = draft.reply_to if draft is not None else None
        self.composer.begin(conversation, draft.text if draft is not None else "", reply_to, self.quote_of(reply_to))
        if not was_open or not self.timeline.has_focus:
            self.set_focus(self.timeline)
        self.queue.follow(conversation)
        self.draw()
        self.call_after_refresh(self.draw)
        if page.conversation.unread:
            await self.desk.mark_read(conversation, self.reading.last_incoming())

    async def come_back(self, place: Place) -> None:
        """To the conversation that stood open, with the draft that could not be saved."""
        await self.open_talk(place.conversation)
        if place.text and place.text != self.composer.buffer.text:
            self.composer.begin(place.conversation, "", None, self.quote_of(place.reply_to))
            self.composer.restore(place.text, place.reply_to)
            self.set_focus(self.composer)

    def close_talk(self) -> None:
        """Back to the queue; the draft is saved, nothing of the talk is kept."""
        if self.conversation is None:
            return
        self.composer.save_now()
        self.conversation, self.reading.page = None, None
        self.company.move_to(None)
        self._place()
        self.timeline.clear()
        self.set_focus(self.queue)
        self.draw()

    def quote_of(self, wamid: str | None) -> list[Span]:
        if wamid is None:
            return []
        quoted = next((message for message in self.timeline.messages if message.wamid == wamid), None)
        return quote_row(quoted, self.timeline.contact, 200)[1:]

    # Facts from the parts

    @on(Queue.PageWanted)
    def _page_wanted(self, event: Queue.PageWanted) -> None:
        self.start(self._fetch_page(event.offset), group="pages")

    async def _fetch_page(self, offset: int) -> None:
        self.queue.put(await self.reading.fetch_rows(self.shown_view, offset))

    @on(Queue.Chosen)
    def _chosen(self, event: Queue.Chosen) -> None:
        self.start(self.open_talk(event.conversation))

    @on(Timeline.EarlierWanted)
    def _earlier_wanted(self) -> None:
        if self.conversation is not None and self.timeline.messages:
            self.start(self._fetch_earlier(self.conversation, self.timeline.messages[0].id), group="pages")

    async def _fetch_earlier(self, conversation: str, before: str) -> None:
        page: TimelinePage = await self.reading.earlier(conversation, before)
        self.timeline.put_earlier(page)

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

    def action_act(self, identifier: str) -> None:
        self.verbs.act(identifier)
        page = self.reading.page
        if self.conversation is not None and page is not None and page.conversation.id == self.conversation and page.conversation.unread:
            # What came while the talk stood open counts as read once the agent does something there.
            self.start(self.desk.mark_read(self.conversation, self.reading.last_incoming()), group="read")
