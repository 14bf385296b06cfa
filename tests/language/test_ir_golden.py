"""The IR of two-phase commit, as text: a change of the front end shows here, line by line.

Two resource managers, so that the file stays short. After a change that is meant:
`pytest tests/language/test_ir_golden.py --update`, and read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.language import instantiate
from quorate.language.ir.printer import print_ir
from quorate.models.two_phase_commit.spec import TwoPhaseCommit

from .feature_specs import Messages, Service

GOLDEN = Path(__file__).parent / "golden"
CASES = {
    "two_phase_commit": instantiate(TwoPhaseCommit, {"rms": 2}),
    "messages": instantiate(Messages, {"nodes": 2}),
    "service": instantiate(Service, {"nodes": 1, "acceptors": 2, "lossy": True}, ("forgets",)),
}


@pytest.mark.parametrize("name", CASES)
def test_ir_is_as_recorded(name: str, request: pytest.FixtureRequest) -> None:
    text = print_ir(CASES[name].ir) + "\n"
    path = GOLDEN / f"{name}.ir"
    if request.config.getoption("--update"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
