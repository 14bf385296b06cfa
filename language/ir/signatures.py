"""Type rules: what the arguments of an operator may be, and the type of its result.

`natural_type` is the most exact type a result has. A node may declare it or, for integers and
capacities, a wider one; some operators have none, because the result type is a choice
(constructors, COERCE, DOMAIN) and must be declared. The front end, the text parser and the
verifier all ask here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .nodes import Change, Fold, Op
from .type_text import shown
from .types import (
    BOOL,
    INT_MAX,
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
    Type,
    UnionType,
    cardinality,
)

INTERMEDIATE_MAX = 2**62
"""Largest magnitude of any integer in a computation: no 64-bit operation overflows."""


class IllTypedError(Exception):
    """A type rule is broken; the message says which types were given and which are allowed."""


def fits(source: Type, target: Type) -> bool:
    """Whether every value of `source` is one of `target` as it is, without COERCE."""
    match source, target:
        case (IntType(low, high), IntType(least, most)):
            return least <= low and high <= most
    return source == target


def comparable(left: Type, right: Type) -> bool:
    """Whether EQ applies: equal types, or any two integer types."""
    return left == right or (isinstance(left, IntType) and isinstance(right, IntType))


def coercible(source: Type, target: Type) -> bool:
    """Whether COERCE from `source` to `target` is defined (it may trap)."""
    match source, target:
        case _ if source == target:
            return True
        case (IntType(), IntType()):
            return True
        case (OptionType(inner), OptionType(wanted)):
            return coercible(inner, wanted)
        case (_, OptionType(wanted)):
            return coercible(source, wanted)
        case (RecordType(), UnionType(variants)):
            return source in variants
        case (UnionType(ours), UnionType(theirs)):
            return set(ours) <= set(theirs) or set(theirs) <= set(ours)
        case (SetType(inner), SetType(wanted)):
            return coercible(inner, wanted)
        case (SeqType(inner), SeqType(wanted)):
            return coercible(inner, wanted)
        case (BagType(inner), BagType(wanted)):
            return coercible(inner, wanted)
        case (MapType(key, inner), MapType(same, wanted)):
            return key == same and coercible(inner, wanted)
    return False


def element_type(kind: Type) -> Type:
    """The element type of a collection; raises IllTypedError for other types."""
    match kind:
        case SetType(element) | SeqType(element) | BagType(element):
            return element
    raise IllTypedError(f"a collection is needed, not {shown(kind)}")


def max_size(kind: Type) -> int:
    """The most elements a collection can have, a bag's with multiplicity; at most INT_MAX.

    No collection of an explored state comes near INT_MAX, whatever its type would allow.
    """
    match kind:
        case SetType(element, capacity):
            return min(INT_MAX, cardinality(element), _known(capacity))
        case SeqType(_, capacity):
            return capacity
        case BagType(element, copies, capacity):
            return min(INT_MAX, copies * min(cardinality(element), _known(capacity)))
    raise IllTypedError(f"a collection is needed, not {shown(kind)}")


def _known(capacity: int | None) -> int:
    return INT_MAX if capacity is None else capacity


def _holds(capacity: int | None, count: int) -> bool:
    return capacity is None or count <= capacity


# --- Integer intervals ---------------------------------------------------------------------------


def hull(left: IntType, right: IntType) -> IntType:
    """The smallest interval with both."""
    return IntType(min(left.low, right.low), max(left.high, right.high))


def _corners(function: Callable[[int, int], int], left: IntType, right: IntType) -> IntType:
    """Exact for functions monotone in each argument."""
    values = [function(a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
    return IntType(min(values), max(values))


def _divide(left: IntType, right: IntType) -> IntType:
    parts = _nonzero(right)
    results = [_corners(lambda a, b: a // b, left, part) for part in parts]
    return _hull_of(results)


def _modulo(left: IntType, right: IntType) -> IntType:
    results = []
    for part in _nonzero(right):
        if part.low > 0:
            inside = left.high if left.low >= 0 else part.high - 1
            results.append(IntType(0, min(part.high - 1, inside)))
        else:
            inside = left.low if left.high <= 0 else part.low + 1
            results.append(IntType(max(part.low + 1, inside), 0))
    return _hull_of(results)


def _nonzero(divisor: IntType) -> list[IntType]:
    parts = []
    if divisor.low < 0:
        parts.append(IntType(divisor.low, min(-1, divisor.high)))
    if divisor.high > 0:
        parts.append(IntType(max(1, divisor.low), divisor.high))
    return parts


def _hull_of(results: Sequence[IntType]) -> IntType:
    if not results:
        return IntType(0, 0)  # Division by the constant zero: always a trap.
    return IntType(min(r.low for r in results), max(r.high for r in results))


_INTERVALS: dict[Op, Callable[[IntType, IntType], IntType]] = {
    Op.ADD: lambda a, b: IntType(a.low + b.low, a.high + b.high),
    Op.SUB: lambda a, b: IntType(a.low - b.high, a.high - b.low),
    Op.MUL: lambda a, b: _corners(lambda x, y: x * y, a, b),
    Op.FLOORDIV: _divide,
    Op.MOD: _modulo,
    Op.MIN: lambda a, b: IntType(min(a.low, b.low), min(a.high, b.high)),
    Op.MAX: lambda a, b: IntType(max(a.low, b.low), max(a.high, b.high)),
}


def _intermediate(interval: IntType) -> IntType:
    if interval.low < -INTERMEDIATE_MAX or interval.high > INTERMEDIATE_MAX:
        raise IllTypedError(
            f"a result may be as large as {shown(interval)}: bound an operand first"
        )
    return interval


# --- Operators -----------------------------------------------------------------------------------

_ARITY = {
    **dict.fromkeys((Op.NOT, Op.NEG, Op.FIELD, Op.IS, Op.NARROW, Op.IS_NONE, Op.COERCE), 1),
    **dict.fromkeys((Op.SIZE, Op.EACH), 1),
    **dict.fromkeys((Op.EQ, Op.LT, Op.LE, *_INTERVALS, Op.RANGE, Op.UNION, Op.SUBSET), 2),
    Op.QUORUM: 2,
    **dict.fromkeys((Op.INTERSECTION, Op.DIFFERENCE, Op.CONTAINS, Op.GET, Op.AT, Op.TAKE), 2),
    **dict.fromkeys((Op.DROP, Op.CONCAT, Op.COUNT), 2),
    **dict.fromkeys((Op.IF, Op.WITH), 3),
    Op.DOMAIN: 0,
}

_NAMED = (Op.FIELD, Op.IS)


def natural_type(op: Op, args: Sequence[Type], name: str = "") -> Type | None:
    """The most exact type of `op` applied to arguments of these types, None where it is a choice.

    Raises IllTypedError where the arguments are not what the operator takes.
    """
    arity = _ARITY.get(op)
    if arity is not None and len(args) != arity:
        raise IllTypedError(f"{op.value} takes {arity} arguments, not {len(args)}")
    if (op in _NAMED) != bool(name):
        raise IllTypedError(f"{op.value} {'needs a' if op in _NAMED else 'has no'} name")
    match op:
        case Op.NOT | Op.AND | Op.OR:
            _require(bool(args) and all(arg == BOOL for arg in args), op, args)
            return BOOL
        case Op.NEG:
            kind = _int(op, args[0])
            return IntType(-kind.high, -kind.low)
        case Op.IF:
            _require(args[0] == BOOL, op, args)
            return _either(op, args[1], args[2])
        case Op.DOMAIN | Op.SET | Op.EACH | Op.SEQ | Op.BAG | Op.RECORD | Op.COERCE:
            return None
        case Op.FIELD | Op.IS | Op.NARROW | Op.IS_NONE:
            return _on_value(op, args[0], name)
        case _ if op in _INTERVALS:
            return _intermediate(_INTERVALS[op](_int(op, args[0]), _int(op, args[1])))
        case Op.EQ | Op.LT | Op.LE:
            _require(comparable(*args) and (op is Op.EQ or _ordered(args[0])), op, args)
            return BOOL
    return _on_collection(op, args)


def _on_value(op: Op, kind: Type, name: str) -> Type | None:
    match op, kind:
        case Op.FIELD, RecordType():
            field = kind.field(name)
            _require(field is not None, op, [kind])
            return field
        case Op.IS, UnionType():
            _require(kind.tag(name) is not None, op, [kind])
            return BOOL
        case Op.IS_NONE, OptionType():
            return BOOL
        case Op.NARROW, OptionType(inner):
            return inner
        case Op.NARROW, UnionType():
            return None
    raise _mismatch(op, [kind])


def _on_collection(op: Op, args: Sequence[Type]) -> Type:
    match op, tuple(args):
        case Op.RANGE, (IntType(low), IntType(_, high)):
            return SetType(IntType(low, max(low, high - 1)))
        case Op.SUBSET, (SetType(element), SetType(other)) if element == other:
            return BOOL
        case Op.QUORUM, (part, whole) if element_type(part) == element_type(whole):
            return BOOL
        case (
            (Op.UNION | Op.INTERSECTION | Op.DIFFERENCE),
            (SetType(element, ours), SetType(other, theirs)),
        ) if element == other:
            return SetType(element, _combined(op, ours, theirs))
        case Op.CONTAINS, (SetType(element) | SeqType(element) | BagType(element), value) if (
            comparable(element, value)
        ):
            return BOOL
        case Op.SIZE, (SetType() | SeqType() | BagType() as collection,):
            return IntType(0, max_size(collection))
        case Op.GET, (MapType(key, value), given) if fits(given, key):
            return value
        case Op.WITH, (MapType(key, value) as whole, given, new) if fits(given, key) and fits(
            new, value
        ):
            return whole
        case Op.AT, (SeqType(element), IntType()):
            return element
        case ((Op.TAKE | Op.DROP), (SeqType() as whole, IntType())):
            return whole
        case Op.CONCAT, (SeqType(element, ours), SeqType(other, theirs)) if element == other:
            return SeqType(element, ours + theirs)
        case Op.COUNT, (BagType(element, copies), given) if fits(given, element):
            return IntType(0, copies)
    raise _mismatch(op, args)


def _combined(op: Op, ours: int | None, theirs: int | None) -> int | None:
    if op is Op.DIFFERENCE:
        return ours
    if op is Op.INTERSECTION:
        known = [capacity for capacity in (ours, theirs) if capacity is not None]
        return min(known) if known else None
    return None if ours is None or theirs is None else ours + theirs


def _either(op: Op, left: Type, right: Type) -> Type:
    if isinstance(left, IntType) and isinstance(right, IntType):
        return hull(left, right)
    _require(left == right, op, [left, right])
    return left


def _ordered(kind: Type) -> bool:
    return isinstance(kind, IntType | EnumType) or (
        isinstance(kind, NodeType) and kind.sort.ordered
    )


def _int(op: Op, kind: Type) -> IntType:
    if not isinstance(kind, IntType):
        raise _mismatch(op, [kind])
    return kind


def _require(condition: bool, op: Op, args: Sequence[Type]) -> None:
    if not condition:
        raise _mismatch(op, args)


def _mismatch(op: Op, args: Sequence[Type]) -> IllTypedError:
    given = ", ".join(map(shown, args)) or "nothing"
    return IllTypedError(f"{op.value} does not apply to {given}")


def check_apply(op: Op, args: Sequence[Type], name: str, declared: Type) -> None:
    """Raises IllTypedError unless `declared` is a type that the application may have."""
    natural = natural_type(op, args, name)
    if natural is None:
        legal = _constructs(op, args, declared)
    elif op is Op.RANGE:
        legal = _set_of(declared, element_type(natural), max_size(natural))
    else:
        legal = fits(natural, declared) or _same_but_roomier(natural, declared)
    if not legal:
        given = ", ".join(map(shown, args)) or "nothing"
        raise IllTypedError(f"{op.value} of {given} cannot have the type {shown(declared)}")


def _same_but_roomier(natural: Type, declared: Type) -> bool:
    """The result of a set operator may be declared with any capacity that is enough."""
    match natural, declared:
        case (SetType(element), SetType(other, capacity)):
            return element == other and _holds(capacity, max_size(natural))
    return False


def _set_of(declared: Type, element: Type, count: int) -> bool:
    match declared:
        case SetType(wanted, capacity):
            return fits(element, wanted) and _holds(capacity, min(count, cardinality(wanted)))
    return False


def _constructs(op: Op, args: Sequence[Type], declared: Type) -> bool:
    match op, declared:
        case Op.COERCE, _:
            return coercible(args[0], declared)
        case Op.NARROW, RecordType():
            return isinstance(args[0], UnionType) and declared in args[0].variants
        case Op.DOMAIN, SetType(element, capacity):
            return _holds(capacity, cardinality(element))
        case Op.EACH, MapType(_, value):
            return fits(args[0], value)
        case Op.RECORD, RecordType(_, fields):
            kinds = [kind for _, kind in fields]
            return len(kinds) == len(args) and all(map(fits, args, kinds))
        case Op.SET, SetType(element, capacity):
            enough = _holds(capacity, min(len(args), cardinality(element)))
            return enough and all(fits(arg, element) for arg in args)
        case Op.SEQ, SeqType(element, limit):
            return len(args) <= limit and all(fits(arg, element) for arg in args)
        case Op.BAG, BagType(element, copies, capacity):
            enough = len(args) <= copies and _holds(capacity, len(args))
            return enough and all(fits(arg, element) for arg in args)
    return False


# --- Folds ---------------------------------------------------------------------------------------


def natural_fold_type(
    fold: Fold, sources: Sequence[Type], body: Type, default: Type | None
) -> Type:
    """The most exact type of a comprehension over sources of these types.

    Raises IllTypedError where the sources, the body or the default are not what the fold takes.
    """
    if default is not None and fold not in (Fold.MIN, Fold.MAX):
        raise IllTypedError(f"{fold.value} has no default")
    count = _iterations(sources)
    match fold:
        case Fold.ANY | Fold.ALL if isinstance(body, BoolType):
            return BOOL
        case Fold.SUM if isinstance(body, IntType):
            total = IntType(min(0, count * body.low), max(0, count * body.high))
            return _intermediate(total)
        case Fold.MIN | Fold.MAX if isinstance(body, IntType):
            if default is None:
                return body
            if isinstance(default, IntType):
                return hull(body, default)
        case Fold.SET:
            return SetType(body)
        case Fold.MAP if len(sources) == 1:
            return MapType(element_type(sources[0]), body)
    raise IllTypedError(f"{fold.value} does not apply to elements of type {shown(body)}")


def _iterations(sources: Sequence[Type]) -> int:
    """The most rounds that nested binders make; at most INT_MAX. A bag gives distinct elements."""
    count = 1
    for source in sources:
        size = max_size(source)
        if isinstance(source, BagType):
            size = max_size(SetType(source.element, source.capacity))
        count = min(INT_MAX, count * size)
    return count


def check_fold(
    fold: Fold, sources: Sequence[Type], body: Type, default: Type | None, declared: Type
) -> None:
    """Raises IllTypedError unless `declared` is a type that the comprehension may have."""
    natural = natural_fold_type(fold, sources, body, default)
    match fold, declared:
        case Fold.SET, SetType():
            legal = _set_of(declared, body, _iterations(sources))
        case Fold.MAP, MapType(key, value):
            legal = key == element_type(sources[0]) and fits(body, value)
        case _:
            legal = fits(natural, declared)
    if not legal:
        raise IllTypedError(f"{fold.value} of {shown(body)} cannot have the type {shown(declared)}")


# --- Changes -------------------------------------------------------------------------------------


def check_change(change: Change, place: Type, args: Sequence[Type]) -> None:
    """Raises IllTypedError unless a place of this type can be changed with these arguments."""
    match change, place, tuple(args):
        case Change.CLEAR, SetType() | BagType() | SeqType(), ():
            return
        case (
            (Change.ADD | Change.DISCARD | Change.REMOVE),
            SetType(element) | BagType(element),
            (value,),
        ) if fits(value, element):
            return
        case Change.UNITE, SetType(element), (SetType(other),) if element == other:
            return
        case Change.APPEND, SeqType(element), (value,) if fits(value, element):
            return
        case ((Change.POP_FIRST | Change.POP_LAST), SeqType(), ()):
            return
    given = ", ".join(map(shown, args)) or "nothing"
    raise IllTypedError(
        f"{change.value} of {given} does not apply to a place of type {shown(place)}"
    )
