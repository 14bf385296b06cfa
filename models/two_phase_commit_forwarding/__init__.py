"""Non-blocking two-phase commit: a decision is forwarded to all before anybody takes it."""
