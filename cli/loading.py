"""Finding the Python object behind a name: in this suite, in a package, in a file of the user's.

A file that does not parse or import is a fault of the spec, not ours: it is reported with file and
line and without a traceback.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from ..language.diagnostics import Code, Diagnostic, SpecErrors
from ..language.failures import UsageError
from ..language.ir.nodes import Span
from .outputs import stdout_is_ours
from .suggest import unknown

SUITE = Path(__file__).resolve().parent.parent


def split(target: str) -> tuple[str, str]:
    """The place and the name of `place:name`. Raises UsageError."""
    place, colon, name = target.rpartition(":")
    if not (colon and place and name.isidentifier()):
        raise UsageError(f"{target!r} is not `path/to/file.py:Name` or `package.module:Name`")
    return place, name


def is_file(place: str) -> bool:
    """Whether a place is meant as a file rather than a module."""
    return place.endswith(".py") or os.sep in place


def load_module(place: str) -> ModuleType:
    """Import `path/to/file.py` or `package.module`. Raises UsageError, SpecErrors."""
    if is_file(place):
        return _load_file(Path(place))
    if not all(part.isidentifier() for part in place.split(".")):
        raise UsageError(f"{place!r} is neither a Python file (*.py) nor `package.module`")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)
    return _import(place, f"the module {place!r}")


def member(module: ModuleType, name: str, what: str, kind: type | None = None) -> Any:
    """The member of a module; unknown names are reported with those of the same kind."""
    if hasattr(module, name):
        return getattr(module, name)
    place = module.__file__ or module.__name__
    raise unknown(f"{what} in {place}:", name, members(module, kind))


def members(module: ModuleType, kind: type | None = None) -> list[str]:
    """The names of the classes of a kind in a module, or of what can be called of its own."""
    return [
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and (
            (isinstance(value, type) and issubclass(value, kind) and value is not kind)
            if kind is not None
            else callable(value) and getattr(value, "__module__", "") == module.__name__
        )
    ]


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        if path.is_dir():
            raise UsageError(f"{path}: is a folder, not a Python file")
        raise UsageError(f"{path}: " + ("is not a file" if path.exists() else "does not exist"))
    _parse(path)
    full = path.resolve()
    if full.is_relative_to(SUITE):
        parts = full.relative_to(SUITE).with_suffix("").parts
        return _import(".".join(["quorate", *parts]), str(path))
    # The file's neighbours are importable, and so are the packages it is in. At the end of the
    # search path: a neighbour called `queue.py` must not hide the standard library's.
    folder, name = full.parent, full.stem
    while (folder / "__init__.py").exists():
        folder, name = folder.parent, f"{folder.name}.{name}"
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    module = _import_exactly(name, full, path)
    return module if module is not None else _import_as(f"_quorate_spec_{full.stem}", full, path)


def _parse(path: Path) -> None:
    """Raise SpecErrors if the file is not Python."""
    try:
        text = path.read_text(encoding="utf-8")
        ast.parse(text, filename=str(path))
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        end_line, end_column = error.end_lineno or line, error.end_offset or column + 1
        span = Span(str(path), line, column, end_line, max(end_column, column + 1))
        raise SpecErrors([Diagnostic(Code.SYNTAX, error.msg, span)]) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a Python file (byte {error.start} is not UTF-8)") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except ValueError as error:  # a null byte
        raise UsageError(f"{path}: not a Python file ({error})") from None


def _import_exactly(name: str, full: Path, shown: Path) -> ModuleType | None:
    """Import by name where the name leads to this very file, else None."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    if found is None or found.origin is None or Path(found.origin).resolve() != full:
        return None
    return _import(name, str(shown))


def _import_as(name: str, full: Path, shown: Path) -> ModuleType:
    """Import a file whose own name is taken by another module."""
    found = importlib.util.spec_from_file_location(name, full)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    try:
        with stdout_is_ours():
            found.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - the user's code raises anything
        del sys.modules[name]
        raise _import_error(error, str(shown)) from None
    return module


def _import(name: str, what: str) -> ModuleType:
    try:
        with stdout_is_ours():
            return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - the user's code raises anything
        raise _import_error(error, what) from None


def _import_error(error: BaseException, what: str) -> Exception:
    """The user's own code failed while it was imported: say where, in their file."""
    if isinstance(error, UsageError | SpecErrors):
        return error
    if isinstance(error, SyntaxError) and error.filename:
        span = Span(
            error.filename,
            error.lineno or 1,
            error.offset or 1,
            error.end_lineno or error.lineno or 1,
            error.end_offset or (error.offset or 1) + 1,
        )
        return SpecErrors([Diagnostic(Code.SYNTAX, error.msg, span)])
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith("<") and f.filename != __file__]
    own = [f for f in own if f"{os.sep}importlib{os.sep}" not in f.filename]
    if not own:
        return UsageError(f"{what} cannot be imported: {error}")
    place = f"{own[-1].filename}:{own[-1].lineno}"
    line = f"\n  {own[-1].line}" if own[-1].line else ""
    kind = type(error).__name__
    return UsageError(f"{what} cannot be imported: {kind}: {error}\n  at {place}{line}")
