"""A builder of LLVM IR text: words, bits and pointers, folded where they are constant.

Written out as text, and not with `llvmlite.ir`: building is on the path of every cold start, and
strings are ten times faster. Mutable variables are stack slots (`slot`); LLVM makes them registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Word = int | str
"""A 64-bit integer: a constant (signed) or the name of a register."""

Bit = bool | str
"""A truth value: a constant or the name of a register."""

Pointer = str

_MASK = (1 << 64) - 1

_FOLD: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    # A shift too far is in code that is never reached; LLVM gives it no meaning either.
    "shl": lambda a, b: a << b if 0 <= b < 64 else 0,
    "lshr": lambda a, b: (a & _MASK) >> b if 0 <= b < 64 else 0,
    "udiv": lambda a, b: (a & _MASK) // b,
    "urem": lambda a, b: (a & _MASK) % b,
}

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "slt": lambda a, b: a < b,
    "sle": lambda a, b: a <= b,
    "ult": lambda a, b: (a & _MASK) < (b & _MASK),
    "ule": lambda a, b: (a & _MASK) <= (b & _MASK),
}

_NEUTRAL_RIGHT = {"add": 0, "sub": 0, "mul": 1, "or": 0, "xor": 0, "shl": 0, "lshr": 0, "udiv": 1}
_NEUTRAL_LEFT = {"add": 0, "mul": 1, "or": 0, "xor": 0}

INTRINSICS = """\
declare i64 @llvm.ctpop.i64(i64)
declare i64 @llvm.cttz.i64(i64, i1)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
"""


def signed(value: int) -> int:
    """A 64-bit pattern as the signed constant that stands for it."""
    value &= _MASK
    return value - (1 << 64) if value >> 63 else value


def mask_of(width: int) -> int:
    """A constant with the lowest `width` bits set."""
    return signed((1 << width) - 1)


class Module:
    """Functions of one compilation; helpers are made on demand, once for each key."""

    def __init__(self) -> None:
        self.functions: list[Function] = []
        self._tables: dict[tuple[int, ...], str] = {}
        self._helpers: dict[object, str] = {}

    def function(
        self, name: str, parameters: str, result: str, *, internal: bool = True
    ) -> Function:
        """A new function. `parameters` as in LLVM IR, with names."""
        made = Function(self, name, parameters, result, internal)
        self.functions.append(made)
        return made

    def helper(
        self,
        key: tuple[object, ...],
        parameters: str,
        result: str,
        make: Callable[[Function], None],
    ) -> str:
        """The name of the internal function for the key; `make` fills it at the first call."""
        if key not in self._helpers:
            name = f"{key[0]}.{len(self._helpers)}"
            self._helpers[key] = name
            make(self.function(name, parameters, result))
        return self._helpers[key]

    def table(self, words: Sequence[int]) -> Pointer:
        """The address of constant words."""
        key = tuple(words)
        return self._tables.setdefault(key, f"@table.{len(self._tables)}")

    def exported(self) -> list[str]:
        """The names of the functions that can be called from outside."""
        return [function.name for function in self.functions if not function.internal]

    def text(self) -> str:
        """The module as LLVM IR."""
        tables = [
            f"{name} = internal constant [{len(words)} x i64] "
            f"[{', '.join(f'i64 {signed(word)}' for word in words)}]\n"
            for words, name in self._tables.items()
        ]
        return (
            INTRINSICS + "".join(tables) + "\n".join(function.text() for function in self.functions)
        )


class Function:
    """A function under construction: a list of blocks, and the one being written.

    A block to which nothing jumps is not written at all (some passes of LLVM do not end on
    unreachable loops). So a jump to a block comes before the block, loops apart.
    """

    def __init__(
        self, module: Module, name: str, parameters: str, result: str, internal: bool
    ) -> None:
        self.module = module
        self.name = name
        self.internal = internal
        linkage = "internal " if internal else ""
        self._head = f"define {linkage}{result} @{name}({parameters}) nounwind {{"
        self._slots: list[str] = []
        self._blocks: dict[str, list[str]] = {}
        self._count = 0
        self._lines: list[str] = []
        self._ended = False
        self._targets: set[str] = set()
        first = self.block()
        self._targets.add(first)
        self.at(first)

    def text(self) -> str:
        """The function as LLVM IR."""
        lines = [self._head, "entry:", *self._slots, f"  br label %{next(iter(self._blocks))}"]
        for name, block in self._blocks.items():
            lines.append(f"{name}:")
            lines += block
        lines.append("}\n")
        return "\n".join(lines)

    # Blocks

    def block(self) -> str:
        """A new, empty block."""
        self._count += 1
        return f"b{self._count}"

    def at(self, block: str) -> None:
        """Go on writing at the block; what was written last does not fall through to it."""
        self._ended = block not in self._targets
        if not self._ended:
            self._lines = self._blocks.setdefault(block, [])

    def begin(self, block: str) -> None:
        """Fall through into the block and go on there."""
        self.jump(block)
        self.at(block)

    @property
    def reachable(self) -> bool:
        """Whether what is written next is ever reached."""
        return not self._ended

    def _write(self, line: str) -> None:
        if not self._ended:
            self._lines.append(f"  {line}")

    def _end(self, line: str, *targets: str) -> None:
        if not self._ended:
            self._write(line)
            self._targets.update(targets)
        self._ended = True

    def jump(self, block: str) -> None:
        """End the block with a jump."""
        self._end(f"br label %{block}", block)

    def branch(self, condition: Bit, then: str, orelse: str) -> None:
        """End the block with a conditional jump."""
        if isinstance(condition, bool):
            self.jump(then if condition else orelse)
        else:
            self._end(f"br i1 {condition}, label %{then}, label %{orelse}", then, orelse)

    def give(self, value: Word | None = None) -> None:
        """End the block with the return of a word, or of nothing."""
        self._end("ret void" if value is None else f"ret i64 {value}")

    # Instructions

    def _named(self, text: str) -> str:
        self._count += 1
        name = f"%v{self._count}"
        self._write(f"{name} = {text}")
        return name

    def op(self, name: str, a: Word, b: Word) -> Word:
        """An arithmetic or logical instruction on words."""
        if isinstance(a, int) and isinstance(b, int) and not (name in ("udiv", "urem") and b == 0):
            return signed(_FOLD[name](a, b))
        if b == _NEUTRAL_RIGHT.get(name) and isinstance(b, int):
            return a
        if a == _NEUTRAL_LEFT.get(name) and isinstance(a, int):
            return b
        if name == "and":
            if a == -1 or b == 0:
                return b
            if b == -1 or a == 0:
                return a
        if name == "mul" and (a == 0 or b == 0):
            return 0
        if name in ("udiv", "urem") and isinstance(b, int) and b & (b - 1) == 0:
            shift = b.bit_length() - 1
            return self.op("lshr", a, shift) if name == "udiv" else self.op("and", a, b - 1)
        return self._named(f"{name} i64 {a}, {b}")

    def add(self, a: Word, b: Word) -> Word:
        return self.op("add", a, b)

    def sub(self, a: Word, b: Word) -> Word:
        return self.op("sub", a, b)

    def mul(self, a: Word, b: Word) -> Word:
        return self.op("mul", a, b)

    def masked(self, a: Word, b: Word) -> Word:
        return self.op("and", a, b)

    def either(self, a: Word, b: Word) -> Word:
        return self.op("or", a, b)

    def left(self, a: Word, b: Word) -> Word:
        return self.op("shl", a, b)

    def right(self, a: Word, b: Word) -> Word:
        return self.op("lshr", a, b)

    def without(self, a: Word, b: Word) -> Word:
        """The bits of `a` that are not in `b`."""
        return self.op("and", a, self.op("xor", b, -1))

    def compare(self, how: str, a: Word, b: Word) -> Bit:
        """An integer comparison: eq, ne, slt, sle, ult, ule."""
        if isinstance(a, int) and isinstance(b, int):
            return _COMPARE[how](a, b)
        return self._named(f"icmp {how} i64 {a}, {b}")

    def both(self, a: Bit, b: Bit) -> Bit:
        """Conjunction, without a short circuit."""
        if isinstance(a, bool):
            return b if a else False
        if isinstance(b, bool):
            return a if b else False
        return self._named(f"and i1 {a}, {b}")

    def negated(self, a: Bit) -> Bit:
        return (not a) if isinstance(a, bool) else self._named(f"xor i1 {a}, true")

    def word(self, a: Bit) -> Word:
        """0 or 1."""
        return int(a) if isinstance(a, bool) else self._named(f"zext i1 {a} to i64")

    def select(self, condition: Bit, a: Word, b: Word) -> Word:
        """`a` where the condition holds, else `b`; both were computed."""
        if isinstance(condition, bool):
            return a if condition else b
        if a == b:
            return a
        return self._named(f"select i1 {condition}, i64 {a}, i64 {b}")

    def ones(self, a: Word) -> Word:
        """The number of bits set."""
        if isinstance(a, int):
            return (a & _MASK).bit_count()
        return self._named(f"call i64 @llvm.ctpop.i64(i64 {a})")

    def lowest(self, a: Word) -> Word:
        """The position of the lowest bit of a word that is not 0."""
        return self._named(f"call i64 @llvm.cttz.i64(i64 {a}, i1 true)")

    def division(self, name: str, a: Word, b: Word) -> Word:
        """Sdiv or srem; `b` is not 0 when this is reached."""
        return self._named(f"{name} i64 {a}, {b}")

    # Memory

    def slot(self, words: int = 1) -> Pointer:
        """Stack space of the function, not initialised."""
        self._count += 1
        name = f"%s{self._count}"
        kind = "i64" if words == 1 else f"[{words} x i64]"
        self._slots.append(f"  {name} = alloca {kind}, align 8")
        return name

    def load(self, pointer: Pointer) -> Word:
        return self._named(f"load i64, ptr {pointer}, align 8")

    def store(self, pointer: Pointer, value: Word) -> None:
        self._write(f"store i64 {value}, ptr {pointer}, align 8")

    def load_pointer(self, pointer: Pointer) -> Pointer:
        return self._named(f"load ptr, ptr {pointer}, align 8")

    def store_pointer(self, pointer: Pointer, value: Pointer) -> None:
        self._write(f"store ptr {value}, ptr {pointer}, align 8")

    def bit_slot(self) -> Pointer:
        """Stack space for a truth value, not initialised."""
        self._count += 1
        name = f"%s{self._count}"
        self._slots.append(f"  {name} = alloca i1")
        return name

    def load_bit(self, pointer: Pointer) -> Bit:
        return self._named(f"load i1, ptr {pointer}")

    def store_bit(self, pointer: Pointer, value: Bit) -> None:
        self._write(
            f"store i1 {str(value).lower() if isinstance(value, bool) else value}, ptr {pointer}"
        )

    def pointer_slot(self) -> Pointer:
        """Stack space for an address, not initialised."""
        self._count += 1
        name = f"%s{self._count}"
        self._slots.append(f"  {name} = alloca ptr")
        return name

    def offset(self, pointer: Pointer, words: Word) -> Pointer:
        """The address so many words on."""
        if words == 0:
            return pointer
        return self._named(f"getelementptr inbounds i64, ptr {pointer}, i64 {words}")

    def copy(self, target: Pointer, source: Pointer, words: int) -> None:
        """Copy words; the two may be the same."""
        if target == source:
            return
        if words <= 4:
            values = [self.load(self.offset(source, i)) for i in range(words)]
            for i, value in enumerate(values):
                self.store(self.offset(target, i), value)
            return
        call = "call void @llvm.memmove.p0.p0.i64"
        self._write(
            f"{call}(ptr align 8 {target}, ptr align 8 {source}, i64 {words * 8}, i1 false)"
        )

    def clear(self, target: Pointer, words: int) -> None:
        """Set words to 0."""
        if words <= 4:
            for i in range(words):
                self.store(self.offset(target, i), 0)
            return
        call = "call void @llvm.memset.p0.i64"
        self._write(f"{call}(ptr align 8 {target}, i8 0, i64 {words * 8}, i1 false)")

    def call(self, name: str, arguments: str) -> Word:
        """Call a function that gives a word. `arguments` as in LLVM IR, with types."""
        return self._named(f"call i64 @{name}({arguments})")

    def call_void(self, name: str, arguments: str) -> None:
        self._write(f"call void @{name}({arguments})")

    # Structure

    def when(
        self, condition: Bit, then: Callable[[], None], orelse: Callable[[], None] | None = None
    ) -> None:
        """Two arms; both may end early with a jump."""
        if isinstance(condition, bool):
            if condition:
                then()
            elif orelse is not None:
                orelse()
            return
        first, second, after = self.block(), self.block(), self.block()
        self.branch(condition, first, second)
        self.at(first)
        then()
        self.jump(after)
        self.at(second)
        if orelse is not None:
            orelse()
        self.begin(after)

    def repeat(self, condition: Callable[[], Bit], body: Callable[[str], None]) -> None:
        """`while`; the body gets the block after the loop, to leave it early."""
        head, inside, after = self.block(), self.block(), self.block()
        self.begin(head)
        self.branch(condition(), inside, after)
        self.at(inside)
        body(after)
        self.jump(head)
        self.at(after)

    def count(self, start: Word, stop: Word, body: Callable[[Word, str], None]) -> None:
        """The body for each integer from `start` up to `stop`, excluded; signed."""
        if isinstance(start, int) and isinstance(stop, int) and stop - start <= 1:
            after = self.block()
            if stop > start:
                body(start, after)
            self.begin(after)
            return
        counter = self.slot()
        self.store(counter, start)

        def inside(after: str) -> None:
            at = self.load(counter)
            body(at, after)
            self.store(counter, self.add(at, 1))

        self.repeat(lambda: self.compare("slt", self.load(counter), stop), inside)
