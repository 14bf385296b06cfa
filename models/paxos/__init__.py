"""Single-decree Paxos as messages that are sent and never go away."""
