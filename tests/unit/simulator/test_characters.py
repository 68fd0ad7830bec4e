"""Customers in character: what each writes of their own accord, and how they take an answer."""

import json
import random
import unicodedata
from typing import Any

from tests.support.simulator_stage import Hub, Stage, staged
from wabiz_tui.graph.parsed import IncomingMessage
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.simulator.customers import talk
from wabiz_tui.simulator.customers.characters import CHARACTERS, sayings
from wabiz_tui.simulator.customers.crowd import crowd_of
from wabiz_tui.simulator.customers.hostile import HOSTILE_TURNS, LONG_LINE, NAMES, hostile_content
from wabiz_tui.simulator.customers.incoming import write
from wabiz_tui.simulator.customers.scenario import Crowd
from wabiz_tui.simulator.webhooks.envelope import encode_body

SCENARIO = """
[clock]
start = "2026-11-22T12:00:00Z"
freeze = true
[typing]
least = "1s"
most = "2s"
"""


def person(character: str, phone: str, **more: Any) -> str:
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    script = 'script = [{ after = "1s", text = "Hello, it is me" }]'
    return f'[[customer]]\nname = "{character}"\nphone = "{phone}"\ncharacter = "{character}"\n{lines}{script}\n'


async def play(stage: Stage, *people: str, business: str = "") -> None:
    await stage.control("scenario", toml=SCENARIO + business + "".join(people))
    stage.world.settings.pace = 1.0
    await stage.control("clock", advance="5s")


def of(hub: Hub, phone: str) -> list[dict[str, Any]]:
    return [message for message in hub.values("messages") if message.get("from") == phone]


async def test_each_character_behaves_as_it_is_named() -> None:
    """Impatient ones write again until answered, mute ones neither answer nor read, editors mend what they wrote, forwarders forward,
    ghosts have no number, chatty ones go on after an answer."""
    names = {name: f"49157300020{index:02d}" for index, name in enumerate(CHARACTERS)}
    async with staged() as stage:
        await play(stage, *(person(name, phone) for name, phone in names.items()))
        await stage.control("clock", advance="4m")
        nagging = [message["text"]["body"] for message in of(stage.hub, names["impatient"])]
        for name in ("plain", "mute", "chatty", "impatient"):
            await stage.send("What can I do for you?", to=f"+{names[name]}")
        await stage.control("clock", advance="10m")
        statuses = {row["to"]: [one["status"] for one in row["statuses"]] for row in (await stage.ask("sent"))["sent"]}
        told = stage.hub.values("messages")

    assert nagging[0] == "Hello, it is me"
    assert nagging[1:] == [text for text in nagging[1:] if text in talk.phrases_of("en").hurry]
    assert len(nagging) == 4
    assert [message["text"]["body"] for message in of(stage.hub, names["plain"])][1:] != []
    assert len(of(stage.hub, names["mute"])) == 1
    assert statuses["+" + names["mute"]] == ["sent", "delivered"]
    assert statuses["+" + names["plain"]] == ["sent", "delivered", "read"]
    assert len(of(stage.hub, names["chatty"])) >= 3
    assert {message["type"] for message in of(stage.hub, names["editor"])} >= {"text", "edit"}
    assert of(stage.hub, names["forwarder"])[0]["context"] == {"forwarded": True}
    assert of(stage.hub, names["photographer"])[0]["type"] in ("image", "video", "audio", "sticker")
    assert "referred_product" in of(stage.hub, names["shopper"])[0]["context"]
    assert of(stage.hub, names["ghost"]) == []
    assert any("from" not in message and "from_user_id" in message for message in told)


async def test_a_character_can_be_given_later() -> None:
    """A customer that a test made answers in the language and character it is given."""
    async with staged() as stage:
        await stage.write()
        answer = await stage.control("customer", phone="4915730000077", character="plain", language="ja")
        await stage.send("いつがいいですか?")
        await stage.hub.until(lambda: len(stage.hub.values("messages")) == 2)

    assert answer["customer"]["character"] == "plain"
    assert stage.hub.values("messages")[1]["text"]["body"] in talk.phrases_of("ja").yes


async def test_everything_hostile_is_carried() -> None:
    """Each hostile message is valid JSON on the wire, is signed, and reaches the parser with its characters unharmed."""
    async with staged() as stage:
        customer = stage.world.people.meet(wa_id="4915730000666", name=NAMES[1])
        for turn in range(HOSTILE_TURNS):
            write(stage.world, customer, hostile_content(turn))
        await stage.hub.until(lambda: len(stage.hub.bodies) == HOSTILE_TURNS)

    texts = "".join(message["text"]["body"] for message in stage.hub.values("messages") if message["type"] == "text")
    assert {"\x1b", "\x00", "\u202e", "\u2066", "\u200b", "\x9b"} <= set(texts)
    assert max(len(body) for body in stage.hub.bodies) > LONG_LINE
    assert all(stage.hub.signed())
    assert all(body.isascii() for body in stage.hub.bodies)
    assert sum(isinstance(part, IncomingMessage) for body in stage.hub.bodies for part in parse(body)) >= HOSTILE_TURNS - 2


def test_talk_is_in_many_scripts_and_suits_what_was_heard() -> None:
    """Twelve languages in at least six scripts; a question is answered, a statement taken note of, and after four turns it ends."""
    dice = random.Random(7)
    book = talk.phrase_book()
    scripts = {unicodedata.name(phrases.fine[0][0]).split(" ")[0] for phrases in book.values()}

    assert {"ar", "hi", "ja", "es", "de", "fr", "pt", "ru", "zh", "en"} <= set(book)
    assert len(scripts) >= 6
    for language, phrases in book.items():
        assert talk.answer(language, "Which one?", 0, dice) in phrases.yes
        noted = talk.answer(language, "It is ready.", 0, dice)
        assert noted is not None
        assert noted.startswith(phrases.fine)
        assert talk.answer(language, "Bye", 4, dice) in phrases.bye
        assert talk.answer(language, "Bye", 5, dice) is None
        assert "{" not in talk.opening(language, dice) + talk.question(language, dice)
    assert talk.phrases_of("pt_BR") == book["pt"]
    assert talk.phrases_of("xx") == book["en"]


def test_crowd_is_the_same_for_the_same_seed() -> None:
    """A crowd has distinct numbers, every language and character, and depends on nothing but its seed."""
    crowd = Crowd(customers=2_000)
    people = list(crowd_of(crowd, 5))

    assert people == list(crowd_of(crowd, 5))
    assert people != list(crowd_of(crowd, 6))
    assert len({one.phone for one in people}) == 2_000
    assert {one.character for one in people} == set(CHARACTERS)
    assert {one.language for one in people} == set(talk.phrase_book())


def test_every_saying_can_be_told() -> None:
    """Whatever a character makes of whatever text is an object that can be encoded."""
    for name in CHARACTERS:
        for turn in range(40):
            for saying in sayings(name, "Habt ihr Öl, bitte?", "de", turn, random.Random(turn)):
                assert encode_body(saying.content).isascii()
                assert saying.content["type"]
