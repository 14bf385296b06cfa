"""Expressions to values; conditions to jumps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import assert_never

from ....language.ir.nodes import (
    Apply,
    Bind,
    Binder,
    Comprehension,
    Const,
    Do,
    Expr,
    Fold,
    For,
    If,
    Local,
    Op,
    Stmt,
    TrapKind,
    Var,
)
from ....language.ir.signatures import max_size
from ....language.ir.type_text import shown
from ....language.ir.types import (
    BOOL,
    EnumType,
    IntType,
    MapType,
    OptionType,
    RecordType,
    SetType,
    Type,
    UnionType,
    cardinality,
)
from ..layout import Array, Bits, Layout, LayoutError, Scalar, enumerable, layout_of
from . import collections, sequences, shapes
from .access import (
    Place,
    Value,
    copied,
    item_place,
    part_named,
    read,
    structure,
    temporary,
    write,
)
from .coercion import coerce
from .context import Context, most_elements, result_layout, roomy_layout
from .order import equal, from_ordinal, ordinal
from .restriction import is_variant, nonempty, restricted, variants
from .rewriting import conjunction, conjuncts
from .text import Bit, Word

ENUMERATION_LIMIT = 2**24
"""Values of a type that compiled code runs through, at most."""


def lower(cx: Context, expr: Expr) -> Value:
    """The value of an expression; the layout is `result_layout(expr)`, for ints any that fits."""
    match expr:
        case Const():
            return _constant(cx, expr)
        case Local(_, name):
            found = cx.locals[name]
            return read(cx.fn, found) if isinstance(found, Place) else found
        case Var(_, name, after):
            return read(cx.fn, (cx.after if after else cx.variables)[name])
        case Apply(op=Op.AND | Op.OR):
            return _truth(cx, condition(cx, expr))
        case Apply(op=Op.IF):
            return _choice(cx, expr)
        case Apply():
            return _apply(cx, expr)
        case Comprehension():
            return _comprehension(cx, expr)
        case Do(_, body, result):
            # Names bound inside end here: another `Do` may have them with other types.
            outside = dict(cx.locals)
            run_pure(cx, body)
            value = lower(cx, result)
            cx.locals = outside
            return value
    assert_never(expr)


def adapted(cx: Context, value: Value, layout: Layout) -> Value:
    """A value in another layout of the same type, or of an int type in which it fits."""
    if value.layout == layout:
        return value
    if isinstance(layout, Scalar):
        return Value(layout, value.raw)
    return collections.relaid(cx.fn, value, layout, cx.overflow(str(layout.kind)))


def lower_as(cx: Context, expr: Expr, layout: Layout) -> Value:
    """The value of an expression in a given layout of its type."""
    return adapted(cx, lower(cx, expr), layout)


def word_of(cx: Context, expr: Expr) -> Word:
    """The value of an int expression as a number."""
    return lower(cx, expr).raw


# Conditions


def condition(cx: Context, expr: Expr) -> Bit:
    """The value of a bool expression."""
    match expr:
        case Const(_, value):
            return bool(value)
        case Apply(op=Op.AND | Op.OR) | Comprehension(fold=Fold.ANY | Fold.ALL):
            return _jumped(cx, expr)
        case Apply():
            found = _predicate(cx, expr)
            if found is not None:
                return found
    return cx.fn.compare("ne", lower(cx, expr).raw, 0)


def _truth(cx: Context, bit: Bit) -> Value:
    return Value(layout_of(BOOL), cx.fn.word(bit))


def _jumped(cx: Context, expr: Expr) -> Bit:
    """The truth of an expression that is best lowered to jumps."""
    fn = cx.fn
    slot = fn.bit_slot()
    yes, no, after = fn.block(), fn.block(), fn.block()
    jump_if(cx, expr, yes, no)
    fn.at(yes)
    fn.store_bit(slot, True)
    fn.jump(after)
    fn.at(no)
    fn.store_bit(slot, False)
    fn.begin(after)
    return fn.load_bit(slot)


def jump_if(cx: Context, expr: Expr, yes: str, no: str) -> None:
    """Jump to one of two blocks."""
    fn = cx.fn
    match expr:
        case Apply(op=Op.NOT, args=(inner,)):
            jump_if(cx, inner, no, yes)
        case Apply(op=Op.AND | Op.OR as op, args=args):
            for arg in args[:-1]:
                following = fn.block()
                first = (following, no) if op is Op.AND else (yes, following)
                jump_if(cx, arg, *first)
                fn.at(following)
            jump_if(cx, args[-1], yes, no)
        case Comprehension(fold=Fold.ANY, binders=binders, body=body):
            over(cx, binders[:-1], lambda: _look_for(cx, binders[-1], body, yes))
            fn.jump(no)
        case Comprehension(fold=Fold.ALL, binders=binders, body=body):
            opposite = Apply(BOOL, Op.NOT, (body,))
            over(cx, binders[:-1], lambda: _look_for(cx, binders[-1], opposite, no))
            fn.jump(yes)
        case _:
            fn.branch(condition(cx, expr), yes, no)


def _look_for(cx: Context, binder: Binder, body: Expr, hit: str) -> None:
    """Jump to a block if one of the binder's elements fulfils the body, else go on."""
    fn = cx.fn
    conditions = conjuncts(binder.condition) + conjuncts(body)
    source = None if _lazy(binder.source) else lower(cx, binder.source)
    if source is not None:
        source, conditions = narrowed(cx, source, binder.name, binder.type, conditions)
        if not conditions and isinstance(source.layout, Bits):
            following = fn.block()
            fn.branch(nonempty(fn, source), hit, following)
            fn.at(following)
            return

    def test(value: Value) -> None:
        following = fn.block()
        cx.locals[binder.name] = value
        test = conjunction(conditions)
        if test is None:
            fn.jump(hit)
        else:
            jump_if(cx, test, hit, following)
        fn.at(following)

    if source is None:
        each_element(cx, binder.source, test)
    else:
        collections.iterate(fn, source, lambda element, _: test(element))
    cx.locals.pop(binder.name, None)


