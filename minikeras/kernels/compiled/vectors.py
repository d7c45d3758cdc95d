"""Vectors as wide as the CPU's registers, for code that LLVM would not vectorise by itself."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ._engine import Target
from ._jit import current_target

_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
_BITS = {"float32": 32, "float64": 64}


def lanes(target: Target, floats: str) -> int:
    """Numbers per vector register."""
    return target.vector_bytes * 8 // _BITS[floats]


class Vectors:
    """Vector types and operations of one float type on one target."""

    def __init__(self, module: ir.Module, floats: str, target: Target):
        self.width, self.size = lanes(target, floats), _BITS[floats] // 8
        self.scalar = ir.FloatType() if floats == "float32" else ir.DoubleType()
        self.vector = ir.VectorType(self.scalar, self.width)
        self.mask = ir.VectorType(_I1, self.width)
        self.pointer = self.vector.as_pointer()
        suffix = f"v{self.width}f{_BITS[floats]}"
        vector, mask = self.vector, self.mask
        self._fma = _declare(module, f"llvm.fma.{suffix}", vector, [vector] * 3)
        self._load = _declare(
            module, f"llvm.masked.load.{suffix}.p0", vector, [self.pointer, _I32, mask, vector]
        )
        self._store = _declare(
            module,
            f"llvm.masked.store.{suffix}.p0",
            ir.VoidType(),
            [vector, self.pointer, _I32, mask],
        )
        self.zero = ir.Constant(vector, None)

    def numbers(self, builder, address):
        """Pointer to numbers from an integer address."""
        return builder.inttoptr(address, self.scalar.as_pointer())

    def at(self, builder, base, offset):
        """Pointer to the vector ``offset`` numbers after ``base``."""
        return builder.bitcast(builder.gep(base, [offset]), self.pointer)

    def splat(self, builder, value, kind=None):
        kind = kind or self.vector
        undefined = ir.Constant(kind, ir.Undefined)
        first = builder.insert_element(undefined, value, _I32(0))
        zeros = ir.Constant(ir.VectorType(_I32, self.width), [0] * self.width)
        return builder.shuffle_vector(first, undefined, zeros)

    def first(self, builder, count):
        """Mask of the first ``count`` lanes; all or none beyond the ends."""
        kind = ir.VectorType(_I64, self.width)
        numbers = ir.Constant(kind, list(range(self.width)))
        return builder.icmp_signed("<", numbers, self.splat(builder, count, kind))

    def fma(self, builder, x, y, z):
        return builder.call(self._fma, [x, y, z])

    def load(self, builder, pointer, mask=None):
        if mask is None:
            return builder.load(pointer, align=self.size)
        return builder.call(self._load, [pointer, _I32(self.size), mask, self.zero])

    def prefetch(self, builder, pointer, level):
        """Ask for the cache line at an address, which need not be valid, into cache 1 or 2."""
        kind = ir.FunctionType(ir.VoidType(), [self.pointer, _I32, _I32, _I32])
        name = "llvm.prefetch.p0"
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        builder.call(function, [pointer, _I32(0), _I32(4 - level), _I32(1)])

    def store(self, builder, value, pointer, mask=None):
        if mask is None:
            builder.store(value, pointer, align=self.size)
        else:
            builder.call(self._store, [value, pointer, _I32(self.size), mask])


def _declare(module, name, result, arguments):
    kind = ir.FunctionType(result, arguments)
    return cgutils.get_or_insert_function(module, kind, name)


def make_transpose(T):
    """``transpose(source, source_pitch, rows, target, target_pitch)``: a square of vectors.

    ``target[j][i] = source[min(i, rows - 1)][j]``: log2(width) rounds of shuffles in registers.
    Addresses and pitches in bytes.
    """

    @intrinsic
    def transpose(typingctx, source, source_pitch, rows, target, target_pitch):
        def codegen(context, builder, sig, args):
            v = Vectors(builder.module, T.name, current_target())
            source, source_pitch, count, target, target_pitch = args
            last = builder.sub(count, _I64(1))

            def row(i):
                number = builder.select(builder.icmp_signed("<", _I64(i), count), _I64(i), last)
                start = builder.add(source, builder.mul(source_pitch, number))
                return v.load(builder, builder.inttoptr(start, v.pointer))

            for i, value in enumerate(_shuffle(builder, v, [row(i) for i in range(v.width)])):
                start = builder.add(target, builder.mul(target_pitch, _I64(i)))
                v.store(builder, value, builder.inttoptr(start, v.pointer))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 5), codegen

    return transpose


def _shuffle(builder, v, rows):
    """Rows of a square to its columns."""
    half = v.width // 2
    kind = ir.VectorType(_I32, v.width)
    low = ir.Constant(kind, [x for i in range(half) for x in (i, v.width + i)])
    high = ir.Constant(kind, [x for i in range(half, v.width) for x in (i, v.width + i)])
    for _ in range(v.width.bit_length() - 1):
        rows = [
            builder.shuffle_vector(rows[i], rows[i + half], order)
            for i in range(half)
            for order in (low, high)
        ]
    return rows


def make_copy(T, count: int):
    """``copy(source, target)`` of that many numbers between addresses, as one vector."""

    @intrinsic
    def copy(typingctx, source, target):
        def codegen(context, builder, sig, args):
            kind = ir.VectorType(context.get_data_type(T), count).as_pointer()
            align = T.bitwidth // 8
            value = builder.load(builder.inttoptr(args[0], kind), align=align)
            builder.store(value, builder.inttoptr(args[1], kind), align=align)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return copy


def make_copy_first(T, vectors: int):
    """``copy(source, target, count)``: that many numbers, and zeros to fill so many vectors."""

    @intrinsic
    def copy(typingctx, source, target, count):
        def codegen(context, builder, sig, args):
            v = Vectors(builder.module, T.name, current_target())
            start, end = v.numbers(builder, args[0]), v.numbers(builder, args[1])
            for offset in [_I64(j * v.width) for j in range(vectors)]:
                mask = v.first(builder, builder.sub(args[2], offset))
                value = v.load(builder, v.at(builder, start, offset), mask)
                v.store(builder, value, v.at(builder, end, offset))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), codegen

    return copy


def make_fma(T):
    """``fma(x, y, z)`` = x y + z, rounded once; loops of it are vectorised."""

    @intrinsic
    def fma(typingctx, x, y, z):
        def codegen(context, builder, sig, args):
            return builder.fma(*args)

        return T(T, T, T), codegen

    return fma
