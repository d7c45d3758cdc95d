"""Matrix products: one task for all layouts, and its blocks for use by other kernels.

The order of operations behind each element is fixed by K alone: the sum over k is cut into blocks of
equal length, each a chain of fused multiply-adds in the order of k, and the blocks are added in order;
the first chain starts from the bias. Tiles, panels, tasks and the small-matrix paths only choose which
elements are computed together, so the result has the same bits for any of them.
"""

from numba import types

from ._jit import address_of, current_target, exact, external, inner, view
from ._loader import symbol_of
from .maths import make_sigmoid, make_tanh
from .micro import ADD, BIAS, RELU, Tile
from .vectors import lanes, make_copy, make_transpose

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

    ``row`` and ``column`` are B's steps in numbers, one of them is 1; ``pitch`` is the panel's row,
    zero-padded. Whole panels of a row-major B are left to the micro-kernel, which is faster at it.
    """
    size, width = tiles.size, tiles.lanes
    transpose, numbers = make_transpose(T), view(T)
    zero = T(0)

    @exact
    def pack_block(b, row, column, k, n, panel, pitch):
        for i in range(k):
            target = numbers(panel + i * pitch * size, n)
            for j in range(n):
                target[j] = numbers(b + (i * row + j * column) * size, 1)[0]

    @exact
    def pack_columns(b, column, k, n, panel, pitch):
        whole = k // width * width
        for j in range(0, n, width):
            source, target = b + j * column * size, panel + j * size
            count = min(width, n - j)
            if count < width:
                pack_block(source, 1, column, k, count, target, pitch)
                continue
            for i in range(0, whole, width):
                transpose(source + i * size, column * size, target + i * pitch * size, pitch * size)
            target += whole * pitch * size
            pack_block(source + whole * size, 1, column, k - whole, count, target, pitch)

    @exact
    def pack(b, row, column, k, n, panel, pitch):
        if column == 1:
            pack_block(b, row, 1, k, n, panel, pitch)
        else:
            pack_columns(b, column, k, n, panel, pitch)
        for i in range(k):
            rest = numbers(panel + (i * pitch + n) * size, pitch - n)
            for j in range(pitch - n):
                rest[j] = zero

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
    """``sweep``: all rows of a block of A with one panel of B."""
    MR, half, width = tiles.rows, tiles.rows // 2, tiles.lanes
    whole_tile = Tile(tiles.floats, MR, 2).function()
    narrow_tile = Tile(tiles.floats, MR, 1).function()
    half_tile = Tile(tiles.floats, half, 2).function()

    @exact
    def sweep(a, ta, tk, kn, b, ldb, panel, c, tc, m, columns, flags, bias):
        if columns <= width:
            narrow_tile(a, ta, tk, kn, b, ldb, panel, c, tc, m, columns, flags, bias)
            return
        rest = m % MR
        top = m - rest if rest <= half else m
        if top > 0:
            whole_tile(a, ta, tk, kn, b, ldb, panel, c, tc, top, columns, flags, bias)
            b = 0
        if top < m:
            ta, tc = ta + top * 8, tc + top * 8
            half_tile(a, ta, tk, kn, b, ldb, panel, c, tc, rest, columns, flags, bias)

    return sweep


def gemm_block(T):
    """A product on the calling thread, for kernels that bring their own tables.

    ``C[crows[i] + j] = act( sum_k A[rows[i] + kofs[k]] * B[k, j] + bias[j] (+ C[crows[i] + j]) )`` with
    arguments ``(a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias, m, k, n, act,
    accumulate, scratch)``: addresses of arrays, of int64 tables (0: multiples of ``row``, ``step`` and
    ``c_row``) and of the biases (0: none); steps of B, of which one is 1. Offsets count numbers.
    """
    tiles = _Tiles(T)
    size, NR, MR, width = tiles.size, tiles.columns, tiles.rows, tiles.lanes
    pack, gather = _make_pack(T, tiles), _make_gather(T, tiles)
    sweep, activate = _make_sweep(T, tiles), _make_activate(T)

    def block(
        a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias,
        m, k, n, act, accumulate, scratch,
    ):  # fmt: skip
        panels = scratch
        copies = panels + _KC * _NC * size
        tk = copies + _KC * (_MC + MR) * size
        ta = tk + _KC * 8
        tc = ta + (_MC + MR) * 8
        blocks = max(1, (k + _KC - 1) // _KC)
        longest = (k + blocks - 1) // blocks
        gathers = rows == 0 and kofs == 0 and row == 1 and n > 2 * NR
        for c0 in range(0, n, _NC):
            cn = min(_NC, n - c0)
            for kb in range(blocks):
                k0 = kb * longest
                kn = min(longest, k - k0)
                flags = ADD if accumulate != 0 or kb > 0 else 0
                if kb == 0 and bias != 0:
                    flags |= BIAS
                last = kb == blocks - 1
                if last and act == CLIPPED:
                    flags |= RELU
                _fill(tk, kofs, k0, MR if gathers else step, kn, 0)
                ak = a if kofs != 0 else a + k0 * step * size
                bk = b + (k0 * b_row + c0 * b_column) * size
                for i0 in range(0, m, _MC):
                    mc = min(_MC, m - i0)
                    _fill(tc, crows, i0, c_row, mc, MR)
                    ai = ak if rows != 0 else ak + i0 * row * size
                    if gathers:
                        gather(ai, step, kn, mc, copies)
                        ai = copies
                        _fill_tiles(ta, kn, mc, MR)
                    else:
                        _fill(ta, rows, i0, row, mc, MR)
                    ci = (c if crows != 0 else c + i0 * c_row * size) + c0 * size
                    for j in range(0, cn, NR):
                        columns = min(NR, cn - j)
                        panel = panels + j * kn * size if m > _MC else panels
                        source = 0
                        if i0 == 0:
                            source = bk + j * b_column * size
                            if b_column != 1 or columns < NR:
                                pitch = NR if columns > width else width
                                pack(source, b_row, b_column, kn, columns, panel, pitch)
                                source = 0
                        sweep(ai, ta, tk, kn, source, b_row, panel, ci + j * size, tc, mc,
                              columns, flags, bias + (c0 + j) * size)  # fmt: skip
                    if last and act > CLIPPED:
                        if crows == 0 and c_row == cn:
                            activate(ci, mc * cn, act)
                        else:
                            offsets = _integers(tc, mc)
                            for i in range(mc):
                                activate(ci + offsets[i] * size, cn, act)
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
