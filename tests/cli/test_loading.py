"""MODEL as a file, a module or a name; what is said when it is none of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from quorate.cli import loading, registry
from quorate.language.diagnostics import SpecErrors
from quorate.language.failures import UsageError
from quorate.tests.cli.specs import LOCK, MANIFEST, write


def test_a_spec_in_a_file(lock: str) -> None:
    model = registry.find(lock)
    assert model.name == lock
    assert model.spec.__name__ == "Lock"
    assert list(model.parameters) == ["clients", "limit", "mode", "reentrant"]
    assert model.parameters["mode"].kind == ("fair", "greedy")
    assert list(model.flaws) == ["steal"]
    assert {p.name: p.kind for p in model.properties.values()} == {
        "exclusive": "always",
        "held": "sometimes",
    }
    assert model.properties["exclusive"].text == "Never two holders."
    assert model.instances == ()


def test_a_spec_in_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "pack/age/lock.py", LOCK)
    monkeypatch.chdir(tmp_path)
    assert registry.find("pack.age.lock:Lock").spec.__name__ == "Lock"


def test_a_file_imports_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, "lock_base.py", LOCK)
    path = write(tmp_path, "mine.py", "from lock_base import Lock\nclass Mine(Lock): pass\n")
    assert registry.find(f"{path}:Mine").spec.__mro__[1].__name__ == "Lock"


def test_a_file_in_a_package_imports_relatively(tmp_path: Path) -> None:
    write(tmp_path, "pack/__init__.py", "")
    write(tmp_path, "pack/lock_base.py", LOCK)
    path = write(tmp_path, "pack/mine.py", "from .lock_base import Lock\nclass Mine(Lock): pass\n")
    assert registry.find(f"{path}:Mine").spec.__module__ == "pack.mine"


def test_a_neighbour_does_not_hide_the_standard_library(tmp_path: Path) -> None:
    write(tmp_path, "colorsys.py", "raise RuntimeError('hidden')\n")
    path = write(tmp_path, "mine.py", "import colorsys\n" + LOCK)
    assert registry.find(f"{path}:Lock").spec.__name__ == "Lock"


def test_a_file_may_have_the_name_of_another_module(tmp_path: Path) -> None:
    path = write(tmp_path, "json.py", LOCK)
    before = sys.modules["json"]
    assert registry.find(f"{path}:Lock").spec.__name__ == "Lock"
    assert sys.modules["json"] is before


def test_a_model_of_the_suite_named_by_its_file_is_the_same_class() -> None:
    module = loading.load_module(str(loading.SUITE / "language" / "values.py"))
    assert module.__name__ == "quorate.language.values"


def test_a_manifest_beside_the_file_gives_instances(lock: str, tmp_path: Path) -> None:
    write(tmp_path, "manifest.toml", MANIFEST)
    assert [entry.name for entry in registry.find(lock).instances] == ["three", "stolen"]
    other = lock.replace(":Lock", ":Other")
    assert registry.find(other).instances == ()


def test_a_source_of_a_flaw_that_the_spec_lacks_is_refused(lock: str, tmp_path: Path) -> None:
    write(tmp_path, "manifest.toml", MANIFEST + '\n[flaws]\nsteel = "a book"\n')
    with pytest.raises(UsageError, match=r"\[flaws\]: unknown flaw of Lock 'steel'") as refused:
        registry.find(lock)
    assert "did you mean 'steal'?" in str(refused.value)


def test_a_manifest_of_another_tool_is_left_alone(lock: str, tmp_path: Path) -> None:
    write(tmp_path, "manifest.toml", "[package]\nname = 'other'\n")
    assert registry.find(lock).manifest is None


def test_properties_beside_the_spec_are_found(tmp_path: Path) -> None:
    write(tmp_path, "lock.py", LOCK)
    text = "@invariant\ndef mine(spec: Lock) -> bool:\n    '''Mine.'''\n    return True\n"
    path = write(tmp_path, "lock2.py", f"{LOCK}\n{text}")
    assert registry.find(f"{path}:Lock").properties["mine"].kind == "always"


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ("two-phase-comit", "unknown model 'two-phase-comit'"),
        ("{here}/lock.py:Lok", "did you mean 'Lock'?"),
        ("{here}/lock.py:Mode", "is not a spec"),
        ("{here}/lock.py:require", "is not a spec"),
        ("{here}/nothing.py:Lock", "nothing.py: does not exist"),
        ("{here}:Lock", "is a folder"),
        ("no.such.module:Lock", "No module named 'no'"),
        ("{here}/lock.py:", "is not `path/to/file.py:Name`"),
        (":Lock", "is not `path/to/file.py:Name`"),
        ("{here}/broken.py:Lock", "ZeroDivisionError: division by zero"),
        ("{here}/broken.py:Lock", "broken.py:2\n  x = 1 / 0"),
        ("{here}/quits.py:Lock", "SystemExit"),
        ("{here}/lacks.py:Lock", "No module named 'no_such_thing'"),
        ("{here}/bytes.py:Lock", "not a Python file"),
    ],
)
def test_what_is_not_a_model_is_refused(
    lock: str, tmp_path: Path, model: str, complaint: str
) -> None:
    write(tmp_path, "broken.py", "\nx = 1 / 0\n")
    write(tmp_path, "quits.py", "raise SystemExit(0)\n")
    write(tmp_path, "lacks.py", "import no_such_thing\n")
    (tmp_path / "bytes.py").write_bytes(b"x = '\xff'\n")
    with pytest.raises(UsageError) as refused:
        registry.find(model.format(here=tmp_path))
    assert complaint in str(refused.value)


@pytest.mark.parametrize("importer", [None, "import broken\n"])
def test_a_file_that_does_not_parse(tmp_path: Path, importer: str | None) -> None:
    path = broken = write(tmp_path, "broken.py", "class Lock:\n    def f(self:\n        pass\n")
    if importer:
        path = write(tmp_path, "imports.py", importer)
    with pytest.raises(SpecErrors) as refused:
        registry.find(f"{path}:Lock")
    assert f"{broken}:2:10" in str(refused.value)
    assert "Q101" in str(refused.value)