def _lazy(source: Expr) -> bool:
    """Whether the collection is gone through without being made."""
    return isinstance(source, Apply) and source.op in (Op.DOMAIN, Op.RANGE)


def narrowed(
    cx: Context, source: Value, name: str, kind: Type, conditions: list[Expr]
) -> tuple[Value, list[Expr]]:
    """Of a collection the elements `name` that fulfil the first of the conditions, as far as
    tables know these, and the conditions left to test.
    """
    if not isinstance(source.layout, Bits) or not conditions:
        return source, conditions
    found, left = cx.tables.masks(name, kind, conditions)

    def number(key: Expr) -> Word:
        return ordinal(cx.fn, lower_as(cx, key, layout_of(key.type)))

    return restricted(cx, source, found, number), left


def _predicate(cx: Context, expr: Apply) -> Bit | None:
    """Operators that give a bool, None for others."""
    fn = cx.fn
    match expr.op:
        case Op.NOT:
            return fn.negated(condition(cx, expr.args[0]))
        case Op.EQ:
            return _equality(cx, lower(cx, expr.args[0]), lower(cx, expr.args[1]))
        case Op.LT | Op.LE:
            left, right = word_of(cx, expr.args[0]), word_of(cx, expr.args[1])
            return fn.compare("slt" if expr.op is Op.LT else "sle", left, right)
        case Op.IS:
            return shapes.has_variant(fn, lower(cx, expr.args[0]), expr.name)
        case Op.IS_NONE:
            return shapes.is_none(fn, lower(cx, expr.args[0]))
        case Op.SUBSET:
            return collections.subset(fn, lower(cx, expr.args[0]), lower(cx, expr.args[1]))
        case Op.QUORUM:
            return _quorum(cx, *expr.args)
        case Op.CONTAINS:
            return _membership(cx, expr)
    return None


def _quorum(cx: Context, part: Expr, whole: Expr) -> Bit:
    """The domain of a type need not be made to be counted."""
    twice = cx.fn.op("shl", _count(cx, part), 1)
    if isinstance(whole, Apply) and whole.op is Op.DOMAIN:
        return cx.fn.compare("slt", max_size(whole.type), twice)
    return cx.fn.compare("slt", _count(cx, whole), twice)


