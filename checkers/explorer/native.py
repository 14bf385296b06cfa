"""Machine code of a spec: compiled with LLVM in this process, cached as object code on disk.

The functions (C calling convention; states are arrays of `words` 64-bit words; no state is kept
between calls, so any number of threads may call them at once):

    expand(state*, out*, limit, coverage*, trap*) -> successors written in canonical order, or -1
        where `limit` is too small; a trap ends it and its number is in *trap
    expand_by_<i>: the same for the actions of `subsets[i]`
    initial(out*, limit, trap*) -> states written, or -1
    predicates(state*, trap*) -> bit k: state property k holds
    steps(before*, after*, trap*) -> bit k: step property k holds
    constraint(state*, trap*) -> 0 or 1
    abstract_<i>(state*, out*, trap*): the abstract state of refinement i
    permute(state*, permutation*, out*): nodes renamed; the concatenated new indices of each
        interchangeable sort, in order
    signature(state*, sort, node) -> a number that does not depend on how nodes are numbered
    canonical(state*, out*): the representative of the state under all permutations

`*trap` has to be 0 before a call; for `predicates` and `steps` the first trap of a call is kept.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from ...language.ir.nodes import SpecIR, TrapKind
from ...language.labels import Trap
from ...language.values import State, Universe
from .codec import Codec
from .fingerprint import fingerprint
from .layout import StateLayout
from .lowering.context import TrapTable
from .lowering.functions import SpecFunctions, state_properties, step_properties
from .lowering.text import Module

MOST_PROPERTIES = 64


class NativeError(Exception):
    """A spec that the explorer cannot compile, for a reason the user can change."""


@dataclass(frozen=True)
class NativeSpec:
    """Compiled functions of a spec, with what is needed to talk to them.

    1. `addresses` has the functions of the module by name; those that a spec has no use for (no
       constraint, no interchangeable nodes) are not in it.
    2. `traps[n - 1]` is the trap of number n.
    """

    spec: SpecIR
    words: int
    bits: int
    codec: Codec
    predicate_names: tuple[str, ...]
    step_names: tuple[str, ...]
    traps: tuple[Trap, ...]
    subsets: tuple[tuple[str, ...], ...]
    addresses: Mapping[str, int]
    from_cache: bool
    _code: object = field(repr=False, compare=False)

    @property
    def layout(self) -> Codec:
        """The codec: `pack` and `unpack`."""
        return self.codec

    @property
    def expand_by(self) -> Mapping[tuple[str, ...], int]:
        """Addresses of the functions that expand by some of the actions only."""
        return {names: self.addresses[f"expand_by_{i}"] for i, names in enumerate(self.subsets)}

    @property
    def abstract(self) -> Mapping[str, int]:
        """Addresses of the functions that map a state to one of an abstract spec."""
        named = enumerate(self.spec.refinements)
        return {item.name: self.addresses[f"abstract_{i}"] for i, item in named}

    def pack(self, state: State) -> tuple[int, ...]:
        """The words of a state."""
        return self.codec.pack(state)

    def unpack(self, words: Sequence[int]) -> State:
        """The state of packed words."""
        return self.codec.unpack(words)


def compile_instance(
    ir: SpecIR,
    *,
    universe: Universe | None = None,
    optimise: int = 2,
    cache_dir: Path | None = None,
    subsets: Sequence[tuple[str, ...]] = (),
) -> NativeSpec:
    """The machine code of a spec, from the cache or new.

    `optimise` is 2 for speed of exploring, 0 or 1 for speed of compiling. Raises LayoutError for a
    type that is too large and NativeError for too many properties.
    """
    states, steps = state_properties(ir), step_properties(ir)
    if max(len(states), len(steps)) > MOST_PROPERTIES:
        raise NativeError(f"more than {MOST_PROPERTIES} properties at once: choose some of them")
    layout = StateLayout.of(ir.variables)
    machine = _machine(optimise)
    wanted = tuple(tuple(names) for names in subsets)
    key = _key(ir, machine, optimise, wanted)
    directory = cache_dir or default_cache_dir()
    entry = _load(directory / f"{key}.obj", key)
    code = None if entry is None else _linked(entry, key)
    found = entry is not None and code is not None
    if entry is None or code is None:
        entry = _compile(ir, layout, machine, optimise, wanted)
        _save(directory / f"{key}.obj", key, entry)
        code = _linked(entry, key)
        assert code is not None, "object code made just now cannot be loaded"
    return NativeSpec(
        spec=ir,
        words=layout.words,
        bits=layout.bits,
        codec=Codec(ir.variables, layout, universe or Universe.of(ir)),
        predicate_names=tuple(item.name for item in states),
        step_names=tuple(item.name for item in steps),
        traps=entry.traps,
        subsets=wanted,
        addresses=code.addresses,
        from_cache=found,
        _code=code,
    )


# Compiling


@dataclass(frozen=True)
class _Entry:
    """Object code with what it does not say itself."""

    names: tuple[str, ...]
    traps: tuple[Trap, ...]
    code: bytes


def module_text(
    ir: SpecIR, layout: StateLayout, subsets: Sequence[tuple[str, ...]] = ()
) -> tuple[str, tuple[str, ...], tuple[Trap, ...]]:
    """The LLVM IR of a spec, the names of its functions, and the traps they number."""
    module, traps = Module(), TrapTable()
    functions = SpecFunctions(ir, layout, module, traps)
    functions.write_all(subsets)
    return module.text(), tuple(module.exported()), tuple(traps.traps)


def _compile(
    ir: SpecIR,
    layout: StateLayout,
    machine: llvm.TargetMachine,
    optimise: int,
    subsets: Sequence[tuple[str, ...]],
) -> _Entry:
    text, names, traps = module_text(ir, layout, subsets)
    module = llvm.parse_assembly(text)
    optimised(module, machine, optimise)
    return _Entry(names, traps, machine.emit_object(module))


def optimised(module: llvm.ModuleRef, machine: llvm.TargetMachine, level: int) -> None:
    """Run LLVM's passes on a module, in place."""
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    # Loops run over a handful of nodes: vector code would cost time and gain nothing.
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = level > 1
    builder = llvm.create_pass_builder(machine, options)
    if level == 0:
        passes = llvm.create_new_module_pass_manager()
        passes.add_simplify_cfg_pass()
        passes.add_sroa_pass()
    else:
        passes = builder.getModulePassManager()
    passes.run(module, builder)


