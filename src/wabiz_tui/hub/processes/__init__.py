"""Several hub processes over one archive: what they tell each other, who leads, and whose work is left when one dies."""
