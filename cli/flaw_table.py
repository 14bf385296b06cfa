"""The table of flaws: each that is expected to be found, and what its counterexample comes to.

`python -m quorate.cli.flaw_table` writes it anew as `docs/flaws.md`. It replays the counterexamples
of the corpus on the implementations and searches for none: the states a search took are told by the
traces, where `python -m quorate.cli.corpus` has noted them.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..language.spec import Spec
from ..traces.document import read_document
from ..traces.trace import Outcome
from .corpus import CORPUS
from .manifest import InstanceEntry, Manifest
from .registry import Model, from_manifest, manifests
from .replay import CORRECT, load, run
from .status import Status, outcome, quit_with

TABLE = Path(__file__).resolve().parent.parent / "docs" / "flaws.md"

_IDENTIFIER = re.compile(r"([A-Z]\d+|[\w/-]+#\d+): (.*)", re.DOTALL)
"""What the text of a flaw may begin with: its name in the catalogue, or a report of it."""

_COLUMNS = (
    "flaw",
    "what it is",
    "source",
    "breaks",
    "instance",
    "steps",
    "states",
    "flawed code",
    "correct code parts",
    "command",
)

_HEAD = """\
# Flaws

Written by `python -m quorate.cli.flaw_table`; what it says is in the manifests, the specs and the
corpus. A row for each instance that has a flaw switched on and is expected to be violated:

- **flaw**: its name in the catalogue of known flaws, and the switch, which the spec and the
  implementation share; **source**: what it goes against, and reports of it in the field. BHG is
  Bernstein, Hadzilacos and Goodman, *Concurrency Control and Recovery in Database Systems* (1987);
  other papers are those that the section names.
- **breaks**: the property that catches it; **instance**: the bounds, leading to the counterexample
  that is kept; **steps**: the length of that counterexample, which is a shortest one; **states**:
  the distinct states that breadth-first search had seen when it ended with this, up to symmetry
  where the instance has it (-: not noted in the trace).
- **flawed code**: how the counterexample ends when it is replayed on the implementation with the
  same switch on (-: there is no implementation to replay it on).
- **correct code parts**: the step of the counterexample that the implementation without the flaw
  does not take the same way. *Not reproduced*: it can take all steps, but the property then holds.
  *Inconclusive*: it can take all steps, and the property is about what can follow them.
- **command** finds the counterexample; `quorate replay` on the file of the instance replays it.
"""


@dataclass(frozen=True)
class Replayed:
    """How a counterexample ended on code: with the flaw, and without it at which step."""

    flawed: str
    correct: Outcome
    step: int
    action: str


Replay = Callable[[InstanceEntry, Path], Replayed]
"""From an instance that names an implementation, and its file in the corpus."""


def flawed_instances(models: Iterable[Model]) -> Iterator[tuple[Model, InstanceEntry]]:
    """The instances of the table, in its order."""
    for model in models:
        for entry in model.instances:
            if entry.flaws and entry.expected != "holds":
                yield model, entry


def source_of(model: Model, flaw: str, models: Iterable[Model]) -> str:
    """Where a flaw is from: the manifest of its spec says it, or of a spec that this extends.

    Empty where none does. `models` are those whose manifests are asked.
    """
    sources: dict[type[Spec], Mapping[str, str]] = {
        one.spec: one.manifest.flaws for one in models if one.manifest is not None
    }
    for spec in model.spec.__mro__:
        if flaw in sources.get(spec, {}):
            return sources[spec][flaw]
    return ""


def corpus_file(model: Model, entry: InstanceEntry) -> Path:
    """The file of an instance's counterexample, below the corpus."""
    return Path(model.name) / f"{entry.name}.itf.json"


def replayed(entry: InstanceEntry, name: Path) -> Replayed:
    """Replay a counterexample on the implementation with its flaw, and without."""
    loaded = load(CORPUS / name)
    flawed = run(loaded, entry.implementation)
    correct = run(loaded, f"{entry.implementation}{CORRECT}")
    action = "" if correct.label is None else correct.label.action
    return Replayed(flawed.outcome.value, correct.outcome, correct.step, action)


def render(described: Iterable[Manifest], replay: Replay) -> str:
    """The document."""
    models = [from_manifest(manifest) for manifest in described]
    parts = [_HEAD]
    section = ""
    for model, entry in flawed_instances(models):
        if model.name != section:
            section = model.name
            parts.append(_section(model))
        parts.append(_line(_cells(model, entry, models, replay)))
    return "".join(parts)


def _section(model: Model) -> str:
    about = model.manifest
    told = "" if about is None else ". ".join(text for text in (about.title, about.source) if text)
    rule = "| " + " | ".join("---" for _ in _COLUMNS) + " |\n"
    return f"\n## {model.name}\n\n{told}.\n\n{_line(_COLUMNS)}{rule}"


def _cells(
    model: Model, entry: InstanceEntry, models: Iterable[Model], replay: Replay
) -> Iterator[str]:
    name = corpus_file(model, entry)
    explored = read_document(CORPUS / name).required_header().explored
    known = [_named(model.flaws[flaw]) for flaw in entry.flaws]
    switches = zip(known, entry.flaws, strict=True)
    yield ", ".join(f"{identifier} `{flaw}`".lstrip() for (identifier, _), flaw in switches)
    yield "; ".join(text for _, text in known)
    yield "; ".join(dict.fromkeys(source_of(model, flaw, models) or "-" for flaw in entry.flaws))
    yield f"`{entry.violates}`"
    yield f"[{entry.name}](../traces/corpus/{name.as_posix()})"
    yield "-" if entry.length is None else str(entry.length - 1)
    yield "-" if explored is None else f"{explored:,}"
    if entry.implementation is None:
        yield from ("-", "-")
    else:
        result = replay(entry, name)
        yield result.flawed.replace("_", " ")
        yield _parting(result)
    yield f"`{shlex.join(['quorate', 'check', model.name, '--instance', entry.name])}`"


def _named(told: str) -> tuple[str, str]:
    """The identifier that a flaw's text begins with, or none, and the rest."""
    found = _IDENTIFIER.fullmatch(told)
    return (found[1], found[2]) if found else ("", told)


def _parting(result: Replayed) -> str:
    """Where the correct code leaves the trace; it has taken all steps where no step is to blame."""
    word = result.correct.value.replace("_", " ")
    if result.correct in (Outcome.NOT_REPRODUCED, Outcome.INCONCLUSIVE):
        return word
    return f"step {result.step}, `{result.action}`: {word}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def write() -> Status:
    """Write the table."""
    TABLE.write_text(render(manifests().values(), replayed), encoding="utf-8")
    sys.stdout.write(f"{TABLE}\n")
    return Status.HOLDS


if __name__ == "__main__":
    quit_with(outcome(write))
