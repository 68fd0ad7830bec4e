"""The customers: who they are to Meta, when they last wrote, and how their numbers are spelled."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wabiz_tui.graph.reading import Json

WINDOW = timedelta(hours=24)
_NOT_DIGITS = re.compile(r"\D")


@dataclass
class Customer:
    """`reads` False means that read receipts are off; `is_reachable` False that the number is not on WhatsApp."""

    wa_id: str | None
    user_id: str | None = None
    parent_user_id: str | None = None
    name: str | None = None
    username: str | None = None
    is_phone_hidden: bool = False
    reads: bool = True
    is_reachable: bool = True
    is_online: bool = True
    """False: the phone is off. What is sent to it is `sent` and no more, until it is on again."""
    waiting: list[Callable[[], None]] = field(default_factory=list["Callable[[], None]"])
    """What is told once the phone is on again."""
    calls_until: dict[str, datetime | None] = field(default_factory=dict[str, "datetime | None"])
    """phone_number_id → until when that number may call them; None: for good."""
    last_incoming: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """phone_number_id → Meta's time of the customer's latest message."""
    blocked_by: set[str] = field(default_factory=set[str])
    """The business numbers that block them."""
    blocks: set[str] = field(default_factory=set[str])
    """The business numbers they block: the business is told 131026, never why."""
    wants_marketing: bool = True
    """False: they chose to stop it, and marketing templates fail with 131050."""
    identity_key_hash: str | None = None

    @property
    def key(self) -> str:
        return self.user_id or self.wa_id or ""

    @property
    def shown_wa_id(self) -> str | None:
        return None if self.is_phone_hidden else self.wa_id

    def note_incoming(self, number: str, at: datetime) -> None:
        """Opens the window: it counts from Meta's timestamp, not from the telling."""
        self.last_incoming[number] = max(self.last_incoming.get(number, at), at)

    def is_window_open(self, number: str, now: datetime) -> bool:
        last = self.last_incoming.get(number)
        return last is not None and now < last + WINDOW

    def contact(self) -> Json:
        """The entry in a webhook's `contacts`; what is not known is missing, not empty."""
        profile = {key: value for key, value in (("name", self.name), ("username", self.username)) if value}
        told = (("wa_id", self.shown_wa_id), ("user_id", self.user_id), ("parent_user_id", self.parent_user_id))
        return {**({"profile": profile} if profile else {}), **{key: value for key, value in told if value}}


class People:
    """All customers by phone and by user id. Unknown ones are made when they are first spoken of."""

    def __init__(self, *, has_user_ids: bool = True) -> None:
        self.has_user_ids = has_user_ids
        self._all: list[Customer] = []
        self._known: dict[str, Customer] = {}

    def all(self) -> list[Customer]:
        return list(self._all)

    def add(self, customer: Customer) -> Customer:
        self._all.append(customer)
        return customer

    def find(self, *, wa_id: str | None = None, user_id: str | None = None) -> Customer | None:
        """By user id first; a phone number also under its other spelling."""
        # Who is looked for has mostly been found before; ids move, so that this is a hint only.
        hint = self._known.get(user_id or wa_id or "")
        if hint is not None and (user_id or wa_id) == (hint.user_id if user_id else hint.wa_id):
            return hint
        found = self._search(wa_id, user_id)
        if found is not None:
            self._known[user_id or wa_id or ""] = found
        return found

    def _search(self, wa_id: str | None, user_id: str | None) -> Customer | None:
        if user_id:
            known = next((one for one in self._all if user_id in (one.user_id, one.parent_user_id)), None)
            if known is not None:
                return known
        if not wa_id:
            return None
        spelled = {wa_id, canonical(wa_id)}
        return next((one for one in self._all if one.wa_id in spelled), None)

    def meet(self, *, wa_id: str | None = None, user_id: str | None = None, name: str | None = None) -> Customer:
        """The customer of that number or user id, made if unknown."""
        known = self.find(wa_id=wa_id, user_id=user_id)
        if known is None:
            made = user_id or (made_user_id(wa_id) if wa_id and self.has_user_ids else None)
            known = self.add(Customer(wa_id=wa_id, user_id=made))
        if user_id:
            known.user_id = user_id
        if wa_id and known.wa_id is None:
            known.wa_id = wa_id
        if name is not None:
            known.name = name or None
        return known


def digits_of(phone: str) -> str:
    return _NOT_DIGITS.sub("", phone)


def made_user_id(wa_id: str, *, owner: str = "") -> str:
    """A stable BSUID for a phone number: country prefix, then twenty digits. `owner` tells later holders of the number apart."""
    number = int.from_bytes(hashlib.sha256(f"bsuid {wa_id}{owner}".encode()).digest()[:9], "big")
    return f"{country_of(wa_id)}.{number % 10**20:020d}"


def country_of(wa_id: str) -> str:
    """The two letters of the number's country, for a made-up number those of its calling code; US where neither is known."""
    import phonenumbers

    try:
        number = phonenumbers.parse(f"+{wa_id}")
    except phonenumbers.NumberParseException:
        return "US"
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return region if region.isalpha() and region != "ZZ" else "US"


def calling_code_of(display: str) -> str:
    """The country calling code of a business number, as digits."""
    import phonenumbers

    try:
        return str(phonenumbers.parse("+" + digits_of(display)).country_code or 1)
    except phonenumbers.NumberParseException:
        return "1"


def canonical(digits: str) -> str:
    """WhatsApp's own spelling of numbers whose national form changed: Brazil's ninth digit, Mexico's 1, Argentina's 9."""
    if digits.startswith("55") and len(digits) == 13 and digits[4] == "9" and digits[2:4] >= "31":
        return digits[:4] + digits[5:]
    if digits.startswith("52") and len(digits) == 12:
        return "521" + digits[2:]
    if digits.startswith("54") and len(digits) == 12:
        return "549" + digits[2:]
    return digits


def dialled(to: str, calling_code: str, people: People) -> str:
    """The number `to` reaches. Without a plus Meta puts the business's own calling code in front (cloud-api §3.1), unless the
    digits already are a customer's number or begin with that code."""
    digits = digits_of(to)
    if to.strip().startswith("+") or people.find(wa_id=digits) is not None:
        return digits
    if digits.startswith(calling_code) and len(digits) >= 11:
        return digits
    return calling_code + digits
