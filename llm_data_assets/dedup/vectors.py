"""The few operations of the kernels that Numba has no words for, as LLVM instructions.

All are ordinary LLVM IR on vectors of a fixed length, which LLVM turns into whatever the machine
has (AVX-512, AVX2, NEON) with the same results everywhere. Loads need no alignment.

Numba's cache of a kernel knows the time stamp of the kernel's own file only. After a change here,
in `codepoints` or in another file whose functions or constants a kernel uses, remove the `.nbi`
files in `__pycache__`.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 16
_WORDS = ir.VectorType(ir.IntType(32), LANES)

BLOCK = 64
_SIXTEEN = ir.IntType(128)
_BYTES = ir.VectorType(ir.IntType(8), BLOCK)

# Round constants of SHA-1, for twenty rounds each (FIPS 180-4, section 4.2.1).
_ROUND_CONSTANTS = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)


@intrinsic
def load32(typing_context, data, at):  # type: ignore[no-untyped-def]
    """Four bytes of a uint8 array as a little-endian uint32."""
    return types.uint32(data, types.uintp), _loader(ir.IntType(32))


@intrinsic
def load64(typing_context, data, at):  # type: ignore[no-untyped-def]
    """Eight bytes of a uint8 array as a little-endian uint64."""
    return types.uint64(data, types.uintp), _loader(ir.IntType(64))


@intrinsic
def prefetch(typing_context, data, at):  # type: ignore[no-untyped-def]
    """Begin to load the element `at` of an array; one that it does not have is no error.

    A core looks some hundred instructions ahead for what to load; it waits for what lies further.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), pointer)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        called = builder.module.declare_intrinsic("llvm.prefetch", (pointer,), kind)
        # To be read, to stay in all caches, and no code.
        builder.call(called, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(data, types.uintp), generate


@intrinsic
def trailing_zeros(typing_context, bits):  # type: ignore[no-untyped-def]
    """Position of the lowest set bit of a uint64; 64 where none is set."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.int64(types.uint64), generate


@intrinsic
def count_ones(typing_context, bits):  # type: ignore[no-untyped-def]
    """How many bits of a uint64 are set."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@intrinsic
def fold_ascii(typing_context, text, at, wide, to):  # type: ignore[no-untyped-def]
    """Fold a block of ASCII: letters to lower case, digits as they are, spaces for the rest.

    Args:
        text: uint8[...], of which BLOCK bytes from `at` on are read.
        wide: uint8[...], of which BLOCK bytes from `to` on are written; those after the first byte
            that is not ASCII mean nothing.

    Returns:
        uint64, a bit set for each byte that is not ASCII.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        byte = _block(context, builder, signature.args[0], arguments[0], arguments[1])
        is_upper = _between(builder, byte, "A", "Z")
        lower = builder.select(is_upper, builder.or_(byte, _each(0x20)), byte)
        is_word = builder.or_(_between(builder, lower, "a", "z"), _between(builder, byte, "0", "9"))
        folded = builder.select(is_word, lower, _each(0x20))
        builder.store(folded, _block_at(context, builder, signature.args[2], *arguments[2:]), 1)
        return _bits(builder, builder.icmp_signed("<", byte, _each(0)))

    return types.uint64(text, types.uintp, wide, types.uintp), generate


@intrinsic
def word_bits(typing_context, wide, at):  # type: ignore[no-untyped-def]
    """uint64, a bit set for each of the BLOCK bytes from `at` on that is not a space."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        byte = _block(context, builder, signature.args[0], *arguments)
        return _bits(builder, builder.icmp_unsigned("!=", byte, _each(0x20)))

    return types.uint64(wide, types.uintp), generate


@intrinsic
def copy_16(typing_context, data, at, out, to):  # type: ignore[no-untyped-def]
    """Sixteen bytes of a uint8 array into another that does not overlap it."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        loaded = _loader(_SIXTEEN)(context, builder, signature, arguments)
        array = context.make_array(signature.args[2])(context, builder, arguments[2])
        place = builder.bitcast(builder.gep(array.data, [arguments[3]]), _SIXTEEN.as_pointer())
        builder.store(loaded, place, 1)
        return context.get_dummy_value()

    return types.void(data, types.uintp, out, types.uintp), generate


@intrinsic
def lower_minima(typing_context, values, count, a, b, minima, at):  # type: ignore[no-untyped-def]
    """Lower LANES minima to the least `a * value + b` (modulo 2^32) of the first values.

    One loop with the lanes' a, b and minimum in registers: what the compiler makes of the same
    loop in Python keeps the minima in memory, at half the speed.

    Args:
        values: uint32[...], of which `count` are read.
        a, b, minima: uint32[...], of which LANES from `at` on are used; minima are changed.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        def data(i: int) -> Any:
            return context.make_array(signature.args[i])(context, builder, arguments[i]).data

        def lanes(i: int) -> Any:
            return builder.bitcast(builder.gep(data(i), [arguments[5]]), _WORDS.as_pointer())

        factor, addend, before = (builder.load(lanes(i), align=4, typ=_WORDS) for i in (2, 3, 4))
        values_data, zero = data(0), ir.Constant(ir.IntType(64), 0)
        entry = builder.block
        loop = builder.append_basic_block("values")
        done = builder.append_basic_block("done")
        builder.cbranch(builder.icmp_signed(">", arguments[1], zero), loop, done)

        builder.position_at_end(loop)
        i, least = builder.phi(zero.type), builder.phi(_WORDS)
        value = builder.load(builder.gep(values_data, [i]), align=4, typ=ir.IntType(32))
        product = builder.mul(factor, _spread(builder, value))
        permuted = builder.add(product, addend)
        is_less = builder.icmp_unsigned("<", permuted, least)
        lower = builder.select(is_less, permuted, least)
        after = builder.add(i, ir.Constant(zero.type, 1))
        i.add_incoming(zero, entry)
        i.add_incoming(after, loop)
        least.add_incoming(before, entry)
        least.add_incoming(lower, loop)
        builder.cbranch(builder.icmp_signed("<", after, arguments[1]), loop, done)

        builder.position_at_end(done)
        result = builder.phi(_WORDS)
        result.add_incoming(before, entry)
        result.add_incoming(lower, loop)
        builder.store(result, lanes(4), align=4)
        return context.get_dummy_value()

    return types.void(values, types.intp, a, b, minima, types.intp), generate


@intrinsic
def add_sha1_block(typing_context, data, places, rest, tail, before, after):  # type: ignore[no-untyped-def]
    """Pad one block of each lane's message and add its eighty rounds to the lane's state.

    Args:
        data: uint8[...], of which BLOCK bytes are read from each place on.
        places: int64[LANES], where each lane's block begins.
        rest: int32[LANES], bytes of the message from the block's begin on, at most BLOCK; negative
            where the message and its end marker lie before.
        tail: uint32[2, LANES], the last two words of a message's last block (its length in bits,
            high word first), zero in other blocks.
        before, after: uint32[5, LANES], the state; `after` is written and may be `before`.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        kinds = signature.args
        load_tail, _ = _rows(context, builder, kinds[3], arguments[3])
        load_state, _ = _rows(context, builder, kinds[4], arguments[4])
        _, store_state = _rows(context, builder, kinds[5], arguments[5])
        bytes_ = context.make_array(kinds[0])(context, builder, arguments[0]).data

        def lane_of(i: int, lane: int) -> Any:
            array = context.make_array(kinds[i])(context, builder, arguments[i]).data
            return builder.load(builder.gep(array, [ir.Constant(ir.IntType(64), lane)]))

        lanes = []
        for lane in range(LANES):
            place = builder.bitcast(builder.gep(bytes_, [lane_of(1, lane)]), _BYTES.as_pointer())
            block = builder.load(place, align=1, typ=_BYTES)
            lanes.append(_padded(builder, block, lane_of(2, lane)))
        words = _transposed(builder, lanes)
        words[14] = builder.or_(words[14], load_tail(0))
        words[15] = builder.or_(words[15], load_tail(1))
        loaded = [load_state(i) for i in range(5)]
        for i, value in enumerate(_sha1_rounds(builder, words, loaded)):
            store_state(builder.add(loaded[i], value), i)
        return context.get_dummy_value()

    return types.void(data, places, rest, tail, before, after), generate


def _loader(kind: ir.Type) -> Callable[..., Any]:
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), kind.as_pointer())
        return builder.load(place, align=1, typ=kind)

    return generate


def _block_at(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _BYTES.as_pointer())


def _block(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    return builder.load(_block_at(context, builder, kind, array, at), align=1, typ=_BYTES)


def _each(value: int) -> ir.Constant:
    return ir.Constant(_BYTES, [value] * BLOCK)


def _between(builder: Any, byte: Any, first: str, last: str) -> Any:
    above = builder.sub(byte, _each(ord(first)))
    return builder.icmp_unsigned("<=", above, _each(ord(last) - ord(first)))


def _bits(builder: Any, flags: Any) -> Any:
    return builder.bitcast(flags, ir.IntType(BLOCK))


def _rows(context: Any, builder: Any, kind: Any, argument: Any) -> tuple[Any, Any]:
    """(load, store) of row `i` of a contiguous array whose rows are LANES values."""
    data = context.make_array(kind)(context, builder, argument).data

    def place(i: int) -> Any:
        first = builder.gep(data, [ir.Constant(ir.IntType(64), LANES * i)])
        return builder.bitcast(first, _WORDS.as_pointer())

    def load(i: int) -> Any:
        return builder.load(place(i), align=4, typ=_WORDS)

    def store(value: Any, i: int) -> None:
        builder.store(value, place(i), align=4)

    return load, store


def _all(value: int) -> ir.Constant:
    return ir.Constant(_WORDS, [value] * LANES)


def _spread(builder: Any, value: Any) -> Any:
    """A vector of one value."""
    none = ir.Constant(_WORDS, ir.Undefined)
    first = builder.insert_element(none, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, none, _all(0))


def _rotated(builder: Any, value: Any, left: int) -> Any:
    return builder.or_(builder.shl(value, _all(left)), builder.lshr(value, _all(32 - left)))


def _padded(builder: Any, block: Any, rest: Any) -> Any:
    """A block's big-endian words: of the message, then its end marker (bit 1), then zero."""
    one = ir.Constant(ir.IntType(32), 0)
    none = ir.Constant(_BYTES, ir.Undefined)
    first = builder.insert_element(none, builder.trunc(rest, ir.IntType(8)), one)
    spread = builder.shuffle_vector(first, none, _order([0] * BLOCK))
    at = ir.Constant(_BYTES, list(range(BLOCK)))
    kept = builder.select(builder.icmp_signed("<", at, spread), block, _each(0))
    marked = builder.select(builder.icmp_signed("==", at, spread), _each(0x80), kept)
    swapped = builder.shuffle_vector(marked, none, _order([i ^ 3 for i in range(BLOCK)]))
    return builder.bitcast(swapped, _WORDS)


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """LANES vectors of LANES words: word i of vector j to word j of vector i, in four rounds."""
    for step in (1, 2, 4, 8):
        for i in range(LANES):
            if i & step:
                continue
            low, high = rows[i], rows[i | step]
            # A word whose number lacks the step's bit stays; the other half changes places.
            first = [j if not j & step else LANES + j - step for j in range(LANES)]
            second = [j + step if not j & step else LANES + j for j in range(LANES)]
            rows[i] = builder.shuffle_vector(low, high, _order(first))
            rows[i | step] = builder.shuffle_vector(low, high, _order(second))
    return rows


def _order(places: list[int]) -> ir.Constant:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)


def _sha1_rounds(builder: Any, words: list[Any], state: list[Any]) -> list[Any]:
    """The eighty rounds (FIPS 180-4, section 6.1.2)."""
    a, b, c, d, e = state
    for t in range(80):
        if t >= 16:
            mixed = builder.xor(words[t - 3], words[t - 8])
            mixed = builder.xor(mixed, builder.xor(words[t - 14], words[t - 16]))
            words.append(_rotated(builder, mixed, 1))
        if t < 20:  # choose
            f = builder.xor(d, builder.and_(b, builder.xor(c, d)))
        elif 40 <= t < 60:  # majority
            f = builder.or_(builder.and_(b, c), builder.and_(d, builder.or_(b, c)))
        else:  # parity
            f = builder.xor(builder.xor(b, c), d)
        # What the last round gave comes in last: the longest chain is a rotation and an addition.
        constant = builder.add(words[t], _all(_ROUND_CONSTANTS[t // 20]))
        waiting = builder.add(f, builder.add(e, constant))
        total = builder.add(_rotated(builder, a, 5), waiting)
        a, b, c, d, e = total, a, _rotated(builder, b, 30), c, d
    return [a, b, c, d, e]
