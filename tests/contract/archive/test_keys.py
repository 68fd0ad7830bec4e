"""Content keys apart from the content, on both engines: committed before it, and what they seal is gone with them."""

import pytest
import sqlalchemy as sa

from tests.contract.archive.conftest import Ground
from tests.support.hub_archive import SEAL_KEY
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.contacts import load_contacts
from wabiz_tui.hub.archive.conversations import conversation_of, note_message
from wabiz_tui.hub.archive.messages import add_message, find_filed, load_message
from wabiz_tui.hub.archive.sealing import derive, text_unit
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.model.content import Text
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.values import Direction, Message


class Killed(BaseException):
    """The process ends here."""


def add_text(archive: Archive, text: str = "hello", *, conversation: str | None = None) -> Message:
    def work(writing: Writing) -> Message:
        message = Message(
            id=writing.new_id(),
            conversation=conversation or conversation_of(writing, "1", "a-contact"),
            direction=Direction.INCOMING,
            content=Text(body=text),
            sent_at=writing.now,
            wamid=f"wamid.{text}",
        )
        add_message(writing, message)
        note_message(writing, message)
        return message

    return archive.write_now(work)


def unit_of(archive: Archive, message: Message) -> str:
    return text_unit(message.conversation, archive.clock.now().strftime("%Y-%m"))


def test_a_key_is_durable_before_what_it_seals(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two commits another process sees the key and not the message; killed there, nothing but an idle key is left."""
    archive = ground.open()
    between: list[tuple[list[str], int]] = []

    def die() -> None:
        other = ground.place()
        rows = other.open_keys("keys", archive.tenant)
        with archive.reading() as reading:
            count = reading.connection.execute(sa.select(sa.func.count()).select_from(schema.message)).scalar_one()
        between.append((rows.names("unit/"), count))
        rows.close()
        raise Killed

    monkeypatch.setattr(archive.shares, "commit", die)  # the last step before the content's own commit
    with pytest.raises(Killed):
        add_text(archive)
    again = ground.open(seed=2)

    message = add_text(again)

    [(names, count)] = between
    assert (len(names), count) == (1, 0)
    assert again.read_now(lambda reading: load_message(reading, message.id)) == message


def test_destroying_a_key_shuts_what_it_sealed(ground: Ground) -> None:
    """A message whose unit's key is destroyed cannot be read, by this hub or after a new start; its neighbours can, and no new key
    of that name is made by what comes later for it."""
    archive = ground.open()
    gone = add_text(archive, "gone")
    kept = archive.write_now(lambda writing: conversation_of(writing, "2", "a-contact"))
    stays = add_text(archive, "stays", conversation=kept)

    destroyed = archive.keys.destroy([unit_of(archive, gone)])

    assert destroyed == 1
    for hub in (archive, ground.open(seed=2)):
        assert hub.read_now(lambda reading: load_message(reading, gone.id)) is None
        assert hub.read_now(lambda reading: find_filed(reading, gone.id)) is None
        assert hub.read_now(lambda reading: load_message(reading, stays.id)) == stays
    assert archive.keys.destroy([unit_of(archive, gone)]) == 0


def test_content_and_shares_keep_their_keys_apart(ground: Ground) -> None:
    """The same name is another key in each store, and listing one does not show the other."""
    archive = ground.open()

    content, share = archive.keys.make_now("share/device/1"), archive.shares.make_now("share/device/1")
    archive.keys.destroy(["share/device/1"])

    assert content != share
    assert (archive.keys.names("share/"), archive.shares.names("share/")) == ([], ["share/device/1"])


def test_two_hubs_agree_on_a_key(ground: Ground) -> None:
    """A name that both ask for at once gets one key."""
    first, second = ground.open(seed=1), ground.open(seed=2)

    keys = {hub.keys.make_now("journal/2026-11-22") for hub in (first, second)}

    assert len(keys) == 1


def test_a_foreign_seal_key_opens_nothing(ground: Ground) -> None:
    """Keys wrapped by another seal key are refused, not taken for damage."""
    archive = ground.open()
    archive.keys.make_now("unit/a")
    stranger = Archive(ground.place(), derive(SEAL_KEY, "another"), tenant=archive.tenant, clock=ground.clock, random_bytes=bytes)

    with pytest.raises(BadInput, match="seal key"):
        stranger.keys.find("unit/a")

    stranger.close()


def test_nothing_personal_is_read_from_the_tables(ground: Ground) -> None:
    """No row of the database holds the words of a message in the clear."""
    archive = ground.open()
    add_text(archive, "the-customer-wrote-this")

    with archive.reading() as reading:
        for table in schema.metadata.tables.values():
            rows = reading.connection.execute(sa.select(table)).all()
            assert b"the-customer-wrote-this" not in b"".join(value for row in rows for value in row if isinstance(value, bytes))
            assert "the-customer-wrote-this" not in repr([value for row in rows for value in row if isinstance(value, str)])
        assert load_contacts(reading, ["a-contact"]) == {}
