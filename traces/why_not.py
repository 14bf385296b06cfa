"""Why a step is not possible: which guard is false, where it stands, when it would be true."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..language.ir.evaluator import Evaluator, Outcome, _Branch, _Then
from ..language.ir.expressions import Frame
from ..language.ir.nodes import (
    Action,
    Apply,
    Binder,
    Comprehension,
    Do,
    Expr,
    Fold,
    Local,
    Op,
    Require,
    Span,
    SpecIR,
    Stmt,
    Var,
)
from ..language.labels import Label, Trapped
from ..language.semantics import Semantics
from ..language.values import State, Universe, Value
from .show import show, step_text
from .trace import Trace


@dataclass(frozen=True)
class FalseGuard:
    """A conjunct of a `require` that is false.

    `values` are the parts of the state and the locals that it reads, each with its value;
    `choices` those made before it.
    """

    text: str
    span: Span | None
    values: tuple[tuple[str, str], ...]
    choices: tuple[Value, ...] = ()

    @property
    def place(self) -> str:
        """File and line, empty where they are not known."""
        return "" if self.span is None else f"{self.span.file}:{self.span.line}"

    def __str__(self) -> str:
        values = ", ".join(f"{name} = {value}" for name, value in self.values)
        place = f"{self.place}: " if self.span else ""
        chosen = f" after choosing {', '.join(map(show, self.choices))}" if self.choices else ""
        return f"{place}{self.text} is false{chosen}" + (f" ({values})" if values else "")


@dataclass(frozen=True)
class WhyNot:
    """Why a step is not possible in a state of a trace.

    `guards` are the false conjuncts; empty where no guard is false, and `reason` then says what
    else it is. `next_enabled` is the index of the next state of the trace in which the action
    with these parameters is enabled, None where there is none.
    """

    reason: str
    guards: tuple[FalseGuard, ...]
    next_enabled: int | None

    def lines(self) -> tuple[str, ...]:
        """The answer as text."""
        told = [self.reason, *(str(guard) for guard in self.guards)]
        if self.next_enabled is None:
            told.append("it is not enabled later in this trace")
        else:
            told.append(f"it would next be enabled in state {self.next_enabled}")
        return tuple(told)


def why_not(
    label: Label, trace: Trace, index: int, semantics: Semantics, ir: SpecIR, universe: Universe
) -> WhyNot:
    """Why the step is not possible in the state at `index` of a trace."""
    later = _next_enabled(label, trace, index, semantics)
    action = next((one for one in ir.actions if one.name == label.action), None)
    if action is None:
        return WhyNot(f"{ir.name} has no action {label.action}", (), later)
    guards = false_guards(action, label, trace.states[index], ir, universe)
    if guards:
        reason = f"{step_text(label)} is not enabled"
    elif label.choices:
        chosen = ", ".join(show(value) for value in label.choices)
        reason = f"{label.action} cannot choose {chosen} here"
    else:
        reason = f"{step_text(label)} is not enabled: there is nothing to choose from"
    return WhyNot(reason, guards, later)


def _next_enabled(label: Label, trace: Trace, index: int, semantics: Semantics) -> int | None:
    for later in range(index + 1, len(trace.states)):
        for transition in semantics.successors(trace.states[later]):
            there = transition.label
            if there.action == label.action and there.parameters == label.parameters:
                return later
    return None


def false_guards(
    action: Action, label: Label, state: State, ir: SpecIR, universe: Universe
) -> tuple[FalseGuard, ...]:
    """The conjuncts that are false on the way of `label` through the body of its action."""
    observer = _Observer(ir, universe)
    observer.observe(action, dict(label.parameters), state)
    return tuple(
        guard
        for guard in observer.found
        if guard.choices[: len(label.choices)] == label.choices[: len(guard.choices)]
    )


class _Observer(Evaluator):
    """The evaluator, taking down every guard that is false."""

    def __init__(self, spec: SpecIR, universe: Universe) -> None:
        super().__init__(spec, universe)
        self.found: list[FalseGuard] = []

    def observe(self, action: Action, parameters: dict[str, Value], state: State) -> None:
        """Run the body in every way through its choices."""
        for _ in self._outcomes(action.body, self._variables(state), parameters):
            pass

    def _run(self, body: tuple[Stmt, ...], branch: _Branch, then: _Then) -> Iterator[Outcome]:
        if body and isinstance(body[0], Require):
            self._take_down(body[0], branch)
        return super()._run(body, branch, then)

    def _take_down(self, require: Require, branch: _Branch) -> None:
        for conjunct in _conjuncts(require.condition):
            try:
                if self._value(conjunct, branch.frame):
                    continue
            except Trapped:
                # Guarded by an earlier conjunct, which is False.
                return
            span = conjunct.span or require.span
            values = tuple(self._values(conjunct, branch.frame))
            guard = FalseGuard(_text(span, conjunct), span, values, branch.choices)
            if guard not in self.found:
                self.found.append(guard)

    def _values(self, conjunct: Expr, frame: Frame) -> Iterator[tuple[str, str]]:
        """What the conjunct reads; of a quantifier, for the first elements that break it."""
        match conjunct:
            case Comprehension(_, Fold.ALL):
                quantified, breaking = conjunct, False
            case Apply(_, Op.NOT, (Comprehension(_, Fold.ANY) as quantified,)):
                breaking = True
            case _:
                yield from self._reads(conjunct, frame)
                return
        for inner in self._frames(quantified.binders, frame):
            if bool(self._value(quantified.body, inner)) is breaking:
                for binder in quantified.binders:
                    yield binder.name, show(inner.locals[binder.name])
                yield from self._reads(quantified.body, inner)
                return

    def _frames(self, binders: tuple[Binder, ...], frame: Frame) -> Iterator[Frame]:
        """A frame for each binding of the binders."""
        if not binders:
            yield frame
            return
        for element in self._expressions.bound(binders[0], frame):
            inner = frame.inner()
            inner.locals[binders[0].name] = element
            yield from self._frames(binders[1:], inner)

    def _reads(self, expr: Expr, frame: Frame) -> Iterator[tuple[str, str]]:
        """The largest parts of the state that an expression reads, and their values."""
        seen: set[str] = set()
        for place in _places(expr):
            try:
                name, value = self._name(place, frame), self._value(place, frame)
            except (Trapped, KeyError):
                # Below a quantifier, whose variable has no value here.
                continue
            if name not in seen:
                seen.add(name)
                yield name, show(value)

    def _name(self, place: Expr, frame: Frame) -> str:
        match place:
            case Var(_, name) | Local(_, name):
                return name
            case Apply(_, Op.GET | Op.AT, (inner, key)):
                return f"{self._name(inner, frame)}[{show(self._value(key, frame))}]"
            case Apply(_, Op.FIELD, (inner,), field):
                return f"{self._name(inner, frame)}.{field}"
            case Apply(_, Op.NARROW | Op.COERCE, (inner,)):
                return self._name(inner, frame)
        raise KeyError(place)


def _conjuncts(expr: Expr) -> Iterator[Expr]:
    """The parts of a condition that must all hold."""
    if isinstance(expr, Apply) and expr.op is Op.AND:
        for arg in expr.args:
            yield from _conjuncts(arg)
    else:
        yield expr


def _places(expr: Expr) -> Iterator[Expr]:
    match expr:
        case Var() | Local():
            yield expr
        case Apply(_, Op.GET | Op.AT, (inner, _)) if _is_place(inner):
            yield expr
        case Apply(_, Op.FIELD, (inner,)) if _is_place(inner):
            yield expr
        case Apply():
            for arg in expr.args:
                yield from _places(arg)
        case Comprehension():
            for binder in expr.binders:
                yield from _places(binder.source)
            yield from _places(expr.body)
        case Do():
            yield from _places(expr.result)


def _is_place(expr: Expr) -> bool:
    match expr:
        case Var() | Local():
            return True
        case Apply(_, Op.GET | Op.AT | Op.FIELD | Op.NARROW | Op.COERCE, (inner, *_)):
            return _is_place(inner)
    return False


def _text(span: Span | None, expr: Expr) -> str:
    """The conjunct as its author wrote it, else the name of its operator."""
    text = "" if span is None else _source(span)
    if not text:
        return f"the guard `{expr.op.value}`" if isinstance(expr, Apply) else "the guard"
    if isinstance(expr, Comprehension) and text.startswith("("):
        # The position is that of the generator, without the function around it.
        return expr.fold.value + text
    return text


def _source(span: Span) -> str:
    """The piece of source, in one line; empty where the file is not there any more."""
    try:
        lines = Path(span.file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    piece = lines[span.line - 1 : span.end_line]
    if len(piece) != span.end_line - span.line + 1:
        return ""
    piece[-1] = piece[-1][: span.end_column - 1]
    piece[0] = piece[0][span.column - 1 :]
    if len(piece) == 1:
        return piece[0].strip()
    try:
        return ast.unparse(ast.parse("(" + "\n".join(piece) + "\n)", mode="eval"))
    except SyntaxError:
        return " ".join(" ".join(piece).split())
