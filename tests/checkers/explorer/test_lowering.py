"""What compiled code does beyond agreeing with the evaluator on generated specs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from quorate.checkers.explorer.control import LEAVE_OUT
from quorate.checkers.explorer.fingerprint import fingerprint
from quorate.checkers.explorer.layout import LayoutError
from quorate.checkers.explorer.native import NativeSpec, compile_instance
from quorate.language.ir.nodes import Span, SpecIR
from quorate.language.ir.parser import parse_ir
from quorate.language.labels import Trap
from quorate.language.values import FrozenBag, State
from quorate.tests.checkers.explorer.agreement import Agreement, compiled
from quorate.tests.checkers.explorer.native_calls import LIMIT, Calls
from quorate.tests.generated.specs import random_spec
from quorate.tests.two_phase_commit_ir import two_phase_commit

CHOICES = """
(spec choices
  (sort nodes 3 ordered)
  (variable a (set (node nodes)) (set :(set (node nodes))))
  (variable n (int 0 9) (const 0 (int 0 9)))
  (action nested internal ()
    (bind x (const 0 (int 0 3)))
    (if (eq self.n (const 0 (int 0 9)))
      (then (choose (p (domain :(set (node nodes)))))
       (add! self.a p)
       (bind x (const 1 (int 0 3))))
      (else (require (lt self.n (const 3 (int 3 3))))))
    (for (q (domain :(set (node nodes))) (contains self.a q))
      (choose (r (domain :(set (node nodes))) (le q r)))
      (add! self.a r))
    (assign self.n (coerce :(int 0 9) @n (add self.n x)))))
"""


def spec_of(actions: str, variables: str, sorts: str = "(sort nodes 3)") -> SpecIR:
    return parse_ir(f"(spec s {sorts} {variables} {actions})")


def reachable(calls: Calls) -> set[State]:
    waiting = [state for state in calls.initial() if not isinstance(state, Trap)]
    seen = set(waiting)
    for state in waiting:
        for target in calls.expand(state):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


@pytest.mark.parametrize(("rms", "distinct"), [(1, 12), (3, 288), (4, 1568)])
def test_two_phase_commit_has_as_many_states_as_tlc_finds(rms: int, distinct: int) -> None:
    calls = Calls(compiled(two_phase_commit(rms)))
    assert calls.native.words == 1
    assert len(reachable(calls)) == distinct


@pytest.mark.parametrize(("rms", "classes"), [(3, 80), (4, 166), (5, 314)])
def test_classes_of_two_phase_commit_are_exact(rms: int, classes: int) -> None:
    calls = Calls(compiled(two_phase_commit(rms)))
    waiting = [calls.canonical(calls.initial()[0])]  # type: ignore[arg-type]
    seen = set(waiting)
    for state in waiting:
        for target in map(calls.canonical, calls.expand(state)):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    assert len(seen) == classes


def test_a_full_buffer_is_said_and_not_overrun() -> None:
    calls = Calls(compiled(two_phase_commit(3)))
    (state,) = calls.initial()
    wanted = calls.expand(state)  # type: ignore[arg-type]
    assert len(wanted) == 7
    most = 5 * 3 + 2  # five actions of a resource manager, two of the transaction manager
    for limit in range(most):
        found = calls.expand(state, limit=limit)  # type: ignore[arg-type]
        assert found is None if limit < 7 else found in (None, wanted)
    assert calls.expand(state, limit=most) == wanted  # type: ignore[arg-type]


def test_steps_back_to_the_state_are_counted_and_left_out() -> None:
    calls = Calls(compiled(two_phase_commit(3)))
    for state in reachable(calls):
        calls.coverage[:] = 0
        wanted = [target for target in calls.expand(state) if target != state]
        taken = calls.coverage.copy()
        calls.coverage[:] = 0
        assert calls.expand(state, limit=LIMIT + LEAVE_OUT) == wanted
        assert (calls.coverage == taken).all()


def test_coverage_counts_transitions_by_action() -> None:
    calls = Calls(compiled(two_phase_commit(3)))
    reachable(calls)
    assert int(calls.coverage.sum()) == 1145
    assert all(calls.coverage > 0)


def test_subsets_expand_by_their_actions_only() -> None:
    names = [action.name for action in two_phase_commit(3).actions]
    native = compiled(two_phase_commit(3), subsets=[tuple(names[:2]), tuple(names[2:])])
    calls = Calls(native)
    assert list(native.expand_by) == [tuple(names[:2]), tuple(names[2:])]
    for state in list(reachable(calls))[:50]:
        first = calls.expand(state, name="expand_by_0")
        assert first + calls.expand(state, name="expand_by_1") == calls.expand(state)


MESSAGES = """
  (record Append (to (node nodes)) (term (int 0 1000)) (entries (seq (int 0 1000) 3)))
  (record Vote (to (node nodes)) (term (int 0 1000)))
