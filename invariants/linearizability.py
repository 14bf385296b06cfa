"""Linearizability of reads, for a replicated log.

Herlihy and Wing, 'Linearizability: A Correctness Condition for Concurrent Objects' (1990): each
operation seems to take effect at once, somewhere between its invocation and its response.

The object here is a log: a write appends an entry, a read returns the entries so far. Every other
state machine is a function of it. A spec keeps as history how many entries clients know of
(`known`: the largest index of a write that was acknowledged, or that a read returned), and for a
read what that was at its invocation, and how many entries it returned.

That is enough, in a spec whose committed logs are prefixes of each other (State Machine Safety in
`raft.py`). Order writes by their index, and a read behind the last entry that it returned; reads
behind the same entry, by when they were invoked. A write that nobody acknowledged is one of them if
its entry is ever committed; else it never took effect, and is left out, as the definition allows of
an operation without a response. Run one after the other in that order, all operations return what
they did. It remains that the order goes against no two operations of which one ended before the
other began. If the second one is a read, that is the property below (of two reads behind the same
entry, the one that ended was invoked first). If it is a write, all that the first one returned or
wrote was committed before it began, so its entry is behind.
"""

from __future__ import annotations

from typing import Protocol

from ..language import invariant


class Answer(Protocol):
    """What a read returned: `returned` entries, when clients had known of `known` before it."""

    @property
    def known(self) -> int:
        """How many entries clients knew of when the read was invoked."""

    @property
    def returned(self) -> int:
        """How many it returned."""


class AnsweredReads(Protocol):
    """A spec that keeps the last read that was answered."""

    @property
    def answer(self) -> Answer | None:
        """That read; None before the first."""


@invariant
def linearizable_reads(spec: AnsweredReads) -> bool:
    """A read returns all that clients knew of when it was invoked: it is never stale.

    So it sees each write that was acknowledged before, and all that an earlier read returned.
    """
    return spec.answer is None or spec.answer.returned >= spec.answer.known
