"""All benchmarks: `python -m quorate.benchmarks`."""

from __future__ import annotations

from . import consensus, two_phase_commit

if __name__ == "__main__":
    two_phase_commit.main([])
    consensus.main([])