def _machine(optimise: int) -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=optimise,
        reloc="pic",
        codemodel="jitdefault",
        jit=True,
    )


# Linking


@dataclass(frozen=True)
class _Code:
    """Code in memory, alive as long as this object."""

    addresses: Mapping[str, int]
    keep: tuple[object, ...]


def _linked(entry: _Entry, key: str) -> _Code | None:
    """The code in memory; None where it is not object code with these functions."""
    try:
        jit = llvm.create_lljit_compiler()
        builder = llvm.JITLibraryBuilder().add_object_img(entry.code).add_current_process()
        for name in entry.names:
            builder.export_symbol(name)
        library = builder.link(jit, f"spec_{key}")
        addresses = {name: library[name] for name in entry.names}
    except (RuntimeError, KeyError):
        return None
    return _Code(addresses, (jit, library))


# The cache


def default_cache_dir() -> Path:
    """`$QUORATE_CACHE`, or the platform's place for caches."""
    chosen = os.environ.get("QUORATE_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "quorate"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quorate"


@functools.cache
def _compiler() -> str:
    """What compiled code depends on besides the IR: this compiler, told by its own sources.

    A number to be raised by hand is forgotten, and code that is out of date gives wrong counts.
    """
    folder = Path(__file__).parent
    files = [*sorted((folder / "lowering").glob("*.py")), folder / "layout.py", Path(__file__)]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _key(
    ir: SpecIR, machine: llvm.TargetMachine, optimise: int, subsets: tuple[tuple[str, ...], ...]
) -> str:
    facts = [
        _compiler(),
        llvmlite.__version__,
        ".".join(map(str, llvm.llvm_version_info)),
        machine.triple,
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        str(optimise),
        repr(subsets),
        fingerprint(ir),
    ]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:40]


def _load(path: Path, key: str) -> _Entry | None:
    """A cache entry; None where there is none, or not a sound one."""
    try:
        header, _, code = path.read_bytes().partition(b"\n")
        facts = json.loads(header)
        if facts["key"] != key or facts["sha256"] != hashlib.sha256(code).hexdigest():
            return None
        traps = tuple(
            Trap(TrapKind(kind), subject, message, line)
            for kind, subject, message, line in facts["traps"]
        )
        return _Entry(tuple(facts["names"]), traps, code)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _save(path: Path, key: str, entry: _Entry) -> None:
    """Keep an entry for next time; where that is not possible, it is compiled again."""
    facts = {
        "key": key,
        "sha256": hashlib.sha256(entry.code).hexdigest(),
        "names": entry.names,
        "traps": [(t.kind.value, t.subject, t.message, t.line) for t in entry.traps],
    }
    content = json.dumps(facts).encode() + b"\n" + entry.code
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
