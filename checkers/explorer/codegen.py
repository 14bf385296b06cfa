"""From LLVM IR to object code: optimised, or quickly."""

from __future__ import annotations

import llvmlite.binding as llvm

from .apart import Errand

QUICK = 0
FAST = 2
"""Levels: quickly made code takes a tenth of the time to make, and runs at a quarter of the speed
of fast code.
"""


def prepare() -> None:
    """Make LLVM ready for this machine: nothing can be compiled or linked before."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def target_machine(level: int) -> llvm.TargetMachine:
    """The machine that we run on, as a target of a level."""
    prepare()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=level,
        reloc="pic",
        codemodel="jitdefault",
        jit=True,
    )


def object_code(text: str, level: int) -> bytes:
    """The object code of a module."""
    module = llvm.parse_assembly(text)
    machine = target_machine(level)
    _optimise(module, machine, level)
    return bytes(machine.emit_object(module))


def start_object_code(text: str) -> Errand:
    """`object_code` of level FAST, as an errand. Raises OSError."""
    return Errand(f"{__name__}:_fast", text.encode())


def _fast(text: bytes) -> bytes:
    return object_code(text.decode(), FAST)


def _optimise(module: llvm.ModuleRef, machine: llvm.TargetMachine, level: int) -> None:
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
