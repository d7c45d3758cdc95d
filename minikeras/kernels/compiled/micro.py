"""The micro-kernel of all matrix products: one tile of C, held in vector registers.

It is written in LLVM's own language, because no compiler keeps a tile of accumulators in registers
from plain loops (those reach a third of the speed)::

    C[crows[i] + j] = flags( sum_k A[rows[i] + kofs[k]] * B[k * ldb + j] )     i < height, j < columns

A and C are addressed through tables of offsets. With ``rows = i * lda, kofs = k`` A is a matrix; with
the tables exchanged it is its transpose; with the offsets of pixels and filter taps the product is a
convolution, and with the tables exchanged its gradient. B is row-major, or packed in panels.

Each element is one chain of fused multiply-adds in the order of k, whatever the tile that it is part
of: tiles, blocks and threads can be chosen freely without changing a bit.
"""

from dataclasses import dataclass

from llvmlite import ir
from numba import types

from ._engine import Target
from ._jit import IR_MAKERS, PREFIX, external
from .vectors import Vectors

ADD, BIAS, RELU = 1, 2, 4  # flags: add what C holds; add a row of biases; clip at zero

_I1, _I64 = ir.IntType(1), ir.IntType(64)
_NAMES = f"{PREFIX}micro."


@dataclass(frozen=True)
class Tile:
    """A micro-kernel: float type, rows, and columns in vectors.

    Attributes:
        floats: ``"float32"`` or ``"float64"``.
        rows: rows of the tile; fewer are computed by repeating table entries and storing less.
        vectors: vector registers per row.
    """

    floats: str
    rows: int
    vectors: int

    @property
    def symbol(self) -> str:
        return f"{_NAMES}{self.floats}.{self.rows}x{self.vectors}"

    def function(self):
        """The micro-kernel for use in kernels; takes int64 addresses and counts, see `micro_kernel`."""
        return external(self.symbol, types.void(*[types.int64] * 12))


def micro_kernel(tile: Tile, target: Target) -> str:
    """LLVM IR of a tile's function.

    ``void (A, rows, kofs, kn, B, ldb, C, crows, height, columns, flags, bias)``, all int64: arrays are
    addresses, tables hold int64 offsets counted in numbers, and ``bias`` points to the tile's first
    column. Tables have an entry for each row of the tile; those beyond ``height`` repeat a valid one.
    """
    module = ir.Module(tile.symbol)
    v = Vectors(module, tile.floats, target)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * 12), tile.symbol)
    function.attributes.add("noinline")
    a, rows, kofs, kn, b, ldb, c, crows, height, columns, flags, bias = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    a, b, c, bias = [v.numbers(builder, x) for x in (a, b, c, bias)]
    rows, kofs, crows = [builder.inttoptr(x, _I64.as_pointer()) for x in (rows, kofs, crows)]
    starts = [builder.gep(a, [_entry(builder, rows, _I64(i))]) for i in range(tile.rows)]
    first = _biases(builder, v, tile.vectors, columns, flags, bias)
    targets = [builder.gep(c, [_entry(builder, crows, _I64(i))]) for i in range(tile.rows)]
    sums = _product(builder, v, first, starts, kofs, kn, b, ldb)
    full = builder.and_(
        builder.icmp_signed(">=", columns, _I64(tile.vectors * v.width)),
        builder.icmp_signed(">=", height, _I64(tile.rows)),
    )
    with builder.if_else(full, likely=True) as (whole, part):
        with whole:
            _finish(builder, v, sums, targets, [None] * tile.vectors, flags)
        with part:
            masks = _masks(builder, v, tile.vectors, columns)
            _finish(builder, v, sums, targets, masks, flags, height)
    builder.ret_void()
    return str(module)


def _entry(builder, table, index):
    return builder.load(builder.gep(table, [index]), align=8)


def _has(builder, flags, flag):
    return builder.icmp_signed("!=", builder.and_(flags, _I64(flag)), _I64(0))


def _when(builder, condition, make, otherwise):
    """The values of ``make()`` where a condition holds, else others; both lists of rows."""
    before = builder.block
    with builder.if_then(condition):
        values = make()
        inside = builder.block
    return [
        [_phi(builder, x, inside, y, before) for x, y in zip(row, other, strict=True)]
        for row, other in zip(values, otherwise, strict=True)
    ]


def _phi(builder, x, from_x, y, from_y):
    result = builder.phi(x.type)
    result.add_incoming(x, from_x)
    result.add_incoming(y, from_y)
    return result


