"""What the agent sees: draws the desk and turns keys into calls on it. Knows model and policy only."""
