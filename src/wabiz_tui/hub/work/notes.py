"""Private notes: sealed and told like messages, and never sent to anybody outside."""

from typing import NamedTuple

from wabiz_tui.hub.archive.conversations import StoredConversation
from wabiz_tui.hub.archive.messages import add_message, find_by_wamid, load_message
from wabiz_tui.hub.archive.notes import find_note, keep_key
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.model.content import Note
from wabiz_tui.model.errors import BadInput, Conflict, NotFound
from wabiz_tui.model.values import Direction, Message, Person
from wabiz_tui.model.work import LONGEST_NOTE, MOST_MENTIONS, NewNote

_LONGEST_KEY = 255
_LONGEST_WAMID = 512


class Written(NamedTuple):
    note: Message
    is_new: bool


def write_note(writing: Writing, viewer: Viewer, person: Person, conversation: str, wanted: NewNote) -> Written:
    """Put a note into the conversation. It opens no window, answers nobody and is unread by nobody; the queue's row stays as it is.

    Raises NotFound for a conversation or a quoted message that is not in sight, BadInput for an empty or too long text and for
    mentions of people who may not see the conversation, Conflict for a key that another note was written under."""
    stored = visible_conversation(writing, viewer, conversation)
    _check(wanted)
    known = find_note(writing, person.id, conversation, wanted)
    if known is not None:
        return Written(_repeated(writing, known.message, is_same=known.is_same), is_new=False)
    mentions = _mentioned(writing, stored, wanted)
    note = Message(
        id=writing.new_id(),
        conversation=conversation,
        direction=Direction.NOTE,
        content=Note(wanted.text),
        sent_at=writing.now,
        author=person.id,
        author_name=person.name,
        reply_to=_quoted(writing, conversation, wanted.reply_to),
        key=wanted.key,
        origin="wabiz",
        mentions=mentions,
    )
    add_message(writing, note)
    keep_key(writing, person.id, conversation, wanted, note.id)
    details = {"note": note.id, "mentions": list(mentions)}
    record(writing, Act("note.written", by=person.id, device=viewer.device, about=conversation, details=details))
    return Written(note, is_new=True)


def _check(wanted: NewNote) -> None:
    if not wanted.text.strip():
        raise BadInput("A note must not be empty.")
    if len(wanted.text) > LONGEST_NOTE:
        raise BadInput(f"A note has at most {LONGEST_NOTE} characters.")
    if len(wanted.mentions) > MOST_MENTIONS:
        raise BadInput(f"A note mentions at most {MOST_MENTIONS} people.")
    if wanted.key is not None and not (0 < len(wanted.key) <= _LONGEST_KEY and wanted.key.isprintable()):
        raise BadInput(f"A note's key has between 1 and {_LONGEST_KEY} characters on one line.")


def _repeated(reading: Reading, message: str, *, is_same: bool) -> Message:
    if not is_same:
        raise Conflict("Another note was written under this key; use a new one.", code="key_reused")
    note = load_message(reading, message)
    if note is None:
        raise Conflict("The note written under this key is not kept any more.", code="key_reused")
    return note


def _mentioned(reading: Reading, stored: StoredConversation, wanted: NewNote) -> tuple[str, ...]:
    people = load_people(reading)
    mentioned = [people.get(one) for one in dict.fromkeys(wanted.mentions)]
    if None in mentioned:
        raise BadInput("A note can mention only people of `GET /v1/people`.", code="unknown_person")
    unable = [one.name for one in mentioned if one is not None and (one.revoked_at is not None or not stored.assigned.is_seen_by(one))]
    if unable:
        raise BadInput(
            f"{', '.join(unable)} may not see this conversation; leave the mention out, or give them the conversation first.",
            code="cannot_see",
        )
    return tuple(dict.fromkeys(wanted.mentions))


def _quoted(reading: Reading, conversation: str, named: str | None) -> str | None:
    """The wamid of the quoted message, or its id where it has none: notes can be quoted too."""
    if named is None:
        return None
    quoted = load_message(reading, named) if len(named) <= _LONGEST_WAMID else None
    if quoted is None and len(named) <= _LONGEST_WAMID:
        quoted = load_message(reading, find_by_wamid(reading, named) or "")
    if quoted is None or quoted.conversation != conversation:
        raise NotFound("There is no such message in this conversation to quote.")
    return quoted.wamid or quoted.id
