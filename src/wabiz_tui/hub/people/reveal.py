"""Show the identity behind a mask to whom the policy allows it, for a moment and with a reason that the log keeps."""

from datetime import timedelta

from wabiz_tui.hub.archive.contacts import StoredContact, load_contacts
from wabiz_tui.hub.archive.conversations import conversations_with
from wabiz_tui.hub.archive.sight import assigned_of
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.model.errors import Denied, NotFound
from wabiz_tui.model.naming import spelled
from wabiz_tui.model.staff import LONGEST_REASON, REVEAL_SECONDS, Revealed
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.privacy import can_reveal, mask_contact


def reveal(writing: Writing, contact: str, reason: str, *, by: Viewer, policy: Policy) -> Revealed:
    """The contact unmasked; one entry in the log each time. Nothing of it goes into the feed.

    Raises NotFound alike for what is not there and for what is out of sight, Denied where the policy gives the role no reveal, and
    BadInput for what is no reason."""
    stored = visible_contact(writing, by, contact)
    if not can_reveal(policy, by.role):
        raise Denied("Your role may unmask nobody; ask somebody whose role the policy names in `reveal`.", code="reveal_not_allowed")
    told = spelled(reason, limit=LONGEST_REASON, what="reason")
    record(writing, Act("contact.revealed", by=by.person, device=by.device, about=contact, details={"reason": told}))
    shown = mask_contact(stored.value(), policy, by.role, revealed=True)
    return Revealed(contact=shown, until=writing.now + timedelta(seconds=REVEAL_SECONDS))


def visible_contact(reading: Reading, viewer: Viewer, contact: str) -> StoredContact:
    """A contact with a conversation in the viewer's sight. Raises NotFound alike for all others."""
    stored = load_contacts(reading, [contact]).get(contact)
    theirs = conversations_with(reading, [contact]).get(contact, [])
    seen = assigned_of(reading, theirs).values()
    if stored is None or not any(viewer.can_see_conversation(*assigned) for assigned in seen):
        raise NotFound("There is no such contact.")
    return stored
