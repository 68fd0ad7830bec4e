"""The two databases an archive may lie in, SQLCipher and PostgreSQL, behind one Protocol (places.py)."""
