"""How tasks share work (part ``i`` of ``n`` of a range), and parts of arrays.

Parts are cut without the checks of Python's slices, which take Numba longer to compile than a
kernel.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from ..table import CHUNK
from ._jit import exact

# numbers: whole cache lines, and whole rounds of vectorised loops, so that n never changes bits
BLOCK = 64
_I64 = ir.IntType(64)


@exact
def flat_part(i, n, size):
    """Bounds of a part that starts at a multiple of BLOCK."""
    blocks = (size + BLOCK - 1) // BLOCK
    return min(size, blocks * i // n * BLOCK), min(size, blocks * (i + 1) // n * BLOCK)


@exact
def chunk_part(i, n, size):
    """Bounds of a part that starts at a multiple of CHUNK."""
    chunks = (size + CHUNK - 1) // CHUNK
    return min(size, chunks * i // n * CHUNK), min(size, chunks * (i + 1) // n * CHUNK)


@exact
def end_of_chunk(a, b):
    """Where the chunk of place a ends, b at the latest."""
    return min(b, (a // CHUNK + 1) * CHUNK)


@exact
def sum_of_segment(sums, start, size, k):
    """Sum over the chunks of segment k, whose parts lie at place ``chunk + k`` of `sums`."""
    total = 0.0
    if size > 0:
        for c in range(start // CHUNK + k, (start + size - 1) // CHUNK + k + 1):
            total += sums[c]
    return total


@exact
def row_part(i, n, rows):
    """Bounds of a part that starts anywhere."""
    return rows * i // n, rows * (i + 1) // n


def _cut(context, builder, array_type, array, offset, result, shape):
    """An array of the given type and shape whose first number is the one at an offset."""
    base = context.make_array(array_type)(context, builder, array).data
    itemsize = ir.Constant(_I64, context.get_abi_sizeof(context.get_data_type(result.dtype)))
    strides = [itemsize]
    for extent in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], extent))
    part = context.make_array(result)(context, builder)
    populate_array(
        part,
        data=builder.gep(base, [offset]),
        shape=shape,
        strides=strides,
        itemsize=itemsize,
        meminfo=None,
    )
    return part._getvalue()


@intrinsic
def piece(typingctx, x, lo, hi):
    """x[lo:hi] of a flat array, which must reach that far."""

    def codegen(context, builder, sig, args):
        x, lo, hi = args
        return _cut(context, builder, sig.args[0], x, lo, sig.return_type, [builder.sub(hi, lo)])

    return x(x, types.int64, types.int64), codegen


@intrinsic
def pieces(typingctx, arrays, lo, hi):
    """x[lo:hi] of each flat array of a tuple."""

    def codegen(context, builder, sig, args):
        arrays, lo, hi = args
        size = builder.sub(hi, lo)
        cut = [
            _cut(context, builder, kind, builder.extract_value(arrays, k), lo, kind, [size])
            for k, kind in enumerate(sig.args[0])
        ]
        return context.make_tuple(builder, sig.return_type, cut)

    return arrays(arrays, types.int64, types.int64), codegen


@intrinsic
def row_piece(typingctx, x, r, lo, hi):
    """x[r, lo:hi] of a matrix."""
    result = types.Array(x.dtype, 1, "C")

    def codegen(context, builder, sig, args):
        x, r, lo, hi = args
        columns = builder.extract_value(
            context.make_array(sig.args[0])(context, builder, x).shape, 1
        )
        offset = builder.add(builder.mul(r, columns), lo)
        return _cut(context, builder, sig.args[0], x, offset, result, [builder.sub(hi, lo)])

    return result(x, types.int64, types.int64, types.int64), codegen


@intrinsic
def row(typingctx, x, r):
    """x[r] of a matrix."""
    result = types.Array(x.dtype, 1, "C")

    def codegen(context, builder, sig, args):
        x, r = args
        columns = builder.extract_value(
            context.make_array(sig.args[0])(context, builder, x).shape, 1
        )
        offset = builder.mul(r, columns)
        return _cut(context, builder, sig.args[0], x, offset, result, [columns])

    return result(x, types.int64), codegen


@intrinsic
def rows_piece(typingctx, x, lo, hi):
    """x[lo:hi] of a matrix."""

    def codegen(context, builder, sig, args):
        x, lo, hi = args
        columns = builder.extract_value(
            context.make_array(sig.args[0])(context, builder, x).shape, 1
        )
        shape = [builder.sub(hi, lo), columns]
        return _cut(
            context, builder, sig.args[0], x, builder.mul(lo, columns), sig.return_type, shape
        )

    return x(x, types.int64, types.int64), codegen


@intrinsic
def flat(typingctx, x):
    """All numbers of a matrix as a flat array."""
    result = types.Array(x.dtype, 1, "C")

    def codegen(context, builder, sig, args):
        shape = context.make_array(sig.args[0])(context, builder, args[0]).shape
        size = builder.mul(builder.extract_value(shape, 0), builder.extract_value(shape, 1))
        zero = ir.Constant(_I64, 0)
        return _cut(context, builder, sig.args[0], args[0], zero, result, [size])

    return result(x), codegen
