"""The characters a customer can have, and what each makes of what they have to say."""

import random
from datetime import timedelta

import msgspec

from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.customers import talk
from wabiz_tui.simulator.customers.hostile import hostile_content
from wabiz_tui.simulator.customers.talk import phrase_book

CATALOG = "194836987003835"
PRODUCTS = ("di9ozbzfi4", "nqryix03ez", "bike-bell-01", "helmet-blue-m")


class Character(msgspec.Struct, frozen=True):
    """`row` is how many messages come in a row, at least and at most; `haste` times the usual typing time; `patience` after which an
    unanswered one writes again, up to `nags` times."""

    about: str
    row: tuple[int, int] = (1, 1)
    haste: float = 1.0
    patience: timedelta | None = None
    nags: int = 3
    answers: bool = True
    reads: bool = True
    is_hidden: bool = False


CHARACTERS: dict[str, Character] = {
    "plain": Character("answers what is asked"),
    "chatty": Character("two to four messages in a row", row=(2, 4), haste=0.5),
    "terse": Character("a word or two"),
    "impatient": Character("writes again after a minute, three times", haste=0.4, patience=timedelta(minutes=1)),
    "mute": Character("never answers, never reads", answers=False, reads=False),
    "hostile": Character("control characters, bidi, markup, a line of a mebibyte, the names of staff", haste=0.3),
    "polyglot": Character("another language each time"),
    "shopper": Character("asks about products and orders them"),
    "photographer": Character("pictures, videos and voice notes", row=(1, 3)),
    "forwarder": Character("forwards what others wrote"),
    "editor": Character("corrects and deletes what they wrote"),
    "ghost": Character("no phone number, only a user id", is_hidden=True),
}
Deed = tuple[str, float]
"""What follows a message: `edit` or `revoke`, after so many seconds."""


class Saying(msgspec.Struct, frozen=True):
    """One message to write, and what is done to it later."""

    content: Json
    then: Deed | None = None
    corrected: str = ""


def language_of(character: str, language: str, dice: random.Random) -> str:
    return dice.choice(sorted(phrase_book())) if character == "polyglot" else language


def sayings(character: str, text: str, language: str, turn: int, dice: random.Random) -> list[Saying]:
    """What a customer of this character makes of `text`: one or more messages. `turn` counts what they said before."""
    known = CHARACTERS.get(character, CHARACTERS["plain"])
    if character == "hostile":
        return [Saying(hostile_content(turn))]
    first = _first(character, text, turn, dice)
    more = dice.randint(*known.row) - 1
    return [first, *(_more(character, language, dice) for _ in range(more))]


def _first(character: str, text: str, turn: int, dice: random.Random) -> Saying:
    content: Json = {"type": "text", "text": {"body": text}}
    if character == "terse":
        return Saying({"type": "text", "text": {"body": text.split(".", maxsplit=1)[0].split(",", maxsplit=1)[0][:24]}})
    if character == "forwarder":
        return Saying({**content, "context": {"frequently_forwarded" if turn % 3 == 2 else "forwarded": True}})
    if character == "photographer":
        return Saying(_picture(text, dice))
    if character == "shopper":
        return Saying(_shopping(content, text, turn, dice))
    if character == "editor":
        deed: Deed = ("revoke" if turn % 3 == 2 else "edit", dice.uniform(4.0, 40.0))
        return Saying(content, deed, text + " *")
    return Saying(content)


def _more(character: str, language: str, dice: random.Random) -> Saying:
    text = talk.question(language, dice)
    return Saying(_picture(text, dice) if character == "photographer" else {"type": "text", "text": {"body": text}})


def _picture(text: str, dice: random.Random) -> Json:
    kind = dice.choice(("image", "image", "image", "video", "audio", "sticker"))
    sample = dice.choice(("default", "bike", "wheel", "receipt", "sunset", "photo"))
    inner: Json = {"sample": sample} if kind in ("audio", "sticker") else {"sample": sample, "caption": text}
    return {"type": kind, kind: inner}


def _shopping(content: Json, text: str, turn: int, dice: random.Random) -> Json:
    """First a question about a product, then its order, then words again."""
    if turn % 3 == 0:
        return {**content, "context": {"referred_product": {"catalog_id": CATALOG, "product_retailer_id": dice.choice(PRODUCTS)}}}
    if turn % 3 == 1:
        items = [
            {"product_retailer_id": name, "quantity": dice.randint(1, 3), "item_price": dice.randint(500, 9900) / 100, "currency": "EUR"}
            for name in dice.sample(PRODUCTS, dice.randint(1, 2))
        ]
        return {"type": "order", "order": {"catalog_id": CATALOG, "text": text, "product_items": items}}
    return content
