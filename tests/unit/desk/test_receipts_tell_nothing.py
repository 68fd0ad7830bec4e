"""A receipt says that something was destroyed and how much of it, and nothing by which anybody could tell what: neither as it goes to the
hub nor as an auditor gets it."""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request

from tests.support.desk_bench import COLD, PASSPHRASE, opened
from tests.support.desk_hub import TENANT, FakeHub
from tests.support.desk_samples import contact, conversation, ident, message
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.purge.receipts import METHOD, METHOD_OF_RESET, STORES
from wabiz_tui.model.content import Document, Text
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.wire import Receipt, ReceiptCounts, SignedReceipt

NAME, PHONE, WORDS, FILE, CAPTION = "Persephone Quillfeather", "447700900123", "zanzibar cloves at noon", "passport-scan-77.pdf", "my visa"
NOW = datetime.now(UTC)
Check = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1000


def _is_time(value: Any) -> bool:
    """Of the purge, not of what was purged."""
    return abs(datetime.fromisoformat(value) - datetime.now(UTC)) < timedelta(hours=1)


def _is_digest(value: Any) -> bool:
    return re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_of(*allowed: object) -> Check:
    return lambda value: value in allowed


ALLOWED: dict[type[msgspec.Struct], dict[str, Check]] = {
    Receipt: {
        "number": _is_number, "epoch": _is_number, "next_epoch": _is_number, "policy": _is_number,
        "tenant": _is_of(TENANT), "reason": _is_of("asked", "due", "removed", "resolved"),
        "started_at": _is_time, "finished_at": _is_time,
        "ids_hash": _is_digest, "stores": _is_of(list(STORES)), "method": _is_of(METHOD, METHOD_OF_RESET),
        "file_destroyed": _is_of(True), "key_destroyed": _is_of(True),
        "previous": lambda value: value == "" or _is_digest(value),
    },
    ReceiptCounts: dict.fromkeys(ReceiptCounts.__struct_fields__, _is_number),
    SignedReceipt: {"signature": lambda value: len(base64.b64decode(value)) == 64},
}  # fmt: skip
"""What each field may hold; `device` and `public_key` are the enrolment's, `receipt` and the counts are read further."""
SEEN_ELSEWHERE: dict[type[msgspec.Struct], set[str]] = {
    Receipt: {"device", "removed", "kept"},
    SignedReceipt: {"receipt", "public_key"},
    ReceiptCounts: set(),
}


