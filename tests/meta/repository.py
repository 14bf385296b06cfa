"""What the repository promises about itself, as functions from a tree of files to complaints.

Each takes the root of a tree and returns one line for each breach, so that the tests can run it on
the repository and, to see that it can fail, on a small tree made up on purpose.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 70
MAX_ADAPTER_LINES = 99  # what several of them need is the sessions'
MAX_LINE_LENGTH = 100
MAX_PUBLIC_NAMES = 20
MAX_VOCABULARY = 60  # of a language, and of a core: its events, effects, messages and records

EVERYTHING = None
LAYERS: dict[str, set[str] | None] = {
    "language": set(),
    "models": {"language"},
    "invariants": {"language", "models"},
    "traces": {"language"},
    "checkers": {"language", "traces"},
    "implementations": set(),
    "implementations.storage": set(),
    # What adapters have in common: it knows the spec language, and neither models nor cores.
    "implementations.sessions": {"traces", "language", "implementations.storage"},
    # An adapter knows both a spec and an implementation; values and labels are the language's.
    "implementations.adapters": {
        "traces",
        "models",
        "language",
        "implementations",
        "implementations.sessions",
        "implementations.storage",
    },
    "reports": {"checkers", "traces", "invariants", "language"},
    "cli": EVERYTHING,
    "tests": EVERYTHING,
    "benchmarks": EVERYTHING,
    "docs": EVERYTHING,
}
STANDARD_LIBRARY_ONLY = {"implementations", "implementations.storage"}
NOT_SHIPPED = {"tests", "benchmarks", "docs"}

# In pieces, so that this file does not contain what it looks for.
MACHINE_PATH = re.compile(
    "|".join(["/" + name + "/" for name in ("root", "work", "home", "tmp/v")])
)


class Import(NamedTuple):
    """One import: the line, the dotted name it asks for, how it was written.

    `typing` is true below `if TYPE_CHECKING`: the type checker sees it, Python does not.
    """

    line: int
    target: str
    relative: bool
    typing: bool


def python_files(root: Path) -> list[Path]:
    """Every Python file of the tree, hidden folders and build products left out."""
    return sorted(path for path in root.rglob("*.py") if _counts(root, path))


def _counts(root: Path, path: Path) -> bool:
    parts = path.relative_to(root).parts
    return parts[0] != "build" and not any(p.startswith(".") or p == "__pycache__" for p in parts)


def module_name(root: Path, path: Path) -> str:
    """The dotted name below `quorate`: `language/ir/__init__.py` is `language.ir`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(root: Path, path: Path) -> Iterator[Import]:
    """The imports of a file, at any depth, relative ones resolved.

    Names of this project come out as `quorate.<module>`; for `from a import b`, b may be a
    module or a name in one, so both `a` and `a.b` are listed.
    """
    package = path.relative_to(root).parent.parts
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = {inner for block in ast.walk(tree) if _is_typing(block) for inner in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, False, node in typing)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = package[: len(package) - node.level + 1]
                module = ".".join(["quorate", *above, *([module] if module else [])])
            for name in (module, *(f"{module}.{alias.name}" for alias in node.names)):
                yield Import(node.lineno, name, bool(node.level), node in typing)


def _is_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def layer_of(name: str) -> str:
    """The row of the table that a module name falls under."""
    parts = name.split(".")
    return ".".join(parts[:2]) if ".".join(parts[:2]) in LAYERS else parts[0]


def layering(root: Path) -> list[str]:
    """Imports that go against the table of folders."""
    found = []
    for path in python_files(root):
        name = module_name(root, path)
        layer, where = layer_of(name), path.relative_to(root)
        if layer not in LAYERS:
            found.append(f"{where}: the folder {layer!r} is not in the table of layers")
            continue
        allowed = LAYERS[layer]
        if allowed is EVERYTHING:
            continue
        for line, target, relative, _ in set(imports_of(root, path)):
            head, _, rest = target.partition(".")
            if head != "quorate":
                if layer in STANDARD_LIBRARY_ONLY and head not in sys.stdlib_module_names:
                    found.append(f"{where}:{line}: a core uses the standard library only: {target}")
                continue
            if not relative:
                found.append(f"{where}:{line}: import inside the package relatively: {target}")
            other = layer_of(rest)
            if rest and other != layer and other not in allowed:
                found.append(f"{where}:{line}: {layer} may not import {other} ({target})")
    return sorted(found)


