"""Convolution of images with their channels last, and its gradients, on the matrix product.

`geometry` is a row of int64 numbers, see ``kernels/table.py``. Weights have shape (taps, channels
of a group, filters). Tasks own parts of what they write; parts of the sum over all pixels that the
weights' gradient is are fixed by the number of images and of parts, not by the tasks.
"""

from numba import types

from ..table import (
    CONV_CHANNELS,
    CONV_FILTERS,
    CONV_GROUPS,
    CONV_IMAGES,
    CONV_KERNEL,
    CONV_STRIDE,
)
from ._jit import address_of, exact, external, inner, noalias, shared, view
from ._loader import symbol_of
from ._parts import row_part
from .conv_plan import (
    AXIS,
    EXTENT,
    GROUP,
    INPUTS,
    JUMP,
    OUTPUTS,
    TARGET,
    blocks_of,
    extent_at,
    fill_rows,
    fill_taps,
    has_source,
    make_bring,
    make_plan,
    make_runs,
    phase_of,
    place_of,
    places_of,
    tap,
    taps_of_phase,
    words,
)
from .gemm import _BLOCK, blocks_of_k, make_sweep
from .micro import ADD
from .packing import MC, Tiles, fill_offsets
from .vectors import make_transpose

_COLUMNS = 256  # filters of a part of the weights' gradient
_ROWS = 512  # its rows: taps times channels
_FLUSH = 32  # pixels whose gradients are summed in the working type


@exact
def _taps(geometry):
    return geometry[CONV_KERNEL] * geometry[CONV_KERNEL + 1] * geometry[CONV_KERNEL + 2]


@exact
def _columns(blocks, n, outputs, groups, width):
    """Into how many parts the columns are cut, where there are too few blocks for all tasks."""
    across = 1
    while (
        groups == 1 and blocks * across < n and n % (2 * across) == 0
        and outputs >= 2 * across * width
    ):  # fmt: skip
        across *= 2
    return across


def _make_phase(T, transposed):
    """``phase(...)``: the products of one phase of a block, group by group.

    ``base`` is where the block reads, ``y`` the address of its first target pixel; columns c0 to c1
    are wanted.
    """
    places, size = places_of(T), T.bitwidth // 8
    block = external(symbol_of("gemm_block", T.name), _BLOCK)

    @inner
    def phase(p, geometry, base, w, bias, y, first, taps, pixels, c0, c1, act, scratch):
        groups = geometry[CONV_GROUPS]
        inputs, outputs = p[INPUTS] // groups, p[OUTPUTS] // groups
        pitch = outputs if transposed else p[OUTPUTS]
        c1 = min(c1, outputs)
        for group in range(groups):
            if transposed:
                start = (group * _taps(geometry) + first) * inputs * pitch
            else:
                start = group * outputs
            column = group * outputs + c0
            block(
                base + group * inputs * size, scratch + places.rows, 0,
                scratch + places.taps + first * inputs * 8, 1,
                w + (start + c0) * size, pitch, 1,
                y + column * size, scratch + places.targets, 0,
                bias + column * size if bias != 0 else 0,
                pixels, taps * inputs, c1 - c0, act, 0, scratch,
            )  # fmt: skip

    return phase


def make_phases(T, transposed):
    """``phases(...)``: all phases of a block; ``y`` is the address of the whole target."""
    places, size, phase = places_of(T), T.bitwidth // 8, _make_phase(T, transposed)

    @inner
    def phases(p, geometry, base, w, bias, y, image, images, j0, j1, j2, c0, c1, act, scratch):
        first = 0
        for number in range(p[JUMP] * p[AXIS + JUMP] * p[2 * AXIS + JUMP]):
            r0, r1, r2 = phase_of(p, number)
            taps = (
                taps_of_phase(geometry, 0, r0, transposed)
                * taps_of_phase(geometry, 1, r1, transposed)
                * taps_of_phase(geometry, 2, r2, transposed)
            )
            e0, e1 = extent_at(p, 0, j0, r0), extent_at(p, 1, j1, r1)
            e2 = extent_at(p, 2, j2, r2)
            pixels = images * e0 * e1 * e2
            if pixels > 0:
                fill_rows(p, scratch + places.rows, scratch + places.targets, images, e0, e1, e2)
                at = image * p[TARGET] + j0 * p[JUMP] + r0
                at = at * p[AXIS + TARGET] + j1 * p[AXIS + JUMP] + r1
                at = at * p[2 * AXIS + TARGET] + j2 * p[2 * AXIS + JUMP] + r2
                phase(
                    p, geometry, base, w, bias, y + at * p[OUTPUTS] * size, first, taps, pixels,
                    c0, c1, act, scratch,
                )  # fmt: skip
            first += taps

    return phases


