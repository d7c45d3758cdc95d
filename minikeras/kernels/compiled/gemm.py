"""Matrix products: one task for all layouts, and its driver for use by other kernels.

The order of operations behind each element is fixed by K alone: the sum over k is cut into blocks
of equal length, each a chain of fused multiply-adds in the order of k, and the blocks are added in
order; the first chain starts from the bias. Tiles, panels, tasks and the path for a single row only
choose which elements are computed together, so the result has the same bits for any of them.

Loops, from the outside: columns of B that fit the second-level cache, blocks of k, rows of A,
panels of B that fit the first-level cache, tiles (in the micro-kernel).
"""

from typing import NamedTuple

from numba import types

from ._jit import address_of, exact, external, inner, noalias, shared, view
from ._loader import symbol_of
from .maths import make_sigmoid, make_tanh
from .micro import ADD, BIAS, RELU, UNROLL, Tile
from .packing import KC, MC, NC, Tiles, fill_offsets, fill_tiles, integers, make_gather, make_pack
from .vectors import make_fma

LINEAR, CLIPPED, SIGMOID, TANH = 0, 1, 2, 3  # activation codes: clipped at zero is relu

_I64 = types.int64
_BLOCK = types.int64(*[_I64] * 18)


class _Product(NamedTuple):
    """The operands of `gemm_block`, in its order."""

    a: int
    rows: int
    row: int
    kofs: int
    step: int
    b: int
    b_row: int
    b_column: int
    c: int
    crows: int
    c_row: int
    bias: int
    m: int
    k: int
    n: int
    act: int
    accumulate: int
    scratch: int


class _Span(NamedTuple):
    """A part of a product: some columns and a block of k."""

    c0: int
    cn: int
    k0: int
    kn: int
    flags: int  # of the micro-kernel


