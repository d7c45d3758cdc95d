"""What recurrent layers have in common: tasks own rows of the batch for the whole sequence.

The product of each step with the recurrent weights is made of the micro-kernel's tiles on weights
that a task packs once, into its scratch memory, where they stay in the second-level cache; weights
that do not fit there go through `gemm_block`, which packs them in every step. Each row's numbers
come about in the same order whichever task has it, so tasks do not change bits.

Arrays are (batch, steps, numbers). Step s of the processing is row ``time_of(s)`` of what belongs
to the input; outputs lie in the order of processing. A mask or factors of size 0 stand for none.
"""

from typing import NamedTuple

from numba import types
from numba.extending import intrinsic

from ..threads import SCRATCH_BYTES
from ._jit import address_of, current_target, exact, external, inner, noalias, shared, view
from ._loader import symbol_of
from ._parts import _cut, row
from .gemm import _BLOCK
from .gemm import blocks_of_k as _blocks
from .gemm import make_sweep as _make_sweep
from .micro import ADD, BIAS, Tile
from .packing import KC, MC, Tiles, integers, make_pack
from .vectors import Vectors, make_copy_first

ROWS = 64  # most rows that walk through a sequence together
_ROW_BYTES = 256 << 10  # of one array of the rows that walk together, at most
_LINE = 64  # bytes of a cache line
_WIDE = 8  # vectors of a tile for a single row


@intrinsic
def part(typingctx, x, b, t, first, count):
    """x[b, t, first:first + count] of a (batch, steps, numbers) array."""
    result = types.Array(x.dtype, 1, "C")

    def codegen(context, builder, sig, args):
        x, b, t, first, count = args
        shape = context.make_array(sig.args[0])(context, builder, x).shape
        steps, numbers = (builder.extract_value(shape, d) for d in (1, 2))
        row = builder.add(builder.mul(b, steps), t)
        offset = builder.add(builder.mul(row, numbers), first)
        return _cut(context, builder, sig.args[0], x, offset, result, [count])

    return result(x, *[types.int64] * 4), codegen


@shared
def make_fetch(T):
    """``fetch(x, b, t)``: ask for x[b, t], which need not exist, to be brought into the cache.

    Rows of one step lie far apart, so the processor does not foresee them by itself.
    """
    size = T.bitwidth // 8

    @intrinsic
    def ask(typingctx, address):
        def codegen(context, builder, sig, args):
            v = Vectors(builder.module, T.name, current_target())
            v.prefetch(builder, builder.inttoptr(args[0], v.pointer), 2)
            return context.get_dummy_value()

        return types.void(types.int64), codegen

    @inner
    def fetch(x, b, t):
        bytes_of_row = x.shape[2] * size
        start = address_of(x) + (b * x.shape[1] + t) * bytes_of_row
        for at in range(start, start + bytes_of_row, _LINE):
            ask(at)

    return fetch


@shared
def make_bring(T):
    """``bring(x, y, b, t, last)``: y[b, t] = x[b, t], unless x and y are the same memory.

    Asks for what the step before, ``last``, will need.
    """
    fetch, (copy, _, _) = make_fetch(T), make_copies(T)

    @inner
    def bring(x, y, b, t, last):
        fetch(x, b, last)
        if address_of(x) != address_of(y):
            fetch(y, b, last)
            copy(part(x, b, t, 0, x.shape[2]), part(y, b, t, 0, x.shape[2]))

    return bring


class Places(NamedTuple):
    """Where things lie in scratch, in bytes: behind those of the matrix product."""

    kofs: int
    rows: int
    targets: int
    work: int  # numbers of all rows
    packed: int


def places_of(T) -> Places:
    tiles = Tiles(T)
    table = 8 * (ROWS + 2 * tiles.rows)
    kofs = (tiles.rows_c + (MC + tiles.rows) * 8 + 63) & ~63
    rows = kofs + 8 * (KC + tiles.rows)
    work = (rows + 2 * table + 63) & ~63
    return Places(kofs, rows, rows + table, work, work + _ROW_BYTES)


