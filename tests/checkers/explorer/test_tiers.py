"""Code made quickly, and fast code taken over in the middle of a search: all comes to the same."""

from __future__ import annotations

import dataclasses
import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from quorate.checkers.explorer import Progress, explore, tiers
from quorate.checkers.explorer.apart import Errand
from quorate.checkers.explorer.codegen import FAST, QUICK
from quorate.checkers.explorer.compiled import Compiled
from quorate.checkers.explorer.functions import Functions
from quorate.checkers.explorer.machine import load_kernels
from quorate.checkers.explorer.native import compile_instance, compile_quickly
from quorate.checkers.explorer.tiers import Upgrade
from quorate.checkers.result import CheckResult, Verdict
from quorate.language.instance import Instance
from quorate.tests.checkers.explorer.test_search import instance
from quorate.tests.generated.specs import random_spec
from quorate.tests.two_phase_commit_ir import two_phase_commit

# The package has functions of these names, too.
check_module = importlib.import_module("quorate.checkers.explorer.check")
native_module = importlib.import_module("quorate.checkers.explorer.native")
search_module = importlib.import_module("quorate.checkers.explorer.search")


@pytest.fixture(autouse=True)
def kernels_are_there() -> None:
    """Tests have empty caches; kernels would be compiled anew for each."""
    load_kernels(False)
    load_kernels(True)


def facts(result: CheckResult) -> CheckResult:
    """A result without what depends on the clock and the machine."""
    return dataclasses.replace(result, seconds=0.0, peak_memory_bytes=0, engine_bytes=0)


class Switch(Upgrade):
    """Fast code at the call of a given number, made by then."""

    at = 0
    calls = 0
    folder = Path()

    def __call__(self) -> Functions | None:
        type(self).calls += 1
        if self.calls != self.at:
            return None
        for spec in self._todo:
            assert spec.level == QUICK
            made = compile_instance(
                spec.spec,
                universe=spec.codec.universe,
                subsets=spec.subsets,
                cache_dir=self.folder,
            )
            assert made.level == FAST
            self._made[id(spec)] = made
        self._todo = []
        return self._functions()


