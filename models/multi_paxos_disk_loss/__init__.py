"""Multi-Paxos whose acceptors lose their disks."""
