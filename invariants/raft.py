"""Raft: what the protocol promises, and what its state keeps on the way.

The first five are Figure 3 of Ongaro and Ousterhout, 'In Search of an Understandable Consensus
Algorithm (Extended Version)' (2014), in its words as far as a state or a step can say them. The
others follow from the descriptions of the variables in Figure 2.

The properties ask a spec for the variables below, named as in Figure 2, and for nothing else. An
index counts from 1 in the paper, and so does it in `commit_index`; a log is a sequence, whose
positions count from 0. An entry that is committed counts as applied.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..language import (
    Map,
    Node,
    Nodes,
    Seq,
    Set,
    always_possible,
    invariant,
    is_quorum,
    step_property,
    step_witness,
    witness,
)


class Replication(Protocol):
    """A spec in which servers hold logs; entries have a `term`."""

    servers: Nodes
    current_term: Map[Node, int]
    voted_for: Map[Node, Node | None]
    log: Map[Node, Seq[Any]]
    commit_index: Map[Node, int]
    match_index: Map[Node, Map[Node, int]]
    next_index: Map[Node, Map[Node, int]]

    def leads(self, server: Node) -> bool:
        """Whether the server takes itself for the leader of its term."""


class Elections(Replication, Protocol):
    """One that remembers who was elected, and knows who is up."""

    elected: Map[int, Set[Node]]
    up: Map[Node, bool]

    def has_next_term(self) -> bool:
        """Whether the instance's bounds leave room for one more election."""


def has_prefix(spec: Replication, server: Node, other: Node, length: int) -> bool:
    """The first `length` entries of the other's log are there, and in the server's log too."""
    return min(len(spec.log[server]), len(spec.log[other])) >= length and all(
        spec.log[server][position] == spec.log[other][position] for position in range(length)
    )


def known_committed(spec: Replication, server: Node) -> int:
    """How many entries a server has and knows to be committed."""
    return min(spec.commit_index[server], len(spec.log[server]))


@invariant
def election_safety(spec: Elections) -> bool:
    """Election Safety: at most one leader can be elected in a given term (5.2)."""
    return all(len(leaders) <= 1 for leaders in spec.elected.values())


@invariant
def single_leader(spec: Replication) -> bool:
    """No two servers lead the same term now: Election Safety, as far as a state shows it."""
    return all(
        a == b or spec.current_term[a] != spec.current_term[b]
        for a in spec.servers
        if spec.leads(a)
        for b in spec.servers
        if spec.leads(b)
    )


@step_property
def leader_append_only(spec: Replication, after: Replication) -> bool:
    """Leader Append-Only: a leader never overwrites or deletes entries in its log (5.3)."""
    return all(
        len(after.log[s]) >= len(spec.log[s])
        and all(after.log[s][k] == spec.log[s][k] for k in range(len(spec.log[s])))
        for s in spec.servers
        if spec.leads(s) and after.leads(s) and spec.current_term[s] == after.current_term[s]
    )


@invariant
def log_matching(spec: Replication) -> bool:
    """Log Matching: logs with an entry of the same index and term are identical up to it (5.3)."""
    return all(
        spec.log[a][k].term != spec.log[b][k].term or has_prefix(spec, a, b, k + 1)
        for a in spec.servers
        for b in spec.servers
        if a != b
        for k in range(min(len(spec.log[a]), len(spec.log[b])))
    )


@invariant
def leader_completeness(spec: Replication) -> bool:
    """Leader Completeness: what was committed is in the logs of the leaders of later terms (5.4).

    What a server knows to be committed was so in its own term at the latest.
    """
    return all(
        has_prefix(spec, leader, server, spec.commit_index[server])
        for leader in spec.servers
        if spec.leads(leader)
        for server in spec.servers
        if spec.current_term[server] <= spec.current_term[leader]
    )


@invariant
def state_machine_safety(spec: Replication) -> bool:
    """State Machine Safety: no two servers apply different entries for the same index (5.4.3)."""
    return all(
        spec.log[a][k] == spec.log[b][k]
        for a in spec.servers
        for b in spec.servers
        if a != b
        for k in range(min(known_committed(spec, a), known_committed(spec, b)))
    )


@invariant
def committed_on_majority(spec: Replication) -> bool:
    """A committed entry is stored on a majority of the servers (5.3)."""
    return all(
        is_quorum(
            {b for b in spec.servers if has_prefix(spec, b, a, spec.commit_index[a])},
            spec.servers,
        )
        for a in spec.servers
    )


