"""Shifts: how everybody's stands, what a worker or an override says of it, and what the hub does when it turns."""
