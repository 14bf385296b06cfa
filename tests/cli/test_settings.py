"""Options to settings: what they mean together, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quorate.cli import registry, settings, suggest
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


def test_nothing_asked_for_is_the_first_instance(lock: str, tmp_path: Path) -> None:
    described = MANIFEST.replace('name = "three"', 'name = "three"\nproperties = ["exclusive"]')
    write(tmp_path, "manifest.toml", described)
    model = registry.find(lock)
    assert settings.settle(model) == settings.settle(model, instance="three")
    assert settings.settle(model).properties == ("exclusive",)
    assert settings.settle(model).unchanged
    symmetric = settings.settle(model, symmetry=True)
    assert (symmetric.entry, symmetric.symmetry) == (model.instances[0], True)
    one = settings.settle(model, properties=["held"])
    assert (one.entry, one.properties, one.symmetry) == (model.instances[0], ("held",), False)
    assert not one.unchanged


@pytest.mark.parametrize("options", [{"set_": ["limit=1"]}, {"flaws": ["steal"]}])
def test_another_system_than_the_first_instance_has_its_parameters_only(
    lock: str, tmp_path: Path, options: dict[str, Any]
) -> None:
    write(tmp_path, "manifest.toml", MANIFEST.replace('name = "three"', 'name = "three"\n' + SOME))
    settled = settings.settle(registry.find(lock), **options)
    assert settled.parameters == {"clients": 3} | ({"limit": 1} if "set_" in options else {})
    assert (settled.entry, settled.symmetry) == (None, None)
    # The witness `held` is said of instances: it is checked when it is named.
    assert settled.properties == ("exclusive",)
    named = settings.settle(registry.find(lock), **options, properties=["held"])
    assert named.properties == ("held",)


SOME = 'properties = ["held", "deadlock"]\n'


def test_a_witness_may_be_a_step() -> None:
    kinds = {"suffix-overwritten": True, "two-leaders": True, "electable": False, "deadlock": False}
    raft = registry.find("raft")
    assert {name: raft.is_witness(name) for name in kinds} == kinds
    assert raft.properties["suffix-overwritten"].kind == "sometimes_step"


def test_without_instances_everything_is_checked(lock: str, tmp_path: Path) -> None:
    every: list[dict[str, Any]] = [{}, {"set_": ["limit=1"]}, {"flaws": ["steal"]}]
    for options in every:
        assert settings.settle(registry.find(lock), **options).properties is None
    about, _, _ = MANIFEST.partition("[[instances]]")
    write(tmp_path, "manifest.toml", about)
    model = registry.find(lock)
    for options in every:
        settled = settings.settle(model, **options)
        assert (settled.entry, settled.properties) == (None, ("exclusive", "held"))


@pytest.mark.parametrize(
    ("listed", "left"),
    [
        ("", ("exclusive",)),
        ('properties = ["held", "exclusive"]', ("exclusive",)),
        ('properties = ["held"]', ("held",)),  # rather than nothing
        ('properties = ["held", "exclusive"]\nexpected = "violated"\nviolates = "held"', None),
    ],
)
def test_witnesses_of_an_instance_that_is_changed(
    lock: str, tmp_path: Path, listed: str, left: tuple[str, ...] | None
) -> None:
    text = f'{MANIFEST}\n[[instances]]\nname = "two"\nparameters = {{ clients = 2 }}\n{listed}\n'
    write(tmp_path, "manifest.toml", text)
    model = registry.find(lock)
    changes: list[dict[str, Any]] = [{"set_": ["limit=1"]}, {"flaws": ["steal"]}]
    for options in changes:
        settled = settings.settle(model, instance="two", **options)
        assert settled.properties == (left or ("held", "exclusive"))
    as_it_is = settings.settle(model, instance="two").properties
    assert as_it_is == (model.instance("two").properties or ("exclusive", "held"))
    named = settings.settle(model, instance="two", flaws=["steal"], properties=["held"])
    assert named.properties == ("held",)


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


def test_who_else_has_what_is_not_known_is_said() -> None:
    raft = registry.find("raft")
    with pytest.raises(UsageError) as refused:
        settings.settle(raft, set_=["pre_vote=true"])
    told = str(refused.value).splitlines()[-1].strip()
    models = [registry.from_manifest(manifest) for manifest in registry.manifests().values()]
    having = {model.name for model in models if "pre_vote" in model.parameters}
    assert having >= {"raft-full", "raft-prevote"}
    assert told.endswith(" have it")
    assert set(told.removesuffix(" have it").replace(" and ", ", ").split(", ")) == having
    paxos = registry.find("paxos")
    flaw = next(flaw for flaw in raft.flaws if flaw not in paxos.flaws)
    with pytest.raises(UsageError, match=r"raft.* ha(s|ve) it$"):
        settings.settle(paxos, flaws=[flaw])
    with pytest.raises(UsageError) as nobody:
        settings.settle(raft, set_=["no_such_parameter=1"])
    assert "have it" not in str(nobody.value)


def test_of_many_that_have_it_some_are_named() -> None:
    assert suggest.has_it([]) == ""
    assert suggest.has_it(["a"]) == "a has it"
    assert suggest.has_it(["a", "b", "c"]) == "a, b and c have it"
    assert suggest.has_it(["a", "b", "c", "d", "e"]) == "a, b, c, d and 1 other have it"
    assert suggest.has_it(list("abcdef")) == "a, b, c, d and 2 others have it"
