"""Who asks the gateway, a person at a device or another program by its key, and what they may do and see."""

from typing import Literal, NamedTuple

from wabiz_tui.hub.archive.conversations import StoredConversation, load_conversation
from wabiz_tui.hub.archive.events import load_numbers
from wabiz_tui.hub.archive.integrations import Integration
from wabiz_tui.hub.archive.messages import load_messages
from wabiz_tui.hub.archive.people import find_device
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.archive.uploads import StoredUpload, find_upload, messages_with
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.model.values import Person
from wabiz_tui.policy.permissions import can


class Sender(NamedTuple):
    """`id` and `name` stand on the messages as their author; `caller` is whose idempotency keys and uploads they are."""

    id: str
    name: str
    caller: str
    origin: Literal["wabiz", "integration"]
    viewer: Viewer | None = None
    integration: Integration | None = None
    granted: str = ""
    """A conversation they may write into though it is out of their sight: a macro of theirs gave it away."""
    is_hub: bool = False
    """Whether the hub itself writes, out of hours."""

    @property
    def keeps_hours(self) -> bool:
        """Whether this is a program that the policy's working hours bind."""
        return self.integration is not None and not self.integration.any_hour

    def may(self, action: str) -> bool:
        if self.is_hub:
            return action == "message.send"
        if self.integration is not None:
            return action in self.integration.permissions
        return self.viewer is not None and can(self.viewer.role, action)

    def has_number(self, number: str) -> bool:
        """Whether a business number is theirs to use; an integration's key names its numbers."""
        return self.integration is None or number in self.integration.numbers

    def can_see(self, stored: StoredConversation) -> bool:
        """Whether they may write to, and read files of, this conversation."""
        if self.is_hub or stored.value.id == self.granted:
            return True
        if self.viewer is not None:
            return self.viewer.can_see_conversation(*stored.assigned)
        return self.has_number(stored.value.number)


def person_sender(person: Person, viewer: Viewer) -> Sender:
    return Sender(person.id, person.name, viewer.device, "wabiz", viewer=viewer)


HUB = Sender("", "", "hub", "wabiz", is_hub=True)
"""The hub itself: its messages have no author."""


def integration_sender(integration: Integration) -> Sender:
    return Sender(integration.id, integration.name, integration.id, "integration", integration=integration)


def require(sender: Sender, action: str) -> None:
    """Raises CloudError 10 unless the sender may do this."""
    if not sender.may(action):
        who = f"The role {sender.viewer.role}" if sender.viewer is not None else "This integration key"
        raise refuse("not_permitted", f"{who} may not do this (it needs {action})")


def check_number(reading: Reading, sender: Sender, number: str) -> None:
    """Raises CloudError 33 alike for a number that is none of the hub's and for one that is not the sender's."""
    if not sender.has_number(number) or not load_numbers(reading, [number]):
        raise refuse("unknown_number", "This hub has no such business number")


def visible(reading: Reading, sender: Sender, conversation: str) -> StoredConversation:
    """Raises CloudError 131009 alike for what is not there and for what the sender may not see."""
    stored = load_conversation(reading, conversation)
    if stored is None or not sender.can_see(stored):
        raise refuse("unknown_recipient", "recipient names no conversation you can see")
    return stored


def check_file(reading: Reading, sender: Sender, media: str) -> None:
    """Raises CloudError for a file that the hub knows and the sender may not have: whoever sends it has it in a message of theirs.

    A program may send what any program uploaded for a number of its own, since keys are renewed while ids live on; a person what
    they uploaded with any device of theirs. What the hub never saw, Meta judges."""
    if not media or sender.is_hub:
        return
    upload, held = find_upload(reading, media), messages_with(reading, media)
    if upload is None and not held:
        return
    if upload is not None and _may_send(reading, sender, upload):
        return
    for message in load_messages(reading, held).values():
        stored = load_conversation(reading, message.conversation)
        if stored is not None and sender.can_see(stored):
            return
    raise refuse("unknown_media", "There is no file of this id that you can see")


def _may_send(reading: Reading, sender: Sender, upload: StoredUpload) -> bool:
    if upload.caller == sender.caller:
        return True
    device = find_device(reading, upload.caller)
    if sender.integration is not None:
        return device is None and sender.has_number(upload.number)
    return device is not None and device.person.id == sender.id