def explored(spec: Instance, at: int, folder: Path, **options: Any) -> tuple[CheckResult, int]:
    """What comes of a search in small steps that switches at a call, and how many calls there
    were. Of a spec, code is made once, and kept in the folder.
    """

    class SwitchThen(Switch):
        pass

    SwitchThen.at = at
    SwitchThen.folder = folder / "fast"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUORATE_CACHE", str(folder / "quick"))  # where no fast code is
        patch.setattr(check_module, "Upgrade", SwitchThen)
        patch.setattr(search_module, "_SLICE", 0.0)  # smaller and smaller parts of a level
        patch.setattr(search_module, "_QUANTUM", 8)
        return facts(explore(spec, **options)), SwitchThen.calls


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("spec", "options"),
    [
        (instance(4), {"properties": ["consistent", "all_commit", "never_reversed", "can_end"]}),
        (instance(6, wide=True), {"properties": ["consistent", "can_end"], "symmetry": True}),
        (instance(4), {"deadlock": True, "witness_traces": True}),
    ],
)
def test_a_switch_at_any_time_changes_nothing(
    spec: Instance, options: dict[str, Any], workers: int, tmp_path: Path
) -> None:
    wanted, calls = explored(spec, 0, tmp_path, workers=workers, **options)
    assert calls > wanted.depth + 3, "some calls are in the middle of a level"
    # Several workers do not always stop alike, so the number of calls is not compared.
    for at in (1, 2, calls // 4, calls // 2, calls - 5):
        assert explored(spec, at, tmp_path, workers=workers, **options)[0] == wanted


@pytest.mark.parametrize("start", range(0, 60, 15))
def test_generated_specs(start: int, tmp_path: Path) -> None:
    switched = 0
    for seed in range(start, start + 15):
        spec = Instance.from_ir(random_spec(seed))
        folder = tmp_path / str(seed)
        wanted, calls = explored(spec, 0, folder, max_states=300)
        if wanted.verdict is Verdict.INCONCLUSIVE:
            continue  # too many states
        for at in {1, (calls + 1) // 2, calls}:
            assert explored(spec, at, folder) == (wanted, calls)
            switched += 1
    assert switched > 10


# Making it


def compiled() -> Compiled:
    made = Compiled.of(Instance.from_ir(two_phase_commit(3)), None, symmetry=True)
    assert made.native.level == QUICK
    return made


def taken_over(upgrade: Upgrade) -> Functions:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        functions = upgrade()
        if functions is not None:
            return functions
        time.sleep(0.01)
    raise TimeoutError


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORATE_CACHE", str(tmp_path))
    monkeypatch.setattr(tiers, "PATIENCE", 0.0)


@pytest.mark.usefixtures("impatient")
def test_fast_code_is_made_apart_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiled()
    monkeypatch.delattr(native_module, "object_code")  # not in this process
    upgrade = Upgrade(before)
    functions = taken_over(upgrade)
    quick = before.functions()
    assert functions.expand != quick.expand
    assert functions.canonical != quick.canonical
    assert functions.expand_by.keys() == quick.expand_by.keys()
    assert upgrade() is None, "nothing is left to do"
    upgrade.close()
    again = compile_quickly(before.native.spec, subsets=before.native.subsets)
    assert (again.level, again.from_cache) == (FAST, True)
    assert again.traps == before.native.traps


@pytest.mark.usefixtures("impatient")
def test_where_no_process_can_be_started_fast_code_is_made_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = compiled()
    monkeypatch.setattr(sys, "executable", "")
    assert taken_over(Upgrade(before)).expand != before.functions().expand


@pytest.mark.usefixtures("impatient")
def test_where_the_process_fails_fast_code_is_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiled()
    monkeypatch.setattr(native_module, "start_object_code", lambda _: Errand("no:such", b""))
    assert taken_over(Upgrade(before)).expand != before.functions().expand


@pytest.mark.usefixtures("impatient")
def test_what_a_search_began_and_did_not_need_serves_the_next() -> None:
    spec = Instance.from_ir(two_phase_commit(3))
    assert compiled().native.level == QUICK
    assert explore(spec).verdict is Verdict.VIOLATED
    assert Compiled.of(spec, None, symmetry=True).native.level == FAST


@pytest.mark.usefixtures("impatient")
def test_an_interrupt_ends_the_other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Errand] = []

    def slow(text: str) -> Errand:
        started.append(Errand("quorate.tests.checkers.explorer.test_tiers:asleep", b""))
        return started[0]

    def interrupt(figures: Progress) -> None:
        if started:
            raise KeyboardInterrupt

    monkeypatch.setattr(native_module, "start_object_code", slow)
    monkeypatch.setattr(search_module, "_SLICE", 0.0)
    monkeypatch.setattr(search_module, "_EVERY", 0.0)
    began = time.monotonic()
    result = explore(instance(8), properties=["consistent"], progress=interrupt)
    assert (result.verdict, result.reason) == (Verdict.INCONCLUSIVE, "interrupted")
    assert len(started) == 1
    assert started[0].done()
    assert time.monotonic() - began < 50


def asleep(given: bytes) -> bytes:
    time.sleep(60)
    return given


def test_another_process_finds_what_was_kept(tmp_path: Path) -> None:
    code = """
from quorate.checkers.explorer.native import compile_quickly
from quorate.tests.two_phase_commit_ir import two_phase_commit
print(compile_quickly(two_phase_commit(3)).from_cache)
"""
    environment = {**os.environ, "QUORATE_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", code]
    said = [subprocess.check_output(command, env=environment, text=True) for _ in range(2)]
    assert said == ["False\n", "True\n"]


def test_patience_is_for_short_searches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORATE_CACHE", str(tmp_path))
    monkeypatch.setattr(tiers, "PATIENCE", 3600.0)
    monkeypatch.delattr(native_module, "start_object_code")
    for _ in range(2):
        assert explore(instance(3), properties=["consistent"]).distinct_states == 288
