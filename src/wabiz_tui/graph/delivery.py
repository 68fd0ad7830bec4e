"""Fold statuses into one delivery, safe under loss, repeat and disorder (cloud-api §9, "Folding rule")."""

from datetime import datetime

from wabiz_tui.graph.errors import meaning
from wabiz_tui.model.content import MetaError
from wabiz_tui.model.values import Delivery, DeliveryState

RANK: dict[DeliveryState, int] = {
    DeliveryState.QUEUED: 0,
    DeliveryState.UNCERTAIN: 1,
    DeliveryState.ACCEPTED: 2,
    DeliveryState.SENT: 3,
    DeliveryState.DELIVERED: 4,
    DeliveryState.READ: 5,
    DeliveryState.PLAYED: 6,
}
_STATES = {state.value: state for state in DeliveryState}


def fold(current: Delivery | None, state: str, at: datetime, error: MetaError | None = None) -> Delivery:
    """`current` after one more status. The outcome does not depend on the order in which statuses are folded, nor on repeats.

    The shown state is the highest seen; `failed` shows only while nothing of `delivered` or above was seen, but stays in `at`
    and `error`. For each state the earliest instant is kept. A state we do not know (`deleted`, `warning`, a future one) is
    noted in `at` and changes nothing else; a message of which Meta speaks at all was at least accepted.
    """
    seen = dict(current.at) if current is not None else {}
    failure = _failure(current, state, error)
    seen[state] = min(seen.get(state, at), at)
    shown = _shown(seen, current)
    return Delivery(state=shown, at=seen, error=failure, sentence=_sentence(shown, failure))


def _shown(seen: dict[str, datetime], current: Delivery | None) -> DeliveryState:
    states = {_STATES[name] for name in seen if name in _STATES}
    if any(name not in _STATES for name in seen):
        states.add(DeliveryState.ACCEPTED)
    if current is not None:
        states.add(current.state)
    best = max((state for state in states if state in RANK), key=RANK.__getitem__, default=None)
    if DeliveryState.FAILED in states and (best is None or RANK[best] < RANK[DeliveryState.DELIVERED]):
        return DeliveryState.FAILED
    return best or DeliveryState.ACCEPTED


def _failure(current: Delivery | None, state: str, error: MetaError | None) -> MetaError | None:
    """Of several failures one is kept, chosen by what they say and not by when they came."""
    before = current.error if current is not None else None
    if state != DeliveryState.FAILED or error is None:
        return before
    return error if before is None else min(before, error, key=lambda one: (one.code, one.title, one.message, one.details, one.href))


def _sentence(shown: DeliveryState, failure: MetaError | None) -> str:
    if shown is not DeliveryState.FAILED or failure is None:
        return ""
    return meaning(failure.code).tell(failure.details or failure.message or failure.title)