def _count(cx: Context, collection: Expr) -> Word:
    return word_of(cx, Apply(IntType(0, max_size(collection.type)), Op.SIZE, (collection,)))


def _equality(cx: Context, left: Value, right: Value) -> Bit:
    fn = cx.fn
    if isinstance(left.layout, Scalar):
        return fn.compare("eq", left.raw, right.raw)
    if left.layout == right.layout:
        return equal(fn, left, right)
    # Sets of one type with different room.
    same_size = fn.compare("eq", collections.size(fn, left), collections.size(fn, right))
    return fn.both(same_size, collections.subset(fn, left, right))


def _membership(cx: Context, expr: Apply) -> Bit:
    source, item = expr.args
    if isinstance(source, Apply) and source.op is Op.RANGE:
        # The range need not be built: Python writes `low <= x < high` this way too.
        low, high = (word_of(cx, arg) for arg in source.args)
        value = word_of(cx, item)
        above = cx.fn.compare("sle", low, value)
        return cx.fn.both(above, cx.fn.compare("slt", value, high))
    collection = lower(cx, source)
    return collections.contains(cx.fn, collection, lower(cx, item))


# Operators


def _constant(cx: Context, expr: Const) -> Value:
    layout = layout_of(expr.type)
    if isinstance(expr.type, EnumType):
        return Value(layout, expr.type.members.index(str(expr.value)))
    if expr.value is None:
        return shapes.absent(cx.fn, layout)
    return Value(layout, int(expr.value))


def _choice(cx: Context, expr: Apply) -> Value:
    """IF: only the chosen arm is evaluated."""
    fn = cx.fn
    layout = result_layout(expr)
    test, then, orelse = expr.args
    slot = fn.slot() if layout.small else fn.pointer_slot()
    yes, no, after = fn.block(), fn.block(), fn.block()
    jump_if(cx, test, yes, no)
    for block, arm in ((yes, then), (no, orelse)):
        fn.at(block)
        value = lower_as(cx, arm, layout)
        if layout.small:
            fn.store(slot, value.raw)
        else:
            fn.store_pointer(slot, value.address)
        fn.jump(after)
    fn.at(after)
    return Value(layout, fn.load(slot) if layout.small else fn.load_pointer(slot))


def _apply(cx: Context, expr: Apply) -> Value:
    bit = _predicate(cx, expr)
    if bit is not None:
        return _truth(cx, bit)
    handler = _OPERATORS[expr.op]
    return handler(cx, expr)


def _arithmetic(cx: Context, expr: Apply) -> Value:
    fn = cx.fn
    layout = layout_of(expr.type)
    numbers = [word_of(cx, arg) for arg in expr.args]
    match expr.op:
        case Op.NEG:
            return Value(layout, fn.sub(0, numbers[0]))
        case Op.MIN | Op.MAX:
            first, second = numbers
            smaller = fn.compare("sle", first, second)
            pair = (first, second) if expr.op is Op.MIN else (second, first)
            return Value(layout, fn.select(smaller, *pair))
    return Value(layout, fn.op(expr.op.value, *numbers))


def _division(cx: Context, expr: Apply) -> Value:
    fn = cx.fn
    left, right = (word_of(cx, arg) for arg in expr.args)
    fn.when(fn.compare("eq", right, 0), cx.refuse(TrapKind.DIVISION, expr))
    kinds = [arg.type for arg in expr.args]
    layout = layout_of(expr.type)
    if all(isinstance(kind, IntType) and kind.low >= 0 for kind in kinds) and right != 0:
        name = "udiv" if expr.op is Op.FLOORDIV else "urem"
        return Value(layout, fn.op(name, left, right))
    quotient = fn.division("sdiv", left, right)
    rest = fn.sub(left, fn.mul(quotient, right))
    # Machines round to zero, Python rounds down.
    opposite = fn.compare("slt", fn.op("xor", rest, right), 0)
    off = fn.both(fn.compare("ne", rest, 0), opposite)
    if expr.op is Op.FLOORDIV:
        return Value(layout, fn.sub(quotient, fn.word(off)))
    return Value(layout, fn.add(rest, fn.select(off, right, 0)))


