"""What came of a request that did not succeed, by what may be done about it.

CloudError
├── Refused          Meta answered no: nothing was carried out. `retry` says who can make it work
└── Unanswered       no answer that can be read, and nothing was carried out by asking: ask again
    ├── NeverLeft    the request surely never left this machine
    └── Uncertain    it may have been carried out: never repeat a send by machine (cloud-api §12, F*)
"""

from collections.abc import Callable

from wabiz_tui.graph.errors import MAX_DETAILS, Retry, meaning
from wabiz_tui.model.errors import BadInput, CloudError

_LONGEST_TRACE = 200


class Refused(CloudError):
    """Meta's own refusal, with its code (where it gave one), details, and `trace`: its fbtrace_id for a support case. `answer` is the
    body it came in, as far as it could be read."""

    answer = b""

    @property
    def retry(self) -> Retry:
        """The rule of cloud-api §12 for the code; "never" where there is none, but "backoff" for a 429 without a code."""
        if self.graph_code is None:
            return "backoff" if self.is_transient else "never"
        return meaning(self.graph_code).retry


class Unanswered(CloudError):
    """A question (GET) that got no readable answer. It may simply be asked again."""


class NeverLeft(Unanswered):
    """No connection, no turn in time, or a full pool: Meta has seen nothing of it."""


class Uncertain(Unanswered):
    """Cut, timed out, 131000 or an unexplained 5xx: Meta may have done it. A status webhook tells, or a person."""


class WrongHash(BadInput):
    """The file that came is not the one its SHA-256 names: what was received must be thrown away."""

    code = "wrong_hash"


def outcome(error: CloudError, *, is_safe: bool, hide: Callable[[str], str]) -> CloudError:
    """`error` as one of this module's kinds. What Meta wrote is bounded, and `hide` takes secrets out of it: Graph repeats a
    malformed token in its error."""
    kind = Refused if not error.is_uncertain else Unanswered if is_safe else Uncertain
    return kind(
        hide(error.sentence),
        graph_code=error.graph_code,
        http_status=error.http_status,
        details=hide(error.details)[:MAX_DETAILS],
        is_transient=error.is_transient or kind is Unanswered,
        is_uncertain=kind is Uncertain,
        retry_after=error.retry_after,
        trace=hide(error.trace)[:_LONGEST_TRACE] if error.trace else None,
    )


def never_left(reason: str) -> NeverLeft:
    return NeverLeft(f"WhatsApp cannot be reached ({reason}): nothing was sent.", code="unreachable", is_transient=True)


def may_have_arrived(reason: str, *, is_safe: bool) -> Unanswered:
    if is_safe:
        return Unanswered(f"WhatsApp did not answer ({reason}).", code="unreachable", is_transient=True)
    return Uncertain(
        f"The connection broke before WhatsApp answered ({reason}): check whether it arrived before sending again.", is_uncertain=True
    )
