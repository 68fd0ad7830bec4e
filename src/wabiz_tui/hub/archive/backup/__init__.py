"""Backups of an archive and of its keys, and what is made of them again: the same rows whatever engine they came from."""
