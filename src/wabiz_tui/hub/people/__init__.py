"""People and their devices: enrolment, tokens, shares, receipts, revocation."""
