"""The files of messages on this machine: fetched from the hub, sealed on the disk, lent to viewers from memory."""
