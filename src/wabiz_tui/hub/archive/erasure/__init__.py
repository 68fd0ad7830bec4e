"""Erasing for good what people are entitled to have erased: rows, keys, files, and a tombstone against their return."""
