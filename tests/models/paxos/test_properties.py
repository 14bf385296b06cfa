"""Each conjunct of the invariant can fail: for each, a wrong Paxos that breaks it."""

from __future__ import annotations

import pytest

from quorate.checkers.explorer import explore
from quorate.cli import registry
from quorate.language import Set, action, deliver, instantiate, require
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


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        (Renouncing, {"promises-are-kept", "VotesSafe", "P2c", "Agreement"}),
        (Inventing, {"reported-votes-were-cast"}),
        (Silent, {"last-vote-was-cast"}),
        (Impatient, {"P2c", "VotesSafe", "Agreement", "voting"}),
        (Fickle, {"one-request-per-ballot", "OneValuePerBallot", "Agreement", "voting"}),
        (Spontaneous, {"votes-were-asked-for", "OneValuePerBallot", "voting"}),
        (Forgiving, {"P1a", "VotesSafe", "Agreement", "voting"}),
    ],
)
def test_a_wrong_paxos_breaks_the_conjunct(wrong: type[Paxos], broken: set[str]) -> None:
    outside = registry.find("paxos").outside
    parameters = {"acceptors": 3, "values": 2, "ballots": 2}
    instance = instantiate(wrong, parameters, properties=outside)
    for name in sorted(broken):
        result = explore(instance, properties=[name], symmetry=True, max_states=200_000)
        assert [violation.property for violation in result.violations] == [name]
