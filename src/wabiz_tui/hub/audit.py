"""The audit log: who did what, never what was said. An act and its entry are one transaction."""

from typing import Any

import msgspec

from wabiz_tui.hub.archive.auditlog import AuditRow, append, log_size, read_entries, read_node
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.model.codec import decode, encode_canonical
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.armour import to_base64
from wabiz_tui.proof.merkle import consistency_proof, root
from wabiz_tui.proof.notes import Checkpoint, build_checkpoint

MOST_ENTRIES = 1000


class Act(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something a person or device did (the hub itself where `by` is empty). `about` is an id; `details` hold counts, ids, our words."""

    action: str
    by: str = ""
    device: str = ""
    about: str = ""
    result: str = "done"
    details: dict[str, Any] = {}


def record(writing: Writing, act: Act) -> int:
    """Add the act to the log, in the transaction that does it; the entry's number."""
    return append(writing, encode_canonical({"at": writing.now, **msgspec.to_builtins(act)}))


def origin(tenant: str) -> str:
    """The log's name in its checkpoints."""
    return f"wabiz/{tenant}"


def checkpoint(reading: Reading, audit_key: Secret) -> str:
    """The signed state of the log (a C2SP note)."""
    size = log_size(reading)
    return build_checkpoint(Checkpoint(origin(reading.tenant), size, _root(reading, size)), audit_key)


def entries(reading: Reading, start: int, limit: int) -> list[dict[str, Any]]:
    """Entries with all that is needed to recompute their leaves: record, salt and commitment."""
    return [_entry(row) for row in read_entries(reading, start, min(max(limit, 1), MOST_ENTRIES))]


def consistency(reading: Reading, old: int, new: int | None) -> dict[str, Any]:
    """The proof that the log of `new` entries begins with that of `old`. Raises BadInput for sizes it never had."""
    size = log_size(reading)
    later = size if new is None else new
    if not 0 <= old <= later <= size:
        raise BadInput(f"The log has {size} entries; ask for two sizes up to that, the smaller first.")
    proof = consistency_proof(old, later, lambda level, index: read_node(reading, level, index))
    return {
        "old": old,
        "new": later,
        "old_root": to_base64(_root(reading, old)),
        "new_root": to_base64(_root(reading, later)),
        "proof": [to_base64(node) for node in proof],
    }


def _root(reading: Reading, size: int) -> bytes:
    return root(size, lambda level, index: read_node(reading, level, index))


def _entry(row: AuditRow) -> dict[str, Any]:
    told = decode(row.record, dict[str, Any])
    return {
        "index": row.number,
        "at": told.get("at"),
        "action": told.get("action"),
        "by": told.get("by", ""),
        "about": told.get("about", ""),
        "result": told.get("result", "done"),
        "record": row.record,
        "salt": to_base64(row.salt),
        "commitment": to_base64(row.commitment),
    }
