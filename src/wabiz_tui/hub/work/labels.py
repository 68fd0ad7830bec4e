"""Labels and priority of an episode."""

from collections.abc import Iterable

from wabiz_tui.hub.archive.conversations import StoredConversation
from wabiz_tui.hub.archive.episodes import set_labels, set_priority
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.ingest.folding import add_activity
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.model.content import Activity
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.naming import name_key, spelled
from wabiz_tui.model.values import Person
from wabiz_tui.model.work import LONGEST_LABEL, MOST_LABELS, LabelChange, PriorityChange


def change_labels(writing: Writing, viewer: Viewer, person: Person, conversation: str, change: LabelChange) -> StoredConversation:
    """Add and remove labels; those that are there or gone already are left as they are. They stand in the order of their names, so
    that what comes of two changes does not hang on which came first. Raises BadInput for what is no label, and for too many."""
    stored = visible_conversation(writing, viewer, conversation)
    adding, removing = _by_key(change.add), _by_key(change.remove)
    if adding.keys() & removing.keys():
        raise BadInput("A label cannot be added and removed at once.")
    before = {name_key(label): label for label in stored.value.labels}
    added = {key: label for key, label in adding.items() if key not in before}
    removed = {key: label for key, label in before.items() if key in removing}
    if not added and not removed:
        return stored
    after = {key: label for key, label in (before | added).items() if key not in removed}
    if len(after) > MOST_LABELS and added:
        raise BadInput(f"A conversation has at most {MOST_LABELS} labels; remove one first.", code="too_many_labels")
    set_labels(writing, conversation, tuple(after[key] for key in sorted(after)))
    for verb, labels in (("labelled", added), ("unlabelled", removed)):
        if labels:
            activity = Activity(verb=verb, by=person.name, reason=", ".join(labels[key] for key in sorted(labels)))
            add_activity(writing, conversation, activity, author=person.id)
    details = {"added": len(added), "removed": len(removed)}
    record(writing, Act("conversation.labels", by=person.id, device=viewer.device, about=conversation, details=details))
    return visible_conversation(writing, viewer, conversation)


def change_priority(writing: Writing, viewer: Viewer, person: Person, conversation: str, change: PriorityChange) -> StoredConversation:
    stored = visible_conversation(writing, viewer, conversation)
    if stored.value.priority == change.priority:
        return stored
    set_priority(writing, conversation, change.priority)
    add_activity(writing, conversation, Activity(verb="set priority", by=person.name, to=change.priority), author=person.id)
    details = {"from": stored.value.priority, "to": change.priority}
    record(writing, Act("conversation.priority", by=person.id, device=viewer.device, about=conversation, details=details))
    return visible_conversation(writing, viewer, conversation)


def _by_key(labels: Iterable[str]) -> dict[str, str]:
    """The labels as they are kept, by what makes them the same. Raises BadInput."""
    several = tuple(labels)
    if len(several) > 2 * MOST_LABELS:
        raise BadInput(f"A conversation has at most {MOST_LABELS} labels.", code="too_many_labels")
    found: dict[str, str] = {}
    for label in several:
        name = spelled(label, limit=LONGEST_LABEL, what="label")
        found.setdefault(name_key(name), name)
    return found
