"""The functions of a compiled spec: expand, initial, predicates, steps, constraint, abstract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ....language.ir.nodes import (
    Action,
    Apply,
    Choose,
    Expr,
    For,
    If,
    Local,
    Op,
    Parameter,
    Property,
    PropertyKind,
    Refinement,
    Require,
    SpecIR,
    Stmt,
)
from ....language.ir.types import (
    BOOL,
    BagType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
    cardinality,
)
from ..control import LEAVE_OUT
from ..layout import DENSE_LIMIT, Bits, StateLayout, layout_of
from . import collections, shapes
from .access import Value, write
from .context import Context, TrapTable, state_places
from .expressions import adapted, condition, each_of_type, jump_if, lower, lower_as, narrowed
from .fusion import fused
from .masks import Tables
from .restriction import variants
from .rewriting import free_names
from .safety import safe
from .statements import Statements, Working, changed_variables
from .symmetry import SymmetryFunctions
from .text import Function, Module, Pointer, Word

STOPPED = -1
"""What an action's function gives where the buffer is full; `-2 - n` after a trap."""

AT_ONCE = 1024
"""An action with at most so many successors asks for room once, not for each of them."""

_ACTION = (
    "ptr noalias readonly %state, ptr noalias %out, i64 %limit, ptr noalias %trap, i64 %start, "
    "i64 %keep, ptr noalias %taken"
)
_EXPAND = (
    "ptr noalias %state, ptr noalias %out, i64 %limit, ptr noalias %coverage, ptr noalias %trap"
)


