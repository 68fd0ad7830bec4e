"""Questions with a typed answer, one a file."""
