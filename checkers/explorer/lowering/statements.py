"""Statements in continuation style: what follows a choice is the body of the choice's loop.

`run(cx, body, next, then)` writes the statements, then what `then` writes; every path ends with a
jump to the block `next` (or to the `next` of a choice inside, and from there, when the choices are
used up, to `next`). A guard that fails jumps there as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ....language.ir.nodes import (
    Apply,
    Assign,
    Bind,
    Binder,
    Change,
    Choose,
    For,
    If,
    Key,
    Mutate,
    Op,
    Require,
    Stmt,
    TrapKind,
)
from ....language.ir.types import BagType, MapType, SetType
from ..layout import Bits, LayoutError, StateLayout, layout_of
from . import collections, sequences
from .access import Place, Value, clear, item_place, length_of, put, read, write
from .context import Context, most_elements
from .expressions import (
    adapted,
    bind,
    branches,
    each_element,
    for_each,
    jump_if,
    local_slot,
    lower,
    lower_as,
    snapshot,
    word_of,
)
from .order import ordinal
from .text import Function, Pointer, Word

Then = Callable[[str], None]
"""Writes what follows, and ends with a jump to the given block."""

UNROLL_LIMIT = 8
"""Rounds of a `for` with a `choose` inside, at most: its body is written out for each round, and
again for each way in which earlier rounds may have ended.
"""


@dataclass
class Working:
    """The state as an action changes it: slots for the words and wide variables that it changes."""

    layout: StateLayout
    words: dict[int, Pointer]
    wide: dict[str, Pointer]

    @classmethod
    def of(cls, fn: Function, layout: StateLayout, changed: set[str]) -> Working:
        """Slots for these variables, not initialised."""
        words: dict[int, Pointer] = {}
        wide: dict[str, Pointer] = {}
        for name in sorted(changed):
            part = layout.parts[name]
            if not part.layout.small:
                wide[name] = fn.slot(part.layout.words)
            elif part.word not in words:
                words[part.word] = fn.slot()
        return cls(layout, words, wide)

    def places(self, given: dict[str, Place]) -> dict[str, Place]:
        """The places of all variables: of unchanged ones the given."""
        found = dict(given)
        for name, part in self.layout.parts.items():
            if name in self.wide:
                found[name] = Place(part.layout, self.wide[name])
            elif part.layout.small and part.word in self.words:
                found[name] = Place(part.layout, self.words[part.word], part.shift)
        return found

    def take(self, fn: Function, state: Pointer) -> None:
        """Begin with a state."""
        for word, slot in self.words.items():
            fn.store(slot, fn.load(fn.offset(state, word)))
        for name, slot in self.wide.items():
            part = self.layout.parts[name]
            fn.copy(slot, fn.offset(state, part.word), part.layout.words)

    def give(self, fn: Function, state: Pointer | None, target: Pointer) -> None:
        """Write the state as it is now; the words not changed come from `state`."""
        changed: set[int] = set(self.words)
        for name, slot in self.wide.items():
            part = self.layout.parts[name]
            fn.copy(fn.offset(target, part.word), slot, part.layout.words)
            changed |= set(range(part.word, part.word + part.layout.words))
        for word, slot in self.words.items():
            fn.store(fn.offset(target, word), fn.load(slot))
        for start, stop in _runs([w for w in range(self.layout.words) if w not in changed]):
            if state is None:
                fn.clear(fn.offset(target, start), stop - start)
            else:
                fn.copy(fn.offset(target, start), fn.offset(state, start), stop - start)

    def moved(self, fn: Function, state: Pointer) -> Word:
        """1 where the working state differs from `state`, else 0; 1 if that takes long to see."""
        if self.wide:
            return 1
        difference: Word = 0
        for word, slot in self.words.items():
            changed = fn.op("xor", fn.load(slot), fn.load(fn.offset(state, word)))
            difference = fn.either(difference, changed)
        return fn.word(fn.compare("ne", difference, 0))

    def slots(self) -> list[tuple[Pointer, int]]:
        """The slots with their sizes in words."""
        wide = [(slot, self.layout.parts[name].layout.words) for name, slot in self.wide.items()]
        return [(slot, 1) for slot in self.words.values()] + wide


def _runs(words: list[int]) -> list[tuple[int, int]]:
    """Maximal ranges of consecutive numbers."""
    runs: list[tuple[int, int]] = []
    for word in words:
        if runs and runs[-1][1] == word:
            runs[-1] = (runs[-1][0], word + 1)
        else:
            runs.append((word, word + 1))
    return runs


def changed_variables(body: tuple[Stmt, ...]) -> set[str]:
    """The variables that statements may change."""
    names: set[str] = set()
    for stmt in body:
        match stmt:
            case Assign(place) | Mutate(_, place):
                names.add(place.var)
            case If(_, then, orelse):
                names |= changed_variables((*then, *orelse))
            case For(_, inner):
                names |= changed_variables(inner)
    return names


def has_choice(body: tuple[Stmt, ...]) -> bool:
    """Whether there is a choice somewhere in the statements."""
    for stmt in body:
        match stmt:
            case Choose():
                return True
            case If(_, then, orelse):
                if has_choice((*then, *orelse)):
                    return True
            case For(_, inner):
                if has_choice(inner):
                    return True
    return False


@dataclass
class Statements:
    """Writes statements that may change the state, guard and choose."""

    cx: Context
    working: Working

    def run(self, body: tuple[Stmt, ...], following: str, then: Then) -> None:
        """The statements, then `then`; see the module."""
        for position, stmt in enumerate(body):
            rest = body[position + 1 :]
            if isinstance(stmt, Choose):
                self._choose(stmt.binder, rest, following, then)
                return
            if has_choice((stmt,)):
                self._with_choices(stmt, following, partial(self._rest, rest, then))
                return
            self._simple(stmt, following)
        then(following)

    def _rest(self, rest: tuple[Stmt, ...], then: Then, following: str) -> None:
        self.run(rest, following, then)

    def _simple(self, stmt: Stmt, following: str) -> None:
        """A statement without choices inside."""
        fn = self.cx.fn
        match stmt:
            case Require(condition):
                enabled = fn.block()
                jump_if(self.cx, condition, enabled, following)
                fn.at(enabled)
            case Assign():
                self._assign(stmt)
            case Mutate():
                self._mutate(stmt)
            case Bind():
                bind(self.cx, stmt)
            case If(test, yes, no):
                branches(
                    self.cx,
                    test,
                    lambda: self._all(yes, following),
                    lambda: self._all(no, following),
                )
            case For(binder, inner):
                for_each(self.cx, binder, lambda: self._all(inner, following))

    def _all(self, body: tuple[Stmt, ...], following: str) -> None:
        for stmt in body:
            self._simple(stmt, following)

    # Choices

    def _choose(self, binder: Binder, rest: tuple[Stmt, ...], following: str, then: Then) -> None:
        cx, fn = self.cx, self.cx.fn
        source = binder.source
        lazy = isinstance(source, Apply) and source.op in (Op.DOMAIN, Op.RANGE)
        elements = None if lazy else snapshot(cx, lower(cx, source))
        restore = self._saved()
        target = local_slot(cx, binder.name, binder.type, lambda: most_elements(source))

        def chosen(value: Value) -> None:
            restore()
            write(fn, target, adapted(cx, value, target.layout))
            run, after = fn.block(), fn.block()
            if binder.condition is None:
                fn.jump(run)
            else:
                jump_if(cx, binder.condition, run, after)
            fn.at(run)
            self.run(rest, after, then)
            fn.at(after)

        if elements is None:
            each_element(cx, source, chosen)
        else:
            collections.iterate(fn, elements, lambda element, _: chosen(element))
        fn.jump(following)

    def _saved(self) -> Callable[[], None]:
        """Remember the state and the locals; what is given writes the code that restores them."""
        fn = self.cx.fn
        slots = self.working.slots()
        for place in self.cx.locals.values():
            if isinstance(place, Place):
                slots.append((place.pointer, place.layout.size))
        copies = [(slot, fn.slot(words), words) for slot, words in slots]
        for slot, copy, words in copies:
            fn.copy(copy, slot, words)

        def restore() -> None:
            for slot, copy, words in copies:
                fn.copy(slot, copy, words)

        return restore

    def _with_choices(self, stmt: Stmt, following: str, then: Then) -> None:
        match stmt:
            case If():
                self._fork(stmt, following, then)
            case For(binder, inner):
                self._rounds(binder, inner, following, then)

    def _fork(self, stmt: If, following: str, then: Then) -> None:
        """Two arms with choices inside."""
        fn = self.cx.fn

        def arms(join: Then) -> None:
            first, second = fn.block(), fn.block()
            jump_if(self.cx, stmt.condition, first, second)
            fn.at(first)
            self.run(stmt.then, following, join)
            fn.at(second)
            self.run(stmt.orelse, following, join)

        self._joined(arms, then)

    def _joined(self, arms: Callable[[Then], None], then: Then) -> None:
        """Arms that all go on with `then`, which is written once for each.

        Written only once, it would be entered from several loops: such control flow LLVM
        optimises badly, or not at all. Names are bound anew in each copy.
        """

        def join(following: str) -> None:
            outside = dict(self.cx.locals)
            if self.cx.fn.reachable:
                then(following)
            self.cx.locals = outside

        arms(join)

    def _rounds(self, binder: Binder, inner: tuple[Stmt, ...], following: str, then: Then) -> None:
        """A loop with choices inside: its rounds one after the other, each written out."""
        cx, fn = self.cx, self.cx.fn
        most = most_elements(binder.source)
        if most > UNROLL_LIMIT:
            raise LayoutError(f"a choice in a loop of up to {most} rounds is too large to explore")
        layout = layout_of(binder.type)
        items = [fn.slot(layout.size) for _ in range(most)]
        table = fn.slot(max(1, most) * layout.size)
        count = fn.slot()
        fn.store(count, 0)

        def collect(value: Value) -> None:
            at = fn.load(count)
            target = fn.offset(table, fn.mul(at, layout.size))
            write(fn, Place(layout, target, alone=layout.small), value)
            fn.store(count, fn.add(at, 1))

        each_element(cx, binder.source, collect)

        def round_at(index: int, after: str) -> None:
            cx.locals.pop(binder.name, None)
            if index == most:
                then(after)
                return

            def arms(join: Then) -> None:
                there, ended = fn.block(), fn.block()
                fn.branch(fn.compare("slt", index, fn.load(count)), there, ended)
                fn.at(there)
                source = fn.offset(table, index * layout.size)
                fn.copy(items[index], source, layout.size)
                value = read(fn, Place(layout, items[index], alone=layout.small))
                cx.locals[binder.name] = value
                if binder.condition is None:
                    self.run(inner, after, join)
                else:
                    admitted, passed = fn.block(), fn.block()
                    jump_if(cx, binder.condition, admitted, passed)
                    fn.at(admitted)
                    self.run(inner, after, join)
                    fn.at(passed)
                    join(after)
                fn.at(ended)
                cx.locals.pop(binder.name, None)
                self._joined(lambda go_on: go_on(after), then)

            self._joined(arms, lambda back: round_at(index + 1, back))

        round_at(0, following)

    # Changes

    def _place(self, stmt: Assign | Mutate) -> Place:
        cx, fn = self.cx, self.cx.fn
        place = cx.variables[stmt.place.var]
        for step in stmt.place.steps:
            if isinstance(step, Key):
                kind = place.layout.kind
                assert isinstance(kind, MapType)
                index = ordinal(fn, lower_as(cx, step.key, layout_of(kind.key)))
            else:
                wanted = word_of(cx, step.index)
                length = length_of(fn, read(fn, place))
                refuse = cx.refuse(TrapKind.INDEX, stmt)
                index = sequences.position(fn, length, wanted, refuse)
            place = item_place(fn, place, index)
        return place

    def _assign(self, stmt: Assign) -> None:
        value = lower(self.cx, stmt.value)
        place = self._place(stmt)
        write(self.cx.fn, place, adapted(self.cx, value, place.layout))

    def _mutate(self, stmt: Mutate) -> None:
        place = self._place(stmt)
        if stmt.change is Change.CLEAR:
            clear(self.cx.fn, place)
            return
        args = [lower(self.cx, arg) for arg in stmt.args]
        match place.layout.kind:
            case SetType():
                self._change_set(stmt, place, args[0])
            case BagType():
                self._change_bag(stmt, place, args[0])
            case _:
                self._change_sequence(stmt, place, args)

    def _element(self, place: Place, value: Value) -> Value:
        return adapted(self.cx, value, collections.element_layout(place.layout))

    def _change_set(self, stmt: Mutate, place: Place, value: Value) -> None:
        cx, fn = self.cx, self.cx.fn
        full = cx.refuse(TrapKind.BOUND, stmt)
        match stmt.change:
            case Change.ADD:
                collections.insert(fn, place, self._element(place, value), full)
            case Change.UNITE:
                self._unite(place, value, full)
            case _:
                there = collections.remove(fn, place, self._element(place, value))
                if stmt.change is Change.REMOVE:
                    fn.when(fn.negated(there), cx.refuse(TrapKind.MISSING, stmt))

    def _unite(self, place: Place, value: Value, full: collections.Refuse) -> None:
        fn = self.cx.fn
        if isinstance(place.layout, Bits) and isinstance(value.layout, Bits) and place.layout.small:
            put(fn, place, fn.either(read(fn, place).raw, value.raw))
            capacity = (
                place.layout.kind.capacity if isinstance(place.layout.kind, SetType) else None
            )
            if capacity is not None and capacity < place.layout.count:
                size = collections.size(fn, read(fn, place))
                fn.when(fn.compare("slt", capacity, size), full)
            return
        own = snapshot(self.cx, value)
        collections.iterate(fn, own, lambda e, _: collections.insert(fn, place, e, full))

    def _change_bag(self, stmt: Mutate, place: Place, value: Value) -> None:
        cx, fn = self.cx, self.cx.fn
        element = self._element(place, value)
        if stmt.change is Change.ADD:
            full = cx.refuse(TrapKind.BOUND, stmt)
            collections.add_copies(fn, place, element, 1, full)
            return
        there = collections.remove_copy(fn, place, element)
        if stmt.change is Change.REMOVE:
            fn.when(fn.negated(there), cx.refuse(TrapKind.MISSING, stmt))

    def _change_sequence(self, stmt: Mutate, place: Place, args: list[Value]) -> None:
        cx, fn = self.cx, self.cx.fn
        missing = cx.refuse(TrapKind.MISSING, stmt)
        match stmt.change:
            case Change.APPEND:
                full = cx.refuse(TrapKind.BOUND, stmt)
                sequences.append(fn, place, self._element(place, args[0]), full)
            case Change.POP_FIRST:
                sequences.pop_first(fn, place, missing)
            case _:
                sequences.pop_last(fn, place, missing)
