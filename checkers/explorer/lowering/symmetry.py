"""`permute`, `signature` and `canonical`: states up to the names of interchangeable nodes.

The canonical form of a state is the least (as words) of its renamings in which the nodes of each
sort are ordered by signature. Signatures do not depend on names, so all renamings of a state have
the same form. Nodes of equal signature are tried in all orders, except where swapping two of them
changes nothing, which is found out first: a symmetric state costs no more than another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ....language.ir.types import Sort
from ..layout import StateLayout
from .access import read, write
from .context import state_places
from .renaming import Renaming, mentions
from .signatures import Fact, Hashing, mixed, unary_facts, write_exact
from .statements import Working
from .text import Bit, Function, Module, Pointer, Word

_SELF = 0x51ED270B
_OTHER = 0x3C6EF372


@dataclass
class SymmetryFunctions:
    """Writes the functions of symmetry into a module; `sorts`: the interchangeable ones."""

    layout: StateLayout
    module: Module
    sorts: tuple[Sort, ...]

    def __post_init__(self) -> None:
        self.starts: dict[str, int] = {}
        self.total = 0
        for sort in self.sorts:
            self.starts[sort.name] = self.total
            self.total += sort.size
        self.renaming = Renaming(self.starts)
        self.facts = [unary_facts(self.layout, sort, self.renaming) for sort in self.sorts]

    def write_all(self) -> None:
        """The three functions; nothing where no nodes are interchangeable."""
        self._permute()
        for number, facts in enumerate(self.facts):
            if facts is None:
                self._hash_of(number)
            else:
                self._exact_of(number, facts)
        self._signature()
        self._canonical()

    # Renaming

    def _permute(self) -> None:
        parameters = "ptr noalias %state, ptr noalias %permutation, ptr noalias %out"
        fn = self.module.function("permute", parameters, "void", internal=False)
        given = state_places(self.layout, "%state", fn)
        moved = {name for name, place in given.items() if mentions(place.layout.kind)}
        working = Working.of(fn, self.layout, moved)
        working.take(fn, "%state")
        for name, place in working.places({}).items():
            if name in moved:
                value = self.renaming.value(fn, read(fn, given[name]), "%permutation")
                write(fn, place, value)
        working.give(fn, "%state", "%out")
        fn.give()

    # Signatures

    def _exact_of(self, number: int, facts: list[Fact]) -> None:
        fn = self.module.function(f"signature.{number}", "ptr %state, i64 %node", "i64")
        fn.give(write_exact(fn, self.layout, facts, "%node"))

    def _hash_of(self, number: int) -> None:
        """The hash of a state in which all nodes have one colour, but for the node itself."""
        fn = self.module.function(f"signature.{number}", "ptr %state, i64 %node", "i64")
        colours = fn.slot(self.total)
        for index in range(self.total):
            fn.store(fn.offset(colours, index), _OTHER)
        start = self.starts[self.sorts[number].name]
        fn.store(fn.offset(colours, fn.add("%node", start)), _SELF)
        fn.give(fn.call(self._colouring(), f"ptr %state, ptr {colours}"))

    def _colouring(self) -> str:
        """The hash of a state in which nodes have the given colours."""

        def make(fn: Function) -> None:
            fn.give(Hashing(self.starts).state(fn, self.layout))

        return self.module.helper(("colouring",), "ptr %state, ptr %colours", "i64", make)

    def _signature(self) -> None:
        parameters = "ptr noalias %state, i64 %sort, i64 %node"
        fn = self.module.function("signature", parameters, "i64", internal=False)
        for number in range(len(self.sorts)):
            here = fn.compare("eq", "%sort", number)
            fn.when(here, partial(_answer, fn, f"signature.{number}"))
        fn.give(0)

    # The canonical form

    def _canonical(self) -> None:
        fn = self.module.function(
            "canonical", "ptr noalias %state, ptr noalias %out", "void", internal=False
        )
        keys, order = fn.slot(self.total), fn.slot(self.total)
        for number, sort in enumerate(self.sorts):
            start = self.starts[sort.name]

            def sign(node: Word, _after: str, number: int = number, start: int = start) -> None:
                key = fn.call(f"signature.{number}", f"ptr %state, i64 {node}")
                fn.store(fn.offset(keys, fn.add(node, start)), key)
                fn.store(fn.offset(order, fn.add(node, start)), node)

            fn.count(0, sort.size, sign)
        self._sort_all(fn, keys, order)
        hashed = [number for number, facts in enumerate(self.facts) if facts is None]
        if not hashed:
            self._rename(fn, order, "%out")
            fn.give()
            return
        self._when_tied(fn, keys, hashed, lambda: self._refine(fn, keys, order, hashed))
        self._rename(fn, order, "%out")
        self._when_tied(fn, keys, hashed, lambda: self._search(fn, keys, order, hashed))
        fn.give()

    def _when_tied(
        self, fn: Function, keys: Pointer, hashed: list[int], then: Callable[[], None]
    ) -> None:
        """Code for states in which nodes that may differ have equal signatures."""
        tied: Bit = False
        for number in hashed:
            lo, hi = self._range(number)
            for position in range(lo + 1, hi):
                before = fn.load(fn.offset(keys, position - 1))
                same = fn.compare("eq", before, fn.load(fn.offset(keys, position)))
                tied = (
                    same
                    if tied is False
                    else fn.compare("ne", fn.either(fn.word(tied), fn.word(same)), 0)
                )
        fn.when(tied, then)

    def _range(self, number: int) -> tuple[int, int]:
        sort = self.sorts[number]
        start = self.starts[sort.name]
        return start, start + sort.size

    def _sort_all(self, fn: Function, keys: Pointer, order: Pointer) -> None:
        name = self.module.helper(
            ("sort",), "ptr %keys, ptr %items, i64 %lo, i64 %hi", "i64", _fill_sort
        )
        for number in range(len(self.sorts)):
            lo, hi = self._range(number)
            if hi - lo > 1:
                fn.call(name, f"ptr {keys}, ptr {order}, i64 {lo}, i64 {hi}")

    def _rename(self, fn: Function, order: Pointer, target: Pointer) -> None:
        """Write the state with the nodes numbered in that order."""
        permutation = fn.slot(self.total)
        for number in range(len(self.sorts)):
            lo, hi = self._range(number)
            for position in range(lo, hi):
                node = fn.load(fn.offset(order, position))
                fn.store(fn.offset(permutation, fn.add(node, lo)), position - lo)
        fn.call_void("permute", f"ptr %state, ptr {permutation}, ptr {target}")

    def _refine(self, fn: Function, keys: Pointer, order: Pointer, hashed: list[int]) -> None:
        """Tell nodes apart by what the nodes they occur with are like."""
        colours, better = fn.slot(self.total), fn.slot(self.total)
        for number in range(len(self.sorts)):
            lo, hi = self._range(number)
            for position in range(lo, hi):
                node = fn.load(fn.offset(order, position))
                key = fn.load(fn.offset(keys, position))
                fn.store(fn.offset(colours, fn.add(node, lo)), mixed(fn, fn.add(key, number)))
        name = self._colouring()
        for number in hashed:
            lo, hi = self._range(number)

            def recolour(node: Word, _after: str, lo: int = lo) -> None:
                own = fn.offset(colours, fn.add(node, lo))
                colour = fn.load(own)
                fn.store(own, fn.add(mixed(fn, fn.add(colour, _SELF)), 1))
                hashed_state = fn.call(name, f"ptr %state, ptr {colours}")
                fn.store(own, colour)
                fn.store(
                    fn.offset(better, fn.add(node, lo)), mixed(fn, fn.add(hashed_state, colour))
                )

            fn.count(0, hi - lo, recolour)
            for position in range(lo, hi):
                fn.store(fn.offset(order, position), position - lo)
                fn.store(fn.offset(keys, position), fn.load(fn.offset(better, position)))
        self._sort_all(fn, keys, order)

    def _search(self, fn: Function, keys: Pointer, order: Pointer, hashed: list[int]) -> None:
        """The least renaming over all orders of tied nodes; `%out` has the first."""
        words = self.layout.words
        labels, candidate = fn.slot(self.total), fn.slot(words)
        relabel = self._relabelling()
        advance = self.module.helper(
            ("advance",),
            "ptr %keys, ptr %labels, ptr %order, i64 %lo, i64 %hi",
            "i64",
            _fill_advance,
        )
        for number in hashed:
            lo, hi = self._range(number)
            fn.call(
                relabel, f"ptr %state, ptr {keys}, ptr {labels}, ptr {order}, i64 {lo}, i64 {hi}"
            )
        more = fn.bit_slot()
        fn.store_bit(more, True)

        def next_order() -> None:
            fn.store_bit(more, False)
            done = fn.block()
            for number in hashed:
                lo, hi = self._range(number)
                arguments = f"ptr {keys}, ptr {labels}, ptr {order}, i64 {lo}, i64 {hi}"
                moved = fn.compare("ne", fn.call(advance, arguments), 0)

                def found() -> None:
                    fn.store_bit(more, True)
                    fn.jump(done)

                fn.when(moved, found)
            fn.begin(done)

        def attempt(_after: str) -> None:
            next_order()

            def compare() -> None:
                self._rename(fn, order, candidate)
                name = self.module.helper(
                    ("before", words), "ptr %a, ptr %b", "i64", _before(words)
                )
                smaller = fn.compare("ne", fn.call(name, f"ptr {candidate}, ptr %out"), 0)
                fn.when(smaller, lambda: fn.copy("%out", candidate, words))

            fn.when(fn.load_bit(more), compare)

        fn.repeat(lambda: fn.load_bit(more), attempt)

    def _relabelling(self) -> str:
        """Gives tied nodes the same label where swapping them leaves the state as it is.

        Positions `lo` to `hi`; afterwards the nodes of each tie are ordered by label.
        """
        total, words = self.total, self.layout.words

        def make(fn: Function) -> None:
            identity, swapped = fn.slot(total), fn.slot(words)
            for number in range(len(self.sorts)):
                lo, hi = self._range(number)
                for index in range(lo, hi):
                    fn.store(fn.offset(identity, index), index - lo)

            def swaps(a: Word, b: Word) -> Bit:
                left = fn.offset(identity, fn.add(fn.load(fn.offset("%order", a)), "%lo"))
                right = fn.offset(identity, fn.add(fn.load(fn.offset("%order", b)), "%lo"))
                one, two = fn.load(left), fn.load(right)
                fn.store(left, two)
                fn.store(right, one)
                fn.call_void("permute", f"ptr %state, ptr {identity}, ptr {swapped}")
                fn.store(left, one)
                fn.store(right, two)
                changed: Word = 0
                for word in range(words):
                    before = fn.load(fn.offset("%state", word))
                    after = fn.load(fn.offset(swapped, word))
                    changed = fn.either(changed, fn.op("xor", before, after))
                return fn.compare("eq", changed, 0)

            def label(position: Word, _after: str) -> None:
                own = fn.offset("%labels", position)
                key = fn.load(fn.offset("%keys", position))
                fn.store(own, position)

                def earlier(other: Word, found: str) -> None:
                    theirs = fn.offset("%labels", other)
                    tie = fn.compare("eq", fn.load(fn.offset("%keys", other)), key)
                    first = fn.compare("eq", fn.load(theirs), other)

                    def test() -> None:
                        def same() -> None:
                            fn.store(own, other)
                            fn.jump(found)

                        fn.when(swaps(other, position), same)

                    fn.when(fn.both(tie, first), test)

                fn.count("%lo", position, earlier)

            fn.count("%lo", "%hi", label)
            self._order_by_label(fn)
            fn.give(0)

        parameters = "ptr %state, ptr %keys, ptr %labels, ptr %order, i64 %lo, i64 %hi"
        return self.module.helper(("relabel",), parameters, "i64", make)

    def _order_by_label(self, fn: Function) -> None:
        """Labels are positions in their tie, so ordering by label keeps ties where they are."""
        name = self.module.helper(
            ("sort",), "ptr %keys, ptr %items, i64 %lo, i64 %hi", "i64", _fill_sort
        )
        fn.call(name, "ptr %labels, ptr %order, i64 %lo, i64 %hi")


def _answer(fn: Function, name: str) -> None:
    fn.give(fn.call(name, "ptr %state, i64 %node"))


def _fill_sort(fn: Function) -> None:
    """Insertion sort of `%items` by `%keys` (both are moved), positions `%lo` to `%hi`."""

    def place(position: Word, _after: str) -> None:
        key = fn.load(fn.offset("%keys", position))
        item = fn.load(fn.offset("%items", position))
        hole = fn.slot()
        fn.store(hole, position)

        def shift(after: str) -> None:
            at = fn.load(hole)
            before = fn.sub(at, 1)
            other = fn.load(fn.offset("%keys", before))
            move = fn.block()
            fn.branch(fn.compare("ult", key, other), move, after)
            fn.at(move)
            fn.store(fn.offset("%keys", at), other)
            fn.store(fn.offset("%items", at), fn.load(fn.offset("%items", before)))
            fn.store(hole, before)

        fn.repeat(lambda: fn.compare("slt", "%lo", fn.load(hole)), shift)
        fn.store(fn.offset("%keys", fn.load(hole)), key)
        fn.store(fn.offset("%items", fn.load(hole)), item)

    fn.count(fn.add("%lo", 1), "%hi", place)
    fn.give(0)


def _before(words: int) -> Callable[[Function], None]:
    """Fills a helper: 1 if the words at `%a` are less than those at `%b`."""

    def make(fn: Function) -> None:
        for word in range(words):
            a, b = fn.load(fn.offset("%a", word)), fn.load(fn.offset("%b", word))
            fn.when(fn.compare("ult", a, b), lambda: fn.give(1))
            fn.when(fn.compare("ult", b, a), lambda: fn.give(0))
        fn.give(0)

    return make


def _fill_advance(fn: Function) -> None:
    """The next order of the tied nodes between `%lo` and `%hi`, like an odometer.

    Each tie is a digit: where it has a next permutation of labels, that is taken and 1 given;
    where not, it starts again and the next tie moves on. 0 where all have started again.
    """
    name = fn.module.helper(
        ("permutation",), "ptr %labels, ptr %order, i64 %lo, i64 %hi", "i64", _fill_permutation
    )
    start = fn.slot()
    fn.store(start, "%lo")

    def tie(_after: str) -> None:
        first = fn.load(start)
        key = fn.load(fn.offset("%keys", first))
        end = fn.slot()
        fn.store(end, fn.add(first, 1))

        def same() -> Bit:
            at = fn.load(end)
            inside = fn.compare("slt", at, "%hi")
            # The last key is read again rather than one past the end.
            readable = fn.select(inside, at, first)
            return fn.both(inside, fn.compare("eq", fn.load(fn.offset("%keys", readable)), key))

        fn.repeat(same, lambda _: fn.store(end, fn.add(fn.load(end), 1)))
        stop = fn.load(end)
        moved = fn.call(name, f"ptr %labels, ptr %order, i64 {first}, i64 {stop}")
        fn.when(fn.compare("ne", moved, 0), lambda: fn.give(1))
        fn.store(start, stop)

    fn.repeat(lambda: fn.compare("slt", fn.load(start), "%hi"), tie)
    fn.give(0)


def _fill_permutation(fn: Function) -> None:
    """The next permutation of labels, by the usual algorithm; 0 after the last."""

    def label(position: Word) -> Word:
        return fn.load(fn.offset("%labels", position))

    def swap(a: Word, b: Word) -> None:
        for table in ("%labels", "%order"):
            left, right = fn.offset(table, a), fn.offset(table, b)
            one, two = fn.load(left), fn.load(right)
            fn.store(left, two)
            fn.store(right, one)

    def reverse(first: Word) -> None:
        low, high = fn.slot(), fn.slot()
        fn.store(low, first)
        fn.store(high, fn.sub("%hi", 1))

        def exchange(_after: str) -> None:
            a, b = fn.load(low), fn.load(high)
            swap(a, b)
            fn.store(low, fn.add(a, 1))
            fn.store(high, fn.sub(b, 1))

        fn.repeat(lambda: fn.compare("slt", fn.load(low), fn.load(high)), exchange)

    pivot = fn.slot()
    fn.store(pivot, fn.sub("%hi", 1))

    def find(_after: str) -> None:
        right = fn.load(pivot)
        left = fn.sub(right, 1)
        fn.store(pivot, left)

        def rises() -> None:
            other = fn.slot()
            fn.store(other, fn.sub("%hi", 1))

            def too_small() -> Bit:
                return fn.compare("sle", label(fn.load(other)), label(left))

            fn.repeat(too_small, lambda _: fn.store(other, fn.sub(fn.load(other), 1)))
            swap(left, fn.load(other))
            reverse(right)
            fn.give(1)

        fn.when(fn.compare("slt", label(left), label(right)), rises)

    fn.repeat(lambda: fn.compare("slt", "%lo", fn.load(pivot)), find)
    reverse("%lo")
    fn.give(0)
