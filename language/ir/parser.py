"""Reads IR text (`printer.py` shows the form): `parse_ir(print_ir(spec)) == spec`.

Types that the text leaves out are the natural ones. What is read is well-formed text, not yet a
well-formed spec: run `verify` on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import TypeVar

from .nodes import (
    Action,
    Apply,
    Assign,
    Bind,
    Binder,
    Change,
    Choose,
    Comprehension,
    Const,
    Do,
    Durability,
    Expr,
    Fold,
    For,
    If,
    Index,
    Key,
    Kind,
    Local,
    Mutate,
    Op,
    Parameter,
    Path,
    Property,
    PropertyKind,
    Refinement,
    Require,
    SpecIR,
    Stmt,
    Var,
    Variable,
)
from .sexpr import Atom, Form, IRSyntaxError, Node, error, read, unquoted
from .signatures import (
    IllTypedError,
    element_type,
    natural_fold_type,
    natural_type,
)
from .types import (
    BOOL,
    BagType,
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

__all__ = ["IRSyntaxError", "parse_ir"]

_E = TypeVar("_E", bound=Enum)

Scope = dict[str, Type]


def parse_ir(text: str) -> SpecIR:
    """The spec in a text; raises IRSyntaxError with the line and column of what is wrong."""
    return _Spec().read(read(text))


# --- Reading forms -------------------------------------------------------------------------------


def _items(node: Node, what: str) -> tuple[Node, ...]:
    if isinstance(node, Atom):
        raise error(f"{what} is needed here, in parentheses, not {node.text!r}", node)
    return node.items


def _word(node: Node, what: str) -> str:
    if isinstance(node, Form):
        raise error(f"{what} is needed here, not a list", node)
    return node.text


def _name(node: Node) -> str:
    return unquoted(_word(node, "a name"))


def _number(node: Node) -> int:
    word = _word(node, "a number")
    if not word.removeprefix("-").isdecimal():
        raise error(f"a number is needed here, not {word!r}", node)
    return int(word)


def _member(family: type[_E], node: Node, suffix: str = "") -> _E:
    word = _word(node, "a word").removesuffix(suffix)
    for member in family:
        if member.value == word:
            return member
    allowed = ", ".join(f"{member.value}{suffix}" for member in family)
    raise error(f"{word!r} is not one of {allowed}", node)


def _head(node: Node, what: str) -> tuple[str, Sequence[Node]]:
    items = _items(node, what)
    if not items:
        raise error(f"{what} is needed here, not ()", node)
    return _word(items[0], "a word"), items[1:]


def _exactly(node: Node, items: Sequence[Node], least: int, most: int | None = None) -> None:
    most = least if most is None else most
    if not least <= len(items) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise error(f"{wanted} parts are needed after the first word, not {len(items)}", node)


# --- Declarations --------------------------------------------------------------------------------


class _Spec:
    """Reads one spec: its declarations in order, so a name is declared before it is used."""

    def __init__(self) -> None:
        self.name = ""
        self.sorts: dict[str, Sort] = {}
        self.types: dict[str, EnumType | RecordType] = {}
        self.variables: dict[str, Variable] = {}
        self.start: tuple[Stmt, ...] = ()
        self.actions: list[Action] = []
        self.constraint: Expr | None = None
        self.properties: list[Property] = []
        self.refinements: list[Refinement] = []

    def read(self, node: Node) -> SpecIR:
        """The spec in a `(spec ...)` form."""
        word, items = _head(node, "(spec NAME ...)")
        if word != "spec" or not items:
            raise error("(spec NAME ...) is needed here", node)
        self.name = _name(items[0])
        readers: dict[str, Callable[[Node, Sequence[Node]], None]] = {
            "sort": self._sort,
            "enum": self._enum,
            "record": self._record,
            "variable": self._variable,
            "start": self._start,
            "action": self._action,
            "constraint": self._constraint,
            "property": self._property,
            "refinement": self._refinement,
        }
        for item in items[1:]:
            word, parts = _head(item, "a declaration")
            if word not in readers:
                raise error(f"{word!r} is not one of {', '.join(readers)}", item)
            readers[word](item, parts)
        return SpecIR(
            name=self.name,
            sorts=tuple(self.sorts.values()),
            variables=tuple(self.variables.values()),
            actions=tuple(self.actions),
            start=self.start,
            constraint=self.constraint,
            properties=tuple(self.properties),
            refinements=tuple(self.refinements),
        )

    def _sort(self, node: Node, parts: Sequence[Node]) -> None:
        _exactly(node, parts, 2, 3)
        name = _name(parts[0])
        ordered = len(parts) == 3
        if ordered and _name(parts[2]) != "ordered":
            raise error("only 'ordered' may follow the size", parts[2])
        _new(name, self.sorts, parts[0])
        self.sorts[name] = Sort(name, _number(parts[1]), ordered)

    def _enum(self, node: Node, parts: Sequence[Node]) -> None:
        _exactly(node, parts, 2, len(parts) + 2)
        name = _name(parts[0])
        _new(name, self.types, parts[0])
        self.types[name] = EnumType(name, tuple(_name(part) for part in parts[1:]))

    def _record(self, node: Node, parts: Sequence[Node]) -> None:
        _exactly(node, parts, 1, len(parts) + 1)
        name = _name(parts[0])
        _new(name, self.types, parts[0])
        fields = tuple(self._typed(part) for part in parts[1:])
        self.types[name] = RecordType(name, fields)

    def _typed(self, node: Node) -> tuple[str, Type]:
        items = _items(node, "(NAME TYPE)")
        if len(items) != 2:
            raise error("(NAME TYPE) is needed here", node)
        return _name(items[0]), self.type(items[1])

    def _variable(self, node: Node, parts: Sequence[Node]) -> None:
        _exactly(node, parts, 3, 4)
        name = _name(parts[0])
        _new(name, self.variables, parts[0])
        durability = _member(Durability, parts[2]) if len(parts) == 4 else Durability.PLAIN
        initial = _Body(self).expr(parts[-1], {})
        self.variables[name] = Variable(name, self.type(parts[1]), initial, durability)

    def _start(self, node: Node, parts: Sequence[Node]) -> None:
        self.start = _Body(self).statements(parts, {})

    def _action(self, node: Node, parts: Sequence[Node]) -> None:
        _exactly(node, parts, 3, len(parts) + 3)
        kind = _member(Kind, parts[1])
        scope = dict(map(self._typed, _items(parts[2], "a list of parameters")))
        parameters = tuple(Parameter(name, kind) for name, kind in scope.items())
        body = _Body(self).statements(parts[3:], scope)
        self.actions.append(Action(_name(parts[0]), kind, parameters, body))

    def _constraint(self, node: Node, parts: Sequence[Node]) -> None:
        _exactly(node, parts, 1)
        self.constraint = _Body(self).expr(parts[0], {})

    def _property(self, node: Node, parts: Sequence[Node]) -> None:
        _exactly(node, parts, 3, 5)
        by: tuple[str, ...] = ()
        when: Expr | None = None
        for part in parts[2:-1]:
            word, rest = _head(part, "(by ACTION ...) or (when CONDITION)")
            if word == "by":
                by = tuple(map(_name, rest))
            elif word == "when" and len(rest) == 1:
                when = _Body(self).expr(rest[0], {})
            else:
                raise error("(by ACTION ...) or (when CONDITION) is needed here", part)
        predicate = _Body(self).expr(parts[-1], {})
        kind = _member(PropertyKind, parts[1])
        self.properties.append(Property(_name(parts[0]), kind, predicate, by, when=when))

    def _refinement(self, node: Node, parts: Sequence[Node]) -> None:
        _exactly(node, parts, 2, len(parts) + 2)
        abstract = _Spec().read(parts[1])
        mapping = tuple(_Body(self).expr(part, {}) for part in parts[2:])
        self.refinements.append(Refinement(_name(parts[0]), abstract, mapping))

    # --- Types ---

    def type(self, node: Node) -> Type:
        """The type that a node stands for."""
        if isinstance(node, Atom):
            return BOOL if node.text == "bool" else self._known(node, _name(node))
        word, parts = _head(node, "a type")
        match word, len(parts):
            case "int", 2:
                return IntType(_number(parts[0]), _number(parts[1]))
            case "node", 1:
                name = _name(parts[0])
                if name not in self.sorts:
                    raise error(f"no sort is called {name!r}", parts[0])
                return NodeType(self.sorts[name])
            case "option", 1:
                return OptionType(self.type(parts[0]))
            case "union", _:
                return UnionType(tuple(self._variant(part) for part in parts))
            case "set", (1 | 2):
                return SetType(self.type(parts[0]), _capacity(parts[1:]))
            case "map", 2:
                return MapType(self.type(parts[0]), self.type(parts[1]))
            case "seq", 2:
                return SeqType(self.type(parts[0]), _number(parts[1]))
            case "bag", (2 | 3):
                return BagType(self.type(parts[0]), _number(parts[1]), _capacity(parts[2:]))
        raise error(f"not a type: {word!r} with {len(parts)} parts", node)

    def _known(self, node: Node, name: str) -> EnumType | RecordType:
        if name not in self.types:
            raise error(f"no type is called {name!r}", node)
        return self.types[name]

    def _variant(self, node: Node) -> RecordType:
        kind = self._known(node, _name(node))
        if isinstance(kind, EnumType):
            raise error(f"a variant is a record, and {kind.name!r} is not", node)
        return kind

    def constant(self, node: Atom) -> Const:
        """`Vote::YES`."""
        name, _, member = node.text.partition("::")
        kind = self._known(node, name)
        if isinstance(kind, RecordType) or member not in kind.members:
            raise error(f"{name!r} has no member {member!r}", node)
        return Const(kind, member)


def _new(name: str, known: Iterable[str], node: Node) -> None:
    if name in known:
        raise error(f"{name!r} is declared already", node)


def _capacity(parts: Sequence[Node]) -> int | None:
    return _number(parts[0]) if parts else None


# --- Bodies --------------------------------------------------------------------------------------


class _Body:
    """Reads expressions and statements. A scope maps the locals seen so far to their types."""

    def __init__(self, spec: _Spec) -> None:
        self.spec = spec

    def expr(self, node: Node, scope: Scope) -> Expr:
        """The expression that a node stands for."""
        if isinstance(node, Atom):
            return self._atom(node, scope)
        word, parts = _head(node, "an expression")
        if word == "const":
            _exactly(node, parts, 2)
            return Const(self.spec.type(parts[1]), _number(parts[0]))
        if word == "none":
            _exactly(node, parts, 1)
            return Const(self.spec.type(parts[0]), None)
        if word == "do":
            return self._do(node, parts, scope)
        if word.startswith("fold."):
            return self._comprehension(node, parts, scope)
        return self._apply(node, parts, scope)

    def _atom(self, node: Atom, scope: Scope) -> Expr:
        text = node.text
        if text in ("#true", "#false"):
            return Const(BOOL, text == "#true")
        if text.removeprefix("-").isdecimal():
            return Const(IntType(int(text), int(text)), int(text))
        if "::" in text:
            return self.spec.constant(node)
        if text.startswith(("self.", "after.")):
            return Var(self._variable(node).type, text.partition(".")[2], text.startswith("after."))
        name = unquoted(text)
        if name not in scope:
            raise error(f"no local is called {name!r} here", node)
        return Local(scope[name], name)

    def _variable(self, node: Node) -> Variable:
        word = _word(node, "a variable")
        name = word.partition(".")[2]
        if name not in self.spec.variables:
            raise error(f"no variable is called {word!r}", node)
        return self.spec.variables[name]

    def _annotation(self, parts: Sequence[Node]) -> tuple[Type | None, Sequence[Node]]:
        """The type in front of the arguments, if there is one, and the rest."""
        match parts:
            case [Atom(":"), kind, *rest]:
                return self.spec.type(kind), rest
            case [Atom(text, line, column), *rest] if text.startswith(":"):
                return self.spec.type(Atom(text[1:], line, column + 1)), rest
        return None, parts

    def _apply(self, node: Form, parts: Sequence[Node], scope: Scope) -> Apply:
        op = _member(Op, node.items[0])
        declared, parts = self._annotation(parts)
        label = name = ""
        match parts:
            case [Atom(text), *rest] if text.startswith("@"):
                label, parts = unquoted(text[1:]), rest
        if op in (Op.FIELD, Op.IS):
            if not parts:
                raise error("a name is needed after this word", node)
            name, parts = _name(parts[0]), parts[1:]
        args = tuple(self.expr(part, scope) for part in parts)
        kind = _known_type(
            node, declared, lambda: natural_type(op, [arg.type for arg in args], name)
        )
        return Apply(kind, op, args, name, label)

    def _comprehension(self, node: Form, parts: Sequence[Node], scope: Scope) -> Comprehension:
        word = node.items[0]
        assert isinstance(word, Atom)
        fold = _member(Fold, Atom(word.text.removeprefix("fold."), word.line, word.column))
        declared, parts = self._annotation(parts)
        _exactly(node, parts, 2, 3)
        inner = dict(scope)
        binders = tuple(self._binder(part, inner) for part in _items(parts[0], "binders"))
        body = self.expr(parts[1], inner)
        default = self.expr(parts[2], scope) if len(parts) == 3 else None
        sources = [binder.source.type for binder in binders]
        other = None if default is None else default.type
        kind = _known_type(
            node, declared, lambda: natural_fold_type(fold, sources, body.type, other)
        )
        return Comprehension(kind, fold, binders, body, default)

    def _binder(self, node: Node, scope: Scope) -> Binder:
        """A binder, which is added to the scope."""
        items = _items(node, "(NAME SOURCE)")
        if len(items) not in (2, 3):
            raise error("(NAME SOURCE) or (NAME SOURCE CONDITION) is needed here", node)
        source = self.expr(items[1], scope)
        kind = _known_type(items[1], None, lambda: element_type(source.type))
        scope[_name(items[0])] = kind
        condition = self.expr(items[2], scope) if len(items) == 3 else None
        return Binder(_name(items[0]), kind, source, condition)

    def _do(self, node: Node, parts: Sequence[Node], scope: Scope) -> Do:
        declared, parts = self._annotation(parts)
        _exactly(node, parts, 2)
        inner = dict(scope)
        body = self.statements(_items(parts[0], "statements"), inner)
        result = self.expr(parts[1], inner)
        return Do(declared or result.type, body, result)

    # --- Statements ---

    def statements(self, nodes: Iterable[Node], scope: Scope) -> tuple[Stmt, ...]:
        """Statements in order; what they bind is added to the scope."""
        return tuple(self._statement(node, scope) for node in nodes)

    def _statement(self, node: Node, scope: Scope) -> Stmt:
        word, parts = _head(node, "a statement")
        match word, len(parts):
            case "assign", 2:
                return Assign(self._place(parts[0], scope), self.expr(parts[1], scope))
            case "bind", (2 | 3 | 4):
                declared, rest = self._annotation(parts[1:])
                _exactly(node, rest, 1)
                value = self.expr(rest[0], scope)
                kind = declared or value.type
                scope[_name(parts[0])] = kind
                return Bind(_name(parts[0]), kind, value)
            case "require", 1:
                return Require(self.expr(parts[0], scope))
            case "if", (2 | 3):
                condition = self.expr(parts[0], scope)
                then = self._arm("then", parts[1], scope)
                orelse = self._arm("else", parts[2], scope) if len(parts) == 3 else ()
                return If(condition, then, orelse)
            case "for", count if count:
                inner = dict(scope)
                binder = self._binder(parts[0], inner)
                return For(binder, self.statements(parts[1:], inner))
            case "choose", 1:
                return Choose(self._binder(parts[0], scope))
            case _, count if count and word.endswith("!"):
                assert isinstance(node, Form)
                change = _member(Change, node.items[0], "!")
                place = self._place(parts[0], scope)
                return Mutate(change, place, tuple(self.expr(part, scope) for part in parts[1:]))
        raise error(f"not a statement: {word!r} with {len(parts)} parts", node)

    def _arm(self, word: str, node: Node, scope: Scope) -> tuple[Stmt, ...]:
        given, parts = _head(node, f"({word} ...)")
        if given != word:
            raise error(f"({word} ...) is needed here", node)
        return self.statements(parts, scope)

    def _place(self, node: Node, scope: Scope) -> Path:
        if isinstance(node, Atom):
            variable = self._variable(node)
            return Path(variable.name, (), variable.type)
        word, parts = _head(node, "a place")
        if word != "place" or not parts:
            raise error("(place self.NAME STEP ...) is needed here", node)
        variable = self._variable(parts[0])
        kind = variable.type
        steps: list[Key | Index] = []
        for part in parts[1:]:
            step, args = _head(part, "(key EXPR) or (index EXPR)")
            _exactly(part, args, 1)
            where = self.expr(args[0], scope)
            match step, kind:
                case "key", MapType(_, value):
                    steps.append(Key(where))
                    kind = value
                case "index", SeqType(element):
                    steps.append(Index(where))
                    kind = element
                case _:
                    raise error(f"the place up to here has no step by {step!r}", part)
        return Path(variable.name, tuple(steps), kind)


def _known_type(node: Node, declared: Type | None, natural: Callable[[], Type | None]) -> Type:
    """The declared type, or else the natural one."""
    try:
        kind = declared or natural()
    except IllTypedError as problem:
        raise error(str(problem), node) from None
    if kind is None:
        raise error("this needs its type, as :TYPE after the first word", node)
    return kind
