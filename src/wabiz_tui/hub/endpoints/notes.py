"""Private notes."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.archive.events import own_numbers
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.feed.seen import seen_message
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.hub.work.notes import write_note
from wabiz_tui.model.values import Message
from wabiz_tui.model.wire import IDEMPOTENCY_KEY
from wabiz_tui.model.work import NewNote


async def add_note(hub: Hub, caller: Caller, request: Request) -> Response:
    """201 for a new note, 200 for one that was written under the same key before."""
    wanted, conversation = await read_json(request, NewNote), request.path_params["conversation"]
    if wanted.key is None:
        wanted = msgspec.structs.replace(wanted, key=request.headers.get(IDEMPOTENCY_KEY))
    policy = hub.policy.policy

    def write(writing: Writing) -> tuple[Message, bool]:
        written = write_note(writing, caller.viewer, caller.person, conversation, wanted)
        return seen_message(written.note, policy, own_numbers(writing)), written.is_new

    note, is_new = await hub.archive.write(write)
    return json_answer(note, 201 if is_new else 200)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/v1/conversations/{conversation}/notes", "note.write", "Write a private note.", add_note, NewNote, Message),
)
