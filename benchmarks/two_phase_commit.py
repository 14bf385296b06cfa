"""The explorer on two-phase commit, against the yardstick, in one run.

    python -m quorate.benchmarks.two_phase_commit [--rms N] [--rounds N]

Runs take turns, so that what else the machine does falls on all alike; the best of each counts. How
much faster two workers are than one is told three ways, and needs an idle machine: by the best runs
and by the medians in this process, and by the medians of processes of their own, as users have them
(memory that a process has not had before costs time, which two workers share).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from ..checkers.explorer import explore
from ..language import instantiate
from ..models.two_phase_commit.spec import TwoPhaseCommit
from . import yardstick
from .measure import Known, explored, prepare

KNOWN = {
    3: Known(288, 1146, 11),
    5: Known(8832, 58146, 17),
    9: Known(10_340_352, 123_558_402, 29),
}
"""Distinct and generated states and depth, by resource managers: TLC's (rms=9: an independent
search's)."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rms", type=int, default=9, choices=sorted(KNOWN))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    search(options.rms, options.rounds)
    processes(options.rms, options.rounds)
    machine(options.rms, options.rounds)
    memory(options.rms)
    start_up(options.rounds)


def search(rms: int, rounds: int) -> None:
    """States per second of yardstick and explorer, with one worker and with two."""
    instance = instantiate(TwoPhaseCommit, {"rms": rms})
    prepare(instance, [])
    prepare(instance, None)
    seconds: dict[str, list[float]] = {"yardstick": [], "one": [], "two": [], "checked": []}
    for _ in range(rounds):
        by_hand = yardstick.run(rms, KNOWN[rms].distinct)
        assert Known(by_hand.distinct, by_hand.generated, by_hand.depth) == KNOWN[rms]
        seconds["yardstick"].append(by_hand.seconds)
        for name, workers in (("one", 1), ("two", 2)):
            seconds[name].append(explored(instance, KNOWN[rms], [], workers).seconds)
        seconds["checked"].append(explored(instance, KNOWN[rms], None, 1).seconds)
    known = KNOWN[rms]
    distinct = known.distinct
    print(
        f"two-phase commit, rms={rms}: {distinct:,} distinct, {known.generated:,} generated, "
        f"{known.depth} deep"
    )
    rate = {name: distinct / min(times) for name, times in seconds.items()}
    medians = median(seconds["one"]) / median(seconds["two"])
    print(f"  yardstick, by hand        {rate['yardstick']:>12,.0f} states/s")
    print(f"  explorer, one worker      {rate['one']:>12,.0f} states/s", end="")
    print(f"  {rate['one'] / rate['yardstick']:.2f} of the yardstick")
    print(f"  explorer, two workers     {rate['two']:>12,.0f} states/s", end="")
    print(f"  {rate['two'] / rate['one']:.2f} times one, on {os.cpu_count()} cores", end="")
    print(f" (medians: {medians:.2f})")
    print(f"  one, refinement checked   {rate['checked']:>12,.0f} states/s")


def processes(rms: int, rounds: int) -> None:
    """How much faster two workers are than one, each search in a process of its own."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers, times in seconds.items():
            times.append(float(_apart("seconds_apart", rms, workers)[0]))
    one, two = median(seconds[1]), median(seconds[2])
    print(
        f"  in processes of their own {one / two:.2f} times one (medians: {one:.2f}, {two:.2f} s)"
    )


def seconds_apart(rms: int, workers: int) -> tuple[float]:
    """Seconds of one search: for `processes`."""
    instance = instantiate(TwoPhaseCommit, {"rms": rms})
    return (explored(instance, KNOWN[rms], [], workers).seconds,)


def _apart(function: str, *numbers: int) -> list[str]:
    """What a function of this module returns in a process of its own."""
    script = (
        f"from quorate.benchmarks.two_phase_commit import {function}\n"
        "import sys\n"
        f"print(*{function}(*map(int, sys.argv[1:])))\n"
    )
    command = [sys.executable, "-c", script, *map(str, numbers)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def machine(rms: int, rounds: int) -> None:
    """How much two processes get done at once, compared with one: what the cores can give."""
    script = (
        "from quorate.benchmarks.two_phase_commit import seconds_of_one\n"
        "import sys\n"
        "print(seconds_of_one(int(sys.argv[1]), int(sys.argv[2])))\n"
    )
    command = [sys.executable, "-c", script, str(rms), str(rounds)]

    def at_once(count: int) -> float:
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)
        ]
        return max(float(process.communicate()[0]) for process in running)

    alone, both = at_once(1), at_once(2)
    print(f"  two processes at once     {2 * alone / both:.2f} times the work of one")


def seconds_of_one(rms: int, rounds: int) -> float:
    """The mean of some searches with one worker: for `machine`, which runs several at once."""
    instance = instantiate(TwoPhaseCommit, {"rms": rms})
    prepare(instance, [])
    return sum(explored(instance, KNOWN[rms], [], 1).seconds for _ in range(rounds)) / rounds


def memory(rms: int) -> None:
    """Bytes a state at the peak, as the engine counts and as the system sees the process grow."""
    for workers in (1, 2):
        engine, grown = map(int, _apart("one_search", rms, workers))
        states = KNOWN[rms].distinct
        print(f"  memory, workers={workers}: {engine / states:.1f} bytes a state by its own count,")
        print(f"    {grown / states:.1f} bytes a state of growth of the process")


def one_search(rms: int, workers: int) -> tuple[int, int]:
    """Engine bytes of a search, and by how much the peak of the process grew."""
    small = instantiate(TwoPhaseCommit, {"rms": 3})
    before = explore(small, properties=[], workers=workers).peak_memory_bytes
    result = explore(instantiate(TwoPhaseCommit, {"rms": rms}), properties=[], workers=workers)
    return result.engine_bytes, result.peak_memory_bytes - before


def start_up(rounds: int) -> None:
    """Process time of a 288-state check by the command line, with a warm cache and a cold one."""
    quorate = str(Path(sys.executable).with_name("quorate"))
    command = [quorate, "check", "two-phase-commit", "--set", "rms=3"]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "QUORATE_CACHE": folder}
        cold = _process_time(command, environment, folder)
        warm = min(_process_time(command, environment, folder) for _ in range(rounds))
    print(f"  {' '.join(['quorate', *command[1:]])}: {warm:.2f} s of process time, warm;", end="")
    print(f" {cold:.1f} s the first time")


def _process_time(command: Sequence[str], environment: dict[str, str], folder: str) -> float:
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {errors}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
