"""Each property of consensus and Paxos can fail: by a flaw of a manifest, or a wrong Paxos here."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.checkers.explorer import explore
from quorate.cli import check, registry
from quorate.invariants import consensus, paxos
from quorate.language import Set, action, deliver, instantiate, require
from quorate.language.declarations import mark_of
from quorate.language.ir.nodes import PropertyKind
from quorate.models.consensus.spec import Value
from quorate.models.paxos.spec import Accept, Accepted, Paxos, Prepare, Promise
from quorate.models.voting.spec import Acceptor, Ballot


class Renouncing(Paxos):
    """Acceptors promise and do not note it."""

    @deliver
    def phase_1b(self, acc: Acceptor, prepare: Prepare) -> None:
        """Only send."""
        require(prepare in self.messages)
        require(prepare.bal > self.max_bal[acc])
        self.messages.add(Promise(acc, prepare.bal, self.max_v_bal[acc], self.max_val[acc]))


class Inventing(Paxos):
    """Acceptors report votes that they have not cast."""

    @deliver
    def phase_1b(self, acc: Acceptor, prepare: Prepare) -> None:
        """Report the ballot asked for itself, and some value."""
        require(prepare in self.messages)
        require(prepare.bal > self.max_bal[acc])
        self.max_bal[acc] = prepare.bal
        for value in self.values:
            self.messages.add(Promise(acc, prepare.bal, prepare.bal, value))


class Silent(Paxos):
    """Acceptors note votes and do not tell of them."""

    @deliver
    def phase_2b(self, acc: Acceptor, accept: Accept) -> None:
        """Only note."""
        require(accept in self.messages)
        require(accept.bal >= self.max_bal[acc])
        self.max_bal[acc] = accept.bal
        self.max_v_bal[acc] = accept.bal
        self.max_val[acc] = accept.val


class Impatient(Paxos):
    """Leaders ask for votes without promises, once a ballot."""

    @action
    def phase_2a(self, bal: Ballot, val: Value, quorum: Set[Acceptor]) -> None:
        """Ask."""
        require(self.smallest_quorum(quorum))
        require(not self.asked_for_votes(bal))
        self.messages.add(Accept(bal, val))


class Fickle(Paxos):
    """Leaders ask for votes as often as they like."""

    @action
    def phase_2a(self, bal: Ballot, val: Value, quorum: Set[Acceptor]) -> None:
        """Ask for anything, again and again."""
        require(self.smallest_quorum(quorum))
        require(all(self.promised(acc, bal) for acc in quorum))
        self.messages.add(Accept(bal, val))


class Spontaneous(Paxos):
    """Acceptors vote unasked."""

    @deliver
    def phase_2b(self, acc: Acceptor, accept: Accept) -> None:
        """Vote for any value in the ballot of a request."""
        require(accept in self.messages)
        require(accept.bal >= self.max_bal[acc])
        self.max_bal[acc] = accept.bal
        self.max_v_bal[acc] = accept.bal
        self.max_val[acc] = accept.val
        for value in self.values:
            self.messages.add(Accepted(acc, accept.bal, value))


class Forgiving(Paxos):
    """Acceptors vote whatever they have promised."""

    @deliver
    def phase_2b(self, acc: Acceptor, accept: Accept) -> None:
        """Vote."""
        require(accept in self.messages)
        self.max_v_bal[acc] = accept.bal
        self.max_val[acc] = accept.val
        self.messages.add(Accepted(acc, accept.bal, accept.val))


class Revoking(Paxos):
    """Acceptors take back what they have told, when they vote again."""

    @deliver
    def phase_2b(self, acc: Acceptor, accept: Accept) -> None:
        """Let nothing but the last vote count."""
        self.messages = Set(
            m for m in self.messages if not (isinstance(m, Accepted) and m.acc == acc)
        )
        super().phase_2b(acc, accept)


class Wary(Paxos):
    """Acceptors vote above their promise only, and so never as they have promised."""

    @deliver
    def phase_2b(self, acc: Acceptor, accept: Accept) -> None:
        """Vote."""
        require(accept.bal > self.max_bal[acc])
        super().phase_2b(acc, accept)


WRONG: list[tuple[type[Paxos], set[str]]] = [
    (
        Renouncing,
        {"promises-are-kept", "promises-report-the-last-vote", "VotesSafe", "P2c", "Agreement"},
    ),
    (Inventing, {"reported-votes-were-cast"}),
    (Silent, {"last-vote-was-cast"}),
    (Impatient, {"P2c", "no-other-is-choosable", "VotesSafe", "Agreement", "voting"}),
    (Fickle, {"one-request-per-ballot", "OneValuePerBallot", "Agreement", "voting"}),
    (Spontaneous, {"votes-were-asked-for", "OneValuePerBallot", "Validity", "voting"}),
    (
        Forgiving,
        {"P1a", "voters-take-part", "no-vote-is-forgotten", "VotesSafe", "Agreement", "voting"},
    ),
    (Revoking, {"Integrity", "voting"}),
    (Wary, {"can-choose"}),
]


@pytest.mark.parametrize(("wrong", "broken"), WRONG)
def test_a_wrong_paxos_breaks_the_property(wrong: type[Paxos], broken: set[str]) -> None:
    outside = registry.find("paxos").outside
    parameters = {"acceptors": 3, "values": 2, "ballots": 2}
    instance = instantiate(wrong, parameters, properties=outside)
    for name in sorted(broken):
        result = explore(instance, properties=[name], symmetry=True, max_states=200_000)
        assert [violation.property for violation in result.violations] == [name]


LOSSY = {
    "proposers": 1,
    "acceptors": 1,
    "learners": 1,
    "values": 1,
    "ballots": 1,
    "max_crashes": 0,
    "lossy": True,
    "promises_again": True,
}


@pytest.mark.parametrize("flaws", [(), ("lossy_phase1_no_retry",)])
def test_a_learner_learns_no_more_if_nobody_asks_again(flaws: tuple[str, ...]) -> None:
    instance = check.build(registry.find("paxos-system"), LOSSY, flaws)
    result = explore(instance, properties=["can-learn"])
    assert [one.property for one in result.violations] == ["can-learn"] * len(flaws)


def test_every_property_is_broken_by_something() -> None:
    system, synod = registry.find("paxos-system"), registry.find("paxos")
    broken: set[Any] = {synod.outside.get(name) for _, names in WRONG for name in names}
    broken |= {system.outside.get(entry.violates or "") for entry in system.instances}
    broken.add(system.outside["can-learn"])
    stated = [one for module in (consensus, paxos) for one in vars(module).values()]
    marked = [(one, mark) for one in stated if (mark := mark_of(one)) and mark.role == "property"]
    properties = [one for one, mark in marked if mark.kind is not PropertyKind.SOMETIMES]
    assert len(properties) > 15
    assert not [one.__name__ for one in properties if one not in broken]
