"""What stands on the screen, as lines of spans: pure, without a terminal, shared by the first paint and the app."""
