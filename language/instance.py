"""An instance: a spec with parameters, flaws and properties fixed. What every engine is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .assumptions import Assumption
from .diagnostics import Code, Diagnostics, SpecErrors
from .failures import UsageError
from .frontend.build import build_ir
from .frontend.source import Sources
from .interpreter import Reference, property_mark
from .ir.evaluator import Evaluator
from .ir.nodes import SpecIR
from .semantics import Semantics
from .shape import DeclarationError, DeclarationErrors, Shape, flaws_of, shape_of
from .spec import Spec, sizes
from .values import Universe


@dataclass(frozen=True)
class Instance:
    """A spec ready for the engines.

    `parameters` are as given and shown (node sets by size), without the flaws; `spec` is None where
    the IR did not come from a Python class. In the IR the parameters are literals; `assumptions`
    are the conditions that they satisfy.
    """

    spec: type[Spec] | None
    name: str
    parameters: Mapping[str, Any]
    flaws: tuple[str, ...]
    ir: SpecIR
    universe: Universe
    assumptions: tuple[Assumption, ...] = ()
    _reference: Semantics | None = field(default=None, compare=False, repr=False)

    @classmethod
    def from_ir(cls, ir: SpecIR) -> Instance:
        """An instance of IR that came from text; its semantics is the evaluator's."""
        return cls(None, ir.name, {}, (), ir, Universe.of(ir))

    def reference(self) -> Semantics:
        """The reference semantics: CPython on the author's class (or, from text, the evaluator)."""
        return self._reference or self.evaluator()

    def evaluator(self) -> Semantics:
        """The semantics of the IR."""
        return Evaluator(self.ir, self.universe)


def instantiate(
    spec: type[Spec],
    parameters: Mapping[str, Any] | None = None,
    flaws: tuple[str, ...] = (),
    properties: Mapping[str, Callable[..., Any]] | None = None,
) -> Instance:
    """Fix a spec's parameters, switch on flaws, and translate it with its properties.

    `properties` adds properties from outside the class, by name. Raises UsageError for parameters
    or flaws that are not allowed, SpecErrors for a spec that is wrong.
    """
    sources, sink = Sources(), Diagnostics()
    try:
        known = flaws_of(spec)
        _check_flaws(spec, known, flaws)
        given = {**(parameters or {}), **dict.fromkeys(flaws, True)}
        shape = shape_of(spec, given)
    except (DeclarationError, DeclarationErrors) as failure:
        errors = failure.errors if isinstance(failure, DeclarationErrors) else (failure,)
        for error in errors:
            span = sources.attribute(error.owner, error.attribute)
            sink.error(Code.DECLARATION, error.message, span, error.advice)
        raise SpecErrors(sink.all()) from None
    found = _properties(shape, properties or {})
    ir = build_ir(shape, found, sources, sink)
    sink.raise_if_any()
    shown = {n: v for n, v in sizes(shape.parameters).items() if n not in known}
    reference = Reference(
        shape,
        {a.name: tuple((p.name, p.type) for p in a.parameters) for a in ir.actions},
        {name: function for name, (function, _) in found.items()},
        {m.name: m.function for m in shape.methods if m.mark.role == "refinement"},
        Evaluator(ir, shape.universe).bindings,
    )
    return Instance(
        spec,
        spec.__name__,
        shown,
        tuple(flaws),
        ir,
        shape.universe,
        shape.assumptions,
        reference,
    )


def _check_flaws(spec: type[Spec], known: Mapping[str, str], flaws: tuple[str, ...]) -> None:
    for flaw in flaws:
        if flaw not in known:
            allowed = ", ".join(known) or "none"
            raise UsageError(f"{spec.__name__} has no flaw {flaw!r} (flaws: {allowed})")


def _properties(
    shape: Shape, added: Mapping[str, Callable[..., Any]]
) -> dict[str, tuple[Callable[..., Any], type | None]]:
    found: dict[str, tuple[Callable[..., Any], type | None]] = {
        m.name: (m.function, m.owner) for m in shape.methods if m.mark.role == "property"
    }
    for name, function in added.items():
        try:
            property_mark(function)
        except TypeError as error:
            raise UsageError(str(error)) from None
        found[name] = (function, None)
    return found
