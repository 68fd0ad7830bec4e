"""Screens that stand instead of the inbox: unlock, locked, the desk has ended."""