def _make_convolve(T, transposed):
    """``convolve(i, n, scratch, x, gate, slope, w, bias, y, geometry, act)``.

    All arrays by address, 0 for none; the source is ``x``, or ``x * slope'(gate)``.
    """
    places, tiles, bring = places_of(T), Tiles(T), make_bring(T)
    size, NR, phases = tiles.size, tiles.columns, make_phases(T, transposed)

    @inner
    def convolve(i, n, scratch, x, gate, slope, w, bias, y, geometry, act):
        p = words(scratch + places.plan, 64)
        make_plan(geometry, p, size, 1 if gate != 0 else 0, n, transposed)
        count = geometry[CONV_IMAGES]
        blocks = blocks_of(p, count)
        across = _columns(blocks, n, p[OUTPUTS], geometry[CONV_GROUPS], NR)
        lo, hi = row_part(i // across, n // across, blocks)
        strips = (p[OUTPUTS] + NR - 1) // NR
        c0 = strips * (i % across) // across * NR
        c1 = strips * (i % across + 1) // across * NR
        if lo < hi:
            fill_taps(geometry, p, words(scratch + places.taps, 0), transposed)
        for number in range(lo, hi):
            image, j0, j1, j2 = place_of(p, number)
            images = min(p[GROUP], count - image)
            base = bring(p, x, gate, slope, image, images, j0, j1, j2, scratch)
            phases(p, geometry, base, w, bias, y, image, images, j0, j1, j2, c0, c1, act, scratch)

    return convolve


def conv(T):
    """y = act(x * w + bias); ``bias`` of size 0: none; act: 0 linear, 1 relu, 2 sigmoid, 3 tanh."""
    convolve = _make_convolve(T, False)

    def task(i, n, scratch, x, w, bias, y, geometry, act):
        biases = address_of(bias) if bias.size > 0 else 0
        convolve(
            i, n, scratch, address_of(x), 0, 0, address_of(w), biases, address_of(y), geometry, act
        )
        return 0

    return task


def conv_input_grad(T):
    """dx = act(the gradient of `conv` for its input, from g * slope'(y), + bias).

    ``w`` are the weights as `conv_turn_weights` puts them; ``y`` of size 0 means that slope' is 1,
    else it is the output of the activation with code ``slope``. With a bias and an activation this
    is a transposed convolution.
    """
    convolve = _make_convolve(T, True)

    def task(i, n, scratch, g, y, w, bias, dx, geometry, slope, act):
        biases = address_of(bias) if bias.size > 0 else 0
        gate = address_of(y) if y.size > 0 else 0
        convolve(
            i, n, scratch, address_of(g), gate, slope, address_of(w), biases, address_of(dx),
            geometry, act,
        )  # fmt: skip
        return 0

    return task


def _make_turn(T):
    """``turn(source, pitch, rows, columns, target)``: the transpose of a matrix at an address."""
    transpose, at = make_transpose(T), view(T)
    size, width = Tiles(T).size, Tiles(T).lanes

    @inner
    def turn(source, pitch, rows, columns, target):
        whole_rows, whole_columns = rows // width * width, columns // width * width
        for r in range(0, whole_rows, width):
            for c in range(0, whole_columns, width):
                transpose(
                    source + (r * pitch + c) * size, pitch * size, width,
                    target + (c * rows + r) * size, rows * size,
                )  # fmt: skip
        numbers, out = at(source, 0), at(target, 0)
        for r in range(rows):
            for c in range(whole_columns if r < whole_rows else 0, columns):
                out[c * rows + r] = numbers[r * pitch + c]

    return turn


@exact
def _is_of_phase(geometry, k, number):
    """Whether tap k (of all) belongs to a phase (of all)."""
    k1, k2 = geometry[CONV_KERNEL + 1], geometry[CONV_KERNEL + 2]
    s1, s2 = geometry[CONV_STRIDE + 1], geometry[CONV_STRIDE + 2]
    return (
        has_source(tap(geometry, 0, number // (s1 * s2), k // (k1 * k2), True))
        and has_source(tap(geometry, 1, number // s2 % s1, k // k2 % k1, True))
        and has_source(tap(geometry, 2, number % s2, k % k2, True))
    )


def conv_turn_weights(T):
    """turned[group, tap, filter, channel] = w[tap, channel, filter], taps sorted by phases."""
    size, turn = T.bitwidth // 8, _make_turn(T)

    def task(i, n, scratch, w, turned, geometry):
        taps, groups = _taps(geometry), geometry[CONV_GROUPS]
        channels, filters = geometry[CONV_CHANNELS] // groups, geometry[CONV_FILTERS] // groups
        lo, hi = row_part(i, n, taps)
        phases = geometry[CONV_STRIDE] * geometry[CONV_STRIDE + 1] * geometry[CONV_STRIDE + 2]
        at = 0
        for number in range(phases):
            for k in range(taps):
                if not _is_of_phase(geometry, k, number):
                    continue
                if lo <= at < hi:
                    for group in range(groups):
                        source = (k * channels * groups + group) * filters
                        target = (group * taps + at) * channels * filters
                        turn(
                            address_of(w) + source * size, groups * filters, channels, filters,
                            address_of(turned) + target * size,
                        )  # fmt: skip
                at += 1
        return 0

    return task


# ------------------------------------------------------------------ gradient for the weights


@exact
def _is_whole(p, axis):
    """Whether blocks are not cut along an axis."""
    return p[axis * AXIS + EXTENT] >= p[axis * AXIS + TARGET]


def _make_slopes(T):
    """``slopes(p, g, gate, act, ..., scratch)``: the gradients of a block's pixels, as a matrix.

    Returns its address and the step between its rows.
    """
    size, numbers, places = T.bitwidth // 8, view(T), places_of(T)
    _, move = make_runs(T)

    @inner
    def slopes(p, g, gate, act, image, images, j0, j1, j2, e0, e1, e2, c0, cn, scratch):
        filters = p[OUTPUTS]
        at = (image * p[TARGET] + j0) * p[AXIS + TARGET] + j1
        at = (at * p[2 * AXIS + TARGET] + j2) * filters
        together = _is_whole(p, 2) and _is_whole(p, 1) and (images == 1 or _is_whole(p, 0))
        if gate == 0 and together:
            return g + (at + c0) * size, filters
        out = scratch + places.slopes
        run, runs, step = cn, e2, filters
        if cn == filters:
            run, runs, step = cn * e2, 1, 0
        for b in range(images):
            for a0 in range(e0):
                for a1 in range(e1):
                    start = (b * p[TARGET] + a0) * p[AXIS + TARGET] + a1
                    start = at + start * p[2 * AXIS + TARGET] * filters + c0
                    for a2 in range(runs):
                        here = (start + a2 * step) * size
                        move(
                            numbers(g + here, run),
                            numbers(gate + here, run if gate != 0 else 0),
                            numbers(out, run), act,
                        )  # fmt: skip
                        out += run * size
        return scratch + places.slopes, cn

    return slopes


@shared
def make_add_columns(T):
    """``add_columns(matrix, pitch, rows, columns, sums, totals)``: totals += sums over the rows."""
    numbers, size, zero = view(T), T.bitwidth // 8, T(0)

    @inner
    def add_rows(matrix, pitch, rows, sums):
        noalias()
        for r in range(rows):
            for j in range(sums.size):
                sums[j] += matrix[r * pitch + j]

    @inner
    def flush(sums, totals):
        noalias()
        for j in range(sums.size):
            totals[j] += types.float64(sums[j])
            sums[j] = zero

    @inner
    def add_columns(matrix, pitch, rows, sums, totals):
        for r in range(0, rows, _FLUSH):
            count = min(_FLUSH, rows - r)
            add_rows(numbers(matrix + r * pitch * size, count * pitch), pitch, count, sums)
            flush(sums, totals)

    return add_columns


def _make_product(T):
    """``product(base, taps, rows, matrix, pitch, out, filters, k, pixels, cn, add, scratch)``.

    ``out[tap, j] (+)= sum over the pixels of base[taps[tap] + rows[pixel]] * matrix[pixel, j]``. A
    matrix as wide as a panel is one, and need not be packed.
    """
    tiles = Tiles(T)
    size, MR, NR, table_a, table_c = (
        tiles.size, tiles.rows, tiles.columns, tiles.rows_a, tiles.rows_c,
    )  # fmt: skip
    block, sweep = external(symbol_of("gemm_block", T.name), _BLOCK), make_sweep(T, tiles)

    @inner
    def product(base, taps, rows, matrix, pitch, out, filters, k, pixels, cn, add, scratch):
        if cn != NR or pitch != NR or pixels == 0:
            block(
                base, taps, 0, rows, 1, matrix, pitch, 1, out, 0, filters, 0, k, pixels, cn, 0, add,
                scratch,
            )  # fmt: skip
            return
        _, longest = blocks_of_k(pixels)
        for first in range(0, pixels, longest):
            flags = ADD if add != 0 or first > 0 else 0
            panel = matrix + first * pitch * size
            for top in range(0, k, MC):
                count = min(MC, k - top)
                fill_offsets(scratch + table_a, taps, top, 0, count, MR)
                fill_offsets(scratch + table_c, 0, 0, filters, count, MR)
                sweep(
                    base, scratch + table_a, rows + first * 8, min(longest, pixels - first), panel,
                    out + top * filters * size, scratch + table_c, count, cn, flags, 0, 0, 0, 0,
                )  # fmt: skip

    return product


@exact
def _parts_of_columns(columns, width, gate, wanted):
    """Into how many parts the columns are cut.

    Where gradients go through an activation, each part does so for its columns only, so that
    columns are shared out before rows are.
    """
    least = (columns + _COLUMNS - 1) // _COLUMNS
    if gate == 0:
        return least
    return max(least, min(wanted, columns // width))


@exact
def _cut(p, geometry, n, sums, gate, width):
    """Into how many parts n tasks cut the columns and the rows of a group's gradient."""
    groups = geometry[CONV_GROUPS]
    rows, columns = _taps(geometry) * p[INPUTS] // groups, p[OUTPUTS] // groups
    products = sums * groups
    across = _parts_of_columns(columns, width, gate, (n + products - 1) // products)
    wanted = (n + products * across - 1) // (products * across)
    return across, max((rows + _ROWS - 1) // _ROWS, min(wanted, max(1, rows // 32)))


@exact
def _whole_tiles(i, n, count, size):
    """Part i of n of a count, in tiles of a size of which the last may be smaller."""
    tiles = (count + size - 1) // size
    return min(count, tiles * i // n * size), min(count, tiles * (i + 1) // n * size)


def _make_add_biases(T):
    """``add_biases(matrix, pitch, pixels, biases, number, scratch)``: those of block ``number``."""
    places, zero, add_columns = places_of(T), T(0), make_add_columns(T)
    numbers, doubles = view(T), view(types.float64)

    @inner
    def add_biases(matrix, pitch, pixels, biases, number, scratch):
        totals = doubles(scratch + places.targets, biases.size)
        sums = numbers(scratch, biases.size)
        for j in range(biases.size):
            sums[j] = zero
            totals[j] = 0.0
        add_columns(matrix, pitch, pixels, sums, totals)
        for j in range(biases.size):
            biases[j] = T(totals[j]) + (biases[j] if number > 0 else zero)

    return add_biases


def _make_part(T, slopes):
    """``part(...)``: rows k0 to k1, columns c0 to c0 + cn, of the sum over images lo to hi."""
    size, places, bring = T.bitwidth // 8, places_of(T), make_bring(T)
    product, add_biases = _make_product(T), _make_add_biases(T)

    @inner
    def part(p, geometry, x, g, gate, slope, out, lo, hi, group, k0, k1, c0, cn, biases, scratch):
        inputs, filters = p[INPUTS] // geometry[CONV_GROUPS], p[OUTPUTS]
        for number in range(max(1, blocks_of(p, hi - lo))):
            image, j0, j1, j2 = place_of(p, number)
            image += lo
            images = min(p[GROUP], hi - image)
            e0, e1, e2 = extent_at(p, 0, j0, 0), extent_at(p, 1, j1, 0), extent_at(p, 2, j2, 0)
            pixels = images * e0 * e1 * e2
            base, matrix, pitch = x, g, filters
            if pixels > 0:
                base = bring(p, x, 0, 0, image, images, j0, j1, j2, scratch)
                fill_rows(p, scratch + places.rows, scratch + places.targets, images, e0, e1, e2)
                matrix, pitch = slopes(
                    p, g, gate, slope, image, images, j0, j1, j2, e0, e1, e2, c0, cn, scratch
                )
            product(
                base + group * inputs * size, scratch + places.taps + k0 * 8,
                scratch + places.rows, matrix, pitch, out + (k0 * filters + c0) * size, filters,
                k1 - k0, pixels, cn, 1 if number > 0 else 0, scratch,
            )  # fmt: skip
            if biases.size > 0:
                add_biases(matrix, pitch, pixels, biases, number, scratch)

    return part


def make_weights_grad(T, slopes):
    """``run(i, n, scratch, x, g, gate, slope, geometry, parts, biases)``: `conv_weights_grad`.

    x, g, gate by address; ``slopes`` brings the gradients of a block, see `_make_slopes`.
    """
    places, tiles, numbers, part = places_of(T), Tiles(T), view(T), _make_part(T, slopes)
    size, MR, NR = tiles.size, tiles.rows, tiles.columns

    @inner
    def run(i, n, scratch, x, g, gate, slope, geometry, parts, biases):
        p = words(scratch + places.plan, 64)
        make_plan(geometry, p, size, 0, 1, False)
        fill_taps(geometry, p, words(scratch + places.taps, 0), False)
        count, groups, filters = geometry[CONV_IMAGES], geometry[CONV_GROUPS], p[OUTPUTS]
        k, each, sums = _taps(geometry) * p[INPUTS] // groups, filters // groups, parts.shape[0]
        across, down = _cut(p, geometry, n, sums, gate, NR)
        lo, hi = row_part(i, n, sums * groups * across * down)
        for unit in range(lo, hi):
            rest, d = unit // down, unit % down
            rest, a = rest // across, rest % across
            s, group = rest // groups, rest % groups
            k0, k1 = _whole_tiles(d, down, k, MR)
            c0, c1 = _whole_tiles(a, across, each, NR)
            column, cn = group * each + c0, c1 - c0
            wanted = cn if d == 0 and biases.size > 0 else 0
            part(
                p, geometry, x, g, gate, slope,
                address_of(parts) + s * k * filters * size,
                count * s // sums, count * (s + 1) // sums, group, k0, k1, column, cn,
                numbers(address_of(biases) + (s * filters + column) * size, wanted), scratch,
            )  # fmt: skip

    return run


def conv_weights_grad(T):
    """Gradients for the weights and the bias, in parts that remain to be added up.

    ``parts`` has shape (parts, taps, channels of a group, filters), ``biases`` (parts, filters) or
    size 0 for not wanted; part s is of the images from ``images * s // parts`` on. The gradient of
    the sums is ``g * slope'(y)``, see `conv_input_grad`.
    """
    run = make_weights_grad(T, _make_slopes(T))

    def task(i, n, scratch, x, g, y, geometry, slope, parts, biases):
        gate = address_of(y) if y.size > 0 else 0
        run(i, n, scratch, address_of(x), address_of(g), gate, slope, geometry, parts, biases)
        return 0

    return task
