"""Checks a whole IR: types, names, purity. What passes is safe for every engine.

Run after the front end, after parsing text, and in tests. The rules, by number:

1. names of variables, actions, properties, refinements, parameters and sorts are unique;
2. records, enumerations and sorts have one definition each; types are well-formed;
3. every local is bound where it is read, on every way there, with the type it is read at;
4. a name in scope is not bound again, except `Bind` and `Choose` names, always with one type;
5. every operator, fold, change and path follows its type rule (`signatures.py`);
6. `Do` bodies have only `Bind`, `If` and `For`, and bind names of their own;
7. initial values read no variable; `Var.after` occurs in STEP properties only;
8. `by` names actions, and belongs to ALWAYS_POSSIBLE properties, which need it;
9. a refinement maps each abstract variable at its type, and the abstract spec passes too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from enum import Enum

from .body_rules import BodyRules, Problem, Report
from .nodes import Action, Property, PropertyKind, Refinement, SpecIR
from .signatures import INTERMEDIATE_MAX, fits
from .types import (
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

__all__ = ["Problem", "verify"]


def verify(spec: SpecIR) -> list[Problem]:
    """Everything that is wrong with a spec's IR; empty where nothing is."""
    problems: list[Problem] = []
    _unique_names(spec, Report(problems, f"spec {spec.name}"))
    _type_definitions(spec, Report(problems, f"types of {spec.name}"))
    if problems:
        return problems  # Types that are not types would only confuse the rules below.
    variables = {variable.name: variable.type for variable in spec.variables}
    for variable in spec.variables:
        report = Report(problems, f"variable {variable.name}")
        BodyRules({}, report).value(variable.initial, variable.type)
    BodyRules(variables, Report(problems, "start")).statements(spec.start, {})
    for action in spec.actions:
        _action(action, variables, problems)
    if spec.constraint is not None:
        BodyRules(variables, Report(problems, "constraint")).value(spec.constraint, BOOL)
    for item in spec.properties:
        _property(item, spec, variables, problems)
    for refinement in spec.refinements:
        _refinement(refinement, spec, variables, problems)
    return problems


def _action(action: Action, variables: dict[str, Type], problems: list[Problem]) -> None:
    report = Report(problems, f"action {action.name}")
    names = [parameter.name for parameter in action.parameters]
    _unique(names, "parameters", report)
    rules = BodyRules(variables, report)
    parameters = {parameter.name: parameter.type for parameter in action.parameters}
    rules.fixed.update(names)
    rules.statements(action.body, parameters)


def _property(
    item: Property, spec: SpecIR, variables: dict[str, Type], problems: list[Problem]
) -> None:
    report = Report(problems, f"property {item.name}")
    rules = BodyRules(variables, report, after=item.kind.of_steps)
    rules.value(item.predicate, BOOL)
    if item.when is not None:
        BodyRules(variables, report).value(item.when, BOOL)
        if item.kind is not PropertyKind.ALWAYS_POSSIBLE:
            report("`when` belongs to always_possible properties", item.span)
    actions = {action.name for action in spec.actions}
    for name in item.by:
        if name not in actions:
            report(f"there is no action {name!r}", item.span)
    if (item.kind is PropertyKind.ALWAYS_POSSIBLE) != bool(item.by):
        report("`by` belongs to always_possible properties, which need it", item.span)


def _refinement(
    item: Refinement, spec: SpecIR, variables: dict[str, Type], problems: list[Problem]
) -> None:
    report = Report(problems, f"refinement {item.name}")
    for problem in verify(item.abstract):
        report(f"{problem.where}: {problem.message}", problem.span)
    for sort in item.abstract.sorts:
        if sort not in spec.sorts:
            report(f"the abstract spec has nodes of its own: {sort.name!r}", item.span)
    wanted = item.abstract.variables
    if len(item.mapping) != len(wanted):
        report(f"{len(item.mapping)} values for {len(wanted)} abstract variables", item.span)
        return
    for variable, expr in zip(wanted, item.mapping, strict=True):
        BodyRules(variables, report).value(expr, variable.type)
        if not fits(expr.type, variable.type):
            report(f"the value of {variable.name!r} has another type than it", item.span)


# --- Names and types -----------------------------------------------------------------------------


def _unique_names(spec: SpecIR, report: Report) -> None:
    _unique((sort.name for sort in spec.sorts), "sorts", report)
    _unique((variable.name for variable in spec.variables), "variables", report)
    _unique((action.name for action in spec.actions), "actions", report)
    _unique((item.name for item in spec.properties), "properties", report)
    _unique((item.name for item in spec.refinements), "refinements", report)
    for variable in spec.variables:
        if not variable.name.isidentifier():
            report(f"the name of a variable is an identifier, not {variable.name!r}", variable.span)


def _unique(names: Iterable[str], what: str, report: Report) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            report(f"two {what} are called {name!r}")
        if not name or '"' in name or "\n" in name:
            report(f"not a name, among the {what}: {name!r}")
        seen.add(name)


def _type_definitions(spec: SpecIR, report: Report) -> None:
    """Rule 2, over every type that occurs, also in nested abstract specs."""
    seen: set[Type] = set()
    named: dict[str, Type] = {}
    for kind in _all_types(spec, seen):
        for problem in _malformed(kind, spec.sorts):
            report(problem)
        if isinstance(kind, EnumType | RecordType):
            if named.setdefault(kind.name, kind) != kind:
                report(f"two types are called {kind.name!r}")
            if not kind.name.isidentifier() or kind.name == "bool":
                report(f"not a name for a type: {kind.name!r}")
    for sort in spec.sorts:
        if sort.size < 1:
            report(f"the sort {sort.name!r} has no nodes")


def _all_types(root: object, seen: set[Type]) -> Iterator[Type]:
    if isinstance(root, tuple):
        for item in root:
            yield from _all_types(item, seen)
    elif dataclasses.is_dataclass(root) and not isinstance(root, Enum | type):
        if isinstance(root, Type):
            if root in seen:
                return
            seen.add(root)
            yield root
        for item in dataclasses.fields(root):
            if item.name != "span":
                yield from _all_types(getattr(root, item.name), seen)


def _malformed(kind: Type, sorts: tuple[Sort, ...]) -> Iterator[str]:
    match kind:
        case BoolType() | MapType():
            return
        case IntType(low, high):
            if low > high or low < -INTERMEDIATE_MAX or high > INTERMEDIATE_MAX:
                yield f"not an integer interval within 2**62: {low} .. {high}"
        case EnumType(name, members):
            if not members or len(set(members)) != len(members):
                yield f"the members of {name!r} are not distinct, or none"
        case NodeType(sort):
            if sort not in sorts:
                yield f"{sort.name!r} with {sort.size} nodes is not a sort of the spec"
        case OptionType(inner):
            if isinstance(inner, OptionType):
                yield "an option of an option"
        case RecordType(name, fields):
            if len({field for field, _ in fields}) != len(fields):
                yield f"two fields of {name!r} have one name"
        case UnionType(variants):
            names = [variant.name for variant in variants]
            if len(names) < 2 or names != sorted(set(names)):
                yield f"a union has at least two variants, sorted by name: {names}"
        case SetType(_, capacity) | SeqType(_, capacity):
            if capacity is not None and capacity < 0:
                yield f"a capacity is not negative: {capacity}"
        case BagType(_, copies, capacity):
            if copies < 1 or (capacity is not None and capacity < 0):
                yield f"a bag has at least one copy and no negative capacity: {copies}, {capacity}"
