"""One conversation: the timeline, the composer and what is known of the contact."""
