"""Bringing the operands of a matrix product into the order in which the micro-kernel reads them.

B goes into *panels*, strips as wide as a tile; a transposed A into tiles of consecutive rows;
offsets into tables. Everything lies in the scratch memory of a task. Addresses are int64 and count
bytes; steps, pitches and offsets count numbers.
"""

from numba import types

from ._jit import current_target, exact, shared, view
from .vectors import lanes, make_copy, make_copy_first, make_transpose

KC = 264  # longest block of k: a panel then fills two thirds of a 48 KiB first-level cache
NC = 512  # columns of B packed at once: with such blocks half a MiB of the second-level cache
MC = 128  # rows of A between two passes over the packed columns


class Tiles:
    """Sizes that follow from the float type and the registers of the current target.

    Attributes:
        floats, size: name and bytes of the float type.
        lanes: numbers per vector register.
        rows, columns: of a tile of C; it takes most of the registers.
        panel, copies, kofs, rows_a, rows_c: where things lie in scratch, in bytes: panel j at
            ``j * panel``, then the copies of A, then the tables.
    """

    def __init__(self, T):
        target = current_target()
        few_registers = target.triple.startswith("x86_64") and target.vector_bytes < 64
        self.floats = T.name
        self.size = T.bitwidth // 8
        self.lanes = lanes(target, T.name)
        self.rows = 6 if few_registers else 8
        self.columns = 2 * self.lanes
        self.panel = KC * self.columns * self.size
        self.copies = (NC // self.columns + 1) * self.panel
        self.kofs = self.copies + KC * (MC + self.rows) * self.size
        self.rows_a = self.kofs + (KC + self.rows) * 8
        self.rows_c = self.rows_a + (MC + self.rows) * 8

    def __eq__(self, other):
        return isinstance(other, Tiles) and vars(self) == vars(other)

    def __hash__(self):
        return hash(tuple(vars(self).values()))


@shared
def make_pack(T, tiles: Tiles):
    """``pack(b, row, column, k, n, panel, pitch)``: ``k x n`` numbers of B into a panel.

    ``row`` and ``column`` are B's steps, one of them is 1; ``pitch`` is the step between rows of
    the panel. What lies right of the n columns is never used, but made of ordinary numbers, since
    others cost time.
    """
    pack_rows, pack_columns = _make_pack_rows(T, tiles), _make_pack_columns(T, tiles)

    @exact
    def pack(b, row, column, k, n, panel, pitch):
        if column == 1:
            pack_rows(b, row, k, n, panel, pitch)
        else:
            pack_columns(b, column, k, n, panel, pitch)

    return pack


@shared
def _make_pack_rows(T, tiles):
    size, full = tiles.size, tiles.columns
    copy_wide, copy_narrow = make_copy_first(T, 2), make_copy_first(T, 1)

    @exact
    def pack_rows(b, row, k, n, panel, pitch):
        for i in range(k):
            source, target = b + i * row * size, panel + i * pitch * size
            if pitch == full:
                copy_wide(source, target, n)
            else:
                copy_narrow(source, target, n)

    return pack_rows


@shared
def _make_pack_columns(T, tiles):
    size, width = tiles.size, tiles.lanes
    transpose, copy_one = make_transpose(T), make_copy(T, 1)

    @exact
    def pack_columns(b, column, k, n, panel, pitch):
        whole = k // width * width
        for j in range(0, pitch, width):
            first = min(j, n - 1)
            count = min(width, n - first)
            source, target = b + first * column * size, panel + j * size
            step = pitch * size
            for i in range(0, whole, width):
                transpose(source + i * size, column * size, count, target + i * step, step)
            for i in range(whole, k):
                for jj in range(width):
                    here = source + (min(jj, count - 1) * column + i) * size
                    copy_one(here, target + i * step + jj * size)

    return pack_columns


@shared
def make_gather(T, tiles: Tiles):
    """``gather(a, step, k, m, target)``: a block of a transposed A, tile by tile.

    Its rows lie side by side in memory and its columns ``step`` apart, so that a tile read in place
    would touch a new cache line, and soon a new page, for every k.
    """
    size, height = tiles.size, tiles.rows
    copy, copy_one = make_copy(T, tiles.rows), make_copy(T, 1)

    @exact
    def gather(a, step, k, m, target):
        full = m // height
        for i in range(k):
            source, to = a + i * step * size, target + i * height * size
            for _ in range(full):
                copy(source, to)
                source += height * size
                to += k * height * size
            for r in range(m - full * height):
                copy_one(source + r * size, to + r * size)

    return gather


integers = view(types.int64)


@exact
def fill_offsets(table, source, start, step, count, padding):
    """Offsets of ``count`` rows: from a table, or multiples of a step; the last one is repeated."""
    entries = integers(table, count + padding)
    if source != 0:
        given = integers(source + start * 8, count)
        for i in range(count):
            entries[i] = given[i]
    else:
        for i in range(count):
            entries[i] = i * step
    for i in range(count, count + padding):
        entries[i] = entries[count - 1]


@exact
def fill_tiles(table, k, m, height):
    """Offsets of rows that lie as `make_gather` puts them; the last one is repeated."""
    entries = integers(table, m + height)
    for i in range(m):
        entries[i] = i // height * k * height + i % height
    for i in range(m, m + height):
        entries[i] = entries[m - 1]
