"""Two-phase commit: what keeps AC1 true, step by step, with any number of resource managers.

Together with AC1 and AC3 these conjuncts are inductive for the module TwoPhase (Gray and Lamport,
'Consensus on Transaction Commit', 2006, section 3): messages and states never contradict each
other.
"""

from __future__ import annotations

from ..language import invariant
from ..models.transaction_commit.spec import RmState
from ..models.two_phase_commit.spec import Abort, Commit, Prepared, TmState, TwoPhaseCommit


@invariant
def commit_is_the_decision(spec: TwoPhaseCommit) -> bool:
    """Commit is sent if and only if the transaction manager has committed."""
    return (Commit() in spec.messages) == (spec.tm_state is TmState.COMMITTED)


@invariant
def abort_is_the_decision(spec: TwoPhaseCommit) -> bool:
    """Abort is sent if and only if the transaction manager has aborted."""
    return (Abort() in spec.messages) == (spec.tm_state is TmState.ABORTED)


@invariant
def decided_on_all_votes(spec: TwoPhaseCommit) -> bool:
    """The transaction manager has committed only if it has heard Prepared from all."""
    return spec.tm_state is not TmState.COMMITTED or spec.tm_prepared == spec.rms


@invariant
def heard_what_was_sent(spec: TwoPhaseCommit) -> bool:
    """Whoever the transaction manager has heard Prepared from has sent it."""
    return all(Prepared(rm) in spec.messages for rm in spec.tm_prepared)


@invariant
def votes_bind(spec: TwoPhaseCommit) -> bool:
    """Whoever has sent Prepared is not working, and has aborted only if told to."""
    return all(
        Prepared(rm) not in spec.messages
        or (
            spec.rm_state[rm] is not RmState.WORKING
            and (spec.rm_state[rm] is not RmState.ABORTED or Abort() in spec.messages)
        )
        for rm in spec.rms
    )


@invariant
def committed_when_told(spec: TwoPhaseCommit) -> bool:
    """Whoever has committed was told to."""
    return all(
        spec.rm_state[rm] is not RmState.COMMITTED or Commit() in spec.messages for rm in spec.rms
    )
