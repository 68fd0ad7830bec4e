"""The encrypted files of an agent's machine: the cache of one epoch, and the outbox with its drafts."""
