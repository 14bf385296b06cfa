"""The example of docs/implementations.md, run as a user would."""

from __future__ import annotations

import re
from pathlib import Path

from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import write

PAGE = Path(__file__).parents[2] / "docs" / "implementations.md"


def test_the_example_is_found_reproduced_and_parted_from(quorate: Quorate) -> None:
    files = re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [name for name, _ in files] == ["mirror.py", "mirror_core.py", "mirror_adapter.py"]
    for name, text in files:
        write(Path(), name, text)
    assert quorate("check", "mirror.py:Mirror", "--set", "servers=2").status == 0
    assert quorate("check", "mirror.py:Mirror", "--set", "servers=2", "--flaw", "hasty").status == 1
    flawed = quorate("replay", "quorate-traces", "--against", "mirror_adapter.py:adapter")
    assert (flawed.status, flawed.err) == (0, "")
    assert "reproduced on mirror_adapter.py:adapter" in flawed.out
    correct = quorate("replay", "quorate-traces", "--against", "mirror_adapter.py:adapter/correct")
    assert correct.status == 1
    assert "state mismatch" in correct.out
