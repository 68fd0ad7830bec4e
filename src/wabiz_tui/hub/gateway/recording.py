"""After a message left: what Meta answered, or that nobody knows, goes into the archive."""

from wabiz_tui.graph.delivery import fold
from wabiz_tui.graph.identity import Alias
from wabiz_tui.graph.responses import Accepted
from wabiz_tui.hub.archive.contacts import attach_alias
from wabiz_tui.hub.archive.conversations import load_conversation, note_answered
from wabiz_tui.hub.archive.conversations import touch_preview_of as touch_preview
from wabiz_tui.hub.archive.messages import load_message, set_delivery, set_wamid
from wabiz_tui.hub.archive.sends import disown, give_back, sends_in, settle_send
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.gateway.answers import Answered, uncertain
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.ingest.folding import apply_to_target, join_waiting_statuses
from wabiz_tui.model.content import MetaError
from wabiz_tui.model.errors import CloudError
from wabiz_tui.model.values import DeliveryState, Message


def settle_interrupted(writing: Writing, owner: str) -> int:
    """What the end of a hub process caught; how many are uncertain. Of what was leaving nobody knows whether it arrived: its status
    webhook settles it, or a person. What was queued did not leave, and is shown as failed until its caller asks again with the same key."""
    interrupted = sends_in(writing, "leaving", owner=owner)
    for message_id in interrupted:
        _mark(writing, message_id, "uncertain")
        answer = uncertain(message_id)
        settle_send(writing, message_id, http_status=answer.status, answer=answer.body)
    for message_id in sends_in(writing, "queued", owner=owner):
        refusal = refuse("not_sent", "The hub ended before this message left; send it again")
        _mark(writing, message_id, DeliveryState.FAILED, MetaError(code=refusal.graph_code or 0, title=refusal.sentence))
        disown(writing, message_id)
    return len(interrupted)


def record_accepted(writing: Writing, message_id: str, accepted: Accepted, answer: Answered) -> None:
    message = _mark(writing, message_id, DeliveryState.ACCEPTED)
    settle_send(writing, message_id, http_status=answer.status, answer=answer.body)
    if message is None:
        return
    if message.wamid is None:
        message = set_wamid(writing, message, accepted.wamid)
    if message.author is not None:
        # What the hub says by itself answers nobody.
        note_answered(writing, message.conversation)
    join_waiting_statuses(writing, message, accepted.wamid)
    apply_to_target(writing, message)
    stored = load_conversation(writing, message.conversation)
    if stored is not None and accepted.wa_id:
        attach_alias(writing, stored.value.contact, Alias("wa_id", accepted.wa_id), at=writing.now)


def record_failure(writing: Writing, message_id: str, error: CloudError, answer: Answered) -> None:
    settle_send(writing, message_id, http_status=answer.status, answer=answer.body)
    if error.is_uncertain:
        _mark(writing, message_id, DeliveryState.UNCERTAIN)
        return
    told = MetaError(code=error.graph_code or 0, title=error.sentence, details=error.details)
    _mark(writing, message_id, DeliveryState.FAILED, told)


def record_not_sent(writing: Writing, message_id: str, error: CloudError) -> None:
    """Its turn did not come in time: shown as failed until its caller asks again with the same key, which sends it then."""
    _mark(writing, message_id, DeliveryState.FAILED, MetaError(code=error.graph_code or 0, title=error.sentence, details=error.details))
    give_back(writing, message_id)


def _mark(writing: Writing, message_id: str, state: str, error: MetaError | None = None) -> Message | None:
    """Fold one more state into a message of ours; a status webhook may have been quicker."""
    message = load_message(writing, message_id)
    if message is None:
        return None
    delivery = fold(message.delivery, state, writing.now, error)
    set_delivery(writing, message_id, delivery)
    touch_preview(writing, message)
    return load_message(writing, message_id)
