"""What spares people work: canned responses, macros, service levels, dealing out, replies out of hours, snoozes that end."""