def _field(cx: Context, expr: Apply) -> Value:
    (inner,) = expr.args
    match inner:
        case Apply(op=Op.NARROW, args=(source,)) if isinstance(source.type, UnionType):
            # Read from the union as it lies there: a wide variant need not be copied out.
            union = lower(cx, source)
            assert isinstance(inner.type, RecordType)
            _check_variant(cx, union, inner)
            if not union.layout.small and inner.type.name not in union.known:
                return part_named(
                    cx.fn, shapes.variant_place(cx.fn, union, inner.type.name), expr.name
                )
            return part_named(cx.fn, shapes.variant(cx.fn, union, inner.type.name), expr.name)
    return part_named(cx.fn, lower(cx, inner), expr.name)


def _check_variant(cx: Context, union: Value, expr: Apply) -> None:
    assert isinstance(expr.type, RecordType)
    other = cx.fn.negated(shapes.has_variant(cx.fn, union, expr.type.name))
    cx.fn.when(other, cx.refuse(TrapKind.NARROW, expr))


def _narrow(cx: Context, expr: Apply) -> Value:
    value = lower(cx, expr.args[0])
    if isinstance(value.layout.kind, OptionType):
        cx.fn.when(shapes.is_none(cx.fn, value), cx.refuse(TrapKind.NARROW, expr))
        return shapes.unwrapped(cx.fn, value)
    _check_variant(cx, value, expr)
    assert isinstance(expr.type, RecordType)
    return shapes.variant(cx.fn, value, expr.type.name)


def _coerce(cx: Context, expr: Apply) -> Value:
    value = lower(cx, expr.args[0])
    return coerce(cx.fn, value, result_layout(expr), cx.refuse(TrapKind.BOUND, expr))


def _record(cx: Context, expr: Apply) -> Value:
    layout = structure(layout_of(expr.type))
    assert isinstance(layout.kind, RecordType)
    parts = [layout.parts[name].layout for name, _ in layout.kind.fields]
    values = [lower_as(cx, arg, part) for arg, part in zip(expr.args, parts, strict=True)]
    return shapes.record(cx.fn, layout, values)


def _domain(cx: Context, expr: Apply) -> Value:
    layout = result_layout(expr)
    if not isinstance(layout, Bits):
        raise LayoutError("all values of this type are too many to explore", expr.span)
    return collections.full_set(cx.fn, layout)


def _literal(cx: Context, expr: Apply) -> Value:
    """SET, BAG and SEQ of given elements."""
    layout = result_layout(expr)
    element = collections.element_layout(layout)
    values = [lower_as(cx, arg, element) for arg in expr.args]
    result = temporary(cx.fn, layout)
    never = cx.overflow(str(layout.kind))
    for value in values:
        if expr.op is Op.SET:
            collections.insert(cx.fn, result, value, never)
        elif expr.op is Op.BAG:
            collections.add_copies(cx.fn, result, value, 1, never)
        else:
            sequences.append(cx.fn, result, value, never)
    return read(cx.fn, result)


def _range(cx: Context, expr: Apply) -> Value:
    layout = result_layout(expr)
    result = temporary(cx.fn, layout)
    element = collections.element_layout(layout)
    low, high = (word_of(cx, arg) for arg in expr.args)

    def put(number: Word, _after: str) -> None:
        collections.insert(cx.fn, result, Value(element, number), cx.overflow("range"))

    cx.fn.count(low, high, put)
    return read(cx.fn, result)


def _set_operator(cx: Context, expr: Apply) -> Value:
    left, right = (lower(cx, arg) for arg in expr.args)
    layout = result_layout(expr)
    fn = cx.fn
    return collections.combine(fn, expr.op.value, left, right, layout, cx.overflow("set"))


def _size(cx: Context, expr: Apply) -> Value:
    return Value(layout_of(expr.type), collections.size(cx.fn, lower(cx, expr.args[0])))


