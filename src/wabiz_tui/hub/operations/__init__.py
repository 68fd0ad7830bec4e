"""Run the hub: its settings and secrets, its server, logs and counts."""
