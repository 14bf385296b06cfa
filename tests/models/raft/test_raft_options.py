"""What the options of Raft cost while they are off, and what they need when they are on."""

from __future__ import annotations

import pytest

from quorate.cli import check, registry
from quorate.language import UsageError
from quorate.language.failures import Disabled
from quorate.models.raft_reads.spec import RaftReads, Reads
from quorate.traces import Setting

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


ON: dict[str, dict[str, Setting]] = {
    "raft-prevote": {"pre_vote": True, "max_pre_votes": 2},
    "raft-membership": {"membership": "joint", "values": 2},
    "raft-snapshots": {"max_compacted": 1, "max_transfers": 1},
    "raft-sessions": {"max_executions": 2},
    "raft-reads": {"reads": "read_index", "max_calls": 1, "max_reads": 1},
    "a lease": {
        "reads": "lease",
        "max_calls": 1,
        "election_timeout": 2,
        "clock_drift": 1,
        "max_time": 1,
    },
}
"""Each option switched on, with what it needs."""


@pytest.mark.parametrize(
    ("option", "given", "complaint"),
    [
        ("raft-prevote", {"max_pre_votes": 0}, "PreVote needs max_pre_votes above 0"),
        ("raft-membership", {"newcomers": 3}, "Changes of members need fewer newcomers"),
        ("raft-membership", {"values": 1}, "Changes of members need two servers, two values"),
        ("raft-membership", {"servers": 1}, "Changes of members need two servers, two values"),
        ("raft-membership", {"max_log": 0}, "Changes of members need two servers, two values"),
        ("raft-membership", {"max_applied": 1}, "Configurations wait for being applied"),
        ("raft-snapshots", {"max_log": 0}, "Snapshots need max_log above 0"),
        ("raft-snapshots", {"max_compacted": 0}, "Who discards entries sends snapshots instead"),
        ("raft-snapshots", {"max_transfers": 0}, "Who discards entries sends snapshots instead"),
        ("raft-sessions", {"max_log": 0}, "Sessions need max_log above 1"),
        ("raft-sessions", {"max_log": 1}, "Sessions need max_log above 1"),
        ("raft-sessions", {"max_executions": 1}, "With a bound of 1, nobody could execute"),
        ("raft-reads", {"max_calls": 0}, "Reads need max_calls above 0"),
        ("raft-reads", {"max_log": 0}, "Reads need max_calls above 0"),
        ("raft-reads", {"max_reads": 0}, "ReadIndex needs max_reads above 0"),
        ("a lease", {"max_calls": 0}, "Reads need max_calls above 0"),
        ("a lease", {"election_timeout": 0}, "A lease needs election_timeout above clock_drift"),
        ("a lease", {"election_timeout": 1}, "A lease needs election_timeout above clock_drift"),
        ("a lease", {"max_time": 0}, "A lease needs max_time above 0"),
    ],
)
def test_an_option_that_is_on_and_could_do_nothing_is_refused(
    option: str, given: dict[str, Setting], complaint: str
) -> None:
    """By its layer, and where all of them meet."""
    layer = "raft-reads" if option == "a lease" else option
    parameters = {"servers": 3, "values": 1, **ON[option]}
    for model in (registry.find(layer), registry.find("raft-full")):
        with pytest.raises(UsageError) as caught:
            check.build(model, parameters | given, ())
        assert f": {complaint}" in str(caught.value)
        (name,) = given
        assert f"{name} = {given[name]}" in str(caught.value)


def test_time_passes_for_leases_only() -> None:
    """Off, or with ReadIndex, `max_time` costs no state: no clock is looked at."""
    lease = {"max_calls": 1, "max_reads": 1, "election_timeout": 2, "max_time": 2}
    RaftReads(servers=2, values=1, reads=Reads.LEASE, **lease).tick(None)
    for reads in (Reads.NONE, Reads.READ_INDEX):
        with pytest.raises(Disabled):
            RaftReads(servers=2, values=1, reads=reads, **lease).tick(None)
