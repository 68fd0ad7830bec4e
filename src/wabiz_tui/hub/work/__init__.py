"""The work on conversations: each act is one transaction with its line in the conversation and its entry in the log."""
