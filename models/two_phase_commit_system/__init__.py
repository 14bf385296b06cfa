"""Two-phase commit as a system: durable logs, time-outs, crashes, recovery, termination."""
