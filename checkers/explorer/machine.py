"""Machine code of the kernels: compiled once, kept on disk, loaded with llvmlite alone.

`import numba` takes longer than checking a small spec, so the object code made from Numba's output
is cached (`cache.py`). It is made in a process of its own: Numba takes many seconds and much
memory, and loses interrupts. Where no cache can be written, every process compiles its kernels.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from llvmlite import binding as llvm

from .apart import Errand
from .cache import cache_directory, read, write

Kernel = Callable[[int, int, int], int]
"""A kernel: address of a control block, and two numbers. Runs without the interpreter's lock."""

NAMES = ("begin", "advance", "offer", "check", "predecessor", "seed", "sweep", "unmarked")

_WORD = ctypes.c_int64
_PROTOTYPE = ctypes.CFUNCTYPE(_WORD, _WORD, _WORD, _WORD)
_PREFIX = "quorate_kernel_"
_MAGIC = b"quorate kernels\n"
_keep: list[object] = []  # code must outlive the functions that point into it


@lru_cache(maxsize=2)
def load_kernels(wide: bool) -> dict[str, Kernel]:
    """The kernels by name, for states of several words or of one."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = _target()
    width = "wide" if wide else "narrow"
    path = cache_directory() / f"kernels-{width}-{_key()}.o"
    code = _checked(read(path))
    if code is None:
        code = _compile_apart(width)
        write(path, _entry(code))
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _keep.append(engine)
    return {name: _PROTOTYPE(engine.get_function_address(_PREFIX + name)) for name in NAMES}


def _target() -> llvm.TargetMachine:
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        jit=True,
    )


def _compile_apart(width: str) -> bytes:
    """`compile_kernels_of`, if possible in another process."""
    try:
        code = Errand(f"{__name__}:compile_kernels_of", width.encode()).answer()
    except OSError:
        code = None
    return code or compile_kernels_of(width.encode())


def compile_kernels_of(width: bytes) -> bytes:
    """Object code of all kernels, narrow or wide.

    Numba's functions return a status beside their result, and its C wrapper handles it through the
    interpreter. These kernels raise nothing: once their functions are private to the module, the
    optimiser sees that the status is always good, and all that goes. What is left refers to no
    symbol outside itself; this is checked, because such code could not be cached.
    """
    from .kernels.build import compile_kernels

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = _target()
    whole: llvm.ModuleRef | None = None
    for name, (symbol, text) in compile_kernels(width == b"wide").items():
        text = text.replace("define linkonce_odr", "define internal")
        module = llvm.parse_assembly(text.replace(symbol, _PREFIX + name))
        if whole is None:
            whole = module
        else:
            whole.link_in(module)
    assert whole is not None
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(3))
    builder.getModulePassManager().run(whole, builder)
    foreign = [f.name for f in whole.functions if f.is_declaration and "llvm." not in f.name]
    if foreign:
        raise RuntimeError(f"kernels refer to {', '.join(foreign)}")
    return bytes(machine.emit_object(whole))


def _sources() -> Iterable[Path]:
    here = Path(__file__)
    return [here, here.with_name("control.py"), *sorted(here.with_name("kernels").glob("*.py"))]


def _key() -> str:
    """A digest of all that the machine code depends on."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.read_bytes())
    for item in (
        version("llvmlite"),
        version("numba"),
        sys.version,
        llvm.get_default_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    ):
        digest.update(item.encode() + b"\0")
    return digest.hexdigest()[:24]


def _checked(data: bytes | None) -> bytes | None:
    """The code of a cache entry; None where there is none, or where it is damaged."""
    if data is None:
        return None
    head, digest, code = data[: len(_MAGIC)], data[len(_MAGIC) :][:32], data[len(_MAGIC) + 32 :]
    if head != _MAGIC or hashlib.sha256(code).digest() != digest:
        return None
    return code


def _entry(code: bytes) -> bytes:
    return _MAGIC + hashlib.sha256(code).digest() + code