def _each(cx: Context, expr: Apply) -> Value:
    layout = layout_of(expr.type)
    assert isinstance(layout, Array)
    return shapes.each(cx.fn, layout, lower_as(cx, expr.args[0], layout.item))


def _key(cx: Context, expr: Expr, mapping: Value) -> Value:
    assert isinstance(mapping.layout.kind, MapType)
    return lower_as(cx, expr, layout_of(mapping.layout.kind.key))


def _get(cx: Context, expr: Apply) -> Value:
    mapping = lower(cx, expr.args[0])
    return shapes.get(cx.fn, mapping, _key(cx, expr.args[1], mapping))


def _with(cx: Context, expr: Apply) -> Value:
    mapping = lower(cx, expr.args[0])
    key = _key(cx, expr.args[1], mapping)
    assert isinstance(mapping.layout, Array)
    value = lower_as(cx, expr.args[2], mapping.layout.item)
    return shapes.with_item(cx.fn, mapping, key, value)


def _at(cx: Context, expr: Apply) -> Value:
    sequence, index = lower(cx, expr.args[0]), word_of(cx, expr.args[1])
    return sequences.element_at(cx.fn, sequence, index, cx.refuse(TrapKind.INDEX, expr))


def _slice(cx: Context, expr: Apply) -> Value:
    sequence, count = lower(cx, expr.args[0]), word_of(cx, expr.args[1])
    cut = sequences.taken if expr.op is Op.TAKE else sequences.dropped
    return cut(cx.fn, sequence, count)


def _concat(cx: Context, expr: Apply) -> Value:
    left, right = (lower(cx, arg) for arg in expr.args)
    return sequences.concatenated(cx.fn, left, right, layout_of(expr.type))


def _copies(cx: Context, expr: Apply) -> Value:
    bag, element = (lower(cx, arg) for arg in expr.args)
    return Value(layout_of(expr.type), collections.copies_of(cx.fn, bag, element))


_OPERATORS: dict[Op, Callable[[Context, Apply], Value]] = {
    **dict.fromkeys((Op.ADD, Op.SUB, Op.MUL, Op.NEG, Op.MIN, Op.MAX), _arithmetic),
    **dict.fromkeys((Op.FLOORDIV, Op.MOD), _division),
    **dict.fromkeys((Op.SET, Op.BAG, Op.SEQ), _literal),
    **dict.fromkeys((Op.UNION, Op.INTERSECTION, Op.DIFFERENCE), _set_operator),
    **dict.fromkeys((Op.TAKE, Op.DROP), _slice),
    Op.FIELD: _field,
    Op.NARROW: _narrow,
    Op.COERCE: _coerce,
    Op.RECORD: _record,
    Op.DOMAIN: _domain,
    Op.RANGE: _range,
    Op.SIZE: _size,
    Op.EACH: _each,
    Op.GET: _get,
    Op.WITH: _with,
    Op.AT: _at,
    Op.CONCAT: _concat,
    Op.COUNT: _copies,
}


# Binders and folds


def over(cx: Context, binders: tuple[Binder, ...], body: Callable[[], None]) -> None:
    """The body for each binding of nested binders, the first outermost."""
    if not binders:
        body()
        return
    with_elements(cx, binders[0], lambda: over(cx, binders[1:], body))


def with_elements(cx: Context, binder: Binder, body: Callable[[], None]) -> None:
    """The body with the binder's name bound to each element that its condition admits."""
    conditions = conjuncts(binder.condition)
    source = None if _lazy(binder.source) else lower(cx, binder.source)
    if source is not None:
        source, conditions = narrowed(cx, source, binder.name, binder.type, conditions)
    condition = conjunction(conditions)

    def bound(value: Value) -> None:
        cx.locals[binder.name] = value
        if condition is None:
            body()
            return
        run, following = cx.fn.block(), cx.fn.block()
        jump_if(cx, condition, run, following)
        cx.fn.at(run)
        body()
        cx.fn.begin(following)

    if source is None:
        each_element(cx, binder.source, bound)
    else:
        collections.iterate(cx.fn, source, lambda element, _: bound(element))
    cx.locals.pop(binder.name, None)


