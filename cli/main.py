"""The `quorate` command. Options and exit statuses are a contract: scripts depend on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .status import Status, guarded, outcome, quit_with

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Check distributed protocols, and the code that implements them, from one spec.",
    epilog="Exit status: 0 as expected, 1 violated or diverged, 2 usage or spec error, "
    "3 inconclusive, 4 internal error.",
)

JsonOption = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write the result as one object.")
]


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        typer.echo(importlib.metadata.version("quorate"))
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command("list")
@guarded
def _list(json: JsonOption = None) -> Status:
    """Models, and the instances, properties, flaws and implementations of each."""
    from .listing import list_models

    return list_models(json=json)


@app.command("check")
@guarded
def _check(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A registered name, path/to/file.py:Class or package.module:Class"
        ),
    ],
    instance: Annotated[
        str | None, typer.Option(metavar="NAME", help="An instance of the model's manifest.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter; a node set by its size."),
    ] = None,
    flaw: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Switch a flaw of the spec on.")
    ] = None,
    property_: Annotated[
        list[str] | None,
        typer.Option(
            "--property", metavar="NAME", help="Only these; `deadlock` is one. Default: all others."
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(metavar="ENGINE", help="explore (every reachable state). Others will follow."),
    ] = "explore",
    workers: Annotated[int, typer.Option(min=1, max=256, help="Threads.")] = 1,
    symmetry: Annotated[
        bool | None,
        typer.Option("--symmetry/--no-symmetry", help="Count states up to renaming of nodes."),
    ] = None,
    max_states: Annotated[
        int | None, typer.Option(min=1, help="Stop, inconclusive, at so many states.")
    ] = None,
    max_depth: Annotated[
        int | None, typer.Option(min=1, help="Stop, inconclusive, at this depth.")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Stop, inconclusive, after this.")
    ] = None,
    trace_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where counterexamples are saved.")
    ] = None,
    json: JsonOption = None,
) -> Status:
    """Check a model: every reachable state of a bounded instance."""
    from .check import Limits, check
    from .registry import find
    from .settings import settle

    found = find(model)
    settings = settle(
        found,
        instance=instance,
        set_=set_ or (),
        flaws=flaw or (),
        properties=property_ or (),
        symmetry=symmetry,
    )
    limits = Limits(workers, max_states, max_depth, time_limit)
    return check(found, settings, engine=engine, limits=limits, trace_dir=trace_dir, json=json)


@app.command("replay")
@guarded
def _replay(
    traces: Annotated[
        list[Path], typer.Argument(metavar="TRACE...", help="Traces (*.itf.json) or folders.")
    ],
    against: Annotated[
        str | None, typer.Option(metavar="NAME", help="An implementation: its name, or module:name")
    ] = None,
    json: JsonOption = None,
) -> Status:
    """Run traces again on their spec, and then on an implementation, state by state."""
    from .replay import replay_all

    return replay_all(traces, against=against, json=json)


def main() -> None:
    """Entry point of the console script."""

    def run() -> Status:
        app(prog_name="quorate")
        return Status.HOLDS

    quit_with(outcome(run))
