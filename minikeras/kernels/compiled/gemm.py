"""Matrix products: one task for all layouts, and its blocks for use by other kernels.

The order of operations behind each element is fixed by K alone: the sum over k is cut into blocks of
equal length, each a chain of fused multiply-adds in the order of k, and the blocks are added in order;
the first chain starts from the bias. Tiles, panels, tasks and the small-matrix paths only choose which
elements are computed together, so the result has the same bits for any of them.
"""

from typing import NamedTuple

from numba import types

from ._jit import address_of, current_target, exact, external, inner, noalias, view
from ._loader import symbol_of
from .maths import make_sigmoid, make_tanh
from .micro import ADD, BIAS, RELU, UNROLL, Tile
from .vectors import lanes, make_copy, make_copy_first, make_fma, make_transpose

LINEAR, CLIPPED, SIGMOID, TANH = 0, 1, 2, 3  # activation codes

_I64 = types.int64
_BLOCK = types.int64(*[_I64] * 18)
_KC = 264  # longest block of k: a panel of B then fills two thirds of a 48 KiB first-level cache
_NC = 512  # columns of B packed at once: with such blocks half a MiB of the second-level cache
_MC = 128  # rows of A between two passes over the packed columns


class _Tiles:
    """Sizes that follow from the float type and the registers of the current target."""

    def __init__(self, T):
        target = current_target()
        few_registers = target.triple.startswith("x86_64") and target.vector_bytes < 64
        self.floats = T.name
        self.size = T.bitwidth // 8
        self.lanes = lanes(target, T.name)
        self.rows = 6 if few_registers else 8
        self.columns = 2 * self.lanes


def _make_pack(T, tiles):
    """``pack(b, row, column, k, n, panel, pitch)``: ``k x n`` numbers of B into a panel.

    ``row`` and ``column`` are B's steps in numbers, one of them is 1; ``pitch`` is the panel's row. What
    lies right of the n columns is never used, but must be ordinary numbers, or it costs time.
    """
    size, width, NR = tiles.size, tiles.lanes, tiles.columns
    transpose, copy_one = make_transpose(T), make_copy(T, 1)
    copy_wide, copy_narrow = make_copy_first(T, 2), make_copy_first(T, 1)

    @exact
    def pack_rows(b, row, k, n, panel, pitch):
        for i in range(k):
            source, target = b + i * row * size, panel + i * pitch * size
            if pitch == NR:
                copy_wide(source, target, n)
            else:
                copy_narrow(source, target, n)

    @exact
    def pack_columns(b, column, k, n, panel, pitch):
        whole = k // width * width
        for j in range(0, pitch, width):
            first = min(j, n - 1)
            count = min(width, n - first)
            source, target = b + first * column * size, panel + j * size
            for i in range(0, whole, width):
                transpose(source + i * size, column * size, count,
                          target + i * pitch * size, pitch * size)  # fmt: skip
            for i in range(whole, k):
                for jj in range(width):
                    here = source + (min(jj, count - 1) * column + i) * size
                    copy_one(here, target + (i * pitch + jj) * size)

    @exact
    def pack(b, row, column, k, n, panel, pitch):
        if column == 1:
            pack_rows(b, row, k, n, panel, pitch)
        else:
            pack_columns(b, column, k, n, panel, pitch)

    return pack


def _make_gather(T, tiles):
    """``gather(a, step, k, m, target)``: a block of a transposed A, tile by tile of consecutive rows.

    Its rows lie side by side in memory and its columns ``step`` numbers apart, so that a tile read in
    place would touch a new cache line, and soon a new page, for every k.
    """
    size, MR = tiles.size, tiles.rows
    copy, copy_one = make_copy(T, tiles.rows), make_copy(T, 1)

    @exact
    def gather(a, step, k, m, target):
        full = m // MR
        for i in range(k):
            source, to = a + i * step * size, target + i * MR * size
            for _ in range(full):
                copy(source, to)
                source += MR * size
                to += k * MR * size
            for r in range(m - full * MR):
                copy_one(source + r * size, to + r * size)

    return gather


