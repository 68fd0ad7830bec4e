"""The queue, its screen and what its verbs do."""
