"""Vectors of the register width of the CPU at hand, for code that LLVM would not vectorise by itself."""

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


def _moving(codegen):
    """Intrinsic ``(T) -> move(source, pitch, target, pitch)``: addresses and bytes, as int64."""

    def make(T):
        @intrinsic
        def move(typingctx, source, source_pitch, target, target_pitch):
            def generate(context, builder, sig, args):
                codegen(Vectors(builder.module, T.name, current_target()), builder, *args)
                return context.get_dummy_value()

            return types.void(*[types.int64] * 4), generate

        return move

    make.__doc__ = codegen.__doc__
    return make


@_moving
def make_transpose(v, builder, source, source_pitch, target, target_pitch):
    """``target[j][i] = source[i][j]`` for a square of vectors: log2(width) rounds of shuffles."""

    def row(address, pitch, i):
        start = builder.add(address, builder.mul(pitch, _I64(i)))
        return builder.inttoptr(start, v.pointer)

    rows = [v.load(builder, row(source, source_pitch, i)) for i in range(v.width)]
    half = v.width // 2
    kind = ir.VectorType(_I32, v.width)
    low = ir.Constant(kind, [x for i in range(half) for x in (i, v.width + i)])
    high = ir.Constant(kind, [x for i in range(half, v.width) for x in (i, v.width + i)])
    rounds = v.width.bit_length() - 1
    for _ in range(rounds):
        rows = [
            builder.shuffle_vector(rows[i], rows[i + half], order)
            for i in range(half)
            for order in (low, high)
        ]
    for i, value in enumerate(rows):
        v.store(builder, value, row(target, target_pitch, i))


def make_copy(T, count: int):
    """``copy(source, target)`` of that many numbers between addresses, as one vector."""

    @intrinsic
    def copy(typingctx, source, target):
        def codegen(context, builder, sig, args):
            scalar = ir.FloatType() if T is types.float32 else ir.DoubleType()
            kind = ir.VectorType(scalar, count).as_pointer()
            align = T.bitwidth // 8
            value = builder.load(builder.inttoptr(args[0], kind), align=align)
            builder.store(value, builder.inttoptr(args[1], kind), align=align)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return copy
