"""Atomic commitment: what a commit protocol has to keep.

AC1 to AC5 are numbered and stated as in Bernstein, Hadzilacos and Goodman, 'Concurrency Control
and Recovery in Database Systems' (1987), section 7.2. (Babaoglu and Toueg 1993 number differently:
their AC2 is AC3 here, AC3 is AC4, AC4 is AC2.) Non-blocking is theirs too (section 7.3), and that
of Skeen, 'Nonblocking Commit Protocols' (SIGMOD 1981).

The properties ask a spec for the methods below and for nothing else. A decision counts for ever:
`committed` and `aborted` speak of a process that has decided so at some time, crashed or not.
"""

from __future__ import annotations

from typing import Protocol

from ..language import Node, Set, always_possible, invariant, step_property, witness


class AtomicCommitment(Protocol):
    """A spec in which participants vote, and they and perhaps a coordinator decide."""

    def voters(self) -> Set[Node]:
        """The participants."""

    def voted_yes(self, participant: Node) -> bool:
        """Whether the participant has voted yes."""

    def committed(self, participant: Node) -> bool:
        """Whether the participant has decided to commit."""

    def aborted(self, participant: Node) -> bool:
        """Whether the participant has decided to abort."""

    def coordinator_committed(self) -> bool:
        """Whether the coordinator has decided to commit; False where there is none."""

    def coordinator_aborted(self) -> bool:
        """Whether the coordinator has decided to abort; False where there is none."""


class FailingCommitment(AtomicCommitment, Protocol):
    """One that knows of failures."""

    def failure_occurred(self) -> bool:
        """Whether anything has failed so far: a crash, a lost message, a partition."""

    def failed(self, participant: Node) -> bool:
        """Whether the participant counts as failed: it is down, or was at some time."""

    def coordinator_failed(self) -> bool:
        """Whether the coordinator counts as failed."""

    def tolerated(self) -> bool:
        """Whether the failures so far are among those that the protocol promises to survive."""


def some_commit(spec: AtomicCommitment) -> bool:
    """Some process has decided to commit."""
    return spec.coordinator_committed() or any(spec.committed(p) for p in spec.voters())


def some_abort(spec: AtomicCommitment) -> bool:
    """Some process has decided to abort."""
    return spec.coordinator_aborted() or any(spec.aborted(p) for p in spec.voters())


def unanimous(spec: AtomicCommitment) -> bool:
    """All participants have voted yes."""
    return all(spec.voted_yes(p) for p in spec.voters())


def decided(spec: AtomicCommitment, participant: Node) -> bool:
    """The participant has decided."""
    return spec.committed(participant) or spec.aborted(participant)


@invariant
def ac1(spec: AtomicCommitment) -> bool:
    """AC1: all processes that reach a decision reach the same one."""
    return not (some_commit(spec) and some_abort(spec))


@step_property
def ac2(spec: AtomicCommitment, after: AtomicCommitment) -> bool:
    """AC2: a process cannot reverse its decision after it has reached one."""
    return (
        not (spec.coordinator_committed() and after.coordinator_aborted())
        and not (spec.coordinator_aborted() and after.coordinator_committed())
        and not any(spec.committed(p) and after.aborted(p) for p in spec.voters())
        and not any(spec.aborted(p) and after.committed(p) for p in spec.voters())
    )


@invariant
def ac3(spec: AtomicCommitment) -> bool:
    """AC3: the decision is to commit only if all processes voted yes."""
    return unanimous(spec) or not some_commit(spec)


@invariant
def ac4(spec: FailingCommitment) -> bool:
    """AC4: if there are no failures and all processes voted yes, the decision is to commit.

    As safety: then nobody aborts. That somebody does commit is `ac4_reached`.
    """
    return spec.failure_occurred() or not unanimous(spec) or not some_abort(spec)


@always_possible(repairs=False)
def ac4_reached(spec: FailingCommitment) -> bool:
    """AC4, its other half: as long as nothing fails, a unanimous yes leads to commit everywhere."""
    return (
        spec.failure_occurred()
        or not unanimous(spec)
        or all(spec.committed(p) for p in spec.voters())
    )


@always_possible()
def ac5(spec: FailingCommitment) -> bool:
    """AC5: with failures that are tolerated, once all are repaired and no new ones occur for long
    enough, all processes reach a decision. (The participants: a coordinator may forget.)
    """
    return not spec.tolerated() or all(decided(spec, p) for p in spec.voters())


@always_possible(repairs=False)
def non_blocking(spec: FailingCommitment) -> bool:
    """Non-blocking: the processes that did not fail decide, without waiting for any repair."""
    coordinator = spec.coordinator_committed() or spec.coordinator_aborted()
    return (coordinator or spec.coordinator_failed()) and all(
        decided(spec, p) or spec.failed(p) for p in spec.voters()
    )


@witness
def all_commit(spec: AtomicCommitment) -> bool:
    """All participants commit."""
    return all(spec.committed(p) for p in spec.voters())


@witness
def all_abort(spec: AtomicCommitment) -> bool:
    """All participants abort."""
    return all(spec.aborted(p) for p in spec.voters())


@witness
def yes_voter_aborts(spec: AtomicCommitment) -> bool:
    """Somebody aborts that voted yes: the decision was not its own."""
    return any(spec.voted_yes(p) and spec.aborted(p) for p in spec.voters())
