"""A small spec by hand, and strategies for types and values, for the tests of traces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zlib import crc32

from hypothesis import strategies as st

from quorate.language.domains import values_of
from quorate.language.ir.evaluator import Evaluator
from quorate.language.ir.nodes import (
    Action,
    Apply,
    Assign,
    Binder,
    Change,
    Choose,
    Comprehension,
    Const,
    Expr,
    Fold,
    Key,
    Kind,
    Local,
    Mutate,
    Op,
    Parameter,
    Path,
    Property,
    PropertyKind,
    Require,
    Span,
    SpecIR,
    Stmt,
    Var,
    Variable,
)
from quorate.language.ir.types import (
    BOOL,
    BagType,
    BoolType,
    EnumType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Sort,
    Type,
    UnionType,
)
from quorate.language.values import FrozenBag, FrozenMap, Universe, Value
from quorate.traces import Trace, TraceMeta

# -- a vote: nodes prepare, a coordinator commits when all votes are in, or aborts ---------------

RMS = Sort("rms", 2)
NODE = NodeType(RMS)
PHASE = EnumType("Phase", ("WORKING", "PREPARED", "COMMITTED", "ABORTED"))
PREPARED = RecordType("Prepared", (("rm", NODE),))
DECISION = RecordType("Decision", (("commit", BOOL), ("round", IntType(0, 3))))
MESSAGE = UnionType((DECISION, PREPARED))
PHASES = MapType(NODE, PHASE)
MESSAGES = SetType(MESSAGE)
VOTES = MapType(NODE, OptionType(BOOL))
ROUND = IntType(0, 3)

_phase = Var(PHASES, "phase")
_messages = Var(MESSAGES, "messages")
_rm = Local(NODE, "rm")
_message = Local(MESSAGE, "message")


def at(line: int) -> Span:
    """A place in a file that does not exist."""
    return Span("vote.py", line, 9, line, 40)


def const(kind: Type, value: Any) -> Expr:
    return Const(kind, value)


def is_phase(rm: Expr, name: str, line: int) -> Expr:
    """Whether a node is in a phase."""
    there = Apply(PHASE, Op.GET, (_phase, rm))
    return Apply(BOOL, Op.EQ, (there, const(PHASE, name)), span=at(line))


def set_phase(name: str) -> Stmt:
    return Assign(Path("phase", (Key(_rm),), PHASE), const(PHASE, name))


def send(message: Expr) -> Stmt:
    return Mutate(Change.ADD, Path("messages", (), MESSAGES), (_up(message),))


def _up(record: Expr) -> Expr:
    return Apply(MESSAGE, Op.COERCE, (record,))


def _decision(commit: Expr) -> Expr:
    return Apply(DECISION, Op.RECORD, (commit, Apply(ROUND, Op.COERCE, (Var(ROUND, "round"),))))


def _prepare() -> Action:
    body: tuple[Stmt, ...] = (
        Require(
            Apply(
                BOOL,
                Op.AND,
                (
                    Apply(BOOL, Op.LT, (Var(ROUND, "round"), const(ROUND, 3)), span=at(10)),
                    is_phase(_rm, "WORKING", 11),
                ),
            ),
            span=at(10),
        ),
        set_phase("PREPARED"),
        send(Apply(PREPARED, Op.RECORD, (_rm,))),
    )
    return Action("prepare", Kind.INTERNAL, (Parameter("rm", NODE),), body, span=at(9))


def _receive() -> Action:
    sender = Apply(NODE, Op.FIELD, (Apply(PREPARED, Op.NARROW, (_message,)),), name="rm")
    body: tuple[Stmt, ...] = (
        Require(Apply(BOOL, Op.CONTAINS, (_messages, _message)), span=at(20)),
        Require(Apply(BOOL, Op.IS, (_message,), name="Prepared"), span=at(21)),
        Assign(
            Path("votes", (Key(sender),), OptionType(BOOL)),
            Apply(OptionType(BOOL), Op.COERCE, (const(BOOL, True),)),
        ),
    )
    return Action("receive", Kind.DELIVER, (Parameter("message", MESSAGE),), body, span=at(19))


def _decide() -> Action:
    some = Comprehension(
        BOOL,
        Fold.ANY,
        (Binder("n", NODE, Apply(SetType(NODE), Op.DOMAIN)),),
        Apply(
            BOOL,
            Op.NOT,
            (
                Apply(
                    BOOL,
                    Op.IS_NONE,
                    (Apply(OptionType(BOOL), Op.GET, (Var(VOTES, "votes"), Local(NODE, "n"))),),
                ),
            ),
        ),
    )
    body: tuple[Stmt, ...] = (
        Require(some, span=at(30)),
        Choose(Binder("commit", BOOL, Apply(SetType(BOOL), Op.DOMAIN)), span=at(31)),
        send(_decision(Local(BOOL, "commit"))),
        Assign(
            Path("round", (), ROUND),
            Apply(
                ROUND,
                Op.COERCE,
                (Apply(IntType(1, 4), Op.ADD, (Var(ROUND, "round"), const(ROUND, 1))),),
                label="round",
            ),
        ),
    )
    return Action("decide", Kind.TIMEOUT, (), body, span=at(29))


def _finish() -> Action:
    commit = Apply(BOOL, Op.FIELD, (Apply(DECISION, Op.NARROW, (_message,)),), name="commit")
    body: tuple[Stmt, ...] = (
        Require(Apply(BOOL, Op.CONTAINS, (_messages, _message)), span=at(40)),
        Require(Apply(BOOL, Op.IS, (_message,), name="Decision"), span=at(41)),
        Assign(
            Path("phase", (Key(_rm),), PHASE),
            Apply(PHASE, Op.IF, (commit, const(PHASE, "COMMITTED"), const(PHASE, "ABORTED"))),
        ),
    )
    parameters = (Parameter("message", MESSAGE), Parameter("rm", NODE))
    return Action("finish", Kind.DELIVER, parameters, body, span=at(39))


def _agree() -> Expr:
    """No node has committed while another has aborted."""
    nodes = Apply(SetType(NODE), Op.DOMAIN)
    a, b = Local(NODE, "a"), Local(NODE, "b")
    both = Apply(BOOL, Op.AND, (is_phase(a, "COMMITTED", 50), is_phase(b, "ABORTED", 50)))
    found = Comprehension(
        BOOL, Fold.ANY, (Binder("a", NODE, nodes), Binder("b", NODE, nodes)), both
    )
    return Apply(BOOL, Op.NOT, (found,))


def _finished() -> Expr:
    """Some node has an outcome."""
    nodes, a = Apply(SetType(NODE), Op.DOMAIN), Local(NODE, "a")
    either = Apply(BOOL, Op.OR, (is_phase(a, "COMMITTED", 60), is_phase(a, "ABORTED", 60)))
    return Comprehension(BOOL, Fold.ANY, (Binder("a", NODE, nodes),), either)


def _each(kind: MapType, value: Expr) -> Expr:
    return Apply(kind, Op.EACH, (value,))


VOTE = SpecIR(
    name="Vote",
    sorts=(RMS,),
    variables=(
        Variable("phase", PHASES, _each(PHASES, const(PHASE, "WORKING"))),
        Variable("messages", MESSAGES, Apply(MESSAGES, Op.SET)),
        Variable("votes", VOTES, _each(VOTES, const(OptionType(BOOL), None))),
        Variable("round", ROUND, const(ROUND, 0)),
    ),
    actions=(_prepare(), _receive(), _decide(), _finish()),
    properties=(
        Property("agree", PropertyKind.ALWAYS, _agree()),
        Property(
            "early",
            PropertyKind.SOMETIMES,
            Apply(BOOL, Op.LT, (const(ROUND, 0), Var(ROUND, "round"))),
        ),
        Property(
            "monotone",
            PropertyKind.STEP,
            Apply(BOOL, Op.LE, (Var(ROUND, "round", after=True), Var(ROUND, "round"))),
        ),
        Property(
            "leaps",
            PropertyKind.SOMETIMES_STEP,
            Apply(BOOL, Op.LT, (Var(ROUND, "round"), Var(ROUND, "round", after=True))),
        ),
        Property(
            "can_finish",
            PropertyKind.ALWAYS_POSSIBLE,
            _finished(),
            by=("finish",),
        ),
    ),
)
UNIVERSE = Universe.of(VOTE)


def run(steps: Iterable[str], meta: TraceMeta | None = None) -> Trace:
    """The trace of these steps; a step is told by the text of its label, or a part of it."""
    semantics = Evaluator(VOTE, UNIVERSE)
    (state,) = semantics.initial_states()
    assert isinstance(state, tuple)
    states, labels = [state], []
    for text in steps:
        taken = next(t for t in semantics.successors(states[-1]) if text in str(t.label))
        assert isinstance(taken.target, tuple)
        states.append(taken.target)
        labels.append(taken.label)
    names = tuple(variable.name for variable in VOTE.variables)
    return Trace(names, tuple(states), tuple(labels), meta or TraceMeta(model="vote"))


DISAGREE = (
    "prepare(rm1)",
    "receive(Prepared",
    "decide(chose True)",
    "decide(chose False)",
    "finish(Decision(commit=True, round=0), rm1)",
    "finish(Decision(commit=False, round=1), rm2)",
)
ABOUT = TraceMeta(
    model="vote",
    instance="small",
    parameters={"rms": 2, "fast": True, "mode": "eager"},
    flaws=("decides_twice",),
    property="agree",
    property_kind="always",
    engine="explore",
    versions={"quorate": "0.1"},
    command="quorate check vote",
    note='says "hello"',
)


def disagreement() -> Trace:
    """One node commits, the other aborts: `agree` is violated in the last state."""
    return run(DISAGREE, ABOUT)


# -- types and values at random ------------------------------------------------------------------

_NODES = (Sort("rms", 3), Sort("clients", 1), Sort("s", 2, ordered=True))
_ENUMS = (EnumType("Colour", ("RED", "GREEN")), EnumType("Phase", ("A", "B", "C")))
_ATOMS: tuple[Type, ...] = (
    BOOL,
    IntType(-2, 3),
    IntType(-(2**31), 2**31 - 1),
    *_ENUMS,
    *(NodeType(sort) for sort in _NODES),
)
_FINITE: tuple[Type, ...] = (
    BOOL,
    IntType(0, 2),
    *_ENUMS,
    *(NodeType(sort) for sort in _NODES),
    OptionType(BOOL),
    SetType(BOOL),
    SeqType(BOOL, 1),
    RecordType("Pair", (("left", BOOL), ("right", _ENUMS[0]))),
)
_NAMES = ("rm", "value", "tag", "commit", "round")


@st.composite
def _records(draw: st.DrawFn, inner: st.SearchStrategy[Type], name: str) -> RecordType:
    names = draw(st.lists(st.sampled_from(_NAMES), max_size=3, unique=True))
    # A name stands for one record: it is made of its fields.
    fields = tuple((one, draw(inner)) for one in names)
    return RecordType(f"{name}{crc32(repr(fields).encode())}", fields)


@st.composite
def _unions(draw: st.DrawFn, inner: st.SearchStrategy[Type]) -> UnionType:
    variants = [draw(_records(inner, name)) for name in ("Ack", "Beg", "Cry")]
    return UnionType(tuple(variants[: draw(st.integers(2, 3))]))


def _composite(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    plain = inner.filter(lambda kind: not isinstance(kind, OptionType))
    return st.one_of(
        st.builds(OptionType, plain),
        st.builds(SetType, inner),
        st.builds(SetType, inner, st.just(3)),
        st.builds(MapType, st.sampled_from(_FINITE), inner),
        st.builds(SeqType, inner, st.integers(1, 3)),
        st.builds(BagType, inner, st.integers(1, 3)),
        _records(inner, "Rec"),
        _unions(inner),
    )


TYPES: st.SearchStrategy[Type] = st.recursive(st.sampled_from(_ATOMS), _composite, max_leaves=6)


def universe_of(kind: Type) -> Universe:
    """Classes and nodes for the names in a type."""
    variable = Variable("x", kind, Const(BOOL, False))
    return Universe.of(SpecIR("Any", _NODES, (variable,), ()))


def values(kind: Type, universe: Universe) -> st.SearchStrategy[Value]:
    """Values of a type."""
    match kind:
        case BoolType():
            return st.booleans()
        case IntType(low, high):
            return st.integers(low, high)
        case EnumType(name, members):
            return st.sampled_from([universe.enums[name][member] for member in members])
        case NodeType(sort):
            return st.sampled_from(universe.nodes[sort.name])
        case OptionType(inner):
            return st.none() | values(inner, universe)
        case RecordType(name, fields):
            parts = {field: values(of, universe) for field, of in fields}
            return st.builds(universe.records[name], **parts)
        case UnionType(variants):
            return st.one_of(*(values(variant, universe) for variant in variants))
        case SetType(element, capacity):
            size = 3 if capacity is None else capacity
            return st.frozensets(values(element, universe), max_size=size)
        case SeqType(element, capacity):
            return st.lists(values(element, universe), max_size=capacity).map(tuple)
        case MapType(key, value):
            keys = list(values_of(key, universe))
            several = st.lists(values(value, universe), min_size=len(keys), max_size=len(keys))
            return several.map(lambda found: FrozenMap(zip(keys, found, strict=True)))
        case BagType(element, copies):
            counts = st.integers(1, copies)
            return st.dictionaries(values(element, universe), counts, max_size=3).map(FrozenBag)