def each_element(cx: Context, source: Expr, body: Callable[[Value], None]) -> None:
    """The body for each element of a collection; domains and ranges are not built."""
    match source:
        case Apply(op=Op.DOMAIN, type=SetType(element)):
            each_of_type(cx, element, body)
        case Apply(op=Op.RANGE, args=(low, high), type=SetType(element)):
            layout = layout_of(element)
            start, stop = word_of(cx, low), word_of(cx, high)
            cx.fn.count(start, stop, lambda number, _: body(Value(layout, number)))
        case _:
            collections.iterate(cx.fn, lower(cx, source), lambda element, _: body(element))


def each_of_type(cx: Context, kind: Type, body: Callable[[Value], None]) -> None:
    """The body for each value of a type."""
    if not enumerable(kind) or cardinality(kind) > ENUMERATION_LIMIT:
        raise LayoutError(
            f"the {cardinality(kind):,} values of {shown(kind)} are too many to try: begin with "
            "a guard that asks for an element of a set"
        )
    layout = layout_of(kind)
    cx.fn.count(0, cardinality(kind), lambda i, _: body(from_ordinal(cx.fn, layout, i)))


def _comprehension(cx: Context, expr: Comprehension) -> Value:
    match expr.fold:
        case Fold.ANY | Fold.ALL:
            return _truth(cx, condition(cx, expr))
        case Fold.SUM:
            return _sum(cx, expr)
        case Fold.MIN | Fold.MAX:
            return _extremum(cx, expr)
        case Fold.SET:
            return _set_of(cx, expr)
        case Fold.MAP:
            return _map_of(cx, expr)
    assert_never(expr.fold)


def _sum(cx: Context, expr: Comprehension) -> Value:
    fn = cx.fn
    counted = _selection(cx, expr) if expr.body == Const(expr.body.type, 1) else None
    if counted is not None:
        return Value(layout_of(expr.type), collections.size(fn, counted))
    total = fn.slot()
    fn.store(total, 0)

    def tally() -> None:
        number = word_of(cx, expr.body)
        fn.store(total, fn.add(fn.load(total), number))

    over(cx, expr.binders, tally)
    return Value(layout_of(expr.type), fn.load(total))


def _extremum(cx: Context, expr: Comprehension) -> Value:
    fn = cx.fn
    best, found = fn.slot(), fn.bit_slot()
    fn.store(best, 0)
    fn.store_bit(found, False)

    def improve() -> None:
        number, so_far = word_of(cx, expr.body), fn.load(best)
        pair = (number, so_far) if expr.fold is Fold.MIN else (so_far, number)
        better = fn.compare("slt", *pair)
        fn.store(best, fn.select(fn.load_bit(found), fn.select(better, number, so_far), number))
        fn.store_bit(found, True)

    over(cx, expr.binders, improve)

    def empty() -> None:
        if expr.default is None:
            cx.refuse(TrapKind.EMPTY, expr)()
        else:
            fn.store(best, word_of(cx, expr.default))

    fn.when(fn.negated(fn.load_bit(found)), empty)
    return Value(layout_of(expr.type), fn.load(best))


def _selection(cx: Context, expr: Comprehension) -> Value | None:
    """The elements of a dense set that fulfil a condition that tables know; None for others."""
    if len(expr.binders) > 1 or _lazy(expr.binders[0].source):
        return None
    (binder,) = expr.binders
    conditions = conjuncts(binder.condition)
    layout = result_layout(binder.source)
    if not isinstance(layout, Bits) or cx.tables.masks(binder.name, binder.type, conditions)[1]:
        return None
    source = lower(cx, binder.source)
    return narrowed(cx, source, binder.name, binder.type, conditions)[0]


def _selected(cx: Context, expr: Comprehension, layout: Layout) -> Value | None:
    """A set that is part of a dense set, as it is or as the variant that all its elements are."""
    binder = expr.binders[0]
    if not isinstance(layout, Bits):
        return None
    variant = is_variant(expr.body, binder.name)
    if variant is None:
        if not (isinstance(expr.body, Local) and expr.body.name == binder.name):
            return None
        elements = _selection(cx, expr)
        return elements if elements is not None and elements.layout == layout else None
    known = Apply(BOOL, Op.IS, (Local(binder.type, binder.name),), variant)
    if known not in conjuncts(binder.condition):
        return None
    elements = _selection(cx, expr)
    return None if elements is None else variants(cx.fn, elements, variant, layout)


