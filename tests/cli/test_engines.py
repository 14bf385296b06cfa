"""The symbolic engines at the command line: options, statuses, objects, traces."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from quorate.tests.cli.conftest import Quorate
from quorate.tests.cli.specs import LOCK, MANIFEST, write
from quorate.tests.cli.test_check import COUNTER
from quorate.tests.cli.test_interrupts import interrupted


def test_a_counterexample_is_a_trace_like_any_other(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--flaw", "steal", "--engine", "bmc", "--json", "-")
    found = ran.json
    assert (ran.status, found["engine"], found["verdict"]) == (1, "bmc", "violated")
    (violation,) = found["violations"]
    assert (violation["property"], violation["length"]) == ("exclusive", 3)
    assert violation["trace"].endswith(".steal.bmc.exclusive.itf.json")
    assert quorate("replay", violation["trace"]).status == 0
    assert "--engine bmc" in found["command"]
    again = quorate(*found["command"].split()[1:], "--json", "-")
    assert again.json["violations"] == found["violations"]


def test_an_engine_that_counts_no_states_says_so(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--engine", "bmc", "--json", "-")
    found = ran.json
    assert (ran.status, found["verdict"], found["witnesses"]) == (0, "holds", {"held": 2})
    nothing = ("distinct_states", "generated_states", "states_per_second")
    assert [found[key] for key in nothing] == [None, None, None]
    assert {query["answer"] for query in found["queries"]} == {"sat", "unsat"}
    assert all(query["seconds"] >= 0 and query["purpose"] for query in found["queries"])
    shown = quorate("check", lock, "--engine", "bmc").out
    assert "no run of different states is longer than 2" in shown
    assert "queries" in shown
    assert "distinct states" not in shown


def test_a_limit_is_inconclusive_and_no_pass(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--engine", "bmc", "--max-depth", "1")
    assert ran.status == 3
    assert "inconclusive: the limit of depth 1 was reached" in ran.out
    assert "no counterexample of up to 1 states" in ran.out


def test_without_a_limit_there_is_one_of_time(quorate: Quorate, tmp_path: Path) -> None:
    text = COUNTER + "from quorate.checkers.symbolic import bmc\nbmc.SECONDS = 0.05\n"
    path = write(tmp_path, "counter.py", text)
    ran = quorate("check", f"{path}:Many", "--set", "nodes=12", "--engine", "bmc", "--json", "-")
    assert (ran.status, ran.json["verdict"]) == (3, "inconclusive")
    assert ran.json["reason"].startswith("the limit of 0.05 seconds was reached")


def test_an_invariant_is_proved(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--engine", "induction", "--json", "-")
    found = ran.json
    assert (ran.status, found["verdict"], found["properties"]) == (
        0,
        "holds",
        {"exclusive": "holds"},
    )
    assert [(o["action"], o["answer"]) for o in found["obligations"]] == [
        ("", "proved"),
        ("take", "proved"),
        ("release", "proved"),
    ]
    assert "what is no invariant: held" in found["not_checked"]


# The lock looks at a flag that says what `holds` says; nothing says that it does.
LOOSE = (
    LOCK.replace("not any(self.holds[c] for c in self.clients)", "not self.taken")
    .replace("] = each(False)\n", "] = each(False)\n    taken: bool = False\n")
    .replace("self.holds[client] = True", "self.holds[client] = True\n        self.taken = True")
    .replace("self.holds[client] = False", "self.holds[client] = False\n        self.taken = False")
)


def test_what_is_not_inductive_is_shown_by_a_step(quorate: Quorate, tmp_path: Path) -> None:
    path = write(tmp_path, "loose.py", LOOSE)
    ran = quorate("check", f"{path}:Lock", "--engine", "induction", "--json", "-")
    found = ran.json
    assert (ran.status, found["reason"]) == (3, "not inductive: exclusive")
    assert found["violations"] == []
    (step,) = found["unproved"]
    assert (step["kind"], step["length"]) == ("inductive", 2)
    assert "take breaks" in step["message"]
    assert "is no reachable state" in step["message"]
    replayed = quorate("replay", step["trace"])
    assert replayed.status == 0
    assert "whether the first state is reachable is not looked at" in replayed.out
    shown = quorate("check", f"{path}:Lock", "--engine", "induction").out
    assert "broken by take" in shown
    assert "out of a state that need not be reachable" in shown


def test_a_step_out_of_a_reachable_state_is_a_violation(quorate: Quorate, lock: str) -> None:
    ran = quorate("check", lock, "--flaw", "steal", "--engine", "induction", "--json", "-")
    assert (ran.status, ran.json["verdict"]) == (1, "violated")
    assert [(v["property"], v["kind"]) for v in ran.json["violations"]] == [("exclusive", "always")]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--engine", "bmc", "--workers", "2"], "--engine bmc has no --workers; it has: --max"),
        (["--engine", "bmc", "--symmetry"], "--engine bmc has no --symmetry"),
        (["--engine", "bmc", "--no-symmetry"], "--engine bmc has no --no-symmetry"),
        (["--engine", "bmc", "--max-states", "9"], "--engine bmc has no --max-states"),
        (["--engine", "bmc", "--k", "2"], "--engine bmc has no --k"),
        (["--engine", "bmc", "--property", "deadlock"], "does not look for deadlocks"),
        (["--engine", "bmc", "--max-depth", "0"], "is not a whole number from 1"),
        (["--engine", "induction", "--max-depth", "9"], "has no --max-depth; it has: --k"),
        (["--engine", "induction", "--k", "0"], "is not a whole number from 1"),
        (["--engine", "induction", "--property", "held"], "cannot check held, of the kind some"),
        (["--engine", "explore", "--k", "2"], "--engine explore has no --k"),
        (["--engine", "bcm"], "did you mean 'bmc'?"),
    ],
)
def test_options_that_an_engine_does_not_have(
    quorate: Quorate, lock: str, words: list[str], complaint: str
) -> None:
    ran = quorate("check", lock, *words)
    assert (ran.status, ran.out) == (2, "")
    assert complaint in " ".join(ran.err.split())


def test_a_manifest_says_what_is_inductive(quorate: Quorate, tmp_path: Path) -> None:
    path = write(tmp_path, "lock.py", LOCK)
    title = 'title = "A lock"'
    said = MANIFEST.replace(title, f'{title}\ninductive = ["exclusive"]')
    write(tmp_path, "manifest.toml", said)
    words = ("check", f"{path}:Lock", "--engine", "induction")
    ran = quorate(*words, "--json", "-")
    assert (ran.status, ran.json["properties"]) == (0, {"exclusive": "holds"})
    write(tmp_path, "manifest.toml", said.replace('["exclusive"]', '["exclusiv"]'))
    assert "[model] inductive: unknown property" in " ".join(quorate(*words).err.split())
    write(tmp_path, "manifest.toml", said.replace('["exclusive"]', '["held"]'))
    assert "held is of the kind sometimes, no invariant" in quorate(*words).err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_the_solver_works(tmp_path: Path, number: int) -> None:
    ready = f"open({str(tmp_path / 'ready')!r}, 'w').close()\n"
    write(tmp_path, "counter.py", COUNTER + ready)
    started = time.monotonic()

    def searching() -> bool:
        if not (tmp_path / "ready").exists():
            nonlocal started
            started = time.monotonic()
        return time.monotonic() - started > 2

    words = ["check", "counter.py:Many", "--set", "nodes=12", "--engine", "bmc", "--json", "-"]
    status, out, err = interrupted(tmp_path, *words, when=searching, number=number)
    found = json.loads(out)
    assert (status, found["engine"], found["verdict"]) == (3, "bmc", "inconclusive")
    assert found["reason"].startswith("interrupted")
    assert "internal" not in err
