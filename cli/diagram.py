"""`python -m quorate.cli.diagram TRACE`: a trace as a Mermaid diagram, for an issue or a review.

A trace of another tool, or one whose spec is not at hand, is drawn from what the file says.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..language.diagnostics import SpecErrors
from ..language.failures import UsageError
from ..traces.document import read_document
from ..traces.generic import as_trace
from ..traces.mermaid import mermaid
from .replay import load
from .status import Status, outcome, quit_with, unread


def draw(path: Path) -> Status:
    """Print the diagram. Raises UsageError (TraceError) for what is not a trace."""
    document = read_document(path)
    try:
        trace = load(path).trace
    except (UsageError, SpecErrors):
        trace = as_trace(document)
    with unread():
        sys.stdout.write(mermaid(trace))
    return Status.HOLDS


def main(words: list[str]) -> Status:
    """Draw the one trace that is named. Raises UsageError."""
    if len(words) != 1:
        raise UsageError("usage: python -m quorate.cli.diagram TRACE")
    return draw(Path(words[0]))


if __name__ == "__main__":
    quit_with(outcome(lambda: main(sys.argv[1:])))
