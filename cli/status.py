"""Exit statuses, and how failures reach them: a part of the contract with scripts."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import NoReturn, ParamSpec

from ..checkers.errors import SpecProblem
from ..language.diagnostics import SpecErrors
from ..language.failures import UsageError
from .interrupts import answered, release

P = ParamSpec("P")


class Status(IntEnum):
    """What a script learns without reading a word."""

    HOLDS = 0  # as expected
    VIOLATED = 1  # or, of a replay, diverged
    USAGE = 2  # a wrong command, a bad spec, a value outside its declared bounds
    INCONCLUSIVE = 3  # a limit was reached, or somebody interrupted
    INTERNAL = 4  # our bug


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


def say(text: str) -> None:
    """A message to the person at the terminal, never to the program behind the pipe."""
    with contextlib.suppress(OSError):  # where stderr is full, the exit status still tells
        sys.stderr.write(text.rstrip("\n") + "\n")


def prepare_process() -> None:
    """Make an unusual start usual: standard streams may be closed.

    A file that is opened later must not become stdout.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - stays open


@contextlib.contextmanager
def unread() -> Iterator[None]:
    """Output that nobody reads any more (`| head`) is dropped; the answer is what it was."""
    try:
        yield
    except BrokenPipeError:
        _drop_stdout()


def _drop_stdout() -> None:
    """From here on stdout goes nowhere: Python would fail on it again at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def quit_with(status: Status) -> NoReturn:
    """End the process."""
    answered()
    try:
        with unread():
            sys.stdout.flush()
    except OSError as error:
        say(f"error: cannot write to stdout: {error.strerror}")
        status = Status.USAGE
        _drop_stdout()
    sys.exit(int(status))


def guarded(
    interrupted: Callable[..., None] | None = None,
) -> Callable[[Callable[P, Status]], Callable[P, None]]:
    """A command that ends the process with its status, whatever happens in it.

    `interrupted` is called with the command's arguments where an interrupt leaves no result.
    """

    def guard(command: Callable[P, Status]) -> Callable[P, None]:
        @functools.wraps(command)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            def heard() -> Status:
                try:
                    release()
                    return command(*args, **kwargs)
                except KeyboardInterrupt:
                    if interrupted is not None:
                        interrupted(*args, **kwargs)
                    raise

            quit_with(outcome(heard))

        return run

    return guard


def outcome(command: Callable[[], Status]) -> Status:
    """The status of a command; failures are reported on stderr, in three families."""
    debug = bool(os.environ.get("QUORATE_DEBUG"))
    try:
        return command()
    except SpecErrors as error:
        if debug:
            traceback.print_exc()
        say(str(error))
        return Status.USAGE
    except (UsageError, SpecProblem) as error:
        if debug:
            traceback.print_exc()
        say(f"error: {error}")
        return Status.USAGE
    except KeyboardInterrupt:
        say("interrupted: inconclusive")
        return Status.INCONCLUSIVE
    except BrokenPipeError:
        return Status.HOLDS
    except Exception as error:  # noqa: BLE001 - the last resort: our bug, reported as such
        if debug:
            traceback.print_exc()
        if isinstance(error, MemoryError):
            say("out of memory: inconclusive")
            return Status.INCONCLUSIVE
        if isinstance(error, OSError) and error.errno in _FULL:  # the machine's fault, not ours
            say(f"error: cannot write to {error.filename or 'stdout'}: {error.strerror}")
            if error.filename is None:
                _drop_stdout()
            return Status.USAGE
        frames = traceback.extract_tb(error.__traceback__)
        place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        say(f"internal error: {type(error).__name__}: {error}{place}")
        say("This is a bug in Quorate, not in your spec: please report it.")
        if not debug:
            say("With QUORATE_DEBUG=1 in the environment the whole traceback is shown.")
        return Status.INTERNAL
