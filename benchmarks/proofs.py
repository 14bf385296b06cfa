"""All proofs for any number of nodes: `python -m quorate.benchmarks.proofs [MODEL...]`.

A line a model: the verdict, the seconds, how many questions Z3 was asked, and the slowest. Exit
status 1 where something is not proved.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ..checkers.result import CheckResult, Verdict
from ..checkers.symbolic.prove.engine import prove
from ..cli.check import build
from ..cli.registry import Model, from_manifest, manifests
from ..language.instance import Instance


def proved(model: Model) -> CheckResult:
    """The proof of what the manifest calls inductive."""
    parameters = model.instances[0].parameters

    def resized(sizes: Mapping[str, Any]) -> Instance:
        return build(model, {**parameters, **sizes}, ())

    return prove(resized({}), resized, properties=model.inductive)


def main(names: list[str]) -> int:
    """Prove the models of these names, or all that have invariants to prove."""
    known = manifests()
    chosen = names or [name for name, manifest in known.items() if manifest.inductive]
    total, open_ = 0.0, 0
    for name in chosen:
        result = proved(from_manifest(known[name]))
        slowest = max(result.queries, key=lambda query: query.seconds)
        total += result.seconds
        open_ += result.verdict is not Verdict.HOLDS
        asked = f"{len(result.queries):3} queries, the slowest {slowest.seconds:.2f} s"
        verdict = f"{result.verdict.value:<12} {result.seconds:7.2f} s"
        print(f"{name:<24} {verdict}  {asked} {result.reason}".rstrip(), flush=True)
    print(f"{'together':<24} {'':<12} {total:7.2f} s")
    return 1 if open_ else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
