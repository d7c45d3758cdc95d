"""The micro-kernel of all matrix products: tiles of C, one by one, held in vector registers.

It is written in LLVM's own language, because no compiler keeps a tile of accumulators in registers
from plain loops (those reach a third of the speed)::

    C[crows[i] + j] = flags( sum_k A[rows[i] + kofs[k]] * B[k, j] )     i < height, j < columns

A and C are addressed through tables of offsets. With ``rows = i * lda, kofs = k`` A is a matrix;
with the tables exchanged it is its transpose; with the offsets of pixels and filter taps the
product is a convolution, and with the tables exchanged its gradient. B is packed into a panel as
wide as the tile. While a panel is used, the next one is packed: one row of B with every few k,
which costs nothing, because the arithmetic leaves the first-level cache time for it.

Each element is one chain of fused multiply-adds in the order of k, whatever the tile that it is in:
tiles, blocks and threads can be chosen freely without changing a bit.
"""

from dataclasses import dataclass

from llvmlite import ir
from numba import types

from ._engine import Target
from ._jit import IR_MAKERS, PREFIX, external
from .vectors import Vectors

ADD, BIAS, RELU = 1, 2, 4  # flags: add what C holds; start from a row of biases; clip at zero

_I1, _I64 = ir.IntType(1), ir.IntType(64)
_NAMES = f"{PREFIX}micro."
_AHEAD = 12  # rows of B between being fetched from far away and being packed
UNROLL = 4  # steps of k between two loop tests, and for each row of B that is packed


@dataclass(frozen=True)
class Tile:
    """A micro-kernel: float type, rows, and columns in vectors.

    Attributes:
        floats: ``"float32"`` or ``"float64"``.
        rows: rows of the tile.
        vectors: vector registers per row.
    """

    floats: str
    rows: int
    vectors: int

    @property
    def symbol(self) -> str:
        return f"{_NAMES}{self.floats}.{self.rows}x{self.vectors}"

    def function(self):
        """The micro-kernel for use in kernels: int64 addresses and counts, see `micro_kernel`."""
        return external(self.symbol, types.void(*[types.int64] * 14))


def micro_kernel(tile: Tile, target: Target) -> str:
    """LLVM IR of a tile's function.

    ``void (A, rows, kofs, kn, panel, C, crows, height, columns, flags, bias, B, pitch, slot)``, all
    int64: arrays are addresses, tables hold int64 offsets counting numbers, ``bias`` points to the
    first column's. ``height`` is any number of rows; the tables go on to a multiple of the tile's
    rows, with repetitions of a valid offset. Each of the first `UNROLL` tiles packs
    ``kn // UNROLL`` of the rows that lie ``pitch`` numbers apart from B on, for the next product,
    into the panel at ``slot``; a ``pitch`` of 0 means that there is nothing to pack.
    """
    module = ir.Module(tile.symbol)
    v = Vectors(module, tile.floats, target)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * 14), tile.symbol)
    function.attributes.add("noinline")
    _Sweep(tile, v, function).emit()
    return str(module)


