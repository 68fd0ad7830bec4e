"""The error tree, divided by what the person or program that meets the error can do about it.

WabizError                  exit 1   failed
├── UsageError              exit 2   the call, the configuration or a document is wrong
│   └── DocumentError                … with file, line, key and the nearest valid name
├── Denied                  exit 3   policy, permission, key store or lock says no
│   ├── Locked                       the desk is locked: unlock first
│   ├── NoKeyStore                   no safe place for the local secret
│   ├── WrongKey                     the passphrase or key does not open it
│   ├── Revoked                      the hub no longer knows this device
│   └── LeaseEnded                   the cache may not be opened without the hub any more
├── Unreachable             exit 4   the hub, the desk or Meta does not answer
│   └── TooMany             exit 1   … because it was asked too often: again after a while
│       └── NoRoom      exit 1   … because the hub has no room for a file now: again after a while
├── StoreError                       a database file
│   ├── ForeignFile                  is not ours
│   ├── NewerSchema                  was written by a newer wabiz
│   ├── DamagedStore                 cannot be read
│   └── StoreFull                    has no room, or may not be written
├── BadInput                         something from outside is not what it must be
│   ├── BadSignature
│   ├── TooLarge
│   └── LimitBroken                  something to be sent is longer, more or other than Meta allows
├── NotFound
├── Conflict                         somebody else was first, or the same key came with other content
└── CloudError                       Meta (or the hub's gateway) answered with an error of its own
"""

from datetime import timedelta
from pathlib import Path


class WabizError(Exception):
    """`code` is stable and for programs; `sentence` tells the person who reads it what to do, in one sentence."""

    code = "failed"
    exit_status = 1

    def __init__(self, sentence: str, *, code: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        if code is not None:
            self.code = code


class UsageError(WabizError):
    code = "usage"
    exit_status = 2


class DocumentError(UsageError):
    """A configuration or policy document is wrong: where, which key, and the nearest valid name where one is near."""

    code = "document"

    def __init__(self, sentence: str, *, file: str, line: int | None = None, key: str | None = None, nearest: str | None = None):
        place = file if line is None else f"{file}:{line}"
        about = f"{place}: {key}: {sentence}" if key else f"{place}: {sentence}"
        super().__init__(f"{about} Did you mean '{nearest}'?" if nearest else about)
        self.file, self.line, self.key, self.nearest = file, line, key, nearest
        self.others: tuple[DocumentError, ...] = ()

    def with_others(self, others: "tuple[DocumentError, ...]") -> "DocumentError":
        """This error as the first of several in one document: its sentence holds theirs too, one a line."""
        self.others = others
        self.sentence = "\n".join((self.sentence, *(other.sentence for other in others)))
        self.args = (self.sentence,)
        return self


class Denied(WabizError):
    code = "denied"
    exit_status = 3


class Locked(Denied):
    code = "locked"


class NoKeyStore(Denied):
    code = "no_key_store"


class WrongKey(Denied):
    code = "wrong_key"


class Revoked(Denied):
    code = "revoked"


class LeaseEnded(Denied):
    code = "lease_ended"


class Unreachable(WabizError):
    code = "unreachable"
    exit_status = 4


class TooMany(Unreachable):
    """`retry_after` is how long to wait; a second where it crossed a socket without saying so."""

    code = "too_many"
    exit_status = 1
    retry_after = timedelta(seconds=1)

    def __init__(self, sentence: str, *, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class NoRoom(TooMany):
    code = "no_room"


class StoreError(WabizError):
    code = "store"

    def __init__(self, sentence: str, *, path: Path | None = None) -> None:
        super().__init__(sentence)
        self.path = path


class ForeignFile(StoreError):
    code = "foreign_file"


class NewerSchema(StoreError):
    code = "newer_schema"


class DamagedStore(StoreError):
    code = "damaged_store"


class StoreFull(StoreError):
    code = "store_full"


class BadInput(WabizError):
    code = "bad_input"


class BadSignature(BadInput):
    code = "bad_signature"


class TooLarge(BadInput):
    code = "too_large"


class LimitBroken(BadInput):
    """`field` is named as on the wire (`interactive.action.buttons[0].reply.title`), `limit` is what is allowed there.

    `value` is a length, a count or the number itself, and None where what was written is content: that is in no attribute and in
    no sentence. `why` is the sentence without the field; `graph_code` is the code Meta would answer with.
    """

    code = "limit_broken"
    field = ""
    limit: int | float | str = ""
    value: int | float | None = None
    why = ""
    graph_code = 131009

    def __init__(
        self, field: str, why: str, *, limit: int | float | str = "", value: int | float | None = None, graph_code: int = 131009
    ) -> None:
        super().__init__(f"{field} {why}.")
        self.field, self.why, self.limit, self.value, self.graph_code = field, why, limit, value, graph_code


class NotFound(WabizError):
    code = "not_found"


class Conflict(WabizError):
    code = "conflict"


class CloudError(WabizError):
    """An error body in Graph's shape. `graph_code` is Meta's number; `is_uncertain` means the request may have been carried out."""

    code = "cloud"

    def __init__(
        self,
        sentence: str,
        *,
        graph_code: int | None = None,
        http_status: int | None = None,
        details: str = "",
        is_transient: bool = False,
        is_uncertain: bool = False,
        retry_after: timedelta | None = None,
        trace: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(sentence, code=code)
        self.graph_code, self.http_status, self.details = graph_code, http_status, details
        self.is_transient, self.is_uncertain, self.retry_after, self.trace = is_transient, is_uncertain, retry_after, trace


def _tree(root: type[WabizError]) -> dict[str, type[WabizError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        # A kind that keeps its parent's code is told as its parent.
        found = _tree(child) | found
    return found


def error_from(code: str, sentence: str) -> WabizError:
    """The error of this tree with that code, as it was before it crossed a socket; unknown codes become WabizError."""
    kind = _tree(WabizError).get(code)
    if kind is None:
        return WabizError(sentence, code=code)
    error = kind.__new__(kind)
    WabizError.__init__(error, sentence, code=code)
    return error