@exact
def rows_of(i, n, batch):
    """The rows of a task: whole tiles of 8, where there are enough."""
    unit = 8 if batch >= 8 * n else 1
    units = (batch + unit - 1) // unit
    return min(batch, units * i // n * unit), min(batch, units * (i + 1) // n * unit)


@exact
def time_of(s, steps, backwards):
    return steps - 1 - s if backwards != 0 else s


@exact
def is_masked(mask, b, t):
    return mask.size > 0 and mask[b, t] == 0


@shared
def make_together(T):
    """``together(units)``: how many rows walk through the sequence together."""
    size = T.bitwidth // 8

    @exact
    def together(units):
        return max(1, min(ROWS, _ROW_BYTES // max(1, units * size)))

    return together


@inner
def fill_rows(table, step, count):
    """Offsets of rows that lie a step apart, and some repetitions of the last."""
    entries = integers(table, 0)
    for i in range(count + 8):
        entries[i] = min(i, count - 1) * step


@shared
def make_start(T):
    """``start(scratch)``: fill the table of consecutive numbers."""
    places, count = places_of(T), KC + Tiles(T).rows

    @exact
    def start(scratch):
        entries = integers(scratch + places.kofs, 0)
        for k in range(count):
            entries[k] = k

    return start


# ------------------------------------------------------------------ products


class _Weights(NamedTuple):
    """A matrix of weights, as `make_weights` and `make_product` take it."""

    matrix: int  # its address
    row: int  # its steps, one of which is 1
    column: int
    k: int
    n: int
    packed: int  # address of its panels, 0 for none
    wide: int  # whether panels are for a single row


@shared
def make_weights(T):
    """``weights(matrix, row, column, k, n, rows, scratch, at)``: `_Weights`, and where scratch
    goes on.

    ``rows`` is the number of rows that they will be multiplied with.
    """
    tiles = Tiles(T)
    size, NR, width = tiles.size, tiles.columns, tiles.lanes
    full = _WIDE * width
    pack, copy = make_pack(T, tiles), make_copy_first(T, _WIDE)

    @exact
    def pack_wide(matrix, row, column, k, panel):
        if column == 1:
            for i in range(k):
                copy(matrix + i * row * size, panel + i * full * size, full)
        else:
            pack(matrix, row, column, k, full, panel, full)

    @inner
    def pack_all(w):
        blocks, longest = _blocks(w.k)
        at = w.packed
        for block in range(blocks):
            kn = min(longest, w.k - block * longest)
            source = w.matrix + block * longest * w.row * size
            j = 0
            while w.wide != 0 and j + full <= w.n:
                pack_wide(source + j * w.column * size, w.row, w.column, kn, at)
                at += kn * full * size
                j += full
            while j < w.n:
                columns = min(NR, w.n - j)
                pitch = NR if columns > width else width
                pack(source + j * w.column * size, w.row, w.column, kn, columns, at, pitch)
                at += kn * pitch * size
                j += NR

    @exact
    def weights(matrix, row, column, k, n, rows, scratch, at):
        need = k * (n + NR) * size
        if at + need > scratch + SCRATCH_BYTES:
            return _Weights(matrix, row, column, k, n, 0, 0), at
        w = _Weights(matrix, row, column, k, n, at, 1 if rows == 1 else 0)
        pack_all(w)
        return w, at + need

    return weights


@shared
def make_product(T):
    """``product(a, rows, w, c, targets, m, bias, adds, scratch)``: (c +) a @ weights + bias.

    ``rows`` and ``targets`` are the addresses of the offset tables of m rows of a and c; a bias of
    0 means none.
    """
    tiles, places = Tiles(T), places_of(T)
    size, NR, width = tiles.size, tiles.columns, tiles.lanes
    full = _WIDE * width
    sweep, wide_tile = _make_sweep(T, tiles), Tile(tiles.floats, 1, _WIDE).function()
    block_of = external(symbol_of("gemm_block", T.name), _BLOCK)

    @exact
    def from_memory(a, rows, w, c, targets, m, bias, adds, scratch):
        if m == 1:
            a += integers(rows, 1)[0] * size
            c += integers(targets, 1)[0] * size
            rows = targets = 0
        block_of(
            a, rows, 0, 0, 1, w.matrix, w.row, w.column, c, targets, 0, bias,
            m, w.k, w.n, 0, adds, scratch,
        )  # fmt: skip

    @inner
    def product(a, rows, w, c, targets, m, bias, adds, scratch):
        if w.packed == 0:
            from_memory(a, rows, w, c, targets, m, bias, adds, scratch)
            return
        blocks, longest = _blocks(w.k)
        panel, table = w.packed, scratch + places.kofs
        flags = (BIAS if bias != 0 else 0) | (ADD if adds != 0 else 0)
        for block in range(blocks):
            kn = min(longest, w.k - block * longest)
            here = a + block * longest * size
            j = 0
            while w.wide != 0 and j + full <= w.n:
                wide_tile(
                    here, rows, table, kn, panel, c + j * size, targets, 1, full, flags,
                    bias + j * size, 0, 0, 0,
                )  # fmt: skip
                panel += kn * full * size
                j += full
            while j < w.n:
                columns = min(NR, w.n - j)
                sweep(
                    here, rows, table, kn, panel, c + j * size, targets, m, columns, flags,
                    bias + j * size, 0, 0, 0,
                )  # fmt: skip
                panel += kn * (NR if columns > width else width) * size
                j += NR
            flags = ADD

    return product


# ------------------------------------------------------------------ rows


@shared
def make_copies(T):
    """``copy(x, y)``, ``carry(x, keep, y)``: y = x times factors, if any, and ``zeros(y)``."""
    zero = T(0)

    @inner
    def copy(x, y):
        noalias()
        for j in range(y.size):
            y[j] = x[j]

    @inner
    def carry(x, keep, y):
        noalias()
        if keep.size == 0:
            copy(x, y)
            return
        for j in range(y.size):
            y[j] = x[j] * keep[j]

    @inner
    def zeros(y):
        for j in range(y.size):
            y[j] = zero

    return copy, carry, zeros


@shared
def make_gather(T):
    """``gather(x, keep, y)``: y += x, times factors if there are any."""

    @inner
    def gather(x, keep, y):
        noalias()
        if keep.size == 0:
            for j in range(y.size):
                y[j] += x[j]
        else:
            for j in range(y.size):
                y[j] += x[j] * keep[j]

    return gather


@shared
def make_begin(T):
    """``begin(g, d, b)``: row b of a gradient is what comes from outside, if anything does."""
    copy, _, zeros = make_copies(T)

    @exact
    def begin(g, d, b):
        if g.size > 0:
            copy(row(g, b), row(d, b))
        else:
            zeros(row(d, b))

    return begin


@shared
def make_back(T):
    """``back(lo, hi, dz, rows, w, keep, dh, scratch)``: dh += (dz @ weights) keep, rows lo to hi.

    ``dz`` is the address of the first row; the table of targets must hold the rows of dh.
    """
    places, size = places_of(T), T.bitwidth // 8
    numbers, product = view(T), make_product(T)
    gather = make_gather(T)

    @inner
    def back(lo, hi, dz, rows, w, keep, dh, scratch):
        units, m = dh.shape[1], hi - lo
        targets = scratch + places.targets
        if keep.size == 0:
            c = address_of(dh) + lo * units * size
            product(dz, rows, w, c, targets, m, 0, 1, scratch)
            return
        work = scratch + places.work
        product(dz, rows, w, work, targets, m, 0, 0, scratch)
        for b in range(lo, hi):
            gather(numbers(work + (b - lo) * units * size, units), row(keep, b), row(dh, b))

    return back
