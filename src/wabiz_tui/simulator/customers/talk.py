"""Small talk in many languages: an opening, an answer that suits what was heard, a reminder. Pure; chance is handed in."""

import random
import tomllib
from functools import cache
from importlib.resources import files

import msgspec

_QUESTION = ("?", "؟", "？", ";")
_MORE = 0.45


class Phrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said in one language; `{thing}` and `{ask}` are places to fill."""

    prefix: str
    digits: int
    names: tuple[str, ...]
    hello: tuple[str, ...]
    thing: tuple[str, ...]
    ask: tuple[str, ...]
    yes: tuple[str, ...]
    fine: tuple[str, ...]
    more: tuple[str, ...]
    bye: tuple[str, ...]
    hurry: tuple[str, ...]


@cache
def phrase_book() -> dict[str, Phrases]:
    """By language code."""
    text = (files("wabiz_tui.simulator") / "business" / "phrases.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Phrases])


def phrases_of(language: str) -> Phrases:
    """Of the language, also where a region follows (`pt_BR`); English for one that is not there."""
    book = phrase_book()
    return book.get(language.lower().replace("_", "-").split("-")[0], book["en"])


def opening(language: str, dice: random.Random) -> str:
    """A greeting and a question."""
    phrases = phrases_of(language)
    greeting, question = dice.choice(phrases.hello), _question(phrases, dice)
    return f"{greeting}, {question}" if dice.random() < 0.7 else f"{greeting}! {question[:1].upper()}{question[1:]}"


def question(language: str, dice: random.Random) -> str:
    phrases = phrases_of(language)
    return dice.choice(phrases.more).replace("{ask}", _question(phrases, dice))


def answer(language: str, heard: str, turn: int, dice: random.Random) -> str | None:
    """To what the business wrote: a question is answered, anything else taken note of, now and then with a further question; after four
    turns it is time to say goodbye, and then nothing more."""
    phrases = phrases_of(language)
    if turn > 4:
        return None
    if turn == 4:
        return dice.choice(phrases.bye)
    if heard.rstrip().endswith(_QUESTION):
        return dice.choice(phrases.yes)
    note = dice.choice(phrases.fine)
    return f"{note}. {question(language, dice)}" if dice.random() < _MORE else note


def reminder(language: str, dice: random.Random) -> str:
    """What somebody writes who was not answered."""
    return dice.choice(phrases_of(language).hurry)


def _question(phrases: Phrases, dice: random.Random) -> str:
    return dice.choice(phrases.ask).replace("{thing}", dice.choice(phrases.thing))
