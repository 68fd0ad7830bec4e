"""Whether a restored audit log is the one that was backed up."""

from wabiz_tui.hub.archive.auditlog import log_size, read_entries, read_node
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.model.errors import DamagedStore
from wabiz_tui.proof.commitments import is_commitment
from wabiz_tui.proof.merkle import leaf_hash, root

_AT_ONCE = 1000


def check_audit_log(reading: Reading, size: int, wanted: bytes) -> None:
    """Raises DamagedStore unless it has this size and root, and every record is the one its leaf commits to."""
    found = log_size(reading)
    if found != size or root(size, lambda level, index: read_node(reading, level, index)) != wanted:
        raise DamagedStore("The audit log in the backup is not the one that was backed up; use another backup.")
    for start in range(0, size, _AT_ONCE):
        for row in read_entries(reading, start, _AT_ONCE):
            is_whole = is_commitment(row.commitment, row.salt, row.record.encode())
            if not is_whole or read_node(reading, 0, row.number) != leaf_hash(row.commitment):
                raise DamagedStore(f"Entry {row.number} of the audit log in the backup is not what its leaf commits to.")