@dataclass
class SpecFunctions:
    """Writes the functions of one spec into a module."""

    spec: SpecIR
    layout: StateLayout
    module: Module
    traps: TrapTable
    tables: Tables = field(init=False)

    def __post_init__(self) -> None:
        self.spec = fused(self.spec)
        self.tables = Tables(self.spec)

    def write_all(self, subsets: Sequence[tuple[str, ...]]) -> None:
        """Every function of the ABI but those that a spec has no use for."""
        for number, action in enumerate(self.spec.actions):
            self._action(number, action)
        everything = list(range(len(self.spec.actions)))
        self._expand("expand", everything)
        names = [action.name for action in self.spec.actions]
        for number, subset in enumerate(subsets):
            chosen = [i for i in everything if names[i] in subset]
            self._expand(f"expand_by_{number}", chosen)
        self._initial()
        states = [*state_properties(self.spec), *excuses(self.spec)]
        self._predicates("predicates", states, "ptr noalias %state")
        after = "ptr noalias %state, ptr noalias %after"
        self._predicates("steps", step_properties(self.spec), after)
        if self.spec.constraint is not None:
            self._constraint(self.spec.constraint)
        for number, refinement in enumerate(self.spec.refinements):
            self._abstract(number, refinement)
        sorts = tuple(sort for sort in self.spec.sorts if not sort.ordered)
        if any(sort.size > 1 for sort in sorts):
            SymmetryFunctions(self.layout, self.module, sorts).write_all()

    def _context(self, fn: Function, on_trap: str) -> Context:
        return Context(fn, self.traps, fn.slot(), on_trap, self.tables)

    # Successors

    def _action(self, number: int, action: Action) -> None:
        fn = self.module.function(f"action.{number}", _ACTION, "i64")
        on_trap = fn.block()
        cx = self._context(fn, on_trap)
        given = state_places(self.layout, "%state", fn)
        cx.variables = given
        working = Working.of(fn, self.layout, changed_variables(action.body))
        successors = _Successors(fn, self.layout.words, "%start", keep="%keep")
        successors.reserve(most_successors(action))
        end = fn.block()
        guards, body = _split(action.body)

        def at_binding(after: str) -> None:
            working.take(fn, "%state")
            cx.variables = working.places(given)
            emit = partial(successors.emit, working, "%state")
            Statements(cx, working).run(body, after, emit)
            cx.variables = given

        _Bindings(cx, action.parameters, list(guards), at_binding).write(0, end)
        fn.at(end)
        successors.cover("%taken")
        fn.give(successors.count())
        successors.write_full()
        fn.at(on_trap)
        successors.cover("%taken")
        fn.store("%trap", fn.load(cx.trap_slot))
        fn.give(fn.sub(-2, successors.count()))

    def _expand(self, name: str, actions: Sequence[int]) -> None:
        fn = self.module.function(name, _EXPAND, "i64", internal=False)
        keep = fn.op("xor", fn.right("%limit", 62), 1)
        limit = fn.masked("%limit", LEAVE_OUT - 1)
        count: Word = 0
        for number in actions:
            counter = fn.offset("%coverage", number)
            arguments = f"ptr %state, ptr %out, i64 {limit}, ptr %trap, i64 {count}, i64 {keep}"
            count = fn.call(f"action.{number}", f"{arguments}, ptr {counter}")

            def stopped(result: Word = count) -> None:
                full = fn.compare("eq", result, STOPPED)
                fn.when(full, lambda: fn.give(STOPPED))
                fn.give(fn.sub(-2, result))

            fn.when(fn.compare("slt", count, 0), stopped)
        fn.give(count)

    def _initial(self) -> None:
        parameters = "ptr noalias %out, i64 %limit, ptr noalias %trap"
        fn = self.module.function("initial", parameters, "i64", internal=False)
        on_trap, end = fn.block(), fn.block()
        cx = self._context(fn, on_trap)
        working = Working.of(fn, self.layout, {variable.name for variable in self.spec.variables})
        for slot, words in working.slots():
            fn.clear(slot, words)
        places = working.places({})
        successors = _Successors(fn, self.layout.words, 0)
        for variable in self.spec.variables:
            place = places[variable.name]
            write(fn, place, lower_as(cx, variable.initial, place.layout))
        cx.variables = places
        emit = partial(successors.emit, working, None)
        Statements(cx, working).run(self.spec.start, end, emit)
        fn.at(end)
        fn.give(successors.count())
        successors.write_full()
        fn.at(on_trap)
        fn.store("%trap", fn.load(cx.trap_slot))
        fn.give(successors.count())

    # Predicates

    def _predicates(self, name: str, properties: Sequence[Property], states: str) -> None:
        parameters = f"{states}, ptr noalias %trap"
        fn = self.module.function(name, parameters, "i64", internal=False)
        arguments = "ptr %state, " + ("ptr %after, " if "%after" in states else "") + "ptr %trap"
        result: Word = 0
        for number, item in enumerate(properties):
            inner = f"{name}.{number}"
            self._predicate(inner, parameters, item.predicate)
            bit = fn.call(inner, arguments)
            if item.kind is PropertyKind.SOMETIMES_STEP:
                bit = fn.sub(1, bit)  # the search notes what is false of a step
            result = fn.either(result, fn.left(bit, number))
        fn.give(result)

    def _predicate(self, name: str, parameters: str, expr: Expr, *, internal: bool = True) -> None:
        """A function that gives 1 or 0; the first trap is kept."""
        fn = self.module.function(name, parameters, "i64", internal=internal)
        on_trap = fn.block()
        cx = self._context(fn, on_trap)
        cx.variables = state_places(self.layout, "%state", fn)
        if "%after" in parameters:
            cx.after = state_places(self.layout, "%after", fn)
        fn.give(fn.word(condition(cx, expr)))
        fn.at(on_trap)
        first = fn.compare("eq", fn.load("%trap"), 0)
        fn.when(first, lambda: fn.store("%trap", fn.load(cx.trap_slot)))
        fn.give(0)

    def _constraint(self, expr: Expr) -> None:
        parameters = "ptr noalias %state, ptr noalias %trap"
        self._predicate("constraint", parameters, expr, internal=False)

    def _abstract(self, number: int, refinement: Refinement) -> None:
        parameters = "ptr noalias %state, ptr noalias %out, ptr noalias %trap"
        fn = self.module.function(f"abstract_{number}", parameters, "void", internal=False)
        on_trap = fn.block()
        cx = self._context(fn, on_trap)
        cx.variables = state_places(self.layout, "%state", fn)
        target = StateLayout.of(refinement.abstract.variables)
        fn.clear("%out", target.words)
        places = state_places(target, "%out", fn)
        for variable, expr in zip(refinement.abstract.variables, refinement.mapping, strict=True):
            place = places[variable.name]
            write(fn, place, lower_as(cx, expr, place.layout))
        fn.give()
        fn.at(on_trap)
        fn.store("%trap", fn.load(cx.trap_slot))
        fn.give()