class ListeningHub(FakeHub):
    """Keeps every receipt as it came over the wire."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[bytes] = []

    async def receipt(self, request: Request) -> object:
        self.came.append(await request.body())
        return await super().receipt(request)


def fill(hub: FakeHub) -> tuple[list[list[str]], list[str]]:
    """Three people, of whom two are purged; the ids of what goes together, by each way of putting it together, and all words."""
    rows = [conversation(n, name=f"{NAME} {n}", last_at=NOW, preview=WORDS, window_until=NOW + timedelta(hours=20)) for n in (1, 2, 3)]
    people = [contact(n, name=f"{NAME} {n}", phone=f"+{PHONE}{n}", username=f"persephone{n}") for n in (1, 2, 3)]
    spoken = [message(n, 1 + n % 3, Text(f"{WORDS} {n}"), wamid=f"wamid.SECRET{n}", sent_at=NOW - timedelta(minutes=n)) for n in range(12)]
    sent = message(50, 1, Document(filename=FILE, caption=CAPTION), wamid="wamid.SECRET50", sent_at=NOW)
    hub.put(*rows, *people, *spoken, sent)
    ids = [one.id for one in (*rows, *people, *spoken, sent)]
    words = [
        NAME,
        PHONE,
        "persephone",
        WORDS,
        FILE,
        CAPTION,
        "wamid",
        *ids,
        *(one.wamid or "" for one in spoken),
        *NAME.split(),
        *WORDS.split()[:2],
    ]
    groups = [[*ids]]
    for row, person in zip(rows, people, strict=True):
        said = [one.id for one in (*spoken, sent) if one.conversation == row.id]
        groups += [said, [row.id, *said], [person.id, *said], [row.id, person.id, *said], [row.id, person.id]]
    return groups, words


def export(paths: Paths, device: str) -> bytes:
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE.reveal())
    os.close(writing)
    command = [str(Path(sys.executable).with_name("wabiz")), "receipts", "export", device, "--passphrase-fd", str(reading)]
    environment = os.environ | {"WABIZ_HOME": str(paths.config)}
    done = subprocess.run(command, env=environment, pass_fds=(reading,), capture_output=True, timeout=60, check=True)
    os.close(reading)
    subprocess.run([command[0], "lock"], env=environment, capture_output=True, timeout=60, check=True)
    return done.stdout


def guesses(together: Sequence[Sequence[str]], known: Sequence[bytes]) -> Iterator[bytes]:
    """What somebody could compute who knows the ids, or guesses them, and everything that is public: plain and keyed digests of each, of
    each pair, and of what went together."""
    ids = sorted({one for group in together for one in group})
    for group in [*([one] for one in ids), *(list(pair) for pair in combinations(ids, 2)), *map(sorted, together)]:
        texts = {glue.join(group).encode() for glue in ("\n", "", ",", " ")} | {b"".join(map(bytes.fromhex, group))}
        texts |= {json.dumps(group, separators=(",", ":")).encode(), "\n".join([*group, ""]).encode()}
        for text in texts:
            for algorithm in ("md5", "sha1", "sha256", "sha512", "blake2b", "sha3_256"):
                yield hashlib.new(algorithm, text).digest()
            for key in known:
                yield hmac.digest(key, text, "sha256")


def spellings(digest: bytes) -> list[str]:
    """Cut ones too: what begins alike is told by a search for the beginning."""
    return [digest[:8].hex(), base64.b64encode(digest[:9]).decode(), base64.urlsafe_b64encode(digest[:9]).decode()]


def test_every_field_is_thought_of() -> None:
    """A field that is added has its line above: what it may hold."""
    for kind, checks in ALLOWED.items():
        assert set(kind.__struct_fields__) == set(checks) | SEEN_ELSEWHERE[kind]


async def test_a_receipt_tells_nothing_of_what_was_destroyed(tmp_path: Path) -> None:
    """Conversations taken away, purged, and once more: no field of any receipt has a name, number, word, file name or id, or a digest that
    a guess could be held against."""
    paths = paths_under(tmp_path / "home")
    hub = ListeningHub()
    with hub.serve():
        together, words = fill(hub)
        async with opened(hub, paths, config=COLD) as desk:
            for number in (1, 2):
                hub.remove(hub.values[ident(number)])
                await desk.sync()
                await desk.purge()
        told = export(paths, get_enrolment(paths).device)

    lines = [*hub.came, *told.splitlines()]
    enrolment = get_enrolment(paths)
    assert sum(_check(json.loads(line), enrolment.device) for line in lines) >= 2 * (5 + 4)
    whole = b"\n".join(lines).decode().lower()
    assert [word for word in words if word.lower() in whole] == []
    public = [b"", TENANT.encode(), enrolment.device.encode(), bytes.fromhex(enrolment.device), enrolment.cache_id.encode()]
    public += [bytes.fromhex(enrolment.cache_id), enrolment.person.encode(), *(str(epoch).encode() for epoch in range(1, 5))]
    public += [base64.b64decode(json.loads(lines[0])["public_key"]), b"wabiz/receipt/v1"]
    computed = {spelling.lower() for digest in guesses(together, public) for spelling in spellings(digest)}
    windows = {whole[start : start + length] for length in (12, 16) for start in range(len(whole))}
    assert computed & windows == set()


def _check(signed: dict[str, Any], device: str) -> int:
    """Of one line, every field as it was thought of; how many messages it says were removed."""
    receipt = json.loads(signed["receipt"])
    assert receipt["device"] == device
    for kind, values in (
        (SignedReceipt, signed),
        (Receipt, receipt),
        (ReceiptCounts, receipt["removed"]),
        (ReceiptCounts, receipt["kept"]),
    ):
        assert set(values) <= set(kind.__struct_fields__)
        refused = [name for name, value in values.items() if name not in SEEN_ELSEWHERE[kind] and not ALLOWED[kind][name](value)]
        assert refused == []
    return int(receipt["removed"].get("messages", 0))
