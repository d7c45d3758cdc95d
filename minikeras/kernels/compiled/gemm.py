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
_FEW = 16  # rows of A up to which B is read where it lies


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


def _make_put(T):
    numbers = view(T)

    @exact
    def put(address, value):
        numbers(address, 1)[0] = value

    return put


def _make_get(T):
    numbers = view(T)

    @exact
    def get(address):
        return numbers(address, 1)[0]

    return get


def _make_pack(T, tiles):
    """``pack(b, row, column, k, n, panels)``: ``k x n`` numbers of B into zero-padded panels.

    ``row`` and ``column`` are the steps between rows and columns in numbers, one of them is 1.
    """
    size, width, NR = tiles.size, tiles.lanes, tiles.columns
    copy, transpose = make_copy(T, 2), make_transpose(T)
    put, get = _make_put(T), _make_get(T)
    zero = T(0)

    @exact
    def pack_rows(b, row, k, n, panels):
        full = n // NR
        for i in range(k):  # whole rows at a time: B is read in order
            source, target = b + i * row * size, panels + i * NR * size
            for _ in range(full):
                copy(source, target)
                source += NR * size
                target += k * NR * size
            for j in range(n - full * NR):
                put(target + j * size, get(source + j * size))
            if full * NR < n:
                for j in range(n - full * NR, NR):
                    put(target + j * size, zero)

    @exact
    def pack_columns(b, column, k, n, panels):
        for j0 in range(0, n, width):
            target = panels + (j0 // NR * k * NR + j0 % NR) * size
            source = b + j0 * column * size
            count = min(width, n - j0)
            whole = k // width * width if count == width else 0
            for i in range(0, whole, width):
                transpose(source + i * size, column * size, target + i * NR * size, NR * size)
            for j in range(count):
                for i in range(whole, k):
                    put(target + (i * NR + j) * size, get(source + (j * column + i) * size))
            for j in range(count, width):
                for i in range(k):
                    put(target + (i * NR + j) * size, zero)
        for j0 in range((n + width - 1) // width * width, (n + NR - 1) // NR * NR, width):
            target = panels + (j0 // NR * k * NR + j0 % NR) * size
            for i in range(k):
                for j in range(width):
                    put(target + (i * NR + j) * size, zero)

    @exact
    def pack(b, row, column, k, n, panels):
        if column == 1:
            pack_rows(b, row, k, n, panels)
        else:
            pack_columns(b, column, k, n, panels)

    return pack


_integers = view(types.int64)


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
    """``sweep``: all tiles of a block of rows with one panel of B."""
    MR, half, width = tiles.rows, tiles.rows // 2, tiles.lanes
    whole_tile = Tile(tiles.floats, MR, 2).function()
    narrow_tile = Tile(tiles.floats, MR, 1).function()
    half_tile = Tile(tiles.floats, half, 2).function()

    @exact
    def sweep(a, ta, tk, kn, b, ldb, c, tc, m, columns, flags, bias):
        i = 0
        while i < m:
            left = m - i
            rows, crows = ta + i * 8, tc + i * 8
            if left <= half:
                half_tile(a, rows, tk, kn, b, ldb, c, crows, left, columns, flags, bias)
                i += half
            elif columns <= width:
                narrow_tile(a, rows, tk, kn, b, ldb, c, crows, left, columns, flags, bias)
                i += MR
            else:
                whole_tile(a, rows, tk, kn, b, ldb, c, crows, left, columns, flags, bias)
                i += MR

    return sweep


def gemm_block(T):
    """A product on the calling thread, for kernels that bring their own tables.

    ``C[crows[i] + j] = act( sum_k A[rows[i] + kofs[k]] * B[k, j] + bias[j] (+ C[crows[i] + j]) )`` with
    arguments ``(a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias, m, k, n, act,
    accumulate, scratch)``: addresses of arrays, of int64 tables (0: multiples of ``row``, ``step`` and
    ``c_row``) and of the biases (0: none); steps of B, of which one is 1. Offsets count numbers.
    """
    tiles = _Tiles(T)
    size, NR, MR = tiles.size, tiles.columns, tiles.rows
    pack, sweep, activate = _make_pack(T, tiles), _make_sweep(T, tiles), _make_activate(T)

    def block(
        a, rows, row, kofs, step, b, b_row, b_column, c, crows, c_row, bias,
        m, k, n, act, accumulate, scratch,
    ):  # fmt: skip
        panels = scratch
        tk = panels + _KC * (_NC + NR) * size
        ta = tk + _KC * 8
        tc = ta + (_MC + MR) * 8
        blocks = max(1, (k + _KC - 1) // _KC)
        longest = (k + blocks - 1) // blocks
        in_place = b_column == 1 and m <= _FEW
        for c0 in range(0, n, _NC):
            cn = min(_NC, n - c0)
            packed_from = cn // NR * NR if in_place else 0
            for kb in range(blocks):
                k0 = kb * longest
                kn = min(longest, k - k0)
                flags = ADD if accumulate != 0 or kb > 0 else 0
                if kb == 0 and bias != 0:
                    flags |= BIAS
                last = kb == blocks - 1
                if last and act == CLIPPED:
                    flags |= RELU
                _fill(tk, kofs, k0, step, kn, 0)
                ak = a if kofs != 0 else a + k0 * step * size
                bk = b + (k0 * b_row + c0 * b_column) * size
                if packed_from < cn:
                    pack(bk + packed_from * b_column * size, b_row, b_column, kn, cn - packed_from,
                         panels)  # fmt: skip
                for i0 in range(0, m, _MC):
                    mc = min(_MC, m - i0)
                    _fill(ta, rows, i0, row, mc, MR)
                    _fill(tc, crows, i0, c_row, mc, MR)
                    ai = ak if rows != 0 else ak + i0 * row * size
                    ci = (c if crows != 0 else c + i0 * c_row * size) + c0 * size
                    for j in range(0, cn, NR):
                        if j < packed_from:
                            panel, ldb = bk + j * size, b_row
                        else:
                            panel, ldb = panels + (j - packed_from) * kn * size, NR
                        sweep(ai, ta, tk, kn, panel, ldb, ci + j * size, tc, mc,
                              min(NR, cn - j), flags, bias + (c0 + j) * size)  # fmt: skip
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