def _masks(builder, v, vectors, columns):
    """For each vector of a row, the lanes that lie left of ``columns``."""
    return [v.first(builder, builder.sub(columns, _I64(j * v.width))) for j in range(vectors)]


def _biases(builder, v, vectors, columns, flags, bias):
    """What the sums of each row start from: the biases, or zeros."""

    def load():
        places = [v.at(builder, bias, _I64(j * v.width)) for j in range(vectors)]
        masks = _masks(builder, v, vectors, columns)
        return [[v.load(builder, p, mask) for p, mask in zip(places, masks, strict=True)]]

    return _when(builder, _has(builder, flags, BIAS), load, [[v.zero] * vectors])[0]


class _Loop:
    """A loop over k that carries k, the row of B and the sums; see `_product`."""

    def __init__(self, builder, k, row, sums):
        self.builder, self.before = builder, builder.block
        self.block = builder.function.append_basic_block("loop")
        self.done = builder.function.append_basic_block("done")
        self.start = [k, row, *[x for cells in sums for x in cells]]
        self.shape = [len(cells) for cells in sums]

    def run(self, limit, step, body):
        """Repeat while ``k + step <= limit``; the carried values after the loop."""
        builder = self.builder
        enter = builder.icmp_signed("<=", builder.add(self.start[0], _I64(step)), limit)
        builder.cbranch(enter, self.block, self.done)
        builder.position_at_end(self.block)
        carried = [builder.phi(x.type) for x in self.start]
        after = body(*self._unflatten(carried))
        again = builder.icmp_signed("<=", builder.add(after[0], _I64(step)), limit)
        builder.cbranch(again, self.block, self.done)
        flat = [after[0], after[1], *[x for cells in after[2] for x in cells]]
        for value, start, new in zip(carried, self.start, flat, strict=True):
            value.add_incoming(start, self.before)
            value.add_incoming(new, self.block)
        builder.position_at_end(self.done)
        ends = [
            _phi(builder, new, self.block, start, self.before)
            for new, start in zip(flat, self.start, strict=True)
        ]
        return self._unflatten(ends)

    def _unflatten(self, values):
        rest = iter(values[2:])
        return values[0], values[1], [[next(rest) for _ in range(n)] for n in self.shape]


def _product(builder, v, first, starts, kofs, kn, b, ldb):
    """Sums over k of all rows; leaves the builder after the loops."""

    def step(k, row, sums):
        offset = _entry(builder, kofs, k)
        factors = [v.load(builder, v.at(builder, row, _I64(j * v.width))) for j in range(len(first))]
        new = []
        for start, cells in zip(starts, sums, strict=True):
            x = v.splat(builder, builder.load(builder.gep(start, [offset]), align=v.size))
            new.append([v.fma(builder, x, y, z) for y, z in zip(factors, cells, strict=True)])
        return builder.add(k, _I64(1)), builder.gep(row, [ldb]), new

    state = _I64(0), b, [first for _ in starts]
    state = _Loop(builder, *state).run(kn, 2, lambda *now: step(*step(*now)))
    return _Loop(builder, *state).run(kn, 1, step)[2]


def _finish(builder, v, sums, targets, masks, flags, height=None) -> None:
    """From the sums in registers to C; with a height, only that many rows."""
    places = [[v.at(builder, t, _I64(j * v.width)) for j in range(len(masks))] for t in targets]

    def added():
        return [
            [
                builder.fadd(v.load(builder, place, mask), x)
                for x, place, mask in zip(row, spots, masks, strict=True)
            ]
            for row, spots in zip(sums, places, strict=True)
        ]

    def clipped():
        return [[_relu(builder, v, x) for x in row] for row in sums]

    sums = _when(builder, _has(builder, flags, ADD), added, sums)
    sums = _when(builder, _has(builder, flags, RELU), clipped, sums)
    for i, (row, spots) in enumerate(zip(sums, places, strict=True)):
        stored = builder.icmp_signed(">", height, _I64(i)) if height else _I1(1)
        with builder.if_then(stored):
            for x, place, mask in zip(row, spots, masks, strict=True):
                v.store(builder, x, place, mask)


def _relu(builder, v, x):
    """The larger of 0 and x, and x where it is NaN."""
    return builder.select(builder.fcmp_ordered(">", v.zero, x), v.zero, x)


def _make(symbol: str, target: Target) -> str:
    floats, shape = symbol.removeprefix(_NAMES).split(".")
    rows, vectors = shape.split("x")
    return micro_kernel(Tile(floats, int(rows), int(vectors)), target)


IR_MAKERS[_NAMES] = _make
