"""From the IR to machine code: LLVM IR as text, one module a spec."""
