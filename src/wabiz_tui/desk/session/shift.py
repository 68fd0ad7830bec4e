"""The end of the shift, kept without the hub: its last word for as long as that reaches, then the policy's hours."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from wabiz_tui.model.errors import Denied, WabizError
from wabiz_tui.model.shift import OFF_SHIFT, ShiftStanding
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.standing import closed_sentence, standing

_LOOK_EVERY = 2.0
_ADMITTED = timedelta(minutes=2)
"""How long the hub's consent to an unlocking stands for its word, which the stream brings."""


class ShiftEnd:
    """`policy` and `now` are those of the moment; None where no policy is known yet. While `is_online` it is the hub that tells how
    the shift stands, for it knows breaks and overrides. `ended` is told once, at the first instant off shift under a policy that closes
    the inbox then."""

    def __init__(
        self,
        role: str,
        *,
        policy: Callable[[], Policy | None],
        now: Callable[[], datetime],
        is_online: Callable[[], bool],
        ended: Callable[[WabizError], None],
    ) -> None:
        self._role, self._policy, self._now, self._is_online, self._ended = role, policy, now, is_online, ended
        self._told: ShiftStanding | None = None

    def hear(self, stands: ShiftStanding) -> None:
        self._told = stands

    def hear_earlier(self, stands: ShiftStanding | None) -> None:
        """What the hub said in an earlier run: an override may outlast one."""
        if self._told is None or (stands is not None and stands.until is not None and stands.until > self._now() + _ADMITTED):
            self._told = stands

    def admit(self) -> None:
        """The hub has just given the share, which it gives nobody who is closed out."""
        self._told = ShiftStanding("working", until=self._now() + _ADMITTED)

    def standing(self) -> ShiftStanding:
        now, told, policy = self._now(), self._told, self._policy()
        if told is not None and told.state == "working" and told.until is not None and now < told.until:
            return told
        return ShiftStanding("working") if policy is None else standing(policy, self._role, now)

    def refusal(self) -> Denied | None:
        """Why nobody may see anything now; None where they may."""
        stands, policy = self.standing(), self._policy()
        if not stands.is_closed or policy is None:
            return None
        return Denied(closed_sentence(stands, policy.hours.zone), code=OFF_SHIFT)

    async def keep(self) -> None:
        """Watch until the shift ends without the hub."""
        known: tuple[object, ...] = ()
        until: datetime | None = None
        while True:
            depends_on = self._told, self._policy(), self._is_online()
            # Hours are not computed again before anything that they depend on is another.
            if depends_on != known or (until is not None and until <= self._now()):
                known, until = depends_on, self.standing().until
                refusal = None if self._is_online() else self.refusal()
                if refusal is not None:
                    self._ended(refusal)
                    return
            await asyncio.sleep(_LOOK_EVERY)
