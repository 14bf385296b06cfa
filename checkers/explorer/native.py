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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from ...language.ir.nodes import SpecIR, TrapKind
from ...language.labels import Trap
from ...language.values import State, Universe
from .apart import Errand
from .cache import cache_directory, read, write
from .codec import Codec
from .codegen import FAST, QUICK, object_code, prepare, start_object_code
from .fingerprint import fingerprint
from .layout import StateLayout
from .lowering.context import TrapTable
from .lowering.functions import SpecFunctions, excuses, state_properties, step_properties
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
    3. Code of another `level` has the same functions with the same results.
    """

    spec: SpecIR
    words: int
    bits: int
    codec: Codec
    predicate_names: tuple[str, ...]
    step_names: tuple[str, ...]
    excuse_names: tuple[str, ...]
    """The predicates behind these: properties that ask nothing where their excuse holds."""
    traps: tuple[Trap, ...]
    subsets: tuple[tuple[str, ...], ...]
    addresses: Mapping[str, int]
    level: int
    from_cache: bool
    source: _Source = field(repr=False, compare=False)
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
    optimise: int = FAST,
    cache_dir: Path | None = None,
    subsets: Sequence[tuple[str, ...]] = (),
) -> NativeSpec:
    """The machine code of a spec, from the cache or new.

    `optimise` is the level (`codegen.py`). Raises LayoutError for a type that is too large and
    NativeError for too many properties.
    """
    source = _Source.of(ir, universe, cache_dir, subsets)
    return source.kept(optimise) or source.compiled(optimise)


def compile_quickly(
    ir: SpecIR,
    *,
    universe: Universe | None = None,
    cache_dir: Path | None = None,
    subsets: Sequence[tuple[str, ...]] = (),
) -> NativeSpec:
    """Fast code where the cache has it, else code that is made quickly. See `compile_instance`."""
    source = _Source.of(ir, universe, cache_dir, subsets)
    return source.kept(FAST) or source.kept(QUICK) or source.compiled(QUICK)


@dataclass(frozen=True)
class Faster:
    """Fast code for a spec, under way in another process."""

    spec: NativeSpec
    text: ModuleText
    errand: Errand | None  # None where no process could be started

    @classmethod
    def start(cls, spec: NativeSpec) -> Faster:
        """Start to compile anew what was compiled quickly."""
        source = spec.source
        text = module_text(source.ir, source.layout, source.subsets)
        try:
            return cls(spec, text, start_object_code(text.text))
        except OSError:
            return cls(spec, text, None)

    def done(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.errand is None or self.errand.done()

    def finish(self) -> NativeSpec:
        """The same spec with fast code, which the cache has from now on."""
        code = None if self.errand is None else self.errand.answer()
        if code is None:
            code = object_code(self.text.text, FAST)
        return self.spec.source.linked(FAST, _Entry(self.text.names, self.text.traps, code))

    def give_up(self) -> None:
        """Do without."""
        if self.errand is not None:
            self.errand.give_up()


# Compiling


@dataclass(frozen=True)
class _Entry:
    """Object code with what it does not say itself."""

    names: tuple[str, ...]
    traps: tuple[Trap, ...]
    code: bytes


@dataclass(frozen=True)
class ModuleText:
    """The LLVM IR of a spec, the names of its functions, and the traps they number."""

    text: str
    names: tuple[str, ...]
    traps: tuple[Trap, ...]


def module_text(
    ir: SpecIR, layout: StateLayout, subsets: Sequence[tuple[str, ...]] = ()
) -> ModuleText:
    """Write the LLVM IR of a spec."""
    module, traps = Module(), TrapTable()
    functions = SpecFunctions(ir, layout, module, traps)
    functions.write_all(subsets)
    return ModuleText(module.text(), tuple(module.exported()), tuple(traps.traps))


@dataclass(frozen=True)
class _Source:
    """What is compiled, and where the code is kept."""

    ir: SpecIR
    layout: StateLayout
    universe: Universe
    subsets: tuple[tuple[str, ...], ...]
    folder: Path
    facts: str  # all that the code depends on, the level left out

    @classmethod
    def of(
        cls,
        ir: SpecIR,
        universe: Universe | None,
        folder: Path | None,
        subsets: Sequence[tuple[str, ...]],
    ) -> _Source:
        states = len(state_properties(ir)) + len(excuses(ir))
        if max(states, len(step_properties(ir))) > MOST_PROPERTIES:
            raise NativeError(
                f"more than {MOST_PROPERTIES} properties at once: choose some of them"
            )
        wanted = tuple(tuple(names) for names in subsets)
        return cls(
            ir,
            StateLayout.of(ir.variables),
            universe or Universe.of(ir),
            wanted,
            folder or cache_directory(),
            _facts(ir, wanted),
        )

    def key(self, level: int) -> str:
        return hashlib.sha256(f"{level}\0{self.facts}".encode()).hexdigest()[:40]

    def kept(self, level: int) -> NativeSpec | None:
        """The code of a level that the cache has, if it is sound."""
        key = self.key(level)
        entry = _load(self.folder / f"{key}.obj", key)
        code = None if entry is None else _linked(entry, key)
        if entry is None or code is None:
            return None
        return self._native(level, entry, code, from_cache=True)

    def compiled(self, level: int) -> NativeSpec:
        """The code of a level, made now."""
        text = module_text(self.ir, self.layout, self.subsets)
        return self.linked(level, _Entry(text.names, text.traps, object_code(text.text, level)))

    def linked(self, level: int, entry: _Entry) -> NativeSpec:
        """Code made just now: kept, and ready to be called."""
        key = self.key(level)
        _save(self.folder / f"{key}.obj", key, entry)
        code = _linked(entry, key)
        assert code is not None, "object code made just now cannot be loaded"
        return self._native(level, entry, code, from_cache=False)

    def _native(self, level: int, entry: _Entry, code: _Code, *, from_cache: bool) -> NativeSpec:
        return NativeSpec(
            spec=self.ir,
            words=self.layout.words,
            bits=self.layout.bits,
            codec=Codec(self.ir.variables, self.layout, self.universe),
            predicate_names=tuple(item.name for item in state_properties(self.ir)),
            step_names=tuple(item.name for item in step_properties(self.ir)),
            excuse_names=tuple(item.name for item in excuses(self.ir)),
            traps=entry.traps,
            subsets=self.subsets,
            addresses=code.addresses,
            level=level,
            from_cache=from_cache,
            source=self,
            _code=code,
        )


# Linking


@dataclass(frozen=True)
class _Code:
    """Code in memory, alive as long as this object."""

    addresses: Mapping[str, int]
    keep: tuple[object, ...]


def _linked(entry: _Entry, key: str) -> _Code | None:
    """The code in memory; None where it is not object code with these functions."""
    prepare()
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


@functools.cache
def _compiler() -> str:
    """What compiled code depends on besides the IR: this compiler, told by its own sources.

    A number to be raised by hand is forgotten, and code that is out of date gives wrong counts.
    """
    folder = Path(__file__).parent
    own = [folder / "layout.py", folder / "codegen.py", Path(__file__)]
    files = [*sorted((folder / "lowering").glob("*.py")), *own]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _facts(ir: SpecIR, subsets: tuple[tuple[str, ...], ...]) -> str:
    facts = [
        _compiler(),
        llvmlite.__version__,
        ".".join(map(str, llvm.llvm_version_info)),
        llvm.get_default_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        repr(subsets),
        fingerprint(ir),
    ]
    return "\0".join(facts)


def _load(path: Path, key: str) -> _Entry | None:
    """A cache entry; None where there is none, or not a sound one."""
    try:
        header, _, code = (read(path) or b"").partition(b"\n")
        facts = json.loads(header)
        if facts["key"] != key or facts["sha256"] != hashlib.sha256(code).hexdigest():
            return None
        traps = tuple(
            Trap(TrapKind(kind), subject, message, line)
            for kind, subject, message, line in facts["traps"]
        )
        return _Entry(tuple(facts["names"]), traps, code)
    except (ValueError, KeyError, TypeError):
        return None


def _save(path: Path, key: str, entry: _Entry) -> None:
    """Keep an entry for next time; where that is not possible, it is compiled again."""
    facts = {
        "key": key,
        "sha256": hashlib.sha256(entry.code).hexdigest(),
        "names": entry.names,
        "traps": [(t.kind.value, t.subject, t.message, t.line) for t in entry.traps],
    }
    write(path, json.dumps(facts).encode() + b"\n" + entry.code)
