"""Three-phase commit as a system: durable states, time-outs, crashes, recovery, termination."""
