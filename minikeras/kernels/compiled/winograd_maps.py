"""The linear maps of Winograd's convolution, on vectors of channels held in registers.

A tile of 4 x 4 pixels is convolved with 3 x 3 weights through six points on each axis instead of
twelve products (Winograd, 1980; Lavin and Gray, 2016, arXiv:1509.09308)::

    y = A' [ (G w G') * (B' x B) ] A        dw = G' [ (A dy A') * (B' x B) ] G

The points are 0, +-3/4, +-3/2 and infinity: of all with few bits they lose the least precision
(about a third of the error of the usual 0, +-1, +-2).

Each map is a function ``(source, row, column, target, row, column, count, bias, flags)`` of int64:
addresses, steps between the rows and columns of the source's and of the target's squares, counting
numbers, and how many numbers (channels) lie side by side at each place of them.
"""

from llvmlite import ir
from numba import types

from ._engine import Target
from ._jit import IR_MAKERS, PREFIX, external
from .micro import BIAS, RELU
from .vectors import Vectors

TILE, TAPS, POINTS = 4, 3, 6  # pixels of the target, weights and points along an axis
_NAMES = f"{PREFIX}winograd."
_I64 = ir.IntType(64)
_A, _B = 3 / 4, 3 / 2  # the points
_A2, _B2 = _A * _A, _B * _B
_N0, _NA, _NB = _A2 * _B2, 2 * _A2 * (_A2 - _B2), 2 * _B2 * (_B2 - _A2)

SIDES = {  # sides of the squares that a map takes and gives
    "input": (POINTS, POINTS),
    "output": (POINTS, TILE),
    "weights": (TAPS, POINTS),
    "slopes": (TILE, POINTS),
    "sums": (POINTS, TAPS),
}


def linear_map(kind: str, floats: str):
    """A map for use in kernels."""
    return external(f"{_NAMES}{floats}.{kind}", types.void(*[types.int64] * 9))


class _Arithmetic:
    """Vectors with operators: what the maps are written in."""

    def __init__(self, builder, v: Vectors):
        self.builder, self.v = builder, v

    def constant(self, number: float):
        return ir.Constant(self.v.vector, [number] * self.v.width)

    def mix(self, x, factor, y):
        """x + factor y"""
        return self.v.fma(self.builder, self.constant(factor), y, x)

    def scaled(self, factor, x):
        return self.builder.fmul(self.constant(factor), x)

    def both(self, x, y):
        """x + y and x - y"""
        return self.builder.fadd(x, y), self.builder.fsub(x, y)


def _input(m: _Arithmetic, d) -> list:
    """B': from the values of pixels to those at the points."""
    first = m.mix(m.mix(d[4], -(_A2 + _B2), d[2]), _N0, d[0])
    last = m.mix(m.mix(d[5], -(_A2 + _B2), d[3]), _N0, d[1])
    pairs = []
    for point, square in ((_A, _B2), (_B, _A2)):
        even, odd = m.mix(d[4], -square, d[2]), m.mix(d[3], -square, d[1])
        pairs += [m.mix(even, point, odd), m.mix(even, -point, odd)]
    return [first, *pairs, last]


def _output(m: _Arithmetic, t) -> list:
    """A': from the points to pixels."""
    p, q = m.both(t[1], t[2])
    r, s = m.both(t[3], t[4])
    add = m.builder.fadd
    return [
        add(add(t[0], p), r),
        m.mix(m.scaled(_A, q), _B, s),
        m.mix(m.scaled(_A2, p), _B2, r),
        m.mix(m.mix(t[5], _A * _A2, q), _B * _B2, s),
    ]


def _weights(m: _Arithmetic, w) -> list:
    """G: from the weights to the points."""
    pairs = []
    for point, norm in ((_A, _NA), (_B, _NB)):
        even = m.mix(m.scaled(1 / norm, w[0]), point * point / norm, w[2])
        pairs += [m.mix(even, point / norm, w[1]), m.mix(even, -point / norm, w[1])]
    return [m.scaled(1 / _N0, w[0]), *pairs, w[2]]


def _slopes(m: _Arithmetic, g) -> list:
    """A, the transpose of `_output`."""
    pairs = []
    for point in (_A, _B):
        even = m.mix(g[0], point**2, g[2])
        odd = m.mix(m.scaled(point, g[1]), point**3, g[3])
        pairs += m.both(even, odd)
    return [g[0], *pairs, g[3]]


