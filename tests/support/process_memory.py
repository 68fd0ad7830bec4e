"""What a process has in its memory and what the kernel says of it, read from /proc as root would."""

import base64
import os
from pathlib import Path

_CHUNK = 1 << 24
_OVERLAP = 256


def can_read_others() -> bool:
    return os.geteuid() == 0 and Path("/proc/self/mem").exists()


def spellings(secret: bytes) -> list[bytes]:
    """The forms in which a key may lie about: raw, hexadecimal in both cases, base64 of both alphabets without its padding."""
    return [
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
    ]


def texts(marker: str) -> list[bytes]:
    """The forms in which Python keeps text: one, two or four bytes a character."""
    return [marker.encode(), marker.encode("utf-16-le"), marker.encode("utf-32-le")]


def count_in_memory(pid: int, needles: list[bytes]) -> int:
    """How often any of `needles` is in the writable memory of a process."""
    found = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in _writable(pid):
            tail = b""
            for at in range(start, end, _CHUNK):
                try:
                    memory.seek(at)
                    chunk = memory.read(min(_CHUNK, end - at))
                except (OSError, ValueError, OverflowError):
                    # A hole, or a page of the kernel's.
                    break
                window = tail + chunk
                found += sum(window.count(needle) - tail.count(needle) for needle in needles)
                tail = window[-_OVERLAP:]
    return found


def _writable(pid: int) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        place, rights, *_ = line.split()
        if rights.startswith("rw") and "[vvar" not in line and "[vsyscall]" not in line:
            start, end = (int(part, 16) for part in place.split("-"))
            ranges.append((start, end))
    return ranges


def shown_by(pid: int) -> bytes:
    """What anybody on the machine, or the same user, may read of a process: arguments and environment."""
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))


def core_limit(pid: int) -> str:
    """The soft limit of core dumps."""
    line = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max core file size"))
    return line.split()[4]
