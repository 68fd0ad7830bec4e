"""The feed of changes: what each reader may see of the archive, by page and as it happens."""
