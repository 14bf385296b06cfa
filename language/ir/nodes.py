"""The IR: what a spec means, as a typed tree with structured control.

A tree and not a control-flow graph: the same form is walked by the evaluator, lowered to machine
code and encoded for a solver, and all three need loops over finite collections as such. Positions
(`span`) take no part in equality, so IR from text equals IR from source.

Expressions have no effects. They may fail (a key that is not there, the minimum of nothing, a
value outside its type): that is a `Trap`, and which trap a node can raise is said at the node.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from .types import Sort, Type


@dataclass(frozen=True)
class Span:
    """A piece of a source file. Lines and columns count from 1; `end_column` is past it."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Op(Enum):
    """Operators. The comment gives arity and types; `signatures.py` has the rules."""

    NOT = "not"  # bool -> bool
    AND = "and"  # bool+ -> bool, short-circuit
    OR = "or"  # bool+ -> bool, short-circuit
    EQ = "eq"  # T, T -> bool: of the same type (the front end coerces)
    LT = "lt"  # int, int | ordered node, ordered node | enum, enum -> bool
    LE = "le"
    ADD = "add"  # int, int -> int
    SUB = "sub"
    MUL = "mul"
    FLOORDIV = "floordiv"  # traps DIVISION on zero; rounds down, as Python does
    MOD = "mod"  # traps DIVISION on zero; the sign of the divisor, as in Python
    NEG = "neg"
    MIN = "min"  # int, int -> int
    MAX = "max"
    IF = "if"  # bool, T, T -> T: only the chosen arm is evaluated
    FIELD = "field"  # record -> T; `name` is the field
    IS = "is"  # union -> bool; `name` is the variant
    NARROW = "narrow"  # union -> record | option -> inner; traps NARROW
    IS_NONE = "is_none"  # option -> bool
    COERCE = "coerce"  # T -> `type`: the same value in a wider or narrower type; traps BOUND
    RECORD = "record"  # field values -> record, in order of definition
    DOMAIN = "domain"  # -> set of all values of the element type
    SET = "set"  # elements -> set
    RANGE = "range"  # int, int -> set of int: first to last, last excluded
    UNION = "union"  # set, set -> set of the same type
    INTERSECTION = "intersection"
    DIFFERENCE = "difference"
    SUBSET = "subset"  # set, set -> bool
    QUORUM = "quorum"  # collection, collection -> bool: the first has most of the second's number
    CONTAINS = "contains"  # collection, element -> bool
    SIZE = "size"  # collection -> int: elements; of a bag, with multiplicity
    EACH = "each"  # value -> map: that value at every key
    GET = "get"  # map, key -> value
    WITH = "with"  # map, key, value -> map: changed at one key
    SEQ = "seq"  # elements -> sequence
    AT = "at"  # sequence, int -> element; from 0, negative from the end; traps INDEX
    TAKE = "take"  # sequence, int -> sequence: s[:n], Python's slice rules
    DROP = "drop"  # sequence, int -> sequence: s[n:], Python's slice rules
    CONCAT = "concat"  # sequence, sequence -> sequence; its capacity is their sum
    BAG = "bag"  # elements -> bag
    COUNT = "count"  # bag, element -> int: how many copies


class Fold(Enum):
    """What a comprehension makes of its elements."""

    ANY = "any"  # bool -> bool, stops at the first True
    ALL = "all"  # bool -> bool, stops at the first False
    SUM = "sum"  # int -> int
    MIN = "min"  # int -> int; traps EMPTY unless `default` is given
    MAX = "max"
    SET = "set"  # T -> set of T
    MAP = "map"  # V -> map; one binder, over the domain of the key type, without condition


class TrapKind(Enum):
    """Why an expression has no value, or a statement no successor. It ends the run with a trace."""

    BOUND = "bound"  # a value outside its declared bound
    INDEX = "index"  # a sequence index that is not there
    EMPTY = "empty"  # the minimum or maximum of nothing
    NARROW = "narrow"  # None, or another variant, where a value was needed
    DIVISION = "division"  # division by zero
    MISSING = "missing"  # remove of an element that is not there, pop from an empty sequence


@dataclass(frozen=True)
class Const:
    """A literal: bool, int, the name of an enumeration's member, or None for an option."""

    type: Type
    value: bool | int | str | None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Local:
    """A local: parameter of the action, bound variable, or `Bind` / `Choose` target."""

    type: Type
    name: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Var:
    """A state variable; `after` is True only in step properties, for the later of two states."""

    type: Type
    name: str
    after: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Apply:
    """An operator applied. `name` is the field or variant for FIELD and IS, else empty.

    `label` says what a trap is about (the variable or field whose bound is checked).
    """

    type: Type
    op: Op
    args: tuple[Expr, ...] = ()
    name: str = ""
    label: str = ""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Binder:
    """`name` runs over the elements of `source` where `condition` holds: those of a set and the
    distinct ones of a bag in canonical order, a sequence position by position.

    `type` is the element type of the source.
    """

    name: str
    type: Type
    source: Expr
    condition: Expr | None = None


@dataclass(frozen=True)
class Comprehension:
    """A fold over nested binders, the first outermost."""

    type: Type
    fold: Fold
    binders: tuple[Binder, ...]
    body: Expr
    default: Expr | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Do:
    """Statements over locals, then a value: an inlined helper. The body has no `Require`, no
    `Choose`, and changes no state variable.
    """

    type: Type
    body: tuple[Stmt, ...]
    result: Expr
    span: Span | None = field(default=None, compare=False)