@invariant
def commits_what_it_may(spec: Replication) -> bool:
    """A leader commits, once it knows that a majority has an entry of its term (5.3, 5.4.2).

    Of specs in which that is part of the step that tells it.
    """
    return all(
        not is_quorum(
            {leader} | {s for s in spec.servers if spec.match_index[leader][s] > position},
            spec.servers,
        )
        for leader in spec.servers
        if spec.leads(leader)
        for position in range(spec.commit_index[leader], len(spec.log[leader]))
        if spec.log[leader][position].term == spec.current_term[leader]
    )


@invariant
def next_above_match(spec: Replication) -> bool:
    """A leader never sends an entry that it knows to be there: nextIndex > matchIndex (5.3)."""
    return all(
        spec.next_index[leader][s] > spec.match_index[leader][s]
        for leader in spec.servers
        if spec.leads(leader)
        for s in spec.servers
        if s != leader
    )


@step_property
def one_vote_per_term(spec: Replication, after: Replication) -> bool:
    """A server votes for at most one candidate in a given term (5.2): votedFor stays."""
    return all(
        after.current_term[s] != spec.current_term[s]
        or spec.voted_for[s] is None
        or after.voted_for[s] == spec.voted_for[s]
        for s in spec.servers
    )


@invariant
def votes_for_candidates(spec: Replication) -> bool:
    """Whoever received a vote in a term was a candidate in it, so has come that far (5.2).

    A vote that is carried into a later term elects nobody there, and keeps others from it.
    """
    return all(
        spec.current_term[candidate] >= spec.current_term[server]
        for server in spec.servers
        for candidate in spec.servers
        if spec.voted_for[server] == candidate
    )


@step_property
def term_monotonic(spec: Replication, after: Replication) -> bool:
    """Through crashes too, currentTerm increases monotonically (Figure 2)."""
    return all(after.current_term[s] >= spec.current_term[s] for s in spec.servers)


@step_property
def commit_monotonic(spec: Elections, after: Elections) -> bool:
    """From start to crash, commitIndex increases monotonically (Figure 2)."""
    return all(
        after.commit_index[s] >= spec.commit_index[s]
        for s in spec.servers
        if spec.up[s] and after.up[s]
    )


@step_property
def match_monotonic(spec: Replication, after: Replication) -> bool:
    """As long as a server leads a term, matchIndex increases monotonically (Figure 2)."""
    return all(
        after.match_index[leader][s] >= spec.match_index[leader][s]
        for leader in spec.servers
        if spec.leads(leader)
        and after.leads(leader)
        and spec.current_term[leader] == after.current_term[leader]
        for s in spec.servers
    )


@witness
def two_leaders(spec: Replication) -> bool:
    """Two servers lead at once, in different terms."""
    return any(
        spec.current_term[a] != spec.current_term[b]
        for a in spec.servers
        if spec.leads(a)
        for b in spec.servers
        if spec.leads(b)
    )


@witness
def earlier_term_committed(spec: Replication) -> bool:
    """A leader has committed an entry of an earlier term."""
    return any(
        spec.log[leader][position].term < spec.current_term[leader]
        for leader in spec.servers
        if spec.leads(leader)
        for position in range(known_committed(spec, leader))
    )


@step_witness
def suffix_overwritten(spec: Replication, after: Replication) -> bool:
    """A server's log loses an entry, to make room for the leader's: a conflict (5.3)."""
    return any(
        spec.log[s][position] != after.log[s][position]
        for s in spec.servers
        for position in range(min(len(spec.log[s]), len(after.log[s])))
    )


@always_possible(when="has_next_term")
def electable(spec: Elections) -> bool:
    """A leader can still be elected, if faults stop: from where a term is left to begin.

    The bound leaves others alone: a split vote in the last term has no term to be repeated in.
    """
    return any(spec.leads(server) for server in spec.servers)


@invariant
def leaders_have_committed(spec: Replication) -> bool:
    """Leader Completeness, of what is committed and still there: leaders of later terms have it.

    A server that has lost what it knows to be committed breaks `leader_completeness` at once. This
    holds until a leader lacks an entry which another server has, and knows to be committed (5.4).
    """
    return all(
        has_prefix(spec, leader, server, known_committed(spec, server))
        for leader in spec.servers
        if spec.leads(leader)
        for server in spec.servers
        if spec.current_term[server] <= spec.current_term[leader]
    )
