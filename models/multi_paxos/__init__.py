"""Multi-Paxos: a replicated log, as messages that are sent and never go away."""
