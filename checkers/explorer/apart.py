"""Work done in a process of its own, which can be waited for or given up.

LLVM holds a lock of its own while it compiles, cannot be stopped, and does not hear of interrupts.
Another process leaves this one free to search, and to answer when somebody interrupts.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from importlib import import_module

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)

# The other process finds modules where this one does, however this one was started.
_START = f"""
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from {__name__} import answer
answer(*sys.argv[2:])
"""


class Errand:
    """A call of `module:function`, from bytes to bytes, in a process of its own."""

    _process: subprocess.Popen[bytes] | None = None

    def __init__(self, function: str, given: bytes) -> None:
        """Start. Raises OSError where no process can be started."""
        if not sys.executable:
            raise OSError("which Python this is, is not known")
        self._answer = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe could fill up
        command = [sys.executable, "-P", "-c", _START, json.dumps(sys.path), function]
        with tempfile.TemporaryFile() as question:
            question.write(given)
            question.seek(0)
            # An interrupt has to find the process started, or not started.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
            try:
                # In a session of its own: an interrupt from the terminal is not for it.
                self._process = subprocess.Popen(
                    command,
                    stdin=question,
                    stdout=self._answer,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __del__(self) -> None:
        self.give_up()

    def done(self) -> bool:
        """Whether it has ended."""
        return self._process is None or self._process.poll() is not None

    def answer(self) -> bytes | None:
        """Wait for the answer; None where there is none: it failed. An interrupt gives it up."""
        assert self._process is not None
        try:
            status = self._process.wait()
        except BaseException:
            self.give_up()
            raise
        self._answer.seek(0)
        with self._answer as file:
            return None if status else file.read()

    def give_up(self) -> None:
        """End it, if it has not ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._answer.close()


def answer(function: str) -> None:
    """The other process: from standard input to standard output."""
    module, _, name = function.partition(":")
    found = getattr(import_module(module), name)
    sys.stdout.buffer.write(found(sys.stdin.buffer.read()))
