"""What the business keeps of a contact, in fields it names itself."""

import msgspec

from wabiz_tui.hub.archive.contacts import KeptField, StoredContact, load_contacts, save_record
from wabiz_tui.hub.archive.conversations import conversations_with
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.ingest.folding import add_activity
from wabiz_tui.hub.people.reveal import visible_contact
from wabiz_tui.model.content import Activity
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.naming import name_key, spelled
from wabiz_tui.model.values import Person
from wabiz_tui.model.work import LONGEST_FIELD, LONGEST_FIELD_NAME, MOST_FIELDS, FieldsChange


def change_fields(writing: Writing, viewer: Viewer, person: Person, contact: str, change: FieldsChange) -> StoredContact:
    """Set the fields that are named, and remove those named with null or an empty text; the others stay. Two who change different
    fields at once both have their way. The conversations tell which fields changed, never to what.

    Raises NotFound for a contact out of sight, BadInput for names and texts that are too long or too many."""
    visible_contact(writing, viewer, contact)
    wanted = _read(change)
    # Taken anew, so that its row is at hand when the record is put back.
    stored = load_contacts(writing, [contact])[contact]
    before = stored.record.fields
    changed = {key: kept for key, (name, text) in wanted.items() if (kept := _kept(before.get(key), name, text, writing)) is not None}
    if not changed:
        return stored
    fields = _bounded(before | changed)
    after = msgspec.structs.replace(stored, record=msgspec.structs.replace(stored.record, fields=fields))
    save_record(writing, contact, after.record)
    names = ", ".join(changed[key].name for key in sorted(changed))
    for conversation in conversations_with(writing, [contact]).get(contact, []):
        add_activity(writing, conversation, Activity(verb="changed fields", by=person.name, reason=names), author=person.id)
    details = {"fields": len(changed)}
    record(writing, Act("contact.fields", by=person.id, device=viewer.device, about=contact, details=details))
    return after


def _read(change: FieldsChange) -> dict[str, tuple[str, str | None]]:
    if len(change.fields) > 2 * MOST_FIELDS:
        raise BadInput(f"A contact has at most {MOST_FIELDS} fields.", code="too_many_fields")
    wanted: dict[str, tuple[str, str | None]] = {}
    for name, text in change.fields.items():
        shown = spelled(name, limit=LONGEST_FIELD_NAME, what="field's name")
        if text is not None and len(text) > LONGEST_FIELD:
            raise BadInput(f"A field has at most {LONGEST_FIELD} characters.")
        if name_key(shown) in wanted:
            raise BadInput("Two of the fields differ in their case alone; send one of them.")
        wanted[name_key(shown)] = (shown, text.strip() or None if text is not None else None)
    return wanted


def _kept(before: KeptField | None, name: str, text: str | None, writing: Writing) -> KeptField | None:
    """The field as it is to be; None where it is so already."""
    if (None if before is None else before.text) == text:
        return None
    return KeptField(name=name if before is None or before.text is None else before.name, at=writing.now, text=text)


def _bounded(fields: dict[str, KeptField]) -> dict[str, KeptField]:
    """Raises BadInput for too many; of the removed ones the latest are remembered."""
    living = {key: field for key, field in fields.items() if field.text is not None}
    if len(living) > MOST_FIELDS:
        raise BadInput(f"A contact has at most {MOST_FIELDS} fields; remove one first.", code="too_many_fields")
    removed = sorted((key for key in fields if key not in living), key=lambda key: fields[key].at, reverse=True)
    return living | {key: fields[key] for key in removed[:MOST_FIELDS]}