_integers = view(types.int64)


@exact
def _fill_tiles(table, k, m, height):
    """Offsets of rows that lie as `gather` puts them; those of the last tile are complete."""
    entries = _integers(table, m + height)
    for i in range(m):
        entries[i] = i // height * k * height + i % height
    for i in range(m, m + height):
        entries[i] = entries[m - 1]


@exact
def _fill(table, source, start, step, count, padding):
    """Offsets of ``count`` rows: from a table, or multiples of a step; the last one is repeated."""
    entries = _integers(table, count + padding)
    if source != 0:
        given = _integers(source + start * 8, count)
        for i in range(count):
            entries[i] = given[i]
    else:
        for i in range(count):
            entries[i] = i * step
    for i in range(count, count + padding):
        entries[i] = entries[count - 1]


def _make_activate(T):
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


def _make_sweep(T, tiles):
    """``sweep``: all rows of a block of A with one panel of B; see `micro.micro_kernel`."""
    MR, half, width = tiles.rows, tiles.rows // 2, tiles.lanes
    whole_tile = Tile(tiles.floats, MR, 2).function()
    narrow_tile = Tile(tiles.floats, MR, 1).function()
    half_tile = Tile(tiles.floats, half, 2).function()

    @exact
    def sweep(a, ta, tk, kn, panel, c, tc, m, columns, flags, bias, b, pitch, slot):
        if columns <= width:
            narrow_tile(a, ta, tk, kn, panel, c, tc, m, columns, flags, bias, 0, 0, 0)
            return
        top = _whole_rows(m, MR)
        if top > 0:
            whole_tile(a, ta, tk, kn, panel, c, tc, top, columns, flags, bias, b, pitch, slot)
        if top < m:
            ta, tc = ta + top * 8, tc + top * 8
            half_tile(a, ta, tk, kn, panel, c, tc, m - top, columns, flags, bias, 0, 0, 0)

    return sweep


@exact
def _whole_rows(m, height):
    """How many of the rows whole tiles take; the rest fits half a tile."""
    rest = m % height
    return m - rest if rest <= height // 2 else m


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


def _make_vector(T, tiles, activate):
    """``vector(p, c0, cn)``: a product with one row, where B is read once, in the order of memory."""
    size, numbers, fma = tiles.size, view(T), make_fma(T)
    zero = T(0)

    @inner
    def add_one(x, b, sums):
        noalias()
        for j in range(sums.size):
            sums[j] = fma(x, b[j], sums[j])

    @inner
    def add_four(x0, x1, x2, x3, b0, b1, b2, b3, sums):
        noalias()
        for j in range(sums.size):
            s = fma(x1, b1[j], fma(x0, b0[j], sums[j]))
            sums[j] = fma(x3, b3[j], fma(x2, b2[j], s))

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

    @exact
    def vector(p, c0, cn):
        a, c, sums = (
            numbers(p.a, p.k * p.step),
            numbers(p.c + c0 * size, cn),
            numbers(p.scratch, cn),
        )
        blocks, longest = _blocks(p.k)
        for kb in range(blocks):
            k0 = kb * longest
            kn = min(longest, p.k - k0)
            flags = _flags_of(p, k0, kn)
            begin(sums, numbers(p.bias + c0 * size, cn if flags & BIAS else 0))
            b = p.b + (k0 * p.b_row + c0) * size
            k = k0
            while k + 4 <= k0 + kn:
                next_row = p.b_row * size
                b1, b2, b3 = b + next_row, b + 2 * next_row, b + 3 * next_row
                add_four(
                    a[k * p.step], a[(k + 1) * p.step], a[(k + 2) * p.step], a[(k + 3) * p.step],
                    numbers(b, cn), numbers(b1, cn), numbers(b2, cn), numbers(b3, cn), sums,
                )  # fmt: skip
                k += 4
                b += 4 * p.b_row * size
            while k < k0 + kn:
                add_one(a[k * p.step], numbers(b, cn), sums)
                k += 1
                b += p.b_row * size
            finish(sums, c, flags)
        if p.act > CLIPPED:
            activate(p.c + c0 * size, cn, p.act)

    return vector


