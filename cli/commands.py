"""The `quorate` command. Options and exit statuses are a contract: scripts depend on them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .status import Status, guarded, outcome, prepare_process, quit_with
from .suggest import brief

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


def _whole(least: int, most: int | None = None) -> Callable[[str | int], int]:
    """A parser of whole numbers; what it refuses it names, with what is allowed."""

    def parse(given: str | int) -> int:
        text = str(given)  # a default comes as it is
        if re.fullmatch(r"[0-9]{1,18}", text):
            number = int(text)
            if number >= least and (most is None or number <= most):
                return number
        allowed = f"from {least}" if most is None else f"from {least} to {most}"
        raise typer.BadParameter(f"{brief(text)!r} is not a whole number {allowed}")

    return parse


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise typer.BadParameter(f"{brief(text)!r} is not a number of seconds above 0")
    return number


def _path(text: str) -> Path:
    if not text.strip() or "\0" in text:  # Path("") would be the folder we are in
        raise typer.BadParameter(f"{text!r} names no file or folder")
    return Path(text)


def _target(text: str) -> str:
    return str(_path(text))


MODEL_HELP = "A registered name, path/to/file.py:Class or package.module:Class."
JsonOption = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="FILE|-", parser=_target, help="Write the result as one object."
    ),
]
InstanceOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="An instance of the model's manifest. Default: the first, without --set and --flaw.",
    ),
]
PropertyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--property",
        metavar="NAME",
        help="Only these; `deadlock` is one. Default: the instance's; without, all but witnesses.",
    ),
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
@guarded()
def _list(
    model: Annotated[
        str | None, typer.Argument(metavar="MODEL", help=f"{MODEL_HELP} Default: all.")
    ] = None,
    json: JsonOption = None,
) -> Status:
    """Models, or one: its parameters, properties, flaws, instances and implementations."""
    from .listing import list_model, list_models

    return list_models(json=json) if model is None else list_model(model, json=json)


def _check_interrupted(model: str, flaw: Sequence[str] | None, **options: Any) -> None:
    from .check import interrupted

    interrupted(
        model,
        options["instance"],
        flaw or (),
        options["workers"],
        options["json"],
        options["engine"],
    )


@app.command("check")
@guarded(interrupted=_check_interrupted)
def _check(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP)],
    instance: InstanceOption = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter; a node set by its size."),
    ] = None,
    flaw: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Switch a flaw of the spec on.")
    ] = None,
    property_: PropertyOption = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="ENGINE",
            help="explore: every reachable state. bmc: runs up to a length, with a solver. "
            "induction: is it kept by every step? prove: the same, for any number of nodes.",
        ),
    ] = "explore",
    workers: Annotated[int, typer.Option(metavar="N", parser=_whole(1, 64), help="Threads.")] = 1,
    symmetry: Annotated[
        bool | None,
        typer.Option("--symmetry/--no-symmetry", help="Count states up to renaming of nodes."),
    ] = None,
    max_states: Annotated[
        int | None,
        typer.Option(metavar="N", parser=_whole(1), help="Stop, inconclusive, at so many states."),
    ] = None,
    max_depth: Annotated[
        int | None,
        typer.Option(metavar="N", parser=_whole(1), help="Stop, inconclusive, at this depth."),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", parser=_seconds, help="Stop searching, inconclusive, after this."
        ),
    ] = None,
    k: Annotated[
        int | None,
        typer.Option(
            "--k",
            metavar="K",
            parser=_whole(1, 100),
            help="Of induction: over K steps. Default: 1.",
        ),
    ] = None,
    trace_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", parser=_path, help="Where counterexamples are saved."),
    ] = None,
    json: JsonOption = None,
) -> Status:
    """Check a model: a bounded instance of it."""
    from .check import check
    from .engines import Limits
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
    limits = Limits(workers, max_states, max_depth, time_limit, k)
    return check(found, settings, engine=engine, limits=limits, trace_dir=trace_dir, json=json)


def _replay_interrupted(
    traces: Sequence[Path], against: str | None = None, json: str | None = None
) -> None:
    from .replay import interrupted

    interrupted(traces, against, json)


@app.command("replay")
@guarded(interrupted=_replay_interrupted)
def _replay(
    traces: Annotated[
        list[Path],
        typer.Argument(metavar="TRACE...", parser=_path, help="Traces (*.itf.json) or folders."),
    ],
    against: Annotated[
        str | None, typer.Option(metavar="NAME", help="An implementation: its name, or module:name")
    ] = None,
    json: JsonOption = None,
) -> Status:
    """Run traces again on their spec, and then on an implementation, state by state."""
    from .replay import replay_all

    return replay_all(traces, against=against, json=json)


def run() -> None:
    """Run the command that the process was given, and end the process with its status."""
    prepare_process()

    def command() -> Status:
        app(prog_name="quorate")
        return Status.HOLDS

    quit_with(outcome(command))
