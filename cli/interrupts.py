"""When an interrupt (SIGINT, SIGTERM) is heard: not while modules load, and not after the answer.

An import that is cut short leaves half a module, and its traceback is no answer. So an interrupt
that comes then is noted, and raised as KeyboardInterrupt once the command runs, which knows what to
say. This module imports next to nothing: it is there before anything else.
"""

from __future__ import annotations

import signal

_noted: list[int] = []
_ours = False  # whether this process is the command: nobody else's signals are touched


def hold() -> None:
    """From here on an interrupt is noted."""
    global _ours
    _ours = True
    _handle(lambda number, _: _noted.append(number))


def release() -> None:
    """From here on an interrupt raises KeyboardInterrupt; one that was noted does so now."""
    _handle(signal.default_int_handler)
    if _noted:
        _noted.clear()
        raise KeyboardInterrupt


def answered() -> None:
    """The answer stands: an interrupt that comes from here on comes too late to change it."""
    _handle(signal.SIG_IGN)  # a handler of ours would go when Python shuts down


def _handle(handler: object) -> None:
    if not _ours:
        return
    signal.signal(signal.SIGTERM, handler)  # type: ignore[arg-type]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as a shell does for `command &`
        signal.signal(signal.SIGINT, handler)  # type: ignore[arg-type]
