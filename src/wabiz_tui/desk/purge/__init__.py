"""The end of what may no longer be held, and the proof of it."""
