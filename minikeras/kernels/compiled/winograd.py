"""Convolution of images with 3 x 3 weights by Winograd's algorithm, and its gradients.

A quarter of the products of the direct sum: the target is cut into tiles of 4 x 4 pixels, and what
a tile reads, 6 x 6 pixels, and the weights are mapped to 36 *places* (see `winograd_maps`). There
convolution is a product of matrices, place by place: tiles x channels with channels x filters.

Mapped weights lie in panels as the micro-kernel wants them: (filters / width, 36, channels, width),
with zeros for filters that do not exist; so do the sums of which the weights' gradient is made. A
task takes some tiles at a time, so many that the mapped pixels stay in the second-level cache.
"""

from numba import types

from ..table import (
    CONV_CHANNELS,
    CONV_FILTERS,
    CONV_IMAGES,
    CONV_IN,
    CONV_OUT,
    CONV_PAD,
)
from ._jit import address_of, exact, inner, shared, view
from ._parts import row_part
from .conv import make_add_columns
from .conv_plan import make_runs
from .gemm import make_activate
from .micro import ADD, BIAS, RELU, Tile
from .packing import Tiles, integers
from .winograd_maps import POINTS, TAPS, TILE, linear_map

_PLACES = POINTS * POINTS
_KC = 256  # channels, or tiles, that are summed at once: their panel fits the first-level cache
_MOST = 64  # tiles at a time
_BUDGET = 640 << 10  # bytes that mapped pixels may take of the second-level cache
_SHIFT = 16  # numbers between the places, or all of them would fall into the same cache lines
_CHANNELS = 1024  # most channels; see `fits` of the operation
_CLIPPED = 1

# The layout: where things lie in scratch, in bytes.
_TABLES, _TABLE = 0, (_CHANNELS + 16) * 8  # offsets: k, rows of A, rows of C
_PATCH = 4 * _TABLE


def _places_of(T):
    """Where a patch of pixels, its mapped pixels and those of the target lie, in bytes."""
    size = T.bitwidth // 8
    mapped = _PATCH + _PLACES * _CHANNELS * size
    other = mapped + max(2 * _BUDGET, _PLACES * (8 * _CHANNELS + _SHIFT) * size)
    return _PATCH, mapped, other


@exact
def _across(geometry, transposed):
    """Tiles along the rows and columns of a target."""
    first = CONV_IN if transposed else CONV_OUT
    return (geometry[first + 1] + TILE - 1) // TILE, (geometry[first + 2] + TILE - 1) // TILE


