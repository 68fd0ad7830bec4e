"""What an agent wrote, until the hub has it."""
