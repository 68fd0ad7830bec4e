"""What `wabiz hub doctor` says of one thing it looked at."""

from collections.abc import Iterable
from typing import Literal

import msgspec

State = Literal["ok", "warning", "failed"]


class Finding(msgspec.Struct, frozen=True):
    """`sentence` says what is so and, where it is not well, what to do. It holds no secret, no content and nobody's name."""

    check: str
    state: State
    sentence: str


def ok(check: str, sentence: str) -> Finding:
    return Finding(check, "ok", sentence)


def warning(check: str, sentence: str) -> Finding:
    return Finding(check, "warning", sentence)


def failed(check: str, sentence: str) -> Finding:
    return Finding(check, "failed", sentence)


def is_well(findings: Iterable[Finding]) -> bool:
    return all(finding.state != "failed" for finding in findings)