@exact
def _at_once(channels, size, height):
    """How many tiles are taken at a time: a multiple of the tile's height."""
    fitting = _BUDGET // (_PLACES * channels * size)
    return max(height, min(_MOST // height * height, fitting // height * height))


@exact
def _step(rows, columns):
    """Numbers between the places of mapped pixels."""
    return rows * columns + _SHIFT


@inner
def _fill(table, count, padding, step):
    entries = integers(table, count + padding)
    for i in range(count):
        entries[i] = i * step
    for i in range(count, count + padding):
        entries[i] = (count - 1) * step


@shared
def _make_patch(T):
    """``patch(x, gate, slope, height, width, channels, r, c, side, c0, cn, target)``.

    Copies a square of pixels, from row r and column c on, channels c0 to c0 + cn, of an image at
    address x; zeros stand for what lies beyond the image.
    """
    size, numbers = T.bitwidth // 8, view(T)
    zeros, move = make_runs(T)

    @inner
    def patch(x, gate, slope, height, width, channels, r, c, side, c0, cn, target):
        for i in range(side):
            inside = 0 <= r + i < height
            for j in range(side):
                out = numbers(target + (i * side + j) * cn * size, cn)
                if inside and 0 <= c + j < width:
                    at = (((r + i) * width + c + j) * channels + c0) * size
                    move(
                        numbers(x + at, cn), numbers(gate + at, cn if gate != 0 else 0), out, slope
                    )
                else:
                    zeros(out)

    return patch


@shared
def _make_take(T):
    """``take(...)``: map the pixels that some tiles read, tile by tile, at all places."""
    size, places = T.bitwidth // 8, _places_of(T)
    patch, map_input = _make_patch(T), linear_map("input", T.name)

    @inner
    def take(geometry, transposed, x, gate, slope, first, count, channels, step, scratch):
        source = CONV_OUT if transposed else CONV_IN
        height, width = geometry[source + 1], geometry[source + 2]
        above, left = geometry[CONV_PAD + 1], geometry[CONV_PAD + 2]
        if transposed:
            above, left = TAPS - 1 - above, TAPS - 1 - left
        down, across = _across(geometry, transposed)
        for t in range(count):
            tile = first + t
            image = tile // (down * across)
            r = tile // across % down * TILE - above
            c = tile % across * TILE - left
            start = image * height * width * channels * size
            here, row, column = x + start, width * channels, channels
            inside = r >= 0 and c >= 0 and r + POINTS <= height and c + POINTS <= width
            if inside and gate == 0:
                here += (r * width + c) * channels * size
            else:
                patch(
                    here, gate + start if gate != 0 else 0, slope, height, width, channels, r, c,
                    POINTS, 0, channels, scratch + places[0],
                )  # fmt: skip
                here, row = scratch + places[0], POINTS * channels
            map_input(
                here, row, column, scratch + places[1] + t * channels * size, POINTS * step, step,
                channels, 0, 0,
            )  # fmt: skip

    return take


@shared
def _make_multiply(T):
    """``multiply(...)``: the products of a panel at all places, a block of k after the other."""
    tiles = Tiles(T)
    size, MR, tile = tiles.size, tiles.rows, Tile(tiles.floats, tiles.rows, 2).function()

    @inner
    def multiply(a, a_step, a_row, a_k, k, b, b_step, c, c_step, width, height, add, scratch):
        """``c[place] (+)= a[place] b[place]``; steps between places in numbers; a by two tables.

        ``a_row`` numbers lie between its rows, ``a_k`` between its columns.
        """
        table_k, rows, targets = scratch + _TABLES, scratch + _TABLE, scratch + 2 * _TABLE
        _fill(rows, height, MR, a_row)
        _fill(targets, height, MR, width)
        _fill(table_k, min(k, _KC), 4, a_k)
        for place in range(_PLACES):
            for k0 in range(0, k, _KC):
                tile(
                    a + (place * a_step + k0 * a_k) * size, rows, table_k, min(_KC, k - k0),
                    b + (place * b_step + k0 * width) * size, c + place * c_step * size, targets,
                    height, width, ADD if add != 0 or k0 > 0 else 0, 0, 0, 0, 0,
                )  # fmt: skip

    return multiply


@shared
def _make_give(T):
    """``give(...)``: from the places to the target's pixels, tile by tile, for one panel."""
    size, places, numbers = T.bitwidth // 8, _places_of(T), view(T)
    map_output = linear_map("output", T.name)
    _, move = make_runs(T)

    @inner
    def crop(y, row, column, rows, columns, count, patch):
        nothing = numbers(patch, 0)
        for i in range(rows):
            for j in range(columns):
                source = numbers(patch + (i * TILE + j) * count * size, count)
                target = numbers(y + (i * row + j * column) * size, count)
                move(source, nothing, target, 0)

    @inner
    def give(geometry, transposed, y, first, count, filters, f0, fn, step, pitch, bias, flags, s):
        target = CONV_IN if transposed else CONV_OUT
        height, width = geometry[target + 1], geometry[target + 2]
        down, across = _across(geometry, transposed)
        for t in range(count):
            tile = first + t
            image, r = tile // (down * across), tile // across % down * TILE
            c = tile % across * TILE
            out = y + (((image * height + r) * width + c) * filters + f0) * size
            rows, columns = min(TILE, height - r), min(TILE, width - c)
            here, row, column = out, width * filters, filters
            if rows < TILE or columns < TILE:
                here, row, column = s + places[0], TILE * fn, fn
            map_output(
                s + places[2] + t * pitch * size, POINTS * step, step, here, row, column, fn,
                bias, flags,
            )  # fmt: skip
            if rows < TILE or columns < TILE:
                crop(out, width * filters, filters, rows, columns, fn, here)

    return give


@shared
def _make_activate_tiles(T):
    """``activate_tiles(...)``: sigmoid or tanh of the target's pixels in some tiles."""
    size, activate = T.bitwidth // 8, make_activate(T)

    @inner
    def activate_tiles(geometry, transposed, y, first, count, filters, act):
        target = CONV_IN if transposed else CONV_OUT
        height, width = geometry[target + 1], geometry[target + 2]
        down, across = _across(geometry, transposed)
        for tile in range(first, first + count):
            r, c = tile // across % down * TILE, tile % across * TILE
            columns = min(TILE, width - c)
            for i in range(min(TILE, height - r)):
                at = (tile // (down * across) * height + r + i) * width + c
                activate(y + at * filters * size, columns * filters, act)

    return activate_tiles


def winograd(T):
    """y = act(x * w + bias) with weights mapped by `winograd_weights`; see `conv`.

    ``transposed`` means the gradient for the input: x is that of the output, times ``slope'(gate)``
    unless the gate has size 0, and the weights are mapped turned round. ``width`` is that of the
    panels.
    """
    tiles, places = Tiles(T), _places_of(T)
    size, MR = tiles.size, tiles.rows
    take, multiply, give = _make_take(T), _make_multiply(T), _make_give(T)
    activate_tiles = _make_activate_tiles(T)

    @inner
    def some(geometry, transposed, x, gate, slope, u, bias, y, first, count, width, act, scratch):
        channels, filters = geometry[CONV_CHANNELS], geometry[CONV_FILTERS]
        if transposed:
            channels, filters = filters, channels
        step, pitch = _step(count, channels), _step(count, width)
        take(geometry, transposed, x, gate, slope, first, count, channels, step, scratch)
        flags = (BIAS if bias != 0 else 0) | (RELU if act == _CLIPPED else 0)
        for f0 in range(0, filters, width):
            multiply(
                scratch + places[1], step, channels, 1, channels,
                u + f0 * _PLACES * channels * size, channels * width,
                scratch + places[2], pitch, width, count, 0, scratch,
            )  # fmt: skip
            give(
                geometry, transposed, y, first, count, filters, f0, min(width, filters - f0),
                pitch, width, bias + f0 * size if bias != 0 else 0, flags, scratch,
            )  # fmt: skip
        if act > _CLIPPED:
            activate_tiles(geometry, transposed, y, first, count, filters, act)

    def task(i, n, scratch, x, gate, u, bias, y, geometry, width, slope, act, transposed):
        down, across = _across(geometry, transposed)
        count = geometry[CONV_IMAGES] * down * across
        channels = geometry[CONV_FILTERS if transposed else CONV_CHANNELS]
        lo, hi = row_part(i, n, (count + MR - 1) // MR)
        lo, hi = lo * MR, min(count, hi * MR)
        most = _at_once(channels, size, MR)
        for first in range(lo, hi, most):
            some(
                geometry, transposed, address_of(x), address_of(gate) if gate.size > 0 else 0,
                slope, address_of(u), address_of(bias) if bias.size > 0 else 0, address_of(y),
                first, min(most, hi - first), width, act, scratch,
            )  # fmt: skip
        return 0

    return task


def winograd_weights(T):
    """u = the weights (taps, inputs, outputs) at all places; reversed ones with the last tap first.

    ``width`` is that of the panels.
    """
    size, numbers = T.bitwidth // 8, view(T)
    map_weights = linear_map("weights", T.name)
    zeros, _ = make_runs(T)

    def task(i, n, scratch, w, u, inputs, outputs, reverse, width):
        step = inputs * outputs
        source, row, column = address_of(w), TAPS * step, step
        if reverse:
            source, row, column = source + 8 * step * size, -row, -column
        lo, hi = row_part(i, n, inputs)
        for panel in range((outputs + width - 1) // width):
            for k in range(lo, hi):
                target = address_of(u) + (panel * _PLACES * inputs + k) * width * size
                count = min(width, outputs - panel * width)
                if count < width:
                    for place in range(_PLACES):
                        zeros(numbers(target + place * inputs * width * size, width))
                map_weights(
                    source + (k * outputs + panel * width) * size, row, column,
                    target, POINTS * inputs * width, inputs * width, count, 0, 0,
                )  # fmt: skip
        return 0

    return task


def _make_slopes(T):
    """``slopes(...)``: map the gradients of some tiles for one panel, and add up the biases'."""
    size, places = T.bitwidth // 8, _places_of(T)
    patch, add_columns = _make_patch(T), make_add_columns(T)
    map_slopes = linear_map("slopes", T.name)

    @inner
    def slopes(geometry, g, gate, slope, first, count, f0, fn, step, width, sums, totals, scratch):
        filters = geometry[CONV_FILTERS]
        height, length = geometry[CONV_OUT + 1], geometry[CONV_OUT + 2]
        down, across = _across(geometry, False)
        for t in range(count):
            tile = first + t
            r, c = tile // across % down * TILE, tile % across * TILE
            start = tile // (down * across) * height * length * filters * size
            here, row, column = g + start, length * filters, filters
            whole = r + TILE <= height and c + TILE <= length
            if whole and gate == 0 and totals.size == 0:
                here += ((r * length + c) * filters + f0) * size
            else:
                patch(
                    here, gate + start if gate != 0 else 0, slope, height, length, filters, r, c,
                    TILE, f0, fn, scratch + places[0],
                )  # fmt: skip
                here, row, column = scratch + places[0], TILE * fn, fn
                if totals.size > 0:
                    add_columns(here, fn, TILE * TILE, sums, totals)
            map_slopes(
                here, row, column, scratch + places[2] + t * width * size, POINTS * step, step,
                fn, 0, 0,
            )  # fmt: skip

    return slopes


@shared
def _make_some_tiles(T):
    """``some(...)``: what a few tiles add at all places of panels p0 to p1."""
    size, places, numbers, doubles = T.bitwidth // 8, _places_of(T), view(T), view(types.float64)
    take, multiply, slopes, zeros = (
        _make_take(T),
        _make_multiply(T),
        _make_slopes(T),
        make_runs(T)[0],
    )

    @inner
    def some(geometry, x, g, gate, slope, part, first, count, p0, p1, width, add, sums, totals, s):
        channels, filters = geometry[CONV_CHANNELS], geometry[CONV_FILTERS]
        step, pitch = _step(count, channels), _step(count, width)
        take(geometry, 0, x, 0, 0, first, count, channels, step, s)
        for panel in range(p0, p1):
            f0 = panel * width
            fn = min(width, filters - f0)
            if fn < width:
                zeros(numbers(s + places[2], _PLACES * pitch))
            held = fn if totals.size > 0 else 0
            slopes(
                geometry, g, gate, slope, first, count, f0, fn, pitch, width,
                numbers(address_of(sums), held), doubles(address_of(totals) + f0 * 8, held), s,
            )  # fmt: skip
            multiply(
                s + places[1], step, 1, channels, count, s + places[2], pitch,
                part + f0 * _PLACES * channels * size, channels * width, width, channels, add, s,
            )  # fmt: skip

    return some


@shared
def _make_unit(T):
    """``unit(...)``: panels p0 to p1 of the sum over some images; ``biases`` are theirs."""
    size, zero, numbers, doubles = T.bitwidth // 8, T(0), view(T), view(types.float64)
    some, zeros = _make_some_tiles(T), make_runs(T)[0]

    @inner
    def begin(totals, held):
        for j in range(totals.size):
            totals[j] = 0.0
        for j in range(held.size):
            held[j] = zero

    @inner
    def unit(geometry, x, g, gate, slope, out, image, end, p0, p1, width, biases, most, scratch):
        down, across = _across(geometry, 0)
        first, stop = image * down * across, end * down * across
        totals = doubles(scratch + 3 * _TABLE, biases.size)
        held = numbers(scratch + _PATCH - width * size, width)
        begin(totals, held)
        if first == stop:
            each = _PLACES * geometry[CONV_CHANNELS] * width
            zeros(numbers(out + p0 * each * size, (p1 - p0) * each))
        for t in range(first, stop, most):
            some(
                geometry, x, g, gate, slope, out, t, min(most, stop - t), p0, p1, width, t > first,
                held, totals, scratch,
            )  # fmt: skip
        for j in range(p0 * width, min(biases.size, p1 * width)):
            biases[j] = T(totals[j])

    return unit


def winograd_weights_grad(T):
    """The weights' gradient at all places, in parts that `winograd_weights_sum` adds up.

    ``parts`` has shape (parts, mapped weights), ``biases`` (parts, filters) or size 0 for not
    wanted; part s is of the images from ``images * s // parts`` on.
    """
    tiles, unit, numbers = Tiles(T), _make_unit(T), view(T)
    size, MR = tiles.size, tiles.rows

    def task(i, n, scratch, x, g, y, geometry, width, slope, parts, biases):
        filters, sums = geometry[CONV_FILTERS], parts.shape[0]
        panels = (filters + width - 1) // width
        columns = min(panels, max(1, (n + sums - 1) // sums))
        lo, hi = row_part(i, n, sums * columns)
        most = _at_once(geometry[CONV_CHANNELS], size, MR)
        wanted = filters if biases.size > 0 else 0
        for number in range(lo, hi):
            part, column = number // columns, number % columns
            p0, p1 = row_part(column, columns, panels)
            image, end = row_part(part, sums, geometry[CONV_IMAGES])
            unit(
                geometry, address_of(x), address_of(g), address_of(y) if y.size > 0 else 0, slope,
                address_of(parts) + part * parts.shape[1] * size, image, end, p0, p1, width,
                numbers(address_of(biases) + part * wanted * size, wanted), most, scratch,
            )  # fmt: skip
        return 0

    return task


def winograd_weights_sum(T):
    """dw (taps, inputs, outputs) from the parts that `winograd_weights_grad` made."""
    size, numbers, places = T.bitwidth // 8, view(T), _places_of(T)
    map_sums = linear_map("sums", T.name)

    @inner
    def add(source, target):
        for j in range(target.size):
            target[j] += source[j]

    @inner
    def gather(parts, start, inputs, width, target):
        """The sum of the parts at each place, of one input."""
        for place in range(_PLACES):
            out = numbers(target + place * width * size, width)
            at = (start + place * inputs * width) * size
            for j in range(width):
                out[j] = numbers(address_of(parts) + at, width)[j]
            for part in range(1, parts.shape[0]):
                add(numbers(address_of(parts) + part * parts.shape[1] * size + at, width), out)

    def task(i, n, scratch, parts, dw, inputs, outputs, width):
        lo, hi = row_part(i, n, inputs)
        for panel in range((outputs + width - 1) // width):
            for k in range(lo, hi):
                start = (panel * _PLACES * inputs + k) * width
                gather(parts, start, inputs, width, scratch + places[0])
                map_sums(
                    scratch + places[0], POINTS * width, width,
                    address_of(dw) + (k * outputs + panel * width) * size,
                    TAPS * inputs * outputs, inputs * outputs,
                    min(width, outputs - panel * width), 0, 0,
                )  # fmt: skip
        return 0

    return task