"""


def test_messages_of_a_huge_type_are_taken_from_the_set_that_holds_them() -> None:
    kind = "(set (union Append Vote) 3)"
    sorts = f"(sort nodes 3) {MESSAGES}"
    variables = f"""
      (variable messages {kind} (set :{kind}))
      (variable seen (int 0 5) (const 0 (int 0 5)))
    """
    actions = """
      (action send request ((to (node nodes)))
        (require (lt (size self.messages) (const 3 (int 3 3))))
        (add! self.messages (coerce :(union Append Vote)
          (record :Append to (size self.messages)
            (seq :(seq (int 0 1000) 3) self.seen (const 7 (int 0 1000)))))))
      (action receive deliver ((m (union Append Vote)))
        (require (contains self.messages m))
        (remove! self.messages m)
        (assign self.seen (coerce :(int 0 5) @seen
          (field term (narrow :Append m)))))
    """
    agreement = Agreement(spec_of(actions, variables, sorts))
    assert agreement.native.words > 2
    assert agreement.check(limit=120) == 120
    assert agreement.check_symmetry(limit=40) == 40


def test_a_type_that_cannot_be_enumerated_is_refused() -> None:
    sorts = f"(sort nodes 3) {MESSAGES}"
    variables = "(variable x (int 0 1) (const 0 (int 0 1)))"
    actions = "(action any internal ((m Append)) (assign self.x (const 1 (int 0 1))))"
    with pytest.raises(LayoutError):
        compiled(spec_of(actions, variables, sorts))


# The cache


def test_code_is_compiled_once(tmp_path: Path) -> None:
    spec = two_phase_commit(2)
    first = compile_instance(spec, cache_dir=tmp_path, optimise=0)
    again = compile_instance(spec, cache_dir=tmp_path, optimise=0)
    assert (first.from_cache, again.from_cache) == (False, True)
    assert again.traps == first.traps
    assert reachable(Calls(again)) == reachable(_same_values(first, again))
    other = compile_instance(spec, cache_dir=tmp_path, optimise=1)
    assert not other.from_cache
    assert not compile_instance(two_phase_commit(3), cache_dir=tmp_path, optimise=0).from_cache


def test_the_cache_tells_every_difference_of_specs_apart() -> None:
    specs = [random_spec(seed) for seed in range(40)]
    assert len({fingerprint(spec) for spec in specs}) == len({repr(spec) for spec in specs})
    for seed, spec in enumerate(specs):
        assert fingerprint(spec) == fingerprint(random_spec(seed))
    moved = dataclasses.replace(specs[0].properties[0], span=Span("spec.py", 3, 1, 3, 9))
    changed = dataclasses.replace(specs[0], properties=(moved, *specs[0].properties[1:]))
    assert changed == specs[0]
    assert fingerprint(changed) != fingerprint(specs[0])


def _same_values(native: NativeSpec, other: NativeSpec) -> Calls:
    """The calls of one compilation with the values of another, so that states compare."""
    calls = Calls(native)
    object.__setattr__(native, "codec", other.codec)
    return calls


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "header", "swapped"])
def test_a_damaged_entry_is_compiled_again(tmp_path: Path, damage: str) -> None:
    spec = two_phase_commit(2)
    compile_instance(spec, cache_dir=tmp_path, optimise=0)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    if damage == "swapped":
        compile_instance(two_phase_commit(3), cache_dir=tmp_path, optimise=0)
        (other,) = set(tmp_path.iterdir()) - {path}
        path.write_bytes(other.read_bytes())
    else:
        changed = bytearray(content)
        changed[-100] ^= 1
        damaged = {
            "empty": b"",
            "cut": content[:-40],
            "flipped": bytes(changed),
            "header": b"{}" + content,
        }
        path.write_bytes(damaged[damage])
    again = compile_instance(spec, cache_dir=tmp_path, optimise=0)
    assert not again.from_cache
    assert len(reachable(Calls(again))) == 56
    assert compile_instance(spec, cache_dir=tmp_path, optimise=0).from_cache


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    native = compile_instance(two_phase_commit(2), cache_dir=tmp_path / "file", optimise=0)
    assert not native.from_cache
    assert Calls(native).initial()


def test_traps_are_numbered_and_survive_the_cache(tmp_path: Path) -> None:
    variables = "(variable n (int 0 2) (const 0 (int 0 2)))"
    actions = """
      (action up internal () (assign self.n (coerce :(int 0 2) @n
        (add self.n (const 1 (int 1 1))))))
    """
    spec = spec_of(actions, variables)
    for _ in range(2):
        calls = Calls(compile_instance(spec, cache_dir=tmp_path, optimise=0))
        assert calls.expand((1,)) == [(2,)]
        (trap,) = calls.expand((2,))
        assert isinstance(trap, Trap)
        assert (trap.kind.value, trap.subject) == ("bound", "n")


def test_choices_inside_branches_and_loops() -> None:
    agreement = Agreement(parse_ir(CHOICES))
    assert agreement.check(limit=40) == 8
    assert Agreement(parse_ir(CHOICES), optimise=2).check(limit=40) == 8


def test_ties_that_matter_are_searched() -> None:
    # Every function from 4 nodes to themselves; in a cycle of 4, say, all nodes look alike.
    kind = "(map (node nodes) (node nodes))"
    variables = f"""
      (variable next (option {kind}) (none (option {kind})))
    """
    actions = f"""
      (start (for (from (domain :(set (node nodes))))
        (choose (to (domain :(set (node nodes)))))
        (assign self.next (coerce :(option {kind}) @next
          (if (is_none self.next) (each :{kind} to) (with (narrow self.next) from to))))))
    """
    agreement = Agreement(spec_of(actions, variables, "(sort nodes 4)"))
    starts = agreement.evaluator.initial_states()
    assert len(starts) == 256
    assert agreement.calls.initial() == starts
    forms = {agreement.calls.canonical(state) for state in starts if not isinstance(state, Trap)}
    assert len(forms) == 19  # functions on 4 points up to renaming: OEIS A001372
    assert agreement.check_symmetry(limit=256) == 256


def test_a_sparse_bag_keeps_its_bounds() -> None:
    kind = "(bag (int 0 10000000) 2 3)"
    variables = f"(variable bag {kind} (bag :{kind})) (variable n (int 0 9) (const 0 (int 0 9)))"
    actions = """
      (action put internal ((x (int 0 3))) (add! self.bag x))
      (action take internal ((x (int 0 3))) (remove! self.bag x))
      (action drop internal ((x (int 0 3))) (discard! self.bag x))
    """
    agreement = Agreement(spec_of(actions, variables))
    assert agreement.native.words > 1
    assert agreement.check(limit=60) > 3
    (state,) = agreement.calls.initial()
    for bag in ({0: 2}, {0: 1, 1: 2, 3: 1}, {2: 2, 3: 2}):
        made = (FrozenBag(bag), *state[1:])  # type: ignore[index]
        wanted = [t.target for t in agreement.evaluator.successors(made)]
        end = next(i for i, target in enumerate(wanted) if isinstance(target, Trap)) + 1
        assert agreement.calls.expand(made) == wanted[:end]
