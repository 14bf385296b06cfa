"""Bad specs: every error is found in one run, with its code and exactly the text it is about.

The specs are in `bad/`; `#! CODE text` behind a line says which error it must give and what the
caret underlines (its first line). Wording is free to change.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from quorate.language import SpecErrors, instantiate
from quorate.language.diagnostics import Diagnostic

BAD = sorted((Path(__file__).parent / "bad").glob("*.txt"))


def load(source: Path, folder: Path) -> ModuleType:
    copy = folder / f"{source.stem}_spec.py"
    copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(copy.stem, copy)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[copy.stem] = module
    spec.loader.exec_module(module)
    return module


def errors_of(source: Path, folder: Path) -> SpecErrors:
    module = load(source, folder)
    with pytest.raises(SpecErrors) as caught:
        instantiate(module.Bad, {"nodes": 2})
    return caught.value


def expected(source: Path) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
        if "#!" in line:
            code, text = line.split("#!")[1].strip().split(" ", 1)
            yield number, code, text


def underlined(diagnostic: Diagnostic, lines: list[str]) -> tuple[int, str, str]:
    span = diagnostic.span
    assert span is not None
    line = lines[span.line - 1]
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    text = line[span.column - 1 : end].split("  #!")[0]
    return span.line, diagnostic.code.value, text.rstrip()


@pytest.mark.parametrize("source", BAD, ids=lambda path: path.stem)
def test_every_error_is_found_at_its_place(source: Path, tmp_path: Path) -> None:
    errors = errors_of(source, tmp_path)
    lines = source.read_text(encoding="utf-8").splitlines()
    found = [underlined(diagnostic, lines) for diagnostic in errors.diagnostics]
    assert found == list(expected(source))


def test_an_error_is_shown_with_file_line_caret_and_help(tmp_path: Path) -> None:
    """The caret is under the text even after characters of several bytes."""
    shown = str(errors_of(Path(__file__).parent / "bad" / "subset.txt", tmp_path))
    block = next(part for part in shown.split("\n\n") if '"ü"' in part).splitlines()
    assert block[0].startswith("error[Q201]: ")
    assert block[1].endswith("subset_spec.py:48:26")
    assert block[3] == '48 |         self.up[größe] = "ü" == größe  #! Q201 "ü"'
    assert block[4] == "   | " + " " * 25 + "^^^"
    assert block[5].startswith("  = help: ")