class _Sweep:
    """Emits the code of one micro-kernel."""

    def __init__(self, tile: Tile, v: Vectors, function: ir.Function):
        self.tile, self.v = tile, v
        self.width = tile.vectors * v.width
        self.builder = builder = ir.IRBuilder(function.append_basic_block("entry"))
        a, rows, kofs, kn, panel, c, crows, height, columns, flags, bias, b, pitch, slot = (
            function.args
        )
        numbers = [v.numbers(builder, x) for x in (a, panel, c, bias, b, slot)]
        self.a, self.panel, self.c, self.bias, self.b, self.slot = numbers
        table = _I64.as_pointer()
        self.rows, self.kofs, self.crows = [builder.inttoptr(x, table) for x in (rows, kofs, crows)]
        self.kn, self.height, self.columns, self.pitch = kn, height, columns, pitch
        self.packs = builder.icmp_signed("!=", pitch, _I64(0))
        self.has = {
            flag: builder.icmp_signed("!=", builder.and_(flags, _I64(flag)), _I64(0))
            for flag in (ADD, BIAS, RELU)
        }

    def emit(self) -> None:
        """Biases once, then tile by tile."""
        builder = self.builder
        first = self._biases()
        wide = builder.icmp_signed(">=", self.columns, _I64(self.width))

        def tile(i):
            left = builder.sub(self.height, i)
            self._tile(i, first, left, wide)
            return [builder.add(i, _I64(self.tile.rows))]

        repeat(builder, [_I64(0)], lambda i: builder.icmp_signed("<", i, self.height), tile)
        builder.ret_void()

    def _tile(self, i, first, left, wide) -> None:
        builder, tile = self.builder, self.tile
        lines = range(tile.rows)
        starts = [builder.gep(self.a, [entry(builder, self.rows, i, r)]) for r in lines]
        sums = self._product(starts, first, self._share(i))
        targets = [builder.gep(self.c, [entry(builder, self.crows, i, r)]) for r in lines]
        full = builder.and_(wide, builder.icmp_signed(">=", left, _I64(tile.rows)))
        with builder.if_else(full, likely=True) as (whole, part):
            with whole:
                self._finish(sums, targets, [None] * tile.vectors)
            with part:
                self._finish(sums, targets, self._masks(), left)

    def _share(self, i):
        """The first of the rows that this tile packs, and its slot; a null slot for none."""
        builder = self.builder
        packs = builder.and_(self.packs, builder.icmp_signed("<", i, _I64(UNROLL * self.tile.rows)))
        number = builder.udiv(i, _I64(self.tile.rows))
        row = builder.mul(number, builder.lshr(self.kn, _I64(UNROLL.bit_length() - 1)))
        slot = builder.gep(self.slot, [builder.mul(row, _I64(self.width))])
        none = ir.Constant(slot.type, None)
        return builder.gep(self.b, [builder.mul(row, self.pitch)]), builder.select(
            packs, slot, none
        )

    def _masks(self):
        """For each vector of a row, the lanes that hold columns."""
        v, builder = self.v, self.builder
        return [
            v.first(builder, builder.sub(self.columns, _I64(j * v.width)))
            for j in range(self.tile.vectors)
        ]

    def _places(self, start):
        """Pointers to the vectors of a row."""
        return [
            self.v.at(self.builder, start, _I64(j * self.v.width)) for j in range(self.tile.vectors)
        ]

    def _biases(self):
        """What the sums of each row start from: the biases, or zeros."""
        v, builder = self.v, self.builder

        def load():
            pairs = zip(self._places(self.bias), self._masks(), strict=True)
            return [[v.load(builder, place, mask) for place, mask in pairs]]

        return _when(builder, self.has[BIAS], load, [[v.zero] * self.tile.vectors])[0]

    def _product(self, starts, first, share):
        """Sums over k of all rows of a tile, row by row."""
        builder = self.builder
        source, slot = share
        state = [self.kofs, self.panel, source, slot, *first * len(starts)]
        for count in (UNROLL, 1):
            end = builder.gep(self.kofs, [builder.and_(self.kn, _I64(-count))])

            def steps(kofs, panel, source, slot, *sums, count=count):
                if count == UNROLL:  # first, or else LLVM moves the arithmetic behind the branch
                    source, slot = self._move_row(source, slot)
                for u in range(count):
                    row = builder.gep(panel, [_I64(u * self.width)])
                    sums = self._step(starts, entry(builder, kofs, _I64(u)), row, sums)
                panel = builder.gep(panel, [_I64(count * self.width)])
                return builder.gep(kofs, [_I64(count)]), panel, source, slot, *sums

            def more(kofs, *_, end=end):
                return builder.icmp_unsigned("<", kofs, end)

            state = repeat(builder, state, more, steps)
        n = self.tile.vectors
        return [state[i : i + n] for i in range(4, len(state), n)]

    def _move_row(self, source, slot):
        """Pack a row of B, if there is a slot; the next row and slot."""
        v, builder = self.v, self.builder

        def move():
            ahead = builder.gep(source, [builder.mul(self.pitch, _I64(_AHEAD))])
            for place in [*self._places(ahead), v.at(builder, ahead, _I64(self.width - 1))]:
                v.prefetch(builder, place, 1)
            values = [v.load(builder, place) for place in self._places(source)]
            for value, place in zip(values, self._places(slot), strict=True):
                v.store(builder, value, place)
            return [[builder.gep(source, [self.pitch]), builder.gep(slot, [_I64(self.width)])]]

        packs = builder.icmp_unsigned("!=", slot, ir.Constant(slot.type, None))
        return _when(builder, packs, move, [[source, slot]])[0]

    def _step(self, starts, offset, row, sums):
        """The sums after one k more, row by row."""
        v, builder = self.v, self.builder
        factors = [v.load(builder, place) for place in self._places(row)]
        old, new = iter(sums), []
        for start in starts:
            x = v.splat(builder, builder.load(builder.gep(start, [offset]), align=v.size))
            new += [v.fma(builder, x, factor, next(old)) for factor in factors]
        return new

    def _finish(self, sums, targets, masks, left=None) -> None:
        """From the sums in registers to C; with ``left``, only that many rows."""
        v, builder = self.v, self.builder
        places = [self._places(target) for target in targets]

        def added():
            return [
                [
                    builder.fadd(v.load(builder, place, mask), x)
                    for x, place, mask in zip(row, spots, masks, strict=True)
                ]
                for row, spots in zip(sums, places, strict=True)
            ]

        sums = _when(builder, self.has[ADD], added, sums)
        clipped = [[_larger(builder, v.zero, x) for x in row] for row in sums]
        sums = _when(builder, self.has[RELU], lambda: clipped, sums)
        for i, (row, spots) in enumerate(zip(sums, places, strict=True)):
            stored = builder.icmp_signed(">", left, _I64(i)) if left else _I1(1)
            with builder.if_then(stored):
                for x, place, mask in zip(row, spots, masks, strict=True):
                    v.store(builder, x, place, mask)


