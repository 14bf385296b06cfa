"""The repository keeps its own rules, and each rule can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quorate.tests.meta import repository

ROOT = Path(__file__).parents[2]

Rule = Callable[[Path], list[str]]
RULES: list[Rule] = [
    repository.layering,
    repository.sizes,
    repository.adapters,
    repository.packages,
    repository.dependencies,
    repository.public_names,
    repository.dead_modules,
    repository.machine_paths,
]

PROJECT = """
[project]
dependencies = ["numba>=1"]
[project.scripts]
quorate = "quorate.cli.main:main"
[tool.setuptools]
packages = ["quorate", "quorate.cli", "quorate.language"]
"""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_repository_keeps_the_rule(rule: Rule) -> None:
    complaints = rule(ROOT)
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small repository that keeps every rule."""
    write(tmp_path, "pyproject.toml", PROJECT)
    write(tmp_path, "language/__init__.py", '"""The language."""\n')
    write(tmp_path, "language/words.py", "import numba\n")
    write(tmp_path, "language/py.typed", "")
    write(tmp_path, "cli/__init__.py", '"""The command."""\n')
    write(tmp_path, "cli/main.py", "from ..language import words\n")
    write(tmp_path, "cli/py.typed", "")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    """Put a file into a made-up repository."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_the_made_up_repository_keeps_every_rule(tree: Path) -> None:
    assert {rule.__name__: rule(tree) for rule in RULES} == {r.__name__: [] for r in RULES}


@pytest.mark.parametrize(
    ("rule", "name", "text", "complaint"),
    [
        (repository.layering, "language/x.py", "from ..cli import main\n", "may not import cli"),
        (repository.layering, "language/x.py", "from .. import cli\n", "may not import cli"),
        (repository.layering, "language/a/x.py", "from ...models import y\n", "import models"),
        (repository.layering, "models/x.py", "from quorate.language import y\n", "relatively"),
        (repository.layering, "checkers/x.py", "from ..models import y\n", "import models"),
        (repository.layering, "checkers/x.py", "def f():\n  from .. import models\n", "models"),
        (repository.layering, "implementations/a/x.py", "import numba\n", "standard library"),
        (repository.layering, "implementations/a/x.py", "from ...traces import t\n", "traces"),
        (repository.layering, "implementations/adapters/x.py", "from ...cli import m\n", "cli"),
        (
            repository.layering,
            "implementations/sessions/x.py",
            "from ...models import m\n",
            "models",
        ),
        (repository.layering, "implementations/sessions/x.py", "from ..raft import r\n", "may not"),
        (repository.layering, "implementations/storage/x.py", "import numba\n", "standard library"),
        (repository.layering, "utils/x.py", "", "not in the table"),
        (repository.sizes, "language/x.py", "x = 1\n" * 801, "801 lines"),
        (repository.sizes, "language/x.py", "def f():\n" + "    x = 1\n" * 70, "f has 71"),
        (
            repository.sizes,
            "language/x.py",
            "def f():\n    def g():\n" + "        x = 1\n" * 70,
            "g has 71",
        ),
        (repository.sizes, "tests/x.py", f"x = '{'y' * 96}'\n", "102 columns"),
        (repository.adapters, "implementations/adapters/x.py", "x = 1\n" * 100, "100 lines"),
        (
            repository.adapters,
            "models/m/manifest.toml",
            '[[implementations]]\nname = "m"\nadapter = "m:Adapter"\n',
            "m:Adapter: adapters are called",
        ),
        (repository.packages, "models/__init__.py", "", "does not list quorate.models"),
        (repository.packages, "models/__init__.py", "", "models: has no py.typed"),
        (repository.packages, "cli/deep/x.py", "", "no __init__.py"),
        (repository.packages, "pyproject.toml", PROJECT.replace("cli", "clo"), "no such folder"),
        (repository.dependencies, "language/x.py", "import networkx\n", "not declared: networkx"),
        (repository.dependencies, "language/words.py", "", "not imported: numba"),
        (repository.public_names, "cli/__init__.py", "", "says nothing"),
        (repository.public_names, "cli/__init__.py", '"""C."""\nimport a\n', "no __all__"),
        (repository.public_names, "cli/__init__.py", '"""C."""\n__all__ = ["a"]\n', "not there"),
        (
            repository.public_names,
            "cli/__init__.py",
            f'"""C."""\n__all__ = {[f"n{i}" for i in range(21)]}\n',
            "21 public names",
        ),
        (repository.dead_modules, "language/unused.py", "", "nothing uses it"),
        (repository.dead_modules, "cli/main.py", "", "words.py: nothing uses it"),
        (repository.machine_paths, "docs/x.md", "see /" + "home/me/x\n", "docs/x.md:1"),
    ],
)
def test_a_breach_is_found(tree: Path, rule: Rule, name: str, text: str, complaint: str) -> None:
    write(tree, name, text)
    assert complaint in "\n".join(rule(tree))


def test_functions_inside_a_function_are_measured_by_themselves(tree: Path) -> None:
    part = "    def g():\n" + "        x = 1\n" * 60
    write(tree, "language/x.py", "def f():\n" + part * 2 + "    x = 1\n" * 60)
    assert repository.sizes(tree) == []
    write(tree, "language/x.py", "def f():\n" + part * 2 + "    x = 1\n" * 70)
    assert "f has 71" in "\n".join(repository.sizes(tree))


def test_what_only_the_type_checker_sees_is_no_dependency(tree: Path) -> None:
    guarded = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import networkx\n"
    write(tree, "language/x.py", guarded)
    assert repository.dependencies(tree) == []
    write(tree, "language/x.py", guarded.replace("networkx", "quorate.cli.main"))
    assert "may not import cli" in "\n".join(repository.layering(tree))


def test_what_tests_and_manifests_name_is_in_use(tree: Path) -> None:
    write(tree, "models/m/spec.py", "")
    write(tree, "language/extra.py", "")
    assert len(repository.dead_modules(tree)) == 2
    write(tree, "models/m/manifest.toml", 'spec = "m.spec:M"\n')
    write(tree, "tests/test_extra.py", "from quorate.language.extra import x\n")
    assert repository.dead_modules(tree) == []