def _sums(m: _Arithmetic, t) -> list:
    """G', the transpose of `_weights`."""
    p, q = m.both(t[1], t[2])
    r, s = m.both(t[3], t[4])
    return [
        m.mix(m.mix(m.scaled(1 / _N0, t[0]), 1 / _NA, p), 1 / _NB, r),
        m.mix(m.scaled(_A / _NA, q), _B / _NB, s),
        m.mix(m.mix(t[5], _A2 / _NA, p), _B2 / _NB, r),
    ]


_MAPS = {
    "input": _input,
    "output": _output,
    "weights": _weights,
    "slopes": _slopes,
    "sums": _sums,
}


class _Square:
    """Emits one map: its loop over the channels, a vector at a time, the last one masked."""

    def __init__(self, kind: str, v: Vectors, function: ir.Function):
        self.kind, self.v = kind, v
        self.taken, self.given = SIDES[kind]
        self.builder = builder = ir.IRBuilder(function.append_basic_block("entry"))
        source, self.row, self.column, target, self.row_to, self.column_to = function.args[:6]
        self.count, bias, flags = function.args[6:]
        self.source, self.target, self.bias = (
            v.numbers(builder, address) for address in (source, target, bias)
        )
        self.has = {
            flag: builder.icmp_signed("!=", builder.and_(flags, _I64(flag)), _I64(0))
            for flag in (BIAS, RELU)
        }

    def emit(self) -> None:
        builder, width = self.builder, _I64(self.v.width)
        whole = builder.and_(self.count, _I64(-self.v.width))
        before, loop = builder.block, builder.function.append_basic_block("loop")
        after = builder.function.append_basic_block("after")
        builder.cbranch(builder.icmp_signed(">", whole, _I64(0)), loop, after)
        builder.position_at_end(loop)
        at = builder.phi(_I64)
        self._map(at, None)
        further = builder.add(at, width)
        at.add_incoming(_I64(0), before)
        at.add_incoming(further, builder.block)
        builder.cbranch(builder.icmp_signed("<", further, whole), loop, after)
        builder.position_at_end(after)
        rest = builder.sub(self.count, whole)
        with builder.if_then(builder.icmp_signed(">", rest, _I64(0))):
            self._map(whole, self.v.first(builder, rest))
        builder.ret_void()

    def _map(self, at, mask) -> None:
        """The map of the vector that begins `at` numbers from the first."""
        m, apply = _Arithmetic(self.builder, self.v), _MAPS[self.kind]
        columns = [
            apply(m, [self._load(at, i, j, mask) for i in range(self.taken)])
            for j in range(self.taken)
        ]
        for i in range(self.given):
            row = apply(m, [column[i] for column in columns])
            for j, value in enumerate(row):
                self._store(self._finished(value, at, mask), at, i, j, mask)

    def _place(self, base, row, column, at, i, j):
        builder = self.builder
        step = builder.add(builder.mul(row, _I64(i)), builder.mul(column, _I64(j)))
        return self.v.at(builder, base, builder.add(at, step))

    def _load(self, at, i, j, mask):
        place = self._place(self.source, self.row, self.column, at, i, j)
        return self.v.load(self.builder, place, mask)

    def _store(self, value, at, i, j, mask) -> None:
        place = self._place(self.target, self.row_to, self.column_to, at, i, j)
        self.v.store(self.builder, value, place, mask)

    def _finished(self, value, at, mask):
        """With the bias, and clipped at zero (NaN stays), where the flags say so."""
        if self.kind != "output":
            return value
        builder, v = self.builder, self.v
        before = builder.block
        with builder.if_then(self.has[BIAS]):
            added = builder.fadd(value, v.load(builder, v.at(builder, self.bias, at), mask))
            inside = builder.block
        total = builder.phi(v.vector)
        total.add_incoming(value, before)
        total.add_incoming(added, inside)
        negative = builder.fcmp_ordered(">", v.zero, total)
        limit = builder.select(self.has[RELU], v.zero, total)
        return builder.select(negative, limit, total)


def _make(symbol: str, target: Target) -> str:
    floats, kind = symbol.removeprefix(_NAMES).split(".")
    module = ir.Module(symbol)
    v = Vectors(module, floats, target)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * 9), symbol)
    function.attributes.add("noinline")
    _Square(kind, v, function).emit()
    return str(module)


IR_MAKERS[_NAMES] = _make
