"""The endpoints of /v1, each with the permission it needs, by subject; table.py joins them."""
