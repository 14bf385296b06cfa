"""What kernels need and Numba does not have: raw memory, prefetch, 128-bit products, calls through
an address, and the atomic accesses that workers share.

Addresses, indices and counts are int64; words of states and hashes are uint64. Numba turns a mix of
the two into floating point, so every crossing is one of these functions.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

I64 = ir.IntType(64)
_WORD = I64.as_pointer()


def _slot(builder: Any, address: Any, index: Any) -> Any:
    return builder.gep(builder.inttoptr(address, _WORD), [index])


@intrinsic
def load(typing: Any, address: Any, index: Any) -> Any:
    """The uint64 at word `index` after `address`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_slot(builder, *args))

    return types.uint64(types.int64, types.int64), emit


@intrinsic
def peek(typing: Any, address: Any, index: Any) -> Any:
    """The int64 at word `index` after `address`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_slot(builder, *args))

    return types.int64(types.int64, types.int64), emit


@intrinsic
def store(typing: Any, address: Any, index: Any, value: Any) -> Any:
    """Store a uint64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _slot(builder, args[0], args[1]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.uint64), emit


@intrinsic
def poke(typing: Any, address: Any, index: Any, value: Any) -> Any:
    """Store an int64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _slot(builder, args[0], args[1]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit


@intrinsic
def load_byte(typing: Any, address: Any, index: Any) -> Any:
    """The byte at `index` after `address`, as int64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.gep(builder.inttoptr(args[0], cgutils.voidptr_t), [args[1]])
        return builder.zext(builder.load(pointer), I64)

    return types.int64(types.int64, types.int64), emit


@intrinsic
def store_byte(typing: Any, address: Any, index: Any, value: Any) -> Any:
    """Store the low byte of an int64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.gep(builder.inttoptr(args[0], cgutils.voidptr_t), [args[1]])
        builder.store(builder.trunc(args[2], ir.IntType(8)), pointer)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit


@intrinsic
def prefetch(typing: Any, address: Any, index: Any) -> Any:
    """Ask for the cache line of word `index` after `address`, to be read and maybe written."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        small = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, small, small, small])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        pointer = builder.bitcast(_slot(builder, *args), cgutils.voidptr_t)
        # For writing (prefetchw) where the processor has it, kept in all levels of cache, data.
        builder.call(function, [pointer, small(1), small(3), small(1)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), emit


@intrinsic
def high_product(typing: Any, a: Any, b: Any) -> Any:
    """The upper 64 bits of `a * b`, as int64: where `a` of 2**64 falls among `b` places."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, wide(64)), I64)

    return types.int64(types.uint64, types.int64), emit


@intrinsic
def fold(typing: Any, a: Any, b: Any) -> Any:
    """The two halves of the 128-bit product of two uint64, exclusive-or."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        high = builder.trunc(builder.lshr(product, wide(64)), I64)
        return builder.xor(high, builder.trunc(product, I64))

    return types.uint64(types.uint64, types.uint64), emit


@intrinsic
def signed(typing: Any, a: Any) -> Any:
    """The bits of a uint64 as an int64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return args[0]

    return types.int64(types.uint64), emit


@intrinsic
def unsigned(typing: Any, a: Any) -> Any:
    """The bits of an int64 as a uint64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return args[0]

    return types.uint64(types.int64), emit


@intrinsic
def acquire(typing: Any, address: Any, index: Any) -> Any:
    """Read a word that another thread publishes."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_slot(builder, *args), "acquire", 8)

    return types.int64(types.int64, types.int64), emit


@intrinsic
def release(typing: Any, address: Any, index: Any, value: Any) -> Any:
    """Publish a word, and with it all that was written before."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[2], _slot(builder, args[0], args[1]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit


@intrinsic
def exchange(typing: Any, address: Any, index: Any, expected: Any, value: Any) -> Any:
    """Replace a word if it is the expected one, atomically, and publish what was written before.
    Whether it was.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        slot = _slot(builder, args[0], args[1])
        pair = builder.cmpxchg(slot, args[2], args[3], "acq_rel", "acquire")
        return builder.extract_value(pair, 1)

    word = types.int64
    return types.boolean(word, word, word, word), emit


def _call(builder: Any, result: Any, address: Any, args: Any) -> Any:
    kind = ir.FunctionType(result, [I64] * len(args))
    return builder.call(builder.inttoptr(address, kind.as_pointer()), args)


@intrinsic
def call0(typing: Any, function: Any) -> Any:
    """Call a C function without arguments (sched_yield)."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _call(builder, ir.VoidType(), args[0], [])
        return context.get_dummy_value()

    return types.void(types.int64), emit


@intrinsic
def call2(typing: Any, function: Any, a: Any, b: Any) -> Any:
    """Call a C function of two words; its result is an int64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, I64, args[0], list(args[1:]))

    return types.int64(types.int64, types.int64, types.int64), emit


@intrinsic
def call3(typing: Any, function: Any, a: Any, b: Any, c: Any) -> Any:
    """Call a C function of three words; its result is an int64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, I64, args[0], list(args[1:]))

    word = types.int64
    return word(word, word, word, word), emit