Expr = Const | Local | Var | Apply | Comprehension | Do


@dataclass(frozen=True)
class Key:
    """A step of a path: the value of a map at a key."""

    key: Expr


@dataclass(frozen=True)
class Index:
    """A step of a path: the element of a sequence at an index; traps INDEX."""

    index: Expr


@dataclass(frozen=True)
class Path:
    """A place in a state variable. `type` is the type of the place, so of what is stored there."""

    var: str
    steps: tuple[Key | Index, ...]
    type: Type
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Assign:
    """Store a value of the place's type. A value that may not fit was wrapped in COERCE."""

    place: Path
    value: Expr
    span: Span | None = field(default=None, compare=False)


class Change(Enum):
    """In-place changes of a collection. Arguments have the element type, unless said."""

    ADD = "add"  # set, bag: traps BOUND where the capacity or the copies are exceeded
    DISCARD = "discard"  # set, bag (one copy): nothing happens where it is absent
    REMOVE = "remove"  # set, bag (one copy): traps MISSING where it is absent
    UNITE = "unite"  # set: one argument, a set of the same element type; traps BOUND
    CLEAR = "clear"  # set, bag, sequence: no argument
    APPEND = "append"  # sequence: traps BOUND when full
    POP_FIRST = "pop_first"  # sequence: no argument; traps MISSING when empty
    POP_LAST = "pop_last"


@dataclass(frozen=True)
class Mutate:
    """Change a collection where it is."""

    change: Change
    place: Path
    args: tuple[Expr, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Bind:
    """Set a local. Every `Bind` of a name in a body has the same type."""

    name: str
    type: Type
    value: Expr
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Require:
    """The action is not enabled (this branch of it, after a choice) unless the condition holds."""

    condition: Expr
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class If:
    """Two arms."""

    condition: Expr
    then: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class For:
    """The body once for each element; the source is evaluated once, before the first round."""

    binder: Binder
    body: tuple[Stmt, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Choose:
    """Set a local to any element of a collection: one successor for each. None: not enabled."""

    binder: Binder
    span: Span | None = field(default=None, compare=False)


Stmt = Assign | Mutate | Bind | Require | If | For | Choose


class Kind(Enum):
    """The one vocabulary of steps: what happened, in spec, replay, log and diagram alike."""

    INTERNAL = "internal"
    REQUEST = "request"
    DELIVER = "deliver"
    DROP = "drop"
    DUPLICATE = "duplicate"
    TIMEOUT = "timeout"
    CRASH = "crash"
    RESTART = "restart"
    PARTITION = "partition"
    HEAL = "heal"


class Durability(Enum):
    """What a crash leaves of a variable. Plain variables are not part of any process."""

    PLAIN = "plain"
    DURABLE = "durable"
    VOLATILE = "volatile"


@dataclass(frozen=True)
class Variable:
    """A state variable with its initial value (which reads no other variable)."""

    name: str
    type: Type
    initial: Expr
    durability: Durability = Durability.PLAIN
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Parameter:
    """A parameter of an action, quantified over all values of its type."""

    name: str
    type: Type


@dataclass(frozen=True)
class Action:
    """An atomic step: for each binding of the parameters and each choice at most one successor."""

    name: str
    kind: Kind
    parameters: tuple[Parameter, ...]
    body: tuple[Stmt, ...]
    span: Span | None = field(default=None, compare=False)


class PropertyKind(Enum):
    """How a predicate is read.

    ALWAYS: in every reachable state. SOMETIMES: in some reachable state (a witness). STEP: on every
    step (`Var.after` tells the states apart). SOMETIMES_STEP: on some step. ALWAYS_POSSIBLE: from
    every reachable state a state in which it holds can be reached by the actions in `by` alone.
    """

    ALWAYS = "always"
    SOMETIMES = "sometimes"
    STEP = "step"
    SOMETIMES_STEP = "sometimes_step"
    ALWAYS_POSSIBLE = "always_possible"

    @property
    def of_steps(self) -> bool:
        """Whether it is read over the two states of a step, not over one."""
        return self in (PropertyKind.STEP, PropertyKind.SOMETIMES_STEP)


@dataclass(frozen=True)
class Property:
    """A named predicate. For ALWAYS_POSSIBLE only, `by` names actions, and `when` says from which
    states the predicate has to stay in reach; None: from all.
    """

    name: str
    kind: PropertyKind
    predicate: Expr
    by: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)
    when: Expr | None = None


@dataclass(frozen=True)
class Refinement:
    """Each step is one of `abstract`, or leaves it unchanged; initial states map to initial ones.

    `mapping` gives each variable of the abstract spec, in its order, over this spec's variables.
    """

    name: str
    abstract: SpecIR
    mapping: tuple[Expr, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class SpecIR:
    """A spec with its parameters fixed.

    1. Names of variables, actions and properties are unique in their family.
    2. `start` runs once on the variables' initial values; its choices give several initial states.
    3. `constraint`: a state in which it is False is checked, but neither stored nor expanded.
    """

    name: str
    sorts: tuple[Sort, ...]
    variables: tuple[Variable, ...]
    actions: tuple[Action, ...]
    start: tuple[Stmt, ...] = ()
    constraint: Expr | None = None
    properties: tuple[Property, ...] = ()
    refinements: tuple[Refinement, ...] = ()

    def variable(self, name: str) -> Variable:
        """The variable of that name; KeyError where there is none."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(name)
