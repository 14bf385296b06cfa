"""What the front end knows while it translates one function body."""

from __future__ import annotations

import ast
import builtins
import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from ..annotations import AnnotationError
from ..diagnostics import Code, Diagnostics
from ..ir.nodes import Expr, Span
from ..ir.types import Type
from ..shape import Shape
from .source import SourceError, SourceFile, Sources
from .typing_rules import widen


class Skip(Exception):
    """The statement at hand has an error (already noted): go on with the next one."""


@dataclasses.dataclass(frozen=True)
class SpecObject:
    """A name that stands for the spec itself: `self`, or the later state of a step property.

    In an assumption it stands for the parameters, and has no `state`.
    """

    after: bool
    state: bool = True


@dataclasses.dataclass(frozen=True)
class Constant:
    """A Python object known when the spec is loaded: a class, a function, a module, a number."""

    value: Any


@dataclasses.dataclass(frozen=True)
class Lost:
    """A name that a loop or a `case` bound: under CPython it keeps its last value, here none."""

    line: int


Meaning = Expr | SpecObject | Constant | Lost


class Unit:
    """State shared by a body and all that is inlined into it: locals with their types.

    Local names are unique within a unit. A unit is built again until the types of its locals are
    stable: `grown` says that they were not.
    """

    def __init__(self, ruled_out: frozenset[ast.stmt]) -> None:
        self._ruled_out = ruled_out
        self.types: dict[str, Type] = {}
        self.annotated: set[str] = set()
        self.grown = False
        self.place: Span | None = None  # of the function, for errors without a node
        self.begin()

    def begin(self) -> None:
        """Start a round."""
        self.grown = False
        self.names: dict[str, int] = {}
        self.defined: set[str] = set()
        self.aliases: dict[str, frozenset[str]] = {}
        self.stale: dict[str, Span | None] = {}
        self.dead = 0  # within how many branches that these parameters rule out
        # The first statements of those that were translated, for their errors, here or before.
        self.ruled_out = set(self._ruled_out)

    def widen(self) -> None:
        """Inference did not end: the ints among the locals become unbounded."""
        self.types = {name: widen(kind) for name, kind in self.types.items()}
        self.annotated |= set(self.types)

    @contextlib.contextmanager
    def unreached(self, dead: bool) -> Iterator[None]:
        """Within it, if `dead`, code is never reached: its values need not fit anywhere."""
        self.dead += dead
        try:
            yield
        finally:
            self.dead -= dead

    def fresh(self, name: str) -> str:
        """A local name that is not taken in this unit."""
        count = self.names.get(name, 0)
        self.names[name] = count + 1
        return name if count == 0 else f"{name}_{count + 1}"


@dataclasses.dataclass
class Body:
    """A function being translated: where its source is, what its names mean, what is allowed."""

    shape: Shape
    sources: Sources
    sink: Diagnostics
    unit: Unit
    function: Callable[..., Any]
    owner: type | None
    file: SourceFile
    node: ast.FunctionDef
    names: dict[str, Meaning] = dataclasses.field(default_factory=dict)
    effects: bool = False  # may change state
    guards: bool = False  # may require and choose
    calls: tuple[Callable[..., Any], ...] = ()  # the functions being inlined, outermost first
    narrowed: dict[str, Type] = dataclasses.field(default_factory=dict)

    def span(self, node: ast.AST) -> Span:
        """The place of a node."""
        return self.file.span(node)

    def fail(self, code: Code, message: str, node: ast.AST, advice: str = "") -> NoReturn:
        """Note an error and give up on the statement."""
        self.sink.error(code, message, self.span(node), advice)
        raise Skip

    def global_value(self, name: str) -> Constant | None:
        """What a name means outside the function: closure, module, builtins."""
        closure = inspect.getclosurevars(self.function)
        for scope in (closure.nonlocals, getattr(self.function, "__globals__", {})):
            if name in scope:
                return Constant(scope[name])
        if hasattr(builtins, name):
            return Constant(getattr(builtins, name))
        return None

    def annotation(self, node: ast.expr, *, unbounded: bool = True) -> Type:
        """The type an annotation in the source means."""
        if node not in self.file.annotations:
            self.file.annotations[node] = self._evaluated(node)
        value = self.file.annotations[node]
        try:
            resolver = self.shape.resolver.within(self.owner)
            return resolver.resolve(value, unbounded=unbounded)
        except AnnotationError as error:
            self.fail(Code.TYPE, error.message, node, error.advice)

    def _evaluated(self, node: ast.expr) -> Any:
        scope = dict(getattr(self.function, "__globals__", {}))
        try:
            value = eval(compile(ast.Expression(node), self.file.path, "eval"), scope)
            return eval(value, scope) if isinstance(value, str) else value
        except Exception as error:  # noqa: BLE001 - whatever the annotation raises
            advice = "declare specs, and the types they use, at the top of a module"
            message = f"this annotation cannot be evaluated: {error}"
            self.fail(Code.NAME, message, node, advice)


def open_body(
    shape: Shape,
    sources: Sources,
    sink: Diagnostics,
    unit: Unit,
    function: Callable[..., Any],
    owner: type | None,
    caller: tuple[Body, ast.AST] | None = None,
) -> Body:
    """A body for a function; Skip, with the error noted, where its source cannot be had."""
    try:
        node, file = sources.function(function)
    except SourceError as error:
        own = sources.attribute(owner, function.__name__) if owner else None
        span = caller[0].span(caller[1]) if caller else own
        if inspect.iscoroutinefunction(function):
            sink.error(Code.SUBSET, "async is outside the language", span)
        else:
            sink.error(Code.SOURCE, str(error), span, "write the function in a file of its own")
        raise Skip from None
    return Body(shape, sources, sink, unit, function, owner, file, node)
