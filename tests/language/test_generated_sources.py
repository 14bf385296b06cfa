"""Generated Python specs: CPython on the class and the evaluator on its IR agree."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.language import Instance, instantiate
from quorate.language.ir.verifier import verify
from quorate.tests.generated.sources import spec_source

from .test_agreement import comparable, outcome, reachable

LIMIT = 25


@st.composite
def sources(draw: st.DrawFn) -> str:
    """Sources of specs."""
    return spec_source(lambda count: draw(st.integers(0, count - 1)))


def instance_of(source: str, nodes: int = 2) -> Instance:
    """The instance of a generated source, loaded as a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated_spec.py"
        path.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("generated_spec", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["generated_spec"] = module
        spec.loader.exec_module(module)
        return instantiate(module.Generated, {"nodes": nodes})


@given(sources())
@settings(max_examples=60)
def test_cpython_and_ir_agree_on_generated_specs(source: str) -> None:
    instance = instance_of(source)
    assert verify(instance.ir) == []
    reference, evaluator = instance.reference(), instance.evaluator()
    for state in reachable(instance, LIMIT):
        ours, theirs = reference.successors(state), evaluator.successors(state)
        assert comparable(list(ours)) == comparable(list(theirs))
        assert outcome(reference, "holds", state, None) == outcome(evaluator, "holds", state, None)
