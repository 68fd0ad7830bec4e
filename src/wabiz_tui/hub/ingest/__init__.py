"""From Meta's webhook to the archive: the door, the journal's folding, and customers' files."""
