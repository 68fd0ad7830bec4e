"""An unlocked desk: made by opening, ended by the lock."""
