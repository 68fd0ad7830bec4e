"""Search: what was asked, and how the cache answers it."""