def entry(builder, table, index, further=0):
    place = builder.gep(table, [builder.add(index, _I64(further))])
    return builder.load(place, align=8)


def _larger(builder, zero, x):
    """The larger of 0 and x, and x where it is NaN."""
    return builder.select(builder.fcmp_ordered(">", zero, x), zero, x)


def _phi(builder, x, from_x, y, from_y):
    result = builder.phi(x.type)
    result.add_incoming(x, from_x)
    result.add_incoming(y, from_y)
    return result


def _when(builder, condition, make, otherwise):
    """The rows of values of ``make()`` where a condition holds, else others."""
    before = builder.block
    with builder.if_then(condition):
        values = make()
        inside = builder.block
    return [
        [_phi(builder, x, inside, y, before) for x, y in zip(row, other, strict=True)]
        for row, other in zip(values, otherwise, strict=True)
    ]


def repeat(builder, state, condition, body):
    """``while condition(*state): state = body(*state)``; the last state."""
    before = builder.block
    loop = builder.function.append_basic_block("loop")
    done = builder.function.append_basic_block("done")
    builder.cbranch(condition(*state), loop, done)
    builder.position_at_end(loop)
    carried = [builder.phi(x.type) for x in state]
    after = list(body(*carried))
    end = builder.block
    builder.cbranch(condition(*after), loop, done)
    for value, start, new in zip(carried, state, after, strict=True):
        value.add_incoming(start, before)
        value.add_incoming(new, end)
    builder.position_at_end(done)
    return [_phi(builder, new, end, start, before) for new, start in zip(after, state, strict=True)]


def _make(symbol: str, target: Target) -> str:
    floats, shape = symbol.removeprefix(_NAMES).split(".")
    rows, vectors = shape.split("x")
    return micro_kernel(Tile(floats, int(rows), int(vectors)), target)


IR_MAKERS[_NAMES] = _make