def _set_of(cx: Context, expr: Comprehension) -> Value:
    layout = result_layout(expr)
    selected = _selected(cx, expr, layout)
    if selected is not None:
        return selected
    element = collections.element_layout(layout)
    result = temporary(cx.fn, layout)

    def put() -> None:
        value = lower_as(cx, expr.body, element)
        collections.insert(cx.fn, result, value, cx.overflow("set"))

    over(cx, expr.binders, put)
    return read(cx.fn, result)


def _map_of(cx: Context, expr: Comprehension) -> Value:
    layout = layout_of(expr.type)
    assert isinstance(layout, Array)
    assert isinstance(layout.kind, MapType)
    result = temporary(cx.fn, layout)
    (binder,) = expr.binders
    key, item = layout_of(layout.kind.key), layout.item

    def put(index: Word, _after: str) -> None:
        cx.locals[binder.name] = from_ordinal(cx.fn, key, index)
        write(cx.fn, item_place(cx.fn, result, index), lower_as(cx, expr.body, item))

    cx.fn.count(0, layout.count, put)
    cx.locals.pop(binder.name, None)
    return read(cx.fn, result)


# Pure statements


def run_pure(cx: Context, body: tuple[Stmt, ...]) -> None:
    """The statements of a `Do`: they change locals only."""
    for stmt in body:
        match stmt:
            case Bind():
                bind(cx, stmt)
            case If(test, then, orelse):
                branches(cx, test, partial(run_pure, cx, then), partial(run_pure, cx, orelse))
            case For(binder, inner):
                for_each(cx, binder, partial(run_pure, cx, inner))
            case _:
                raise AssertionError(f"not a pure statement: {stmt!r}")


def bind(cx: Context, stmt: Bind) -> None:
    """Set a local."""
    value = lower(cx, stmt.value)
    slot = local_slot(cx, stmt.name, stmt.type, lambda: most_elements(stmt.value))
    write(cx.fn, slot, adapted(cx, value, slot.layout))


def local_slot(cx: Context, name: str, kind: Type, room: Callable[[], int]) -> Place:
    """The place of a local that changes, made where it is first set."""
    found = cx.locals.get(name)
    if isinstance(found, Place):
        return found
    layout = roomy_layout(kind, lambda: max(64, room()))
    slot = Place(layout, cx.fn.slot(layout.size), alone=layout.small)
    cx.locals[name] = slot
    return slot


def branches(cx: Context, test: Expr, then: Callable[[], None], orelse: Callable[[], None]) -> None:
    """Two arms of statements."""
    fn = cx.fn
    yes, no, after = fn.block(), fn.block(), fn.block()
    jump_if(cx, test, yes, no)
    fn.at(yes)
    then()
    fn.jump(after)
    fn.at(no)
    orelse()
    fn.begin(after)


def for_each(cx: Context, binder: Binder, body: Callable[[], None]) -> None:
    """A loop whose body may change what the source was computed from: it runs over a copy."""

    def bound(value: Value) -> None:
        cx.locals[binder.name] = value
        run, following = cx.fn.block(), cx.fn.block()
        if binder.condition is None:
            cx.fn.jump(run)
        else:
            jump_if(cx, binder.condition, run, following)
        cx.fn.at(run)
        body()
        cx.fn.begin(following)

    match binder.source:
        case Apply(op=Op.DOMAIN | Op.RANGE):
            each_element(cx, binder.source, bound)
        case _:
            value = snapshot(cx, lower(cx, binder.source))
            collections.iterate(cx.fn, value, lambda element, _: bound(element))
    cx.locals.pop(binder.name, None)


def snapshot(cx: Context, value: Value) -> Value:
    """The value, out of reach of later changes."""
    return value if value.layout.small else read(cx.fn, copied(cx.fn, value))
