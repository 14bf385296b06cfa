"""Entry point of the `quorate` command."""

from __future__ import annotations

from .interrupts import hold


def main() -> None:
    """Run the command and end the process with its status."""
    hold()
    from .commands import run

    run()
