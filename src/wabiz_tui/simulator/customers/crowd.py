"""Random customers for a full inbox: names, numbers, languages and characters by chance, the same for the same seed."""

import random
from collections.abc import Iterator

from wabiz_tui.simulator.customers.characters import CHARACTERS
from wabiz_tui.simulator.customers.scenario import Crowd, Person
from wabiz_tui.simulator.customers.talk import phrase_book


def crowd_of(crowd: Crowd, seed: int) -> Iterator[Person]:
    """As many as are asked for. Nobody has another's number; some have none to show (ghosts), some no name."""
    dice = random.Random(f"{seed} crowd")  # noqa: S311 a play's dice
    languages = crowd.languages or tuple(sorted(phrase_book()))
    characters = crowd.characters or tuple(CHARACTERS)
    for index in range(crowd.customers):
        phrases = phrase_book()[dice.choice(languages)]
        language = next(code for code, known in phrase_book().items() if known is phrases)
        character = dice.choice(characters)
        room = 10**phrases.digits
        # A stride that has no factor in common with the room visits every number before it comes to one again.
        digits = str((index * 7_919 + seed * 104_729) % room).zfill(phrases.digits)
        name = dice.choice(phrases.names)
        yield Person(
            name="" if dice.random() < 0.05 else name,
            phone=phrases.prefix + digits,
            username=f"@{language}.{index}" if character == "ghost" else "",
            language=language,
            character=character,
            reads=dice.random() < 0.85,
            number=crowd.number,
        )
