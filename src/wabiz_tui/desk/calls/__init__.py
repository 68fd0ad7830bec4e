"""The desk's calls, by what they are about; desk.py joins them."""