@exact
def blocks_of_k(k):
    """Number and length of the blocks that k is cut into."""
    blocks = max(1, (k + KC - 1) // KC)
    return blocks, (k + blocks - 1) // blocks


@exact
def _span(p, c0, cn, block, longest):
    """A block of k, and what happens besides summing: the first starts, the last finishes."""
    k0 = block * longest
    kn = min(longest, p.k - k0)
    flags = ADD if p.accumulate != 0 or k0 > 0 else 0
    if k0 == 0 and p.bias != 0:
        flags |= BIAS
    if k0 + kn == p.k and p.act == CLIPPED:
        flags |= RELU
    return _Span(c0, cn, k0, kn, flags)


@shared
def make_activate(T):
    """``activate(c, count, act)``: apply sigmoid or tanh to numbers at an address."""
    sigmoid, tanh, numbers = make_sigmoid(T), make_tanh(T), view(T)

    @inner
    def apply_sigmoid(x):
        for j in range(x.size):
            x[j] = sigmoid(x[j])

    @inner
    def apply_tanh(x):
        for j in range(x.size):
            x[j] = tanh(x[j])

    @exact
    def activate(c, count, act):
        if act == SIGMOID:
            apply_sigmoid(numbers(c, count))
        else:
            apply_tanh(numbers(c, count))

    return activate


# ------------------------------------------------------------------ one row


def _make_vector(T, tiles, activate):
    """``vector(p, c0, cn)``: a product with one row; B is read once, in the order of memory."""
    size, numbers = tiles.size, view(T)
    begin, finish = _make_ends(T)
    add_rows = _make_add_rows(T, tiles)

    @exact
    def vector(p, c0, cn):
        c, sums = numbers(p.c + c0 * size, cn), numbers(p.scratch, cn)
        blocks, longest = blocks_of_k(p.k)
        for block in range(blocks):
            s = _span(p, c0, cn, block, longest)
            begin(sums, numbers(p.bias + c0 * size, cn if s.flags & BIAS else 0))
            add_rows(p, s, sums)
            finish(sums, c, s.flags)
        if p.act > CLIPPED:
            activate(p.c + c0 * size, cn, p.act)

    return vector


def _make_ends(T):
    """``begin(sums, bias)`` and ``finish(sums, c, flags)`` of a block of k."""
    zero = T(0)

    @inner
    def begin(sums, bias):
        noalias()
        for j in range(sums.size):
            sums[j] = bias[j] if bias.size else zero

    @inner
    def finish(sums, c, flags):
        noalias()
        for j in range(c.size):
            s = c[j] + sums[j] if flags & ADD else sums[j]
            c[j] = zero if flags & RELU and zero > s else s

    return begin, finish


def _make_add_rows(T, tiles):
    """``add_rows(p, s, sums)``: the rows of B in a block of k, each times its number of A."""
    size, numbers, fma = tiles.size, view(T), make_fma(T)

    @inner
    def add_one(x, b, sums):
        noalias()
        for j in range(sums.size):
            sums[j] = fma(x, b[j], sums[j])

    @inner
    def add_four(x, y, z, w, b, c, d, e, sums):
        noalias()
        for j in range(sums.size):
            sums[j] = fma(w, e[j], fma(z, d[j], fma(y, c[j], fma(x, b[j], sums[j]))))

    @exact
    def add_rows(p, s, sums):
        x, step, row = numbers(p.a, p.k * p.step), p.step, p.b_row * size
        b, k, end = p.b + (s.k0 * p.b_row + s.c0) * size, s.k0 * step, (s.k0 + s.kn) * step
        while k + 4 * step <= end:
            add_four(
                x[k], x[k + step], x[k + 2 * step], x[k + 3 * step],
                numbers(b, s.cn), numbers(b + row, s.cn), numbers(b + 2 * row, s.cn),
                numbers(b + 3 * row, s.cn), sums,
            )  # fmt: skip
            b, k = b + 4 * row, k + 4 * step
        while k < end:
            add_one(x[k], numbers(b, s.cn), sums)
            b, k = b + row, k + step

    return add_rows


# ------------------------------------------------------------------ tiles


@exact
def _whole_rows(m, height):
    """How many of m rows whole tiles take; the rest fits half a tile."""
    rest = m % height
    return m - rest if rest <= height // 2 else m


@shared
def make_sweep(T, tiles):
    """``sweep``: all rows of a block of A with one panel of B; see `micro.micro_kernel`."""
    height, half, width = tiles.rows, tiles.rows // 2, tiles.lanes
    whole_tile = Tile(tiles.floats, height, 2).function()
    narrow_tile = Tile(tiles.floats, height, 1).function()
    half_tile = Tile(tiles.floats, half, 2).function()

    @exact
    def sweep(a, ta, tk, kn, panel, c, tc, m, columns, flags, bias, b, pitch, slot):
        if columns <= width:
            narrow_tile(a, ta, tk, kn, panel, c, tc, m, columns, flags, bias, 0, 0, 0)
            return
        top = _whole_rows(m, height)
        if top > 0:
            whole_tile(a, ta, tk, kn, panel, c, tc, top, columns, flags, bias, b, pitch, slot)
        if top < m:
            ta, tc = ta + top * 8, tc + top * 8
            half_tile(a, ta, tk, kn, panel, c, tc, m - top, columns, flags, bias, 0, 0, 0)

    return sweep


def _make_follower(tiles):
    """``follower(p, s, j, m)``: the panel to pack while panel j is used: (offset in B, rows).

    No rows where there is nothing to pack, or where packing is not the copying of whole rows.
    """
    NR, MR, width = tiles.columns, tiles.rows, tiles.lanes

    @exact
    def follower(p, s, j, m):
        helpers = _whole_rows(m, MR) // MR if s.cn - j > width else 0
        rows = s.kn // UNROLL * min(UNROLL, helpers)
        if p.b_column != 1:
            return 0, 0
        if j + 2 * NR <= s.cn:
            return j + NR, rows
        last = j + NR == s.cn
        if last and p.m <= MC and s.k0 + s.kn + rows <= p.k:
            return s.kn * p.b_row, rows  # the first panel of the next block of k
        return 0, 0

    return follower


def _make_panels(T, tiles):
    """``panels(p, s, a, c, m, i0, packed, slot)``: rows i0 to i0 + m with all panels of a span.

    For the first rows the panels are packed on the way, for others they are there. ``packed`` rows
    of the first panel are in place, at ``slot``; returned are the same two for what follows.
    """
    size, NR, width, bytes_of_panel = tiles.size, tiles.columns, tiles.lanes, tiles.panel
    table_k, table_a, table_c = tiles.kofs, tiles.rows_a, tiles.rows_c
    pack, sweep, follower = make_pack(T, tiles), make_sweep(T, tiles), _make_follower(tiles)

    @exact
    def panels(p, s, a, c, m, i0, packed, slot):
        b = p.b + (s.k0 * p.b_row + s.c0 * p.b_column) * size
        for j in range(0, s.cn, NR):
            columns = min(NR, s.cn - j)
            panel = p.scratch + slot * bytes_of_panel
            ahead, rows = 0, 0
            if i0 == 0:
                pitch = NR if columns > width else width
                source = b + (j * p.b_column + packed * p.b_row) * size
                target = panel + packed * pitch * size
                pack(source, p.b_row, p.b_column, s.kn - packed, columns, target, pitch)
                ahead, rows = follower(p, s, j, m)
                packed = rows
            # a few rows of A need two panels at a time, more of them use all panels again
            slot = slot + 1 if p.m > MC else 1 - slot
            sweep(
                a, p.scratch + table_a, p.scratch + table_k, s.kn, panel,
                c + j * size, p.scratch + table_c, m, columns, s.flags, p.bias + (s.c0 + j) * size,
                b + ahead * size, p.b_row if rows > 0 else 0, p.scratch + slot * bytes_of_panel,
            )  # fmt: skip
        return packed, slot

    return panels


def _make_rows(T, tiles):
    """``rows(p, s, i0, m, gathers)``: tables of rows i0 to i0 + m of A and C; the address of A."""
    size, MR = tiles.size, tiles.rows
    copies, table_a, table_c = tiles.copies, tiles.rows_a, tiles.rows_c
    gather = make_gather(T, tiles)

    @exact
    def rows(p, s, i0, m, gathers):
        a = p.a
        if p.kofs == 0:
            a += s.k0 * p.step * size
        if p.rows == 0:
            a += i0 * p.row * size
        fill_offsets(p.scratch + table_c, p.crows, i0, p.c_row, m, MR)
        if not gathers:
            fill_offsets(p.scratch + table_a, p.rows, i0, p.row, m, MR)
            return a
        gather(a, p.step, s.kn, m, p.scratch + copies)
        fill_tiles(p.scratch + table_a, s.kn, m, MR)
        return p.scratch + copies

    return rows


def _make_columns(T, tiles, activate):
    """``columns(p, c0, cn)``: the product for columns c0 to c0 + cn, which fit the scratch."""
    size, NR, MR, table_k, table_c = tiles.size, tiles.columns, tiles.rows, tiles.kofs, tiles.rows_c
    rows, panels = _make_rows(T, tiles), _make_panels(T, tiles)

    @exact
    def activate_rows(p, c, m, cn):
        if p.crows == 0 and p.c_row == cn:
            activate(c, m * cn, p.act)
            return
        offsets = integers(p.scratch + table_c, m)
        for i in range(m):
            activate(c + offsets[i] * size, cn, p.act)

    @exact
    def columns(p, c0, cn):
        gathers = p.rows == 0 and p.kofs == 0 and p.row == 1 and p.n > 2 * NR
        packed, slot = 0, 0
        blocks, longest = blocks_of_k(p.k)
        for block in range(blocks):
            s = _span(p, c0, cn, block, longest)
            fill_offsets(p.scratch + table_k, p.kofs, s.k0, MR if gathers else p.step, s.kn, MR)
            for i0 in range(0, p.m, MC):
                m = min(MC, p.m - i0)
                a = rows(p, s, i0, m, gathers)
                c = (p.c if p.crows != 0 else p.c + i0 * p.c_row * size) + c0 * size
                slot = 0 if p.m > MC else slot
                packed, slot = panels(p, s, a, c, m, i0, packed, slot)
                if block == blocks - 1 and p.act > CLIPPED:
                    activate_rows(p, c, m, cn)

    return columns


def gemm_block(T):
    """A product on the calling thread, for kernels that bring their own tables.

    ``C[crows[i] + j] = act( sum_k A[rows[i] + kofs[k]] * B[k, j] + bias[j] (+ C[crows[i] + j]) )``
    with arguments ``(a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias, m, k, n,
    act, accumulate, scratch)``: addresses of arrays, of int64 tables (0: multiples of ``row``,
    ``step`` and ``c_row``) and of the biases (0: none); steps of B, of which one is 1. Offsets and
    steps count numbers.
    """
    tiles, activate = Tiles(T), make_activate(T)
    columns, vector = _make_columns(T, tiles, activate), _make_vector(T, tiles, activate)

    def block(
        a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias,
        m, k, n, act, accumulate, scratch,
    ):  # fmt: skip
        p = _Product(
            a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias,
            m, k, n, act, accumulate, scratch,
        )  # fmt: skip
        plain = rows == 0 and kofs == 0 and crows == 0
        for c0 in range(0, n, NC):
            if m == 1 and b_column == 1 and plain:
                vector(p, c0, min(NC, n - c0))
            else:
                columns(p, c0, min(NC, n - c0))
        return 0

    return _BLOCK, block


# ------------------------------------------------------------------ the kernel


@exact
def _grid(m_tiles, n_tiles, tasks):
    """Into how many parts the rows are cut, when rows x columns make ``tasks`` parts."""
    best, cost = 1, 1 << 60
    for r in range(1, tasks + 1):
        if tasks % r == 0:
            per_row = (m_tiles + r - 1) // r
            per_column = (n_tiles * r + tasks - 1) // tasks
            # packing a panel costs about as much as a tile, reading a tile's rows of A half of it
            this = 2 * (per_row + 1) * per_column + per_row
            if this <= cost:
                best, cost = r, this
    return best


def gemm(T):
    """``c = act(a' b' + bias (+ c))``, where a' and b' are transposed if ``ta`` and ``tb``.

    ``bias`` of size 0 means none; ``act`` 0 is linear, 1 relu, 2 sigmoid, 3 tanh; ``c`` is added if
    ``accumulate``.
    """
    tiles = Tiles(T)
    size, MR, NR = tiles.size, tiles.rows, tiles.columns
    block = external(symbol_of("gemm_block", T.name), _BLOCK)

    @exact
    def part(i, n, p):
        """Rows and columns of task i: m0, m1, n0, n1."""
        m_tiles, n_tiles = (p.m + MR - 1) // MR, (p.n + NR - 1) // NR
        down = _grid(m_tiles, n_tiles, n)
        across = n // down
        y, x = i // across, i % across
        return (
            min(p.m, m_tiles * y // down * MR), min(p.m, m_tiles * (y + 1) // down * MR),
            min(p.n, n_tiles * x // across * NR), min(p.n, n_tiles * (x + 1) // across * NR),
        )  # fmt: skip

    @exact
    def operands(a, b, bias, c, ta, tb, act, accumulate, scratch):
        m, n = c.shape
        k = a.shape[0] if ta else a.shape[1]
        row, step = (1, m) if ta else (k, 1)
        b_row, b_column = (1, k) if tb else (n, 1)
        x, y, biases = address_of(a), address_of(b), address_of(bias) if bias.size else 0
        if biases == 0 and ((n == 1 and ta) or (m == 1 and tb)):
            # a vector and a matrix that would have to be repacked: not so in the transposed product
            x, y, m, n = y, x, n, m
            row, step, b_row, b_column = b_column, b_row, step, row
        return _Product(
            x, 0, row, 0, step, y, b_row, b_column, address_of(c), 0, n, biases,
            m, k, n, act, accumulate, scratch,
        )  # fmt: skip

    def task(i, n, scratch, a, b, bias, c, ta, tb, act, accumulate):
        p = operands(a, b, bias, c, ta, tb, act, accumulate, scratch)
        m0, m1, n0, n1 = part(i, n, p)
        if m0 < m1 and n0 < n1:
            block(
                p.a + m0 * p.row * size, 0, p.row, 0, p.step,
                p.b + n0 * p.b_column * size, p.b_row, p.b_column,
                p.c + (m0 * p.c_row + n0) * size, 0, p.c_row,
                p.bias + n0 * size if p.bias != 0 else 0,
                m1 - m0, p.k, n1 - n0, act, accumulate, scratch,
            )  # fmt: skip
        return 0

    return task