@intrinsic
def call5(typing: Any, function: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """Call a C function of five words; its result is an int64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, I64, args[0], list(args[1:]))

    word = types.int64
    return word(word, word, word, word, word, word), emit


def _bucket(builder: Any, address: Any, bucket: Any) -> Any:
    line = ir.VectorType(I64, 8)
    pointer = builder.inttoptr(address, line.as_pointer())
    return builder.load(builder.gep(pointer, [bucket]), align=64)


def _splat(builder: Any, value: Any) -> Any:
    line = ir.VectorType(I64, 8)
    single = builder.insert_element(ir.Constant(line, ir.Undefined), value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8)
    return builder.shuffle_vector(single, ir.Constant(line, ir.Undefined), zeros)


def _mask(builder: Any, flags: Any) -> Any:
    return builder.zext(builder.bitcast(flags, ir.IntType(8)), I64)


@intrinsic
def matches(typing: Any, address: Any, bucket: Any, key: Any) -> Any:
    """Which of the eight words of a bucket (a cache line) equal a key: a mask."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        line = _bucket(builder, args[0], args[1])
        return _mask(builder, builder.icmp_unsigned("==", line, _splat(builder, args[2])))

    return types.int64(types.int64, types.int64, types.uint64), emit


@intrinsic
def known_and_free(typing: Any, address: Any, bucket: Any, key: Any) -> Any:
    """Which words of a bucket equal a key, and (from bit 8 on) which are zero, in one reading.

    Read twice, a word that another worker fills in between could be neither.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        line = _bucket(builder, args[0], args[1])
        known = _mask(builder, builder.icmp_unsigned("==", line, _splat(builder, args[2])))
        zero = ir.Constant(line.type, [0] * 8)
        free = _mask(builder, builder.icmp_unsigned("==", line, zero))
        return builder.or_(known, builder.shl(free, I64(8)))

    return types.int64(types.int64, types.int64, types.uint64), emit


@intrinsic
def matches_above(typing: Any, address: Any, bucket: Any, shift: Any, key: Any) -> Any:
    """Which of the eight words of a bucket equal a key in the bits from `shift` up: a mask."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        shifts = _splat(builder, args[2])
        line = builder.lshr(_bucket(builder, args[0], args[1]), shifts)
        key = builder.lshr(_splat(builder, args[3]), shifts)
        return _mask(builder, builder.icmp_unsigned("==", line, key))

    return types.int64(types.int64, types.int64, types.int64, types.uint64), emit


@intrinsic
def lowest(typing: Any, mask: Any) -> Any:
    """The number of the lowest bit set; the mask is not zero."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), emit


@intrinsic
def count_ones(typing: Any, mask: Any) -> Any:
    """The number of bits set in a uint64, as int64."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), emit
