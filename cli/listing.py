"""`quorate list`: models, or one, with their instances, properties, flaws and implementations."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..language.diagnostics import SpecErrors
from ..language.failures import UsageError
from .manifest import InstanceEntry
from .outputs import JsonOutput
from .registry import Model, find, from_manifest, manifests
from .settings import stored
from .status import Status, say


def list_models(*, json: str | None = None) -> Status:
    """Print what there is. A model that cannot be loaded is reported and does not hide others."""
    output = JsonOutput(json)
    documents, status = [], Status.HOLDS
    for manifest in manifests().values():
        try:
            documents.append(describe(from_manifest(manifest)))
        except (UsageError, SpecErrors) as error:
            say(f"error: {manifest.name}: {error}")
            status = Status.USAGE
    if not output.on_stdout:
        print_models(documents)
    output.write({"models": documents})
    return status


def list_model(name: str, *, json: str | None = None) -> Status:
    """Print what there is of one model. Raises UsageError, SpecErrors."""
    output = JsonOutput(json)
    document = describe(find(name))
    if not output.on_stdout:
        print_model(document)
    output.write({"models": [document]})
    return Status.HOLDS


def describe(model: Model) -> dict[str, Any]:
    """A model as JSON data."""
    manifest = model.manifest
    return {
        "name": model.name,
        "title": manifest.title if manifest else "",
        "source": manifest.source if manifest else "",
        "spec": f"{model.spec.__module__}:{model.spec.__name__}",
        "parameters": [
            {
                "name": p.name,
                "kind": "enum" if isinstance(p.kind, tuple) else p.kind,
                "allowed": list(p.kind) if isinstance(p.kind, tuple) else None,
                "default": None if p.default is None else stored({p.name: p.default})[p.name],
                "at_least": p.at_least,
                "at_most": p.at_most,
            }
            for p in model.parameters.values()
        ],
        "flaws": [{"name": name, "text": text} for name, text in model.flaws.items()],
        "properties": [dataclasses.asdict(p) for p in model.properties.values()],
        "instances": [dataclasses.asdict(entry) for entry in model.instances],
        "implementations": [e.name for e in manifest.implementations] if manifest else [],
    }


def print_models(documents: list[dict[str, Any]]) -> None:
    """The same for a person: parameters by name, and all that has a text with it."""
    import typer

    for number, model in enumerate(documents):
        if number:
            typer.echo()
        _head(model)
        parameters = ", ".join(_parameter(p) for p in model["parameters"])
        _section("parameters", [(parameters, "")] if parameters else [])
        _rest(model)


def print_model(model: dict[str, Any]) -> None:
    """One model for a person: parameters with what they may be, too."""
    _head(model)
    _section("source", [(model["source"], "")] if model["source"] else [])
    _section("spec", [(model["spec"], "")])
    _section("parameters", [(_parameter(p), _range(p)) for p in model["parameters"]])
    _rest(model)


def _head(model: dict[str, Any]) -> None:
    import typer

    typer.secho(model["name"], bold=True, nl=False)
    typer.echo(f"  {model['title']}".rstrip())


def _rest(model: dict[str, Any]) -> None:
    _section("properties", [(p["name"], _property(p)) for p in model["properties"]])
    _section("flaws", [(f["name"], f["text"]) for f in model["flaws"]])
    _section("instances", [(i["name"], _instance(i)) for i in model["instances"]])
    _section("implementations", [(name, "") for name in model["implementations"]])


def _section(title: str, rows: list[tuple[str, str]]) -> None:
    import typer

    width = max((len(name) for name, _ in rows), default=0)
    for number, (name, text) in enumerate(rows):
        head = f"  {title:<16}" if number == 0 else " " * 18
        typer.echo(f"{head}{name:<{width}}  {text}".rstrip())


def _parameter(document: dict[str, Any]) -> str:
    default = document["default"]
    return str(
        document["name"] if default is None else f"{document['name']}={str(default).lower()}"
    )


def _range(document: dict[str, Any]) -> str:
    """What a parameter may be, as `--set` takes it."""
    match document["kind"]:
        case "enum":
            return " or ".join(document["allowed"])
        case "bool":
            return "true or false"
        case "nodes":
            what = "how many nodes"
        case _:
            what = "a whole number"
    low, high = document["at_least"], document["at_most"]
    bounds = [f"at least {low}"] if low is not None else []
    bounds += [f"at most {high}"] if high is not None else []
    return ", ".join([what, *bounds])


def _property(document: dict[str, Any]) -> str:
    return f"{document['kind'].replace('_', ' ')}: {document['text']}".removesuffix(": ")


def _instance(document: dict[str, Any]) -> str:
    settings = [f"{k}={str(v).lower()}" for k, v in document["parameters"].items()]
    settings += [f"+{flaw}" for flaw in document["flaws"]]
    if document["symmetry"] is not None:
        settings.append("--symmetry" if document["symmetry"] else "--no-symmetry")
    return f"{' '.join(settings)}: {expectation(InstanceEntry(**document))}"


def expectation(entry: InstanceEntry) -> str:
    """What a manifest expects of an instance, in a few words."""
    if entry.violates is None:
        return "holds"
    length = f" in {entry.length} states" if entry.length is not None else ""
    return f"violates {entry.violates}{length}"
