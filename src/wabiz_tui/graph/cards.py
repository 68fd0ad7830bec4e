"""Contact cards to be sent, from typed values (cloud-api §4)."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from wabiz_tui.graph.outgoing import said
from wabiz_tui.graph.reading import Json


class Phone(NamedTuple):
    """`wa_id` makes the card's button open a chat; `type` is HOME, WORK or free text."""

    phone: str
    type: str = ""
    wa_id: str = ""


class Email(NamedTuple):
    email: str
    type: str = ""


class Url(NamedTuple):
    url: str
    type: str = ""


class Address(NamedTuple):
    street: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""
    country_code: str = ""
    type: str = ""


class Name(NamedTuple):
    """`formatted_name` and at least one other part are required."""

    formatted_name: str
    first_name: str = ""
    last_name: str = ""
    middle_name: str = ""
    prefix: str = ""
    suffix: str = ""


class Organisation(NamedTuple):
    company: str = ""
    department: str = ""
    title: str = ""


def contact_card(
    name: Name,
    *,
    phones: Sequence[Phone] = (),
    emails: Sequence[Email] = (),
    urls: Sequence[Url] = (),
    addresses: Sequence[Address] = (),
    organisation: Organisation | None = None,
    birthday: date | None = None,
) -> Json:
    """One card, for model.content.ContactCards."""
    card: Json = {"name": said(name._asdict())}
    for key, items in (("phones", phones), ("emails", emails), ("urls", urls), ("addresses", addresses)):
        if items:
            card[key] = [said(item._asdict()) for item in items]
    if organisation is not None:
        card["org"] = said(organisation._asdict())
    if birthday is not None:
        card["birthday"] = birthday.isoformat()
    return card
