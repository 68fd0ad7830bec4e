"""Send messages, mark them read, and ask what became of them."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

from wabiz_tui.cloud.calls import Calls
from wabiz_tui.cloud.outcomes import outcome
from wabiz_tui.cloud.pacing import Pacing
from wabiz_tui.cloud.patience import may_send_again
from wabiz_tui.graph.reading import Json, word
from wabiz_tui.graph.requests import build_read
from wabiz_tui.graph.responses import Accepted, parse_accepted
from wabiz_tui.model.errors import CloudError

_LONGEST_WAIT = timedelta(minutes=15)
HISTORY_FIELDS = "id,message_id,events{delivery_status,webhook_update_state,timestamp,application,webhook_uri,error_description}"


class Messages:
    def __init__(self, calls: Calls, pacing: Pacing | None) -> None:
        self._calls, self._pacing = calls, pacing

    async def send(
        self,
        number: str,
        body: dict[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        within: timedelta = _LONGEST_WAIT,
        is_repeated: bool = True,
        edge: str = "messages",
    ) -> Accepted:
        """Send from a phone_number_id what graph/requests.py builds. Accepted is not delivered: statuses tell that (M "Send
        messages"). `edge="marketing_messages"` sends a marketing template through the Marketing Messages API.

        Waits for its turn where the client keeps a Pacing. Repeated only where the client has Patience and `is_repeated`, and only
        after a refusal that calls for a pause or when nothing left; both together take no longer than `within`. Raises Refused,
        NeverLeft, or Uncertain: after that never send again by machine (cloud-api §3.3).
        """
        person = person_of(body)
        path = self._calls.path(number, edge)

        async def send() -> Accepted:
            if self._pacing is not None:
                await self._pacing.turn(number, person, within=within)
            try:
                answer = await self._calls.transport.request("POST", path, body=body, headers=headers)
                accepted = _accepted(answer.body)
            except CloudError as error:
                if self._pacing is not None:
                    self._pacing.refused(number, person, error.graph_code)
                raise
            if self._pacing is not None:
                self._pacing.accepted(number, person)
            return accepted

        if not is_repeated:
            return await send()
        return await self._calls.persistence.insist(send, may_send_again, within=within)

    async def mark_read(self, number: str, message_id: str, *, typing: bool = False) -> None:
        """Marks everything up to `message_id` read, which cannot be undone; `typing` shows the indicator for 25 seconds or until the
        next message (M "Mark messages as read", "Typing indicators")."""
        await self._calls.post(number, "messages", body=build_read(message_id, typing))

    def history(self, number: str, message_id: str | None = None, *, fields: str = HISTORY_FIELDS) -> AsyncIterator[Json]:
        """States of what was sent and of the webhooks that told them; no contents (S `/{Phone-Number-ID}/message_history`)."""
        params = {"fields": fields} if message_id is None else {"fields": fields, "message_id": message_id}
        return self._calls.pages(number, "message_history", params=params)

    def history_events(self, history_id: str) -> AsyncIterator[Json]:
        """All events of one entry of `history` (S `/{Message-History-ID}/events`)."""
        return self._calls.pages(history_id, "events")


def person_of(body: Mapping[str, Any]) -> str | None:
    """Whom a send counts against in the pair rate: the phone's digits or the BSUID. None for a group, which has no pair."""
    if body.get("recipient_type") == "group":
        return None
    told = word(body.get("to"))
    digits = "".join(character for character in told if character.isascii() and character.isdigit())
    return digits or word(body.get("recipient")) or told


def _accepted(raw: bytes) -> Accepted:
    try:
        return parse_accepted(raw)
    except CloudError as error:
        failure = error
    raise outcome(failure, is_safe=False, hide=str)
