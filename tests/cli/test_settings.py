"""Options to settings: what they mean together, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quorate.cli import registry, settings
from quorate.language.failures import UsageError
from quorate.tests.cli.specs import MANIFEST, write


def test_values_as_typed(lock: str) -> None:
    model = registry.find(lock)
    given = ["clients=4", "limit = 2", "mode=Greedy", "reentrant=yes"]
    settled = settings.settle(model, set_=given, flaws=["steal"], properties=["deadlock"])
    assert settled.parameters == {"clients": 4, "limit": 2, "mode": "GREEDY", "reentrant": True}
    assert settled.flaws == ("steal",)
    assert (settled.properties, settled.deadlock) == ((), True)
    members = settings.values(model, settled.parameters)
    assert members["mode"] is model.parameters["mode"].type.GREEDY
    assert settings.stored(members) == settled.parameters


def test_the_first_instance_gives_parameters_only(lock: str, tmp_path: Path) -> None:
    text = MANIFEST.replace('name = "three"', 'name = "three"\nflaws = ["steal"]')
    write(tmp_path, "manifest.toml", text)
    settled = settings.settle(registry.find(lock), set_=["limit=1"])
    assert settled.parameters == {"clients": 3, "limit": 1}
    assert (settled.flaws, settled.properties, settled.symmetry) == ((), None, None)


def test_an_instance_and_what_is_added_to_it(lock: str, tmp_path: Path) -> None:
    write(tmp_path, "manifest.toml", MANIFEST)
    model = registry.find(lock)
    settled = settings.settle(model, instance="stolen", set_=["clients=4"])
    assert settled.parameters == {"clients": 4, "mode": "GREEDY"}
    assert (settled.flaws, settled.properties) == (("steal",), ("exclusive",))
    three = settings.settle(model, instance="three", flaws=["steal"], symmetry=True)
    assert (three.flaws, three.symmetry) == (("steal",), True)
    assert settings.settle(model, instance="three").symmetry is False


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"set_": ["client=2"]}, "did you mean 'clients'?"),
        ({"set_": ["clients"]}, "write NAME=VALUE"),
        ({"set_": ["=3"]}, "write NAME=VALUE"),
        ({"set_": ["clients=two"]}, "a node set is given by its size"),
        ({"set_": ["limit=1.5"]}, "limit is an int"),
        ({"set_": ["mode=fast"]}, "allowed: fair, greedy"),
        ({"set_": ["reentrant=maybe"]}, "allowed are true and false"),
        ({"set_": ["steal=true"]}, "--flaw steal"),
        ({"flaws": ["stael"]}, "did you mean 'steal'?"),
        ({"properties": ["exclusiv"]}, "allowed: exclusive, held, deadlock"),
        ({"instance": "three"}, "there is no manifest.toml beside it"),
    ],
)
def test_what_is_not_known_is_refused(lock: str, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError) as refused:
        settings.settle(registry.find(lock), **options)
    assert complaint in str(refused.value)


def test_an_unknown_instance_is_refused(lock: str, tmp_path: Path) -> None:
    write(tmp_path, "manifest.toml", MANIFEST)
    with pytest.raises(UsageError, match="did you mean 'three'"):
        settings.settle(registry.find(lock), instance="thre")
