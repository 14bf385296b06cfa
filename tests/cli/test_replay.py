"""`quorate replay`: outcomes, exit statuses, JSON, and traces that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.cli import check, registry
from quorate.cli.settings import stored
from quorate.language.labels import Trap
from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import ADAPTER, MANIFEST, write
from quorate.traces import Outcome, Trace, TraceMeta, itf

IMPLEMENTATION = '\n[[implementations]]\nname = "lock"\nadapter = "lock_adapter:Adapter"\n'


@pytest.fixture
def stolen(lock: str, tmp_path: Path) -> Path:
    """A trace in which two clients hold the lock; with an implementation beside the spec."""
    write(tmp_path, "lock_adapter.py", ADAPTER)
    write(tmp_path, "manifest.toml", MANIFEST + IMPLEMENTATION)
    return save(tmp_path / "stolen.itf.json", lock)


def save(path: Path, model: str, outcome: Outcome = Outcome.REPRODUCED) -> Path:
    """Take the lock twice, with the flaw; as a file."""
    instance = check.build(registry.find(model), {"clients": 2}, ("steal",))
    reference = instance.reference()
    (state,) = reference.initial_states()
    assert not isinstance(state, Trap)
    states, labels = [state], []
    for index in (0, 1):
        takes = [t for t in reference.successors(states[-1]) if t.label.action == "take"]
        step = takes[0] if index == 0 else takes[-1]
        assert not isinstance(step.target, Trap)
        states.append(step.target)
        labels.append(step.label)
    meta = TraceMeta(
        model=model,
        parameters=stored(instance.parameters),
        flaws=("steal",),
        property="exclusive",
        property_kind="always",
        outcome=outcome,
    )
    names = tuple(v.name for v in instance.ir.variables)
    trace = Trace(names, tuple(states), tuple(labels), meta)
    itf.write(trace, path, instance.ir, instance.universe)
    return path


def test_on_the_spec(quorate: Quorate, stolen: Path) -> None:
    ran = quorate("replay", stolen)
    assert (ran.status, ran.err) == (0, "")
    assert "reproduced on spec at step 2" in ran.out


def test_on_the_implementation_with_the_same_flaw(quorate: Quorate, stolen: Path) -> None:
    ran = quorate("replay", stolen, "--against", "lock")
    assert ran.status == 0
    assert "reproduced on lock at step 2" in ran.out


def test_on_the_correct_implementation(quorate: Quorate, stolen: Path) -> None:
    ran = quorate("replay", stolen, "--against", "lock/correct", "--json", "-")
    assert ran.status == 1
    (document,) = ran.json["traces"]
    assert (document["outcome"], document["on"]) == ("step_refused", "implementation")
    assert (document["step"], document["reason"]) == (2, "taken")
    assert ran.json["status"] == 1


def test_an_adapter_of_ones_own(quorate: Quorate, stolen: Path, tmp_path: Path) -> None:
    assert quorate("replay", stolen, "--against", f"{tmp_path}/lock_adapter.py:Adapter").status == 0


def test_another_outcome_than_expected(quorate: Quorate, lock: str, tmp_path: Path) -> None:
    path = save(tmp_path / "t.itf.json", lock, Outcome.STEP_REFUSED)
    ran = quorate("replay", path)
    assert ran.status == 1
    assert "(expected: step_refused)" in ran.out


def test_an_adapter_that_breaks(quorate: Quorate, stolen: Path, tmp_path: Path) -> None:
    write(tmp_path, "bad.py", ADAPTER.replace("self.lock = RealLock", "self.lock = FakeLock"))
    ran = quorate("replay", stolen, "--against", f"{tmp_path}/bad.py:Adapter", "--json", "-")
    assert ran.status == 2
    assert ran.json["traces"][0]["outcome"] == "adapter_error"
    assert "FakeLock" in ran.json["traces"][0]["reason"]


def test_a_folder_of_traces(quorate: Quorate, stolen: Path, tmp_path: Path) -> None:
    write(tmp_path, "more/deep/copy.itf.json", stolen.read_text())
    write(tmp_path, "more/other.json", "not a trace")
    ran = quorate("replay", tmp_path / "more", stolen, "--json", "-")
    assert ran.status == 0
    assert len(ran.json["traces"]) == 2


def test_the_spec_is_found_beside_the_trace(
    quorate: Quorate, lock: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as there:
        there.chdir(tmp_path)
        path = save(tmp_path / "t.itf.json", "lock.py:Lock")
    assert quorate("replay", path).status == 0
    (tmp_path / "quorate-traces" / "deeper").mkdir(parents=True)
    moved = path.rename(tmp_path / "quorate-traces" / path.name)
    assert quorate("replay", moved).status == 0
    ran = quorate("replay", moved.rename(tmp_path / "quorate-traces" / "deeper" / path.name))
    assert ran.status == 2
    assert (
        "its spec lock.py:Lock is neither here nor beside the trace, nor one folder up" in ran.err
    )


def test_one_bad_trace_does_not_hide_the_others(
    quorate: Quorate, stolen: Path, tmp_path: Path
) -> None:
    broken = write(tmp_path, "broken.itf.json", stolen.read_text()[:-50])
    ran = quorate("replay", broken, stolen, "--json", "-")
    assert ran.status == 2
    assert [d["outcome"] for d in ran.json["traces"]] == ["error", "reproduced"]
    assert str(broken) in ran.err


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda d: d["#meta"].pop("format"), "not by Quorate"),
        (lambda d: d["#meta"].update(model="lok"), "unknown model 'lok'"),
        (lambda d: d["#meta"].update(flaws=["tseal"]), "has no flaw 'tseal'"),
        (lambda d: d["#meta"]["parameters"].update(clients=77), "out of range"),
        (lambda d: d["#meta"]["parameters"].update(size=1), "unknown parameter"),
        (lambda d: d["states"][1].pop("holds"), "holds"),
        (lambda d: d.pop("states"), "states"),
    ],
)
def test_a_damaged_or_foreign_trace(
    quorate: Quorate, stolen: Path, edit: object, complaint: str
) -> None:
    document = json.loads(stolen.read_text())
    assert callable(edit)
    edit(document)
    stolen.write_text(json.dumps(document))
    ran = quorate("replay", stolen)
    assert (ran.status, ran.out) == (2, "")
    assert complaint in ran.err
    assert str(stolen) in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["{stolen}", "--against", "lokc"], "did you mean 'lock'?"),
        (["{stolen}", "--against", "{here}/lock_adapter.py:Nothing"], "allowed: "),
        (["{stolen}", "--against", "{here}/lock_adapter.py:RealLock"], "RealLock"),
        (["{here}/nothing.itf.json"], "cannot read the trace"),
        (["{here}/here"], "no traces (*.itf.json) in this folder"),
        ([], "Missing argument"),
        (["{stolen}", "--json", "{here}/no/where.json"], "does not exist"),
    ],
)
def test_wrong_usage(
    quorate: Quorate, stolen: Path, tmp_path: Path, words: list[str], complaint: str
) -> None:
    ran = quorate("replay", *(w.format(stolen=stolen, here=tmp_path) for w in words))
    assert ran.status == 2
    assert complaint in ran.err
    assert "Traceback" not in ran.err