@exact
def _blocks(k):
    """Number and length of the blocks that k is cut into."""
    blocks = max(1, (k + _KC - 1) // _KC)
    return blocks, (k + blocks - 1) // blocks


@exact
def _flags_of(p, k0, kn):
    """What the micro-kernel does for a block of k besides summing."""
    flags = ADD if p.accumulate != 0 or k0 > 0 else 0
    if k0 == 0 and p.bias != 0:
        flags |= BIAS
    if k0 + kn == p.k and p.act == CLIPPED:
        flags |= RELU
    return flags


def _make_columns(T, tiles, activate):
    """``columns(p, c0, cn)``: the product for columns c0 to c0 + cn, which fit the scratch."""
    size, NR, MR, width = tiles.size, tiles.columns, tiles.rows, tiles.lanes
    pack, gather = _make_pack(T, tiles), _make_gather(T, tiles)
    sweep = _make_sweep(T, tiles)
    panel_bytes = _KC * NR * size

    @exact
    def follower(p, kept, j, cn, k0, kn, tiles_before):
        """The whole panel of B to pack during a sweep: (offset in numbers, rows), or no rows."""
        if p.b_column != 1 or tiles_before == 0:
            return 0, 0
        if j + 2 * NR <= cn:
            return j + NR, kn // UNROLL * min(UNROLL, tiles_before)
        rows = kn // UNROLL * min(UNROLL, tiles_before)
        if kept or j + NR < cn or cn < NR or k0 + kn + rows > p.k:
            return 0, 0
        return kn * p.b_row, rows

    @exact
    def activate_rows(p, c, tc, m, cn):
        if p.crows == 0 and p.c_row == cn:
            activate(c, m * cn, p.act)
            return
        offsets = _integers(tc, m)
        for i in range(m):
            activate(c + offsets[i] * size, cn, p.act)

    @exact
    def columns(p, c0, cn):
        copies = p.scratch + (_NC // NR + 1) * panel_bytes
        tk = copies + _KC * (_MC + MR) * size
        ta = tk + _KC * 8
        tc = ta + (_MC + MR) * 8
        blocks, longest = _blocks(p.k)
        gathers = p.rows == 0 and p.kofs == 0 and p.row == 1 and p.n > 2 * NR
        kept = p.m > _MC  # panels are used again by further rows
        packed, slot = 0, 0
        for kb in range(blocks):
            k0 = kb * longest
            kn = min(longest, p.k - k0)
            flags = _flags_of(p, k0, kn)
            _fill(tk, p.kofs, k0, MR if gathers else p.step, kn, 0)
            ak = p.a if p.kofs != 0 else p.a + k0 * p.step * size
            bk = p.b + (k0 * p.b_row + c0 * p.b_column) * size
            for i0 in range(0, p.m, _MC):
                m = min(_MC, p.m - i0)
                a = ak if p.rows != 0 else ak + i0 * p.row * size
                c = (p.c if p.crows != 0 else p.c + i0 * p.c_row * size) + c0 * size
                if gathers:
                    gather(a, p.step, kn, m, copies)
                    _fill_tiles(ta, kn, m, MR)
                    a = copies
                else:
                    _fill(ta, p.rows, i0, p.row, m, MR)
                _fill(tc, p.crows, i0, p.c_row, m, MR)
                for j in range(0, cn, NR):
                    if kept:
                        slot = j // NR
                    panel = p.scratch + slot * panel_bytes
                    here = min(NR, cn - j)
                    pitch = NR if here > width else width
                    ahead, rows = 0, 0
                    if i0 == 0:
                        source = bk + (j * p.b_column + packed * p.b_row) * size
                        pack(source, p.b_row, p.b_column, kn - packed, here,
                             panel + packed * pitch * size, pitch)  # fmt: skip
                        tiles_here = _whole_rows(m, MR) // MR if here > width else 0
                        ahead, rows = follower(p, kept, j, cn, k0, kn, tiles_here)
                        packed = rows
                    slot = slot + 1 if kept else 1 - slot
                    b, b_pitch = bk + ahead * size, p.b_row if rows > 0 else 0
                    target = p.scratch + slot * panel_bytes
                    sweep(a, ta, tk, kn, panel, c + j * size, tc, m, here, flags,
                          p.bias + (c0 + j) * size, b, b_pitch, target)  # fmt: skip
                if k0 + kn == p.k and p.act > CLIPPED:
                    activate_rows(p, c, tc, m, cn)

    return columns


def gemm_block(T):
    """A product on the calling thread, for kernels that bring their own tables.

    ``C[crows[i] + j] = act( sum_k A[rows[i] + kofs[k]] * B[k, j] + bias[j] (+ C[crows[i] + j]) )`` with
    arguments ``(a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias, m, k, n, act,
    accumulate, scratch)``: addresses of arrays, of int64 tables (0: multiples of ``row``, ``step`` and
    ``c_row``) and of the biases (0: none); steps of B, of which one is 1. Offsets count numbers.
    """
    tiles, activate = _Tiles(T), _make_activate(T)
    columns, vector = _make_columns(T, tiles, activate), _make_vector(T, tiles, activate)

    def block(
        a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias,
        m, k, n, act, accumulate, scratch,
    ):  # fmt: skip
        p = _Product(
            a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias,
            m, k, n, act, accumulate, scratch,
        )  # fmt: skip
        for c0 in range(0, n, _NC):
            cn = min(_NC, n - c0)
            if m == 1 and b_column == 1 and rows == 0 and kofs == 0 and crows == 0:
                vector(p, c0, cn)
            else:
                columns(p, c0, cn)
        return 0

    return _BLOCK, block


@exact
def _grid(m_tiles, n_tiles, tasks):
    """Into how many parts the rows are cut, when rows x columns make ``tasks`` parts."""
    best, cost = 1, 1 << 60
    for r in range(1, tasks + 1):
        if tasks % r == 0:
            per_row = (m_tiles + r - 1) // r
            per_column = (n_tiles * r + tasks - 1) // tasks
            this = (per_row + 1) * per_column  # packing a panel costs about as much as one tile
            if this < cost:
                best, cost = r, this
    return best


def gemm(T):
    tiles = _Tiles(T)
    size, MR, NR = tiles.size, tiles.rows, tiles.columns
    block = external(symbol_of("gemm_block", T.name), _BLOCK)

    def task(i, n, scratch, a, b, bias, c, ta, tb, act, accumulate):
        m, columns = c.shape
        k = a.shape[0] if ta else a.shape[1]
        pa, pb, pc = address_of(a), address_of(b), address_of(c)
        biases = address_of(bias) if bias.size else 0
        row, step = (1, m) if ta else (k, 1)
        b_row, b_column = (1, k) if tb else (columns, 1)
        c_row = columns
        if bias.size == 0 and ((columns == 1 and ta) or (m == 1 and tb)):
            # a vector times a matrix that would have to be repacked: the transposed product needs not
            pa, pb = pb, pa
            row, step, b_row, b_column = b_column, b_row, step, row
            m, columns = columns, m
            c_row = columns
        m_tiles, n_tiles = (m + MR - 1) // MR, (columns + NR - 1) // NR
        r = _grid(m_tiles, n_tiles, n)
        across = n // r
        i_row, i_column = i // across, i % across
        m0 = min(m, m_tiles * i_row // r * MR)
        m1 = min(m, m_tiles * (i_row + 1) // r * MR)
        n0 = min(columns, n_tiles * i_column // across * NR)
        n1 = min(columns, n_tiles * (i_column + 1) // across * NR)
        if m0 < m1 and n0 < n1:
            if biases != 0:
                biases += n0 * size
            block(
                pa + m0 * row * size, 0, row, 0, step, pb + n0 * b_column * size, b_row, b_column,
                pc + (m0 * c_row + n0) * size, 0, c_row, biases,
                m1 - m0, k, n1 - n0, act, accumulate, scratch,
            )  # fmt: skip
        return 0

    return task
