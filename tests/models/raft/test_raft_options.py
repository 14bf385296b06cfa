"""What the options of Raft cost while they are off."""

from __future__ import annotations

import pytest

from quorate.cli import registry

LAYERS = ("raft-prevote", "raft-membership", "raft-snapshots", "raft-reads", "raft-full")
RAFT = {entry.name: entry for entry in registry.find("raft").instances}


@pytest.mark.parametrize("layer", LAYERS)
def test_off_an_option_costs_no_state(layer: str) -> None:
    # The instances themselves are run with all manifests; here, that their figures are Raft's.
    same = [
        (entry, RAFT[entry.name])
        for entry in registry.find(layer).instances
        if entry.name in RAFT and entry.parameters == RAFT[entry.name].parameters
    ]
    assert [entry.name for entry, _ in same] == ["one-term", "two-terms"]
    for entry, base in same:
        ours = (entry.distinct, entry.generated, entry.depth)
        assert ours == (base.distinct, base.generated, base.depth)
