"""The desk as a process of its own: one per cache, reached over a private Unix socket by screens and commands."""
