"""Exit statuses, and how failures reach them: a part of the contract with scripts."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn, ParamSpec

from ..checkers.errors import SpecProblem
from ..language.diagnostics import SpecErrors
from ..language.failures import UsageError

P = ParamSpec("P")


class Status(IntEnum):
    """What a script learns without reading a word."""

    HOLDS = 0  # as expected
    VIOLATED = 1  # or, of a replay, diverged
    USAGE = 2  # a wrong command, a bad spec, a value outside its declared bounds
    INCONCLUSIVE = 3  # a limit was reached, or somebody interrupted
    INTERNAL = 4  # our bug


def say(text: str) -> None:
    """A message to the person at the terminal, never to the program behind the pipe."""
    sys.stderr.write(text.rstrip("\n") + "\n")


def quit_with(status: Status) -> NoReturn:
    """End the process. Output that nobody reads any more (`| head`) is not an error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(int(status))


def guarded(command: Callable[P, Status]) -> Callable[P, None]:
    """A command that ends the process with its status, whatever happens in it."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        quit_with(outcome(lambda: command(*args, **kwargs)))

    return run


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
        frames = traceback.extract_tb(error.__traceback__)
        place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        say(f"internal error: {type(error).__name__}: {error}{place}")
        say("This is a bug in Quorate, not in your spec: please report it.")
        if not debug:
            say("With QUORATE_DEBUG=1 in the environment the whole traceback is shown.")
        return Status.INTERNAL