def sizes(root: Path) -> list[str]:
    """Files, functions and lines over the limits."""
    found = []
    for path in python_files(root):
        where = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        if len(lines) > MAX_FILE_LINES:
            found.append(f"{where}: {len(lines)} lines, at most {MAX_FILE_LINES}")
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_LINE_LENGTH:
                found.append(f"{where}:{number}: {len(line)} columns, at most {MAX_LINE_LENGTH}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = _lines(node) - sum(_lines(inner) for inner in _held(node))
                if length > MAX_FUNCTION_LINES:
                    found.append(
                        f"{where}:{node.lineno}: {node.name} has {length} lines, "
                        f"at most {MAX_FUNCTION_LINES}"
                    )
    return found


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _held(node: ast.AST) -> Iterator[ast.stmt]:
    """The functions right inside a function. They are measured by themselves.

    A factory of kernels is a scope that holds functions, and no longer than what else it does.
    """
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            yield inner
        elif isinstance(inner, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _held(inner)


def adapters(root: Path) -> list[str]:
    """Adapters over their limit, and manifests that find one under another name than all others."""
    found = []
    for path in sorted(root.glob("implementations/adapters/*.py")):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_ADAPTER_LINES:
            where = path.relative_to(root)
            found.append(f"{where}: {lines} lines, an adapter has at most {MAX_ADAPTER_LINES}")
    for path in sorted(root.glob("models/*/manifest.toml")):
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("implementations", [])
        found += [
            f"{path.relative_to(root)}: {entry['adapter']}: adapters are called `adapter`"
            for entry in entries
            if entry["adapter"].partition(":")[2] != "adapter"
        ]
    return found


def packages(root: Path) -> list[str]:
    """Differences between the packages that pyproject.toml lists and the folders there are."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    listed = project["tool"]["setuptools"]["packages"]
    folders = {"quorate"}
    found = []
    for path in python_files(root):
        folder = path.parent.relative_to(root)
        if not folder.parts or folder.parts[0] in NOT_SHIPPED:
            continue
        folders.add(".".join(["quorate", *folder.parts]))
        if not (path.parent / "__init__.py").exists():
            found.append(f"{folder}: has modules and no __init__.py")
        if not (root / folder.parts[0] / "py.typed").exists():
            found.append(f"{folder.parts[0]}: has no py.typed")
    found += [f"pyproject.toml does not list {name}" for name in folders - set(listed)]
    found += [f"pyproject.toml lists {name}: no such folder" for name in set(listed) - folders]
    if listed != sorted(listed):
        found.append("pyproject.toml: packages are not in order")
    return sorted(set(found))


def dependencies(root: Path) -> list[str]:
    """Differences between what the shipped code imports and what pyproject.toml asks for."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {re.split(r"[^\w.-]", entry)[0] for entry in project["project"]["dependencies"]}
    known = {"z3": "z3-solver"}
    used = set()
    for path in python_files(root):
        if module_name(root, path).split(".")[0] in NOT_SHIPPED:
            continue
        found = [entry for entry in imports_of(root, path) if not entry.typing]
        heads = {entry.target.split(".")[0] for entry in found}
        used |= {known.get(h, h) for h in heads if h not in sys.stdlib_module_names}
    used.discard("quorate")
    return [f"imported and not declared: {name}" for name in sorted(used - declared)] + [
        f"declared and not imported: {name}" for name in sorted(declared - used)
    ]


def public_names(root: Path) -> list[str]:
    """Packages whose `__init__` hides what it offers, offers too much, or what is not there."""
    found = []
    for path in python_files(root):
        name = module_name(root, path)
        if path.name != "__init__.py" or name.split(".")[0] in NOT_SHIPPED:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        body = [n for n in tree.body if not _is_string(n) and not _is_future(n)]
        where = path.relative_to(root)
        if not ast.get_docstring(tree):
            found.append(f"{where}: says nothing of what the package is")
        if not body:
            continue
        offered = _dunder_all(tree)
        if offered is None:
            found.append(f"{where}: no __all__")
            continue
        vocabulary = name == "language" or name.startswith("implementations.")
        most = MAX_VOCABULARY if vocabulary else MAX_PUBLIC_NAMES
        if len(offered) > most:
            found.append(f"{where}: {len(offered)} public names, at most {most}")
        missing = set(offered) - set(_defined(tree))
        found += [f"{where}: __all__ names {one!r}, which is not there" for one in sorted(missing)]
    return found


def _is_string(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _dunder_all(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
                return list(ast.literal_eval(node.value)) if node.value else []
    return None


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
    if any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in tree.body):
        # Names loaded on first use are listed in a table of string keys.
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                keys = (k for k in node.keys if isinstance(k, ast.Constant))
                yield from (k.value for k in keys if isinstance(k.value, str))


def dead_modules(root: Path) -> list[str]:
    """Shipped modules that nothing imports, and no manifest, entry point or make rule names."""
    files = {module_name(root, p): p for p in python_files(root)}
    shipped = {
        name
        for name, path in files.items()
        if name.split(".")[0] not in NOT_SHIPPED and path.name != "__init__.py"
    }
    used = set()
    for name, path in files.items():
        wanted = {i.target.removeprefix("quorate.") for i in imports_of(root, path)}
        used |= wanted - {name}
    for path in [*root.glob("models/*/manifest.toml"), root / "pyproject.toml", root / "Makefile"]:
        if path.exists():
            for word in re.findall(r"[\w.]+", path.read_text(encoding="utf-8")):
                word = word.removeprefix("quorate.")
                prefixes = ("", "models.", "invariants.", "implementations.adapters.")
                used |= {prefix + word for prefix in prefixes}
    return [
        f"{files[name].relative_to(root)}: nothing uses it"
        for name in sorted(shipped - used)
        if not name.endswith("__main__")
    ]


def machine_paths(root: Path) -> list[str]:
    """Paths of one particular machine in files that others will read."""
    kinds = {".py", ".md", ".toml", ".txt", ".json", ".test", ".yml", ".ir", ".sh"}
    found = []
    for path in sorted(root.rglob("*")):
        named = path.suffix in kinds or path.name in {"Makefile", "run", "make-venv"}
        if not named or not path.is_file() or not _tracked(root, path):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if MACHINE_PATH.search(line):
                found.append(f"{path.relative_to(root)}:{number}: {line.strip()[:80]}")
    return found


def _tracked(root: Path, path: Path) -> bool:
    parts = path.relative_to(root).parts
    return parts[0] in {*LAYERS, ".ci"} or len(parts) == 1
