"""Compiling the kernels: from Numba to LLVM IR.

Only this module and those it imports need Numba, and they run once a version: the object code is
cached (`machine.py`), and loading that takes a tenth of the time of `import numba`.
"""

from __future__ import annotations

from typing import Any

from numba import cfunc, types

from . import level, passes

_SIGNATURE = types.int64(types.int64, types.int64, types.int64)


def compile_kernels(wide: bool) -> dict[str, tuple[str, str]]:
    """Name of a kernel -> its symbol, and its LLVM IR."""
    kernels: dict[str, Any] = {
        "check": level.check,
        "predecessor": passes.predecessor,
        **level.make(wide),
        **passes.make(wide),
    }
    compiled = {}
    for name, kernel in kernels.items():
        function = cfunc(_SIGNATURE, error_model="numpy")(kernel.py_func)
        compiled[name] = (function.native_name, function.inspect_llvm())
    return compiled
