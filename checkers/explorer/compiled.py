"""An instance, compiled for one check: with the chosen properties alone, and what they need."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...language.diagnostics import Code, Diagnostic, SpecErrors
from ...language.instance import Instance
from ...language.ir.nodes import Property, PropertyKind, Refinement, SpecIR
from ...language.values import State
from ..errors import UsageError
from .functions import AbstractFunctions, Functions
from .layout import LayoutError
from .native import NativeSpec, compile_quickly
from .workers import Words


@dataclass(frozen=True)
class Compiled:
    """A compiled check. `abstract` keeps the code of abstract specs alive, in the order of
    `refinements`; `symmetric` says that states are brought into canonical form.
    """

    instance: Instance
    properties: tuple[Property, ...]
    refinements: tuple[Refinement, ...]
    native: NativeSpec
    abstract: tuple[NativeSpec, ...]
    symmetric: bool

    @classmethod
    def of(cls, instance: Instance, names: Sequence[str] | None, symmetry: bool) -> Compiled:
        """Compile for the named properties, or all. Raises UsageError, SpecErrors."""
        try:
            return cls._compiled(instance, chosen(instance.ir, names), symmetry)
        except LayoutError as error:
            advice = "give it tighter bounds: between(...), at_most(...)"
            raise SpecErrors([Diagnostic(Code.SIZE, str(error), error.span, advice)]) from None

    @classmethod
    def _compiled(cls, instance: Instance, ir: SpecIR, symmetry: bool) -> Compiled:
        subsets = tuple(dict.fromkeys(p.by for p in ir.properties if p.by))
        native = compile_quickly(ir, universe=instance.universe, subsets=subsets)
        abstract = tuple(compile_quickly(r.abstract) for r in ir.refinements)
        symmetric = symmetry and "canonical" in native.addresses
        return cls(instance, ir.properties, ir.refinements, native, abstract, symmetric)

    def functions(self) -> Functions:
        """What the search needs."""
        native = self.native
        addresses = native.addresses
        return Functions(
            words=native.words,
            actions=len(native.spec.actions),
            expand=addresses["expand"],
            initial=addresses["initial"],
            predicates=addresses["predicates"] if native.predicate_names else 0,
            predicate_count=len(native.predicate_names),
            steps=addresses["steps"] if native.step_names else 0,
            step_count=len(native.step_names),
            constraint=addresses.get("constraint", 0),
            canonical=addresses["canonical"] if self.symmetric else 0,
            expand_by=native.expand_by,
            refinements=tuple(
                AbstractFunctions(
                    native.abstract[refinement.name],
                    spec.addresses["expand"],
                    spec.addresses["initial"],
                    spec.words,
                    len(spec.spec.actions),
                )
                for refinement, spec in zip(self.refinements, self.abstract, strict=True)
            ),
        )

    def predicate(self, number: int) -> Property:
        """The property of a predicate's number."""
        return self._named(self.native.predicate_names[number])

    def excuse(self, name: str) -> int | None:
        """The number of the predicate that excuses states from an always-possible property."""
        native = self.native
        if name not in native.excuse_names:
            return None
        return len(native.predicate_names) + native.excuse_names.index(name)

    def step(self, number: int) -> Property:
        """The step property of a number."""
        return self._named(self.native.step_names[number])

    def _named(self, name: str) -> Property:
        return next(item for item in self.properties if item.name == name)

    def mask(self, kind: PropertyKind) -> int:
        """The predicates of a kind, or the step properties, as a mask of their numbers."""
        names = self.native.predicate_names
        if kind.of_steps:
            names = self.native.step_names
        return sum(1 << i for i, name in enumerate(names) if self._named(name).kind is kind)

    def unpack(self, words: Words) -> State:
        """The state of packed words."""
        return self.native.unpack(words)

    def form(self, state: State) -> Words:
        """What stands for a state in the search: its words, in canonical form if that is used."""
        return self.canonical(tuple(self.native.pack(state)))

    def canonical(self, words: Words) -> Words:
        """What stands for a packed state in the search."""
        if not self.symmetric:
            return words
        source = (ctypes.c_uint64 * len(words))(*words)
        target = (ctypes.c_uint64 * len(words))()
        call = _OF_TWO(self.native.addresses["canonical"])
        call(ctypes.addressof(source), ctypes.addressof(target))
        return tuple(target)


_OF_TWO = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


def names_of(properties: Sequence[Property], refinements: Sequence[Refinement]) -> list[str]:
    """The names of properties and refinements, in order."""
    return [item.name for item in properties] + [item.name for item in refinements]


def chosen(ir: SpecIR, names: Sequence[str] | None) -> SpecIR:
    """The spec with the named properties and refinements only. Raises UsageError."""
    if names is None:
        return ir
    known = names_of(ir.properties, ir.refinements)
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none"
            raise UsageError(f"{ir.name} has no property {name!r} (properties: {there})")
    return replace(
        ir,
        properties=tuple(item for item in ir.properties if item.name in names),
        refinements=tuple(item for item in ir.refinements if item.name in names),
    )
