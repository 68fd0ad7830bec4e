"""The central policy as data, and what it decides: retention, hours, privacy, permissions, window. Pure; knows the vocabulary only."""
