"""The feed taken into the cache, and what the policy lets it hold."""
