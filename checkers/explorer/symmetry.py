"""Testing the claim of symmetry before relying on it.

The canonical form is only sound where renaming nodes changes nothing: a renamed state has the
renamed successors, and the same predicates hold. On a sample of reachable states that is tried
with swaps of neighbours, which all renamings are made of, sort by sort.
"""

from __future__ import annotations

import ctypes
import random

from ...language.labels import Trap
from ..errors import SpecProblem
from .compiled import Compiled
from .workers import EXPAND, Words

_SAMPLE = 100
_ROOM = 4096


def require_symmetry(compiled: Compiled) -> None:
    """Raise SpecProblem where a sample shows that the nodes of a sort are not interchangeable."""
    chance = random.Random(2)
    native = compiled.native
    permute = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 3)(native.addresses["permute"])
    sorts = [sort for sort in native.spec.sorts if not sort.ordered]
    start = 0
    swaps: list[tuple[str, list[int]]] = []
    total = sum(sort.size for sort in sorts)
    for sort in sorts:
        # An order is numbered within its sort, and the orders of all sorts follow each other.
        for first in range(sort.size - 1):
            renaming = [number for other in sorts for number in range(other.size)]
            renaming[start + first], renaming[start + first + 1] = first + 1, first
            swaps.append((sort.name, renaming))
        start += sort.size
    image = (ctypes.c_uint64 * native.words)()
    for state in _sample(compiled, chance):
        source = (ctypes.c_uint64 * native.words)(*state)
        for name, renaming in swaps:
            numbers = (ctypes.c_int64 * total)(*renaming)
            permute(*(ctypes.addressof(item) for item in (source, numbers, image)))
            _compare(compiled, state, tuple(image), name)


def _sample(compiled: Compiled, chance: random.Random) -> list[Words]:
    """Some reachable states, near and far: random walks through what is met first."""
    functions = compiled.functions()
    met: dict[Words, None] = {}
    from .search import initial_states

    edge = initial_states(functions.initial, functions.words)[0]
    while edge and len(met) < _SAMPLE:
        state = edge.pop(chance.randrange(len(edge)))
        if state in met:
            continue
        met[state] = None
        edge += [s for s in _successors(compiled, state) or () if s not in met][:32]
    return list(met)


def _successors(compiled: Compiled, state: Words) -> list[Words] | None:
    """What follows a state; None where a step has no value, which the search will find."""
    native = compiled.native
    words = native.words
    source = (ctypes.c_uint64 * words)(*state)
    coverage = (ctypes.c_int64 * max(len(native.spec.actions), 1))()
    trap = ctypes.c_int64(0)
    room = _ROOM
    while True:
        out = (ctypes.c_uint64 * (room * words))()
        count = EXPAND(native.addresses["expand"])(
            ctypes.addressof(source),
            ctypes.addressof(out),
            room,
            ctypes.addressof(coverage),
            ctypes.addressof(trap),
        )
        if trap.value:
            return None
        if count >= 0:
            return [tuple(out[k * words : (k + 1) * words]) for k in range(count)]
        room *= 4


def _compare(compiled: Compiled, state: Words, image: Words, sort: str) -> None:
    """Compare what follows a state and its renamed image, and what holds there."""
    if _forms(compiled, state) != _forms(compiled, image):
        action = _differing_action(compiled, state, image)
        raise SpecProblem(f"action {action} is not symmetric in {sort}: use --no-symmetry")
    held, mirrored = _predicates(compiled, state), _predicates(compiled, image)
    if held != mirrored:
        number = ((held ^ mirrored) & -(held ^ mirrored)).bit_length() - 1
        native = compiled.native
        name = (*native.predicate_names, *native.excuse_names)[number]
        raise SpecProblem(f"property {name} is not symmetric in {sort}: use --no-symmetry")


def _forms(compiled: Compiled, state: Words) -> list[Words] | None:
    successors = _successors(compiled, state)
    if successors is None:
        return None
    return sorted(compiled.canonical(words) for words in successors)


def _predicates(compiled: Compiled, state: Words) -> int:
    if not compiled.native.predicate_names:
        return 0
    function = compiled.native.addresses["predicates"]
    source = (ctypes.c_uint64 * len(state))(*state)
    trap = ctypes.c_int64(0)
    call = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_int64, ctypes.c_int64)(function)
    return int(call(ctypes.addressof(source), ctypes.addressof(trap)))


def _differing_action(compiled: Compiled, state: Words, image: Words) -> str:
    """The first action whose steps out of the two states differ."""
    evaluator = compiled.instance.evaluator()

    def by_action(words: Words) -> dict[str, list[Words]]:
        found: dict[str, list[Words]] = {}
        for step in evaluator.successors(compiled.unpack(words)):
            form = () if isinstance(step.target, Trap) else compiled.form(step.target)
            found.setdefault(step.label.action, []).append(form)
        return {action: sorted(forms) for action, forms in found.items()}

    first, second = by_action(state), by_action(image)
    for action in compiled.native.spec.actions:
        if first.get(action.name) != second.get(action.name):
            return action.name
    return "(unknown)"
