"""Specs of a user's own, as text, for tests of the command line."""

from __future__ import annotations

from pathlib import Path

LOCK = '''
"""A lock: whoever asks may get it."""

from enum import Enum

from quorate.language import (
    Map, Node, Nodes, Spec, action, each, flaw, invariant, parameter, require, witness
)


class Mode(Enum):
    FAIR = "fair"
    GREEDY = "greedy"


class Lock(Spec):
    """At most one client holds the lock."""

    clients: Nodes = parameter(2, at_most=5)
    limit: int = parameter(3, at_least=1, at_most=9)
    mode: Mode = parameter(Mode.FAIR)
    reentrant: bool = parameter(False)
    steal: bool = flaw("a client takes the lock while another holds it")

    holds: Map[Node, bool] = each(False)

    @action
    def take(self, client: Node) -> None:
        """A client takes the lock."""
        require(not self.holds[client])
        require(self.steal or not any(self.holds[c] for c in self.clients))
        self.holds[client] = True

    @action
    def release(self, client: Node) -> None:
        """The holder gives the lock back."""
        require(self.holds[client])
        self.holds[client] = False

    @invariant
    def exclusive(self) -> bool:
        """Never two holders."""
        return sum(1 for c in self.clients if self.holds[c]) <= 1

    @witness
    def held(self) -> bool:
        """Somebody gets the lock."""
        return any(self.holds[c] for c in self.clients)


class Other(Lock):
    """Another spec in the same file."""
'''

MANIFEST = """
[model]
name = "lock"
spec = "lock:Lock"
title = "A lock"

[[instances]]
name = "three"
parameters = { clients = 3 }
distinct = 4
depth = 2
symmetry = false
provenance = "by hand"

[[instances]]
name = "stolen"
parameters = { clients = 2, mode = "greedy" }
flaws = ["steal"]
properties = ["exclusive"]
expected = "violated"
violates = "exclusive"
length = 3
"""


def write(folder: Path, name: str, text: str) -> Path:
    """A file in a folder; the path of the file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


ADAPTER = '''
"""A lock in plain Python, and its adapter."""

from quorate.traces import Control, StepRefused


class RealLock:
    def __init__(self, steal):
        self.steal, self.holders = steal, set()

    def take(self, client):
        if self.holders and not self.steal:
            raise RuntimeError("taken")
        self.holders.add(client)


class Session:
    def __init__(self, parameters, flaws):
        self.lock = RealLock("steal" in flaws)
        self.clients = ()

    def apply(self, label, before, after):
        client = dict(label.parameters)["client"]
        self.clients = tuple(after["holds"])
        try:
            self.lock.take(client) if label.action == "take" else self.lock.holders.remove(client)
        except RuntimeError as error:
            raise StepRefused(str(error)) from None

    def project(self):
        return {"holds": {c: c in self.lock.holders for c in self.clients}} if self.clients else {}

    def close(self):
        pass


class Adapter:
    control = Control.IN_PROCESS

    def start(self, parameters, flaws):
        return Session(parameters, flaws)
'''
