"""The table of flaws: each that is expected to be found, and what its counterexample comes to.

Beside them it lists the instances that are clean though a flaw is on, and the known flaws that no
instance shows (`[[out_of_reach]]` in a manifest).

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

_FEW = 3
"""So many properties are named; of more, the number is."""

_CLEAN_COLUMNS = (
    "clean with it",
    "what it is",
    "source",
    "holds",
    "instance",
    "states",
    "why",
    "command",
)

_MISSING_COLUMNS = ("not found here", "what it is", "source", "why", "what was tried")

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
  does not take the same way. *Not reproduced*: it can take all steps, and no step is to blame;
  either *the property holds* in the end, or the flaw is stuck there and the correct code *goes on*,
  as the replay shows. The README of the model says why. *Inconclusive*: it can take all steps, and
  the property is about what can follow them.
- **command** finds the counterexample; `quorate replay` on the file of the instance replays it.

Where a model has them, two more tables follow. **clean with it**: instances that are exhausted and
hold with the flaw on, since it is harmless, or since the bounds are too small to see it (a search
that finds something there is wrong). **not found here**: known flaws that no instance shows.
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


def clean_instances(models: Iterable[Model]) -> Iterator[tuple[Model, InstanceEntry]]:
    """The instances that hold though a flaw is on, or that are called a control."""
    for model in models:
        for entry in model.instances:
            if entry.expected == "holds" and (entry.flaws or entry.control):
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
    flawed = [(m, _cells(m, entry, models, replay)) for m, entry in flawed_instances(models)]
    clean = [(m, _clean_cells(m, entry, models)) for m, entry in clean_instances(models)]
    parts = [_HEAD]
    for model in models:
        about = model.manifest
        if about is None:
            continue
        missing = [(o.name, o.about, o.source, o.reason, o.tried) for o in about.out_of_reach]
        tables = (
            _table(_COLUMNS, [cells for one, cells in flawed if one is model]),
            _table(_CLEAN_COLUMNS, [cells for one, cells in clean if one is model]),
            _table(_MISSING_COLUMNS, missing),
        )
        if any(tables):
            told = ". ".join(text for text in (about.title, about.source) if text)
            parts.append("\n".join([f"\n## {model.name}\n\n{told}.\n", *filter(None, tables)]))
    return "".join(parts)


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; nothing where there are no rows."""
    lines = [_line(row) for row in rows]
    return "".join([_line(columns), _line("---" for _ in columns), *lines]) if lines else ""


def _cells(
    model: Model, entry: InstanceEntry, models: Iterable[Model], replay: Replay
) -> Iterator[str]:
    name = corpus_file(model, entry)
    header = read_document(CORPUS / name).required_header()
    yield from _about(model, entry, models)
    yield f"`{entry.violates}`"
    yield f"[{entry.name}](../traces/corpus/{name.as_posix()})"
    yield "-" if entry.length is None else str(entry.length - 1)
    yield "-" if header.explored is None else f"{header.explored:,}"
    if entry.implementation is None:
        yield from ("-", "-")
    else:
        result = replay(entry, name)
        yield result.flawed.replace("_", " ")
        yield _parting(result, stuck=header.property_kind == "always_possible")
    yield _command(model, entry)


def _clean_cells(model: Model, entry: InstanceEntry, models: Iterable[Model]) -> Iterator[str]:
    properties = entry.properties or ()
    few = 0 < len(properties) <= _FEW
    yield from _about(model, entry, models)
    yield ", ".join(f"`{one}`" for one in properties) if few else _count(len(properties))
    yield entry.name
    yield "-" if entry.distinct is None else f"{entry.distinct:,}"
    yield entry.control or "-"
    yield _command(model, entry)


def _count(properties: int) -> str:
    return f"{properties} properties" if properties else "all properties"


def _about(model: Model, entry: InstanceEntry, models: Iterable[Model]) -> Iterator[str]:
    """The first three cells: which flaws an instance has, what they are, where they are from."""
    known = [_named(model.flaws[flaw]) for flaw in entry.flaws]
    switches = zip(known, entry.flaws, strict=True)
    sources = dict.fromkeys(source_of(model, flaw, models) or "-" for flaw in entry.flaws)
    yield ", ".join(f"{identifier} `{flaw}`".lstrip() for (identifier, _), flaw in switches) or "-"
    yield "; ".join(text for _, text in known) or "-"
    yield "; ".join(sources) or "-"


def _command(model: Model, entry: InstanceEntry) -> str:
    return f"`{shlex.join(['quorate', 'check', model.name, '--instance', entry.name])}`"


def _named(told: str) -> tuple[str, str]:
    """The identifier that a flaw's text begins with, or none, and the rest."""
    found = _IDENTIFIER.fullmatch(told)
    return (found[1], found[2]) if found else ("", told)


def _parting(result: Replayed, *, stuck: bool) -> str:
    """Where the correct code leaves the trace; it has taken all steps where no step is to blame."""
    word = result.correct.value.replace("_", " ")
    if result.correct is Outcome.NOT_REPRODUCED:
        return f"{word}: it goes on" if stuck else f"{word}: the property holds"
    if result.correct is Outcome.INCONCLUSIVE:
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
