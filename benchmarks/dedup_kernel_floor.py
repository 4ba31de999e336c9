"""The permutation kernel beside the least that AVX2 can do for the same work.

The floor is a loop of nothing but the arithmetic, eight 32-bit lanes wide, written as LLVM
instructions with all permutations' minima in registers, four vectors at a time: multiply, add,
unsigned minimum. It reads each value from the first cache and stores nothing until the end.
"""

import time

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from llm_data_assets.dedup.kernels import take_minima

SHINGLES, NUM_PERM, DOCUMENTS = 400, 112, 20_000
LANES, HELD = 8, 4
_VECTOR = ir.VectorType(ir.IntType(32), LANES)


@intrinsic
def minima_avx2(typing_context, values, count, a, b, minima, at):
    def generate(context, builder, signature, arguments):
        def pointer(i, offset=0):
            data = context.make_array(signature.args[i])(context, builder, arguments[i]).data
            place = builder.add(arguments[5], ir.Constant(ir.IntType(64), offset))
            return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())

        values_data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        steps = [LANES * i for i in range(HELD)]
        factors = [builder.load(pointer(2, step), align=4, typ=_VECTOR) for step in steps]
        addends = [builder.load(pointer(3, step), align=4, typ=_VECTOR) for step in steps]
        before = [builder.load(pointer(4, step), align=4, typ=_VECTOR) for step in steps]
        entry, zero = builder.block, ir.Constant(ir.IntType(64), 0)
        loop, done = builder.append_basic_block("loop"), builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        i = builder.phi(zero.type)
        least = [builder.phi(_VECTOR) for _ in steps]
        value = builder.load(builder.gep(values_data, [i]), align=4, typ=ir.IntType(32))
        one = builder.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
        )
        spread = builder.shuffle_vector(one, one, ir.Constant(_VECTOR, [0] * LANES))
        after = []
        for factor, addend, minimum in zip(factors, addends, least, strict=True):
            permuted = builder.add(builder.mul(factor, spread), addend)
            is_less = builder.icmp_unsigned("<", permuted, minimum)
            after.append(builder.select(is_less, permuted, minimum))
        following = builder.add(i, ir.Constant(zero.type, 1))
        i.add_incoming(zero, entry)
        i.add_incoming(following, loop)
        for phi, start, end in zip(least, before, after, strict=True):
            phi.add_incoming(start, entry)
            phi.add_incoming(end, loop)
        builder.cbranch(builder.icmp_signed("<", following, arguments[1]), loop, done)
        builder.position_at_end(done)
        for step, end in zip(steps, after, strict=True):
            builder.store(end, pointer(4, step), align=4)
        return context.get_dummy_value()

    return types.void(values, types.intp, a, b, minima, types.intp), generate


@njit(nogil=True)
def floor(values, documents, a, b, minima):
    for _ in range(documents):
        for at in range(0, len(minima), LANES * HELD):
            minima_avx2(values, len(values), a, b, minima, at)


def kernel_and_floor() -> None:
    """Nanoseconds a document of 400 shingles, 112 permutations (padded to 128 for the floor's
    registers, and counted for 112)."""
    random = np.random.default_rng(1)
    hashes = random.integers(0, 1 << 63, SHINGLES * DOCUMENTS, np.uint64)
    offsets = np.arange(DOCUMENTS + 1) * SHINGLES
    a, b = random.integers(0, 1 << 32, (2, 128), np.uint32)
    out = np.empty((DOCUMENTS, NUM_PERM), np.uint32)
    values, minima = hashes[:SHINGLES].astype(np.uint32), np.full(128, 0xFFFFFFFF, np.uint32)
    ours, least = [], []
    floor(values, 1, a, b, minima)
    take_minima(hashes[:SHINGLES], offsets[:2], a[:NUM_PERM], b[:NUM_PERM], out[:1])
    for _ in range(5):
        started = time.process_time()
        take_minima(hashes, offsets, a[:NUM_PERM], b[:NUM_PERM], out)
        ours.append((time.process_time() - started) / DOCUMENTS)
        started = time.process_time()
        floor(values, DOCUMENTS, a, b, minima)
        least.append((time.process_time() - started) / DOCUMENTS * NUM_PERM / 128)
    print(
        f"permutation kernel, {SHINGLES} shingles x {NUM_PERM}: "
        f"{min(ours) * 1e6:.2f} us a document; "
        f"arithmetic alone in AVX2 {min(least) * 1e6:.2f} us: {min(ours) / min(least):.2f} x"
    )
