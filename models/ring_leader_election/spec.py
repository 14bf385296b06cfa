"""Leader election on a ring: the highest number is the one that comes back."""

from __future__ import annotations

from typing import Annotated

from ...language import (
    Map,
    Node,
    OrderedNodes,
    Set,
    Spec,
    action,
    between,
    deliver,
    each,
    empty,
    flaw,
    parameter,
    record,
    require,
)

Number = Annotated[int, between(0, "numbers - 1")]


class Process(Node):
    """A process on the ring."""


@record
class Message:
    """A process's number, on its way round the ring; `to` is who gets it next."""

    number: Number
    to: Process


class RingLeaderElection(Spec):
    """Processes on a ring send their numbers round it; whoever gets its own back is the leader.

    Chang and Roberts, 'An Improved Algorithm for Decentralized Extrema-Finding in Circular
    Configurations of Processes' (CACM 22(5), 1979); as a transition system in Padon et al., 'Ivy:
    Safety Verification by Interactive Generalization' (PLDI 2016), section 2. The processes are
    named in the order of the ring, and behind the last comes the first. Of numbers, only the order
    is used. Left out: losing messages (one that is not received is as good as lost or thrown away),
    and what the leader does next.
    """

    processes: OrderedNodes[Process]
    numbers: int = parameter(3, at_least=1, at_most=15)  # how many there are to be given

    duplicate_ids: bool = flaw("E01: two processes may have the same number")
    no_comparison: bool = flaw("E02: lower numbers are passed on too")

    number: Map[Process, Number] = each(0)  # that of each process, once they are numbered
    numbered: bool = False  # whether the processes have their numbers
    messages: Set[Message] = empty()  # all that were ever sent
    leaders: Set[Process] = empty()  # those that know their number to be the highest

    @action
    def number_processes(self, numbers: Map[Process, Number]) -> None:
        """The processes are numbered, in any way that gives each a number of its own.

        This comes before the algorithm. A process knows its own number, and no other.
        """
        require(not self.numbered)
        require(self.duplicate_ids or self.all_different(numbers))
        self.number = numbers
        self.numbered = True

    @action
    def start_election(self, process: Process, successor: Process) -> None:
        """A process sends its number to the next: any may, at any time, and more than one."""
        require(self.numbered)
        require(self.is_next(process, successor))
        self.messages.add(Message(self.number[process], successor))

    @deliver
    def pass_on(self, message: Message, successor: Process) -> None:
        """A process passes a number above its own on. (One below it, it throws away.)"""
        require(message in self.messages)
        require(self.is_next(message.to, successor))
        require(
            message.number > self.number[message.to]
            or (self.no_comparison and message.number != self.number[message.to])
        )
        self.messages.add(Message(message.number, successor))

    @deliver
    def win(self, message: Message) -> None:
        """A process gets its own number back: nobody has a higher one, so it is the leader."""
        require(message in self.messages)
        require(message.number == self.number[message.to])
        self.leaders.add(message.to)

    def is_between(self, start: Process, middle: Process, end: Process) -> bool:
        """Whoever goes round the ring from `start` meets `middle` before `end`."""
        return (
            (start < middle and middle < end)
            or (middle < end and end < start)
            or (end < start and start < middle)
        )

    def is_next(self, process: Process, successor: Process) -> bool:
        """Going round from `process`, all others come behind `successor`."""
        return all(
            self.is_between(process, successor, other)
            for other in self.processes
            if other != process and other != successor
        )

    def all_different(self, numbers: Map[Process, Number]) -> bool:
        """No two processes have the same number."""
        return all(
            process == other or numbers[process] != numbers[other]
            for process in self.processes
            for other in self.processes
        )
