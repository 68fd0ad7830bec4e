"""Taking, handing over and noting on each engine, with several writers at once."""

from concurrent.futures import ThreadPoolExecutor

from tests.contract.archive.conftest import Ground
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.hub.archive.contacts import contact_of
from wabiz_tui.hub.archive.conversations import conversation_of, load_conversation
from wabiz_tui.hub.archive.episodes import episodes_of
from wabiz_tui.hub.archive.people import add_person
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.hub.feed.viewer import viewer_of
from wabiz_tui.hub.work.assignment import assign
from wabiz_tui.hub.work.handover import hand_over
from wabiz_tui.hub.work.labels import change_labels
from wabiz_tui.hub.work.notes import write_note
from wabiz_tui.model.errors import Conflict
from wabiz_tui.model.values import Person
from wabiz_tui.model.wire import Assignment
from wabiz_tui.model.work import LabelChange, NewNote

NUMBER = "106540352242922"


def _staffed(archive: Archive, count: int) -> tuple[list[Person], str]:
    """So many people, every other one a supervisor, who sees what others have; and a conversation that nobody has."""

    def make(writing: Writing) -> tuple[list[Person], str]:
        people = [Person(writing.new_id(), f"Person {index}", "supervisor" if index % 2 else "agent") for index in range(count)]
        for person in people:
            add_person(writing, person)
        contact = contact_of(writing, Identity(wa_id="447700900123"), at=writing.now)
        return people, conversation_of(writing, NUMBER, contact)

    return archive.write_now(make)


def test_one_of_many_takers_wins(ground: Ground) -> None:
    """Takers at two hubs at once: one has the conversation, the others are told the winner's name, and the log has one entry."""
    hubs = [ground.open(seed=seed) for seed in ((1,) if ground.engine == "sqlcipher" else (1, 2))]
    people, chat = _staffed(hubs[0], 6)

    def take(index: int) -> str:
        person = people[index]
        try:
            hubs[index % len(hubs)].write_now(lambda writing: assign(writing, viewer_of(person), person, chat, Assignment(person.id)))
        except Conflict as error:
            return f"{error.code}: {error.sentence}"
        return ""

    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(take, range(6)))

    stored = hubs[0].read_now(lambda reading: load_conversation(reading, chat))
    assert stored is not None
    winner = people[told.index("")]
    assert told.count("") == 1
    assert stored.value.assignee == winner.id
    assert all(sentence.startswith(f"taken: {winner.name} has") for sentence in told if sentence)


def test_labels_of_many_writers_come_together(ground: Ground) -> None:
    """Whatever order they come in, all labels that were added are there."""
    hubs = [ground.open(seed=seed) for seed in ((1,) if ground.engine == "sqlcipher" else (1, 2))]
    people, chat = _staffed(hubs[0], 4)

    def add(index: int) -> None:
        person = people[index]
        hubs[index % len(hubs)].write_now(
            lambda writing: change_labels(writing, viewer_of(person), person, chat, LabelChange(add=(f"label {index}", "Common")))
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))

    stored = hubs[0].read_now(lambda reading: load_conversation(reading, chat))
    assert stored is not None
    assert stored.value.labels == ("Common", "label 0", "label 1", "label 2", "label 3")


def test_hand_over_note_and_episodes(ground: Ground) -> None:
    """What is handed over is with the taker, a note is written once under its key, the episode is listed, on each engine."""
    archive = ground.open()
    people, chat = _staffed(archive, 2)
    ann, ben = people
    archive.write_now(lambda writing: assign(writing, viewer_of(ann), ann, chat, Assignment(ann.id)))
    notes = [archive.write_now(lambda writing: write_note(writing, viewer_of(ann), ann, chat, NewNote("x", key="k"))) for _ in range(2)]

    moved = archive.write_now(lambda writing: hand_over(writing, ann.id, to=ben.id, by=ann))

    assert (moved.given, moved.queued, moved.has_more) == (1, 0, False)
    assert [written.is_new for written in notes] == [True, False]
    assert notes[0].note.id == notes[1].note.id
    [episode] = archive.read_now(lambda reading: episodes_of(reading, chat))
    assert (episode.assignee, episode.status) == (ben.id, "open")