def state_properties(spec: SpecIR) -> list[Property]:
    """The properties of states, in order: their bits in `predicates`."""
    return [item for item in spec.properties if not item.kind.of_steps]


def excuses(spec: SpecIR) -> list[Property]:
    """Where always-possible properties with a `when` ask nothing: bits behind the properties'."""
    return [
        Property(item.name, item.kind, Apply(BOOL, Op.NOT, (item.when,)))
        for item in state_properties(spec)
        if item.when is not None
    ]


def step_properties(spec: SpecIR) -> list[Property]:
    """The properties of steps, in order: their bits in `steps`."""
    return [item for item in spec.properties if item.kind.of_steps]


class _Successors:
    """Writes states to the buffer `%out`, and counts them (and, apart, the steps)."""

    def __init__(self, fn: Function, words: int, start: Word, keep: Word = 1) -> None:
        self._fn = fn
        self._words = words
        self._keep = keep
        self._count = fn.slot()
        self._steps = fn.slot()
        self._full = fn.block()
        self._reserved = False
        fn.store(self._count, start)
        fn.store(self._steps, 0)

    def count(self) -> Word:
        """The number of states in the buffer."""
        return self._fn.load(self._count)

    def cover(self, counter: Pointer) -> None:
        """Add the steps taken to a counter."""
        fn = self._fn
        fn.store(counter, fn.add(fn.load(counter), fn.load(self._steps)))

    def reserve(self, most: int | None) -> None:
        """Make sure of room for that many states, so that `emit` need not."""
        if most is None or most > AT_ONCE:
            return
        fn = self._fn
        room = fn.block()
        fn.branch(fn.compare("sle", fn.add(self.count(), most), "%limit"), room, self._full)
        fn.at(room)
        self._reserved = True

    def emit(self, working: Working, state: str | None, following: str) -> None:
        """Write the working state, then go to the block `following`."""
        fn = self._fn
        count = self.count()
        if not self._reserved:
            room = fn.block()
            fn.branch(fn.compare("slt", count, "%limit"), room, self._full)
            fn.at(room)
        working.give(fn, state, fn.offset("%out", fn.mul(count, self._words)))
        new = 1 if state is None else fn.either(working.moved(fn, state), self._keep)
        fn.store(self._count, fn.add(count, new))
        fn.store(self._steps, fn.add(fn.load(self._steps), 1))
        fn.jump(following)

    def write_full(self) -> None:
        """The block for a full buffer."""
        self._fn.at(self._full)
        self._fn.give(STOPPED)


def most_successors(action: Action) -> int | None:
    """How many successors an action can have at most; None where choices make that unclear."""
    if chooses(action.body):
        return None
    most = 1
    for parameter in action.parameters:
        most *= cardinality(parameter.type)
    return most


def chooses(body: tuple[Stmt, ...]) -> bool:
    """Whether there is a choice anywhere in a body."""
    for stmt in body:
        match stmt:
            case Choose():
                return True
            case If(then=then, orelse=orelse) if chooses((*then, *orelse)):
                return True
            case For(body=inner) if chooses(inner):
                return True
    return False


def _split(body: tuple[Stmt, ...]) -> tuple[list[Require], tuple[Stmt, ...]]:
    """The guards that a body begins with, and the rest."""
    guards: list[Require] = []
    for stmt in body:
        if not isinstance(stmt, Require):
            break
        guards.append(stmt)
    return guards, body[len(guards) :]


