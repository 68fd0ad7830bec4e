"""What Meta tells, read part by part; `graph/webhooks.py` joins it."""
