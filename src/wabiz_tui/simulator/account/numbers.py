"""The business numbers of the pretend account: what is known of each, and the rules of registering it (cloud-api §2)."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.refusals import Refusal

CODE = "123456"
"""What `verify_code` takes: there is no telephone here to tell another one."""
PIN = re.compile(r"[0-9]{6}")
ATTEMPTS, ATTEMPTS_WITHIN = 10, timedelta(hours=72)
PAUSE_AFTER_DELETION = timedelta(minutes=5)
PIN_GUESSES = 5
COEXISTING_PER_SECOND, HIGH_PER_SECOND = 20, 1000


@dataclass
class Number:
    """`pin` is the two-step code, None while there is none. `quality` is GREEN, YELLOW, RED or UNKNOWN, `throughput` STANDARD or HIGH."""

    id: str
    is_registered: bool = True
    is_verified: bool = True
    pin: str | None = None
    quality: str = "GREEN"
    throughput: str = "STANDARD"
    name_status: str = "APPROVED"
    verified_name: str = ""
    is_official: bool = False
    platform: str = "CLOUD_API"
    is_on_app: bool = False
    """Coexistence: also used in the WhatsApp Business app; 20 messages a second, fixed."""
    search_visibility: str = "VISIBLE"
    username: str = ""
    settings: Json = field(default_factory=dict[str, object])
    automation: Json = field(default_factory=dict[str, object])
    profile: Json = field(default_factory=dict[str, object])
    codes: dict[str, Json] = field(default_factory=dict[str, Json])
    """QR code → what it holds."""
    _attempts: list[datetime] = field(default_factory=list[datetime])
    _deleted_at: datetime | None = None
    _code_asked: bool = False
    _wrong_pins: int = 0

    @property
    def status(self) -> str:
        return "CONNECTED" if self.is_registered else "DISCONNECTED"

    @property
    def per_second(self) -> int | None:
        """Its own throughput, None for the usual one (cloud-api §11)."""
        return COEXISTING_PER_SECOND if self.is_on_app else HIGH_PER_SECOND if self.throughput == "HIGH" else None

    def need_registered(self) -> None:
        if not self.is_registered:
            raise graph_error(133010, "The phone number is not registered on the WhatsApp Business Platform")

    def register(self, pin: str, now: datetime) -> None:
        """Raises CloudError 100, 133006, 133005, 133008, 133015 or 133016. The first registration sets the PIN."""
        _need_pin(pin)
        self._attempt(now)
        if not self.is_verified:
            raise graph_error(133006, "The phone number must be verified before it is registered")
        if self._deleted_at is not None and now < self._deleted_at + PAUSE_AFTER_DELETION:
            raise graph_error(133015, "The phone number was deregistered a moment ago: wait five minutes")
        self._check_pin(pin)
        self.pin, self.is_registered, self._deleted_at = pin, True, None

    def deregister(self, now: datetime) -> None:
        self.need_registered()
        self._attempt(now)
        self.is_registered, self._deleted_at = False, now

    def request_code(self) -> None:
        if self.is_verified and self.is_registered:
            raise Refusal(136024, "(#136024) Request code error", title="Phone number already verified", text="It needs no code.")
        self._code_asked = True

    def verify(self, code: str) -> None:
        if not self._code_asked or code != CODE:
            raise Refusal(136025, "(#136025) Verify code error", title="Code couldn't be verified", text="Ask for a code and try again.")
        self.is_verified, self._code_asked = True, False

    def set_pin(self, pin: str) -> None:
        _need_pin(pin)
        self.pin, self._wrong_pins = pin, 0

    def _attempt(self, now: datetime) -> None:
        self._attempts = [at for at in self._attempts if now - at < ATTEMPTS_WITHIN]
        if len(self._attempts) >= ATTEMPTS:
            raise graph_error(133016, "Registration and deregistration were tried too often: wait 72 hours")
        self._attempts.append(now)

    def _check_pin(self, pin: str) -> None:
        if self.pin is None or self.pin == pin:
            self._wrong_pins = 0
            return
        self._wrong_pins += 1
        if self._wrong_pins > PIN_GUESSES:
            raise graph_error(133008, "Too many guesses of the two-step verification PIN")
        raise graph_error(133005, "The two-step verification PIN is not that of this number")


def _need_pin(pin: str) -> None:
    if not PIN.fullmatch(pin):
        raise graph_error(100, "Param pin must be exactly 6 digits.")
