"""Multi-Paxos whose acceptors lose their disks, and with them what they have promised."""

from __future__ import annotations

from typing import Annotated

from ...language import (
    Map,
    Set,
    action,
    at_most,
    between,
    crash,
    deliver,
    each,
    empty,
    flaw,
    parameter,
    require,
    witness,
)
from ..multi_paxos.spec import Accept, MultiPaxos, Prepare, Promise, Vote
from ..voting.spec import Acceptor


class MultiPaxosDiskLoss(MultiPaxos):
    """An acceptor that has lost its disk takes part in no vote again.

    Chandra, Griesemer and Redstone, 'Paxos Made Live' (2007), section 5.1, where it does so once it
    has observed one complete instance that was started after it began to rebuild its state: P16.

    Left out: losses of replicas, which can ask again for what is chosen. The mistake is made as
    small as it can be: the acceptor waits for a slot in which nobody had asked for votes when it
    lost its disk, and by then knows all that is chosen up to there. It only lacks its promise.
    """

    max_losses: int = parameter(1, at_least=0, at_most=4)

    mark_nonvoting_rejoin: bool = flaw("P16: it votes again when it has seen a later slot decided")

    # With the flaw, an acceptor may promise a ballot twice.
    promises: Annotated[Set[Promise], at_most("ballots * (len(acceptors) + max_losses)")] = empty()
    losses: Annotated[int, between(0, "max_losses")] = 0  # how many disks were lost
    # Of an acceptor without its disk: the last slot asked for when it was lost. -1: it has it.
    lost_at: Map[Acceptor, Annotated[int, between(-1, "slots")]] = each(-1)

    @crash
    def lose_disk(self, acceptor: Acceptor) -> None:
        """An acceptor loses its promise and its votes, and knows that it does not know them."""
        require(self.losses < self.max_losses)
        require(self.max_bal[acceptor] >= 0)  # else there is nothing to lose
        self.losses += 1
        self.max_bal[acceptor] = -1
        for slot in range(1, self.slots + 1):
            self.votes[acceptor][slot] = None
        self.lost_at[acceptor] = max((accept.slot for accept in self.accepts), default=0)

    @action
    def rejoin(self, acceptor: Acceptor, accept: Accept) -> None:
        """An acceptor votes again, having seen a slot through that was started after its loss.

        A leader has told it what is chosen up to there. It goes on as if it had voted for that.
        """
        require(self.mark_nonvoting_rejoin)
        require(accept in self.accepts)
        require(not self.takes_part(acceptor))
        require(accept.slot > self.lost_at[acceptor])
        told = Set(a for a in self.accepts if a.ballot == accept.ballot and a.slot <= accept.slot)
        require(all(self.is_chosen(one) for one in told))
        for one in told:
            self.votes[acceptor][one.slot] = Vote(one.ballot, one.value)
        self.max_bal[acceptor] = accept.ballot
        self.lost_at[acceptor] = -1

    @deliver
    def phase_1b(self, acceptor: Acceptor, prepare: Prepare) -> None:
        """An acceptor that has its disk promises."""
        require(self.takes_part(acceptor))
        super().phase_1b(acceptor, prepare)

    @deliver
    def phase_2b(self, acceptor: Acceptor, accept: Accept) -> None:
        """An acceptor that has its disk votes as asked."""
        require(self.takes_part(acceptor))
        super().phase_2b(acceptor, accept)

    def takes_part(self, acceptor: Acceptor) -> bool:
        """It knows what it has promised, or takes it that it does."""
        return self.lost_at[acceptor] == -1

    @witness
    def chosen_without(self) -> bool:
        """Something is chosen in a ballot that began to lead when an acceptor had lost its disk."""
        return any(
            self.is_chosen(accept)
            and any(
                not self.takes_part(a) and not self.has_promised(a, accept.ballot)
                for a in self.acceptors
            )
            for accept in self.accepts
        )
