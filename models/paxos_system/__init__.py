"""Paxos as a system: proposers, acceptors and learners, crashes, a bad network."""
