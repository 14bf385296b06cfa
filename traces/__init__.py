"""Traces: in memory, on disk (ITF), rendered, replayed."""

from __future__ import annotations

from .adapter import (
    IGNORE,
    Adapter,
    Control,
    Named,
    NondeterministicStep,
    Session,
    StepRefused,
    any_of,
)
from .conformance import check_adapter
from .coverage import Coverage, cover
from .replay import ReplayResult, replay
from .trace import Outcome, Setting, Trace, TraceError, TraceMeta, TrapStep

__all__ = [
    "IGNORE",
    "Adapter",
    "Control",
    "Coverage",
    "Named",
    "NondeterministicStep",
    "Outcome",
    "ReplayResult",
    "Session",
    "Setting",
    "StepRefused",
    "Trace",
    "TraceError",
    "TraceMeta",
    "TrapStep",
    "any_of",
    "check_adapter",
    "cover",
    "replay",
]