@dataclass
class _Bindings:
    """Loops over the parameters of an action, with each guard as far outside as it can be.

    A guard that may trap is evaluated only after those before it hold; others may overtake each
    other. A guard that asks for membership of the next parameter becomes its loop.
    """

    cx: Context
    parameters: tuple[Parameter, ...]
    guards: list[Require]
    body: Callable[[str], None]

    def write(self, depth: int, following: str) -> None:
        """The loops from `depth` on; ends with a jump to `following`."""
        fn = self.cx.fn
        unbound = {parameter.name for parameter in self.parameters[depth:]}
        for guard in self._ready(unbound):
            enabled = fn.block()
            jump_if(self.cx, guard.condition, enabled, following)
            fn.at(enabled)
        if depth == len(self.parameters):
            self.body(following)
            return
        parameter = self.parameters[depth]

        def bound(value: Value) -> None:
            after = fn.block()
            self.cx.locals[parameter.name] = value
            self.write(depth + 1, after)
            fn.at(after)

        source = self._source(parameter, unbound)
        if source is None:
            each_of_type(self.cx, parameter.type, bound)
        else:
            self._members(parameter, source, unbound, bound)
        fn.jump(following)

    def _ready(self, unbound: set[str]) -> list[Require]:
        """Take out the guards that can be evaluated when only these parameters are not bound."""
        ready: list[Require] = []
        left: list[Require] = []
        for guard in self.guards:
            early = not left or (safe(guard.condition) and all(safe(g.condition) for g in left))
            if early and not free_names(guard) & unbound:
                ready.append(guard)
            else:
                left.append(guard)
        self.guards = left
        return ready

    def _source(self, parameter: Parameter, unbound: set[str]) -> Expr | None:
        """The collection that a guard wants the parameter to be in."""
        large = cardinality(parameter.type) > DENSE_LIMIT
        for position, guard in enumerate(self.guards if large else self.guards[:1]):
            source = _membership(guard.condition, parameter)
            if source is not None and not free_names(source) & unbound:
                if position == 0:
                    self.guards.pop(0)
                return source
        return None

    def _members(
        self, parameter: Parameter, source: Expr, unbound: set[str], bound: Callable[[Value], None]
    ) -> None:
        cx, fn, kind = self.cx, self.cx.fn, parameter.type
        elements = lower(cx, source)
        if isinstance(source.type, SeqType):
            # In canonical order and without repetitions: as a set.
            target = layout_of(SetType(source.type.element, source.type.capacity))
            elements = collections.relaid(fn, elements, target, cx.overflow("parameter"))
        if isinstance(elements.layout, Bits):
            elements = self._admitted(parameter, elements, unbound)

        def member(element: Value, _after: str) -> None:
            if element.layout.kind == kind:
                bound(adapted(cx, element, layout_of(kind)))
                return
            assert isinstance(kind, RecordType)
            name = kind.name
            is_one = shapes.has_variant(fn, element, name)
            fn.when(is_one, lambda: bound(shapes.variant(fn, element, name)))

        collections.iterate(fn, elements, member)

    def _admitted(self, parameter: Parameter, elements: Value, unbound: set[str]) -> Value:
        """Those of a dense set that the parameter can be, by its type and by guards."""
        kind = parameter.type
        if isinstance(kind, RecordType) and isinstance(
            _element_type(elements.layout.kind), UnionType
        ):
            target = layout_of(SetType(kind))
            if not isinstance(target, Bits):
                return elements
            elements = variants(self.cx.fn, elements, kind.name, target)
        all_guards = self.guards
        ready = self._ready(unbound - {parameter.name})
        conditions = [guard.condition for guard in ready]
        elements, left = narrowed(self.cx, elements, parameter.name, kind, conditions)
        met = ready[: len(ready) - len(left)]
        self.guards = [guard for guard in all_guards if guard not in met]
        return elements


def _membership(condition_: Expr, parameter: Parameter) -> Expr | None:
    """The collection of which the condition wants the parameter to be an element."""
    match condition_:
        case Apply(op=Op.CONTAINS, args=(source, Local(kind, name))):
            elements = _element_type(source.type)
            return source if name == parameter.name and elements == kind else None
        case Apply(
            op=Op.CONTAINS,
            args=(
                source,
                Apply(type=UnionType() as union, op=Op.COERCE, args=(Local(kind, name),)),
            ),
        ):
            record = isinstance(kind, RecordType) and _element_type(source.type) == union
            return source if name == parameter.name and record else None
    return None


def _element_type(kind: Type) -> Type | None:
    match kind:
        case SetType(element) | SeqType(element) | BagType(element):
            return element
    return None
