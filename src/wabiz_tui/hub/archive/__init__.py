"""The system of record: schema, sealing, journal and the feed's counter. All SQL of the hub stands in this room."""
