"""Convolutions of each channel with a kernel of its own; `geometry` as for other convolutions.

Weights have shape (taps, channels). Blocks of pixels are cut, and brought between zeros where taps
reach beyond the image, as for other convolutions; see `conv_plan`. The weights' gradient is cut
into parts by images, which remain to be added up.
"""

from numba import types

from ..table import CONV_CHANNELS, CONV_IMAGES, CONV_KERNEL, CONV_OFFSETS
from ._jit import address_of, exact, inner, noalias, view
from ._parts import row_part
from .conv import make_add_columns
from .conv_plan import (
    AXIS,
    GROUP,
    JUMP,
    LOW,
    OUTPUTS,
    STEP,
    TARGET,
    WALK,
    blocks_of,
    extent_at,
    has_source,
    make_bring,
    make_plan,
    phase_of,
    place_of,
    places_of,
    tap,
    words,
)
from .depthwise_rows import row_function

_MOST = 1 << 15  # taps times channels whose sums are taken at once
_ORDER = 4 * CONV_OFFSETS  # bytes between what taps read and which taps they are
_STRIP = 16  # channels that stay together


@exact
def _all_taps(geometry):
    return geometry[CONV_KERNEL] * geometry[CONV_KERNEL + 1] * geometry[CONV_KERNEL + 2]


@inner
def _list_taps(geometry, p, number, offsets, order, transposed):
    """What the taps of a phase read, and which they are; how many there are."""
    n1, n2 = geometry[CONV_KERNEL + 1], geometry[CONV_KERNEL + 2]
    r0, r1, r2 = phase_of(p, number)
    count = 0
    for k in range(_all_taps(geometry)):
        q0 = tap(geometry, 0, r0, k // (n1 * n2), transposed)
        q1 = tap(geometry, 1, r1, k // n2 % n1, transposed)
        q2 = tap(geometry, 2, r2, k % n2, transposed)
        if has_source(q0) and has_source(q1) and has_source(q2):
            start = (q0 - p[LOW]) * p[WALK] + (q1 - p[AXIS + LOW]) * p[WALK + 1]
            offsets[count] = start + (q2 - p[2 * AXIS + LOW]) * p[WALK + 2]
            order[count] = k
            count += 1
    return count


@exact
def _source(p, b, j0, j1):
    """Where the first pixel of a row of a block reads, in numbers from where the block does."""
    start = b * p[WALK + 3] + j0 * p[STEP] * p[WALK]
    return start + j1 * p[AXIS + STEP] * p[WALK + 1]


@exact
def _target(p, image, j0, j1, j2, r0, r1, r2):
    """The first target pixel of a row."""
    at = image * p[TARGET] + j0 * p[JUMP] + r0
    at = at * p[AXIS + TARGET] + j1 * p[AXIS + JUMP] + r1
    return (at * p[2 * AXIS + TARGET] + j2 * p[2 * AXIS + JUMP] + r2) * p[OUTPUTS]


def _make_rows(T):
    """``rows(...)``: the rows of one phase of a block."""
    size, places, row = T.bitwidth // 8, places_of(T), row_function("row", T.name)

    @inner
    def rows(p, base, w, bias, y, image, images, j0, j1, j2, number, taps, scratch):
        r0, r1, r2 = phase_of(p, number)
        e0, e1 = extent_at(p, 0, j0, r0), extent_at(p, 1, j1, r1)
        e2 = extent_at(p, 2, j2, r2)
        channels = p[OUTPUTS]
        for b in range(images if e2 > 0 else 0):
            for a0 in range(e0):
                for a1 in range(e1):
                    target = _target(p, image + b, j0 + a0, j1 + a1, j2, r0, r1, r2)
                    row(
                        base + _source(p, b, a0, a1) * size, scratch + places.taps,
                        scratch + places.taps + _ORDER, taps, w, channels, bias,
                        y + target * size,
                        p[2 * AXIS + STEP] * p[WALK + 2], p[2 * AXIS + JUMP] * channels, e2,
                        channels,
                    )  # fmt: skip

    return rows


def _make_convolve(T, transposed):
    """``convolve(i, n, scratch, x, w, bias, y, geometry)``; arrays by address, 0 for no bias."""
    size, places, zero, numbers = T.bitwidth // 8, places_of(T), T(0), view(T)
    bring, rows = make_bring(T), _make_rows(T)

    @inner
    def nothing(scratch, channels):
        """Biases of 0."""
        biases = numbers(scratch + places.slopes, channels)
        for j in range(channels):
            biases[j] = zero
        return scratch + places.slopes

    @inner
    def convolve(i, n, scratch, x, w, bias, y, geometry):
        p = words(scratch + places.plan, 64)
        make_plan(geometry, p, size, 0, n, transposed)
        offsets, order = words(scratch + places.taps, 0), words(scratch + places.taps + _ORDER, 0)
        count = geometry[CONV_IMAGES]
        phases = p[JUMP] * p[AXIS + JUMP] * p[2 * AXIS + JUMP]
        lo, hi = row_part(i, n, blocks_of(p, count))
        biases = nothing(scratch, p[OUTPUTS]) if bias == 0 else bias
        for block in range(lo, hi):
            image, j0, j1, j2 = place_of(p, block)
            images = min(p[GROUP], count - image)
            base = bring(p, x, 0, 0, image, images, j0, j1, j2, scratch)
            for number in range(phases):
                taps = _list_taps(geometry, p, number, offsets, order, transposed)
                rows(p, base, w, biases, y, image, images, j0, j1, j2, number, taps, scratch)

    return convolve


def depthwise(T):
    """y = x * w + bias, channel by channel; ``bias`` of size 0: none."""
    convolve = _make_convolve(T, False)

    def task(i, n, scratch, x, w, bias, y, geometry):
        biases = address_of(bias) if bias.size > 0 else 0
        convolve(i, n, scratch, address_of(x), address_of(w), biases, address_of(y), geometry)
        return 0

    return task


def depthwise_input_grad(T):
    """dx = the gradient of `depthwise` for its input."""
    convolve = _make_convolve(T, True)

    def task(i, n, scratch, g, w, dx, geometry):
        convolve(i, n, scratch, address_of(g), address_of(w), 0, address_of(dx), geometry)
        return 0

    return task


def _make_sum_block(T):
    """``sum_block(...)``: what a block adds to the gradients of some channels."""
    size, places, sum_row = T.bitwidth // 8, places_of(T), row_function("sums", T.name)
    add_columns = make_add_columns(T)

    @inner
    def sum_block(
        p, base, g, image, images, j0, j1, j2, taps, c0, sums, channels, row_sums, totals, scratch
    ):
        e0, e1, e2 = extent_at(p, 0, j0, 0), extent_at(p, 1, j1, 0), extent_at(p, 2, j2, 0)
        for b in range(images):
            for a0 in range(e0):
                for a1 in range(e1):
                    target = _target(p, image + b, j0 + a0, j1 + a1, j2, 0, 0, 0)
                    sum_row(
                        base + (_source(p, b, a0, a1) + c0) * size, scratch + places.taps, taps,
                        g + (target + c0) * size, p[2 * AXIS + STEP] * p[WALK + 2], p[OUTPUTS], e2,
                        channels, sums, channels,
                    )  # fmt: skip
                    if totals.size > 0:
                        here = g + (target + c0) * size
                        add_columns(here, p[OUTPUTS], e2, row_sums, totals)

    return sum_block


def _make_sum_channels(T):
    """``sum_channels(...)``: the gradients of channels c0 to c1, over images lo to hi.

    ``biases`` are those channels' biases, or none.
    """
    size, places, zero = T.bitwidth // 8, places_of(T), T(0)
    numbers, doubles = view(T), view(types.float64)
    bring, sum_block = make_bring(T), _make_sum_block(T)

    @inner
    def flush(sums, totals):
        noalias()
        for j in range(sums.size):
            totals[j] += types.float64(sums[j])
            sums[j] = zero

    @inner
    def clear(sums, totals):
        for j in range(sums.size):
            sums[j] = zero
            totals[j] = 0.0

    @inner
    def sum_channels(p, x, g, parts, s, biases, lo, hi, c0, c1, taps, scratch):
        width = c1 - c0
        sums = numbers(scratch + places.slopes, taps * width)
        totals = doubles(scratch + places.slopes + _MOST * size, taps * width)
        rest = scratch + places.slopes + _MOST * (size + 8)
        row_sums, of_bias = numbers(rest, biases.size), doubles(rest + _MOST * size, biases.size)
        clear(sums, totals)
        clear(row_sums, of_bias)
        for block in range(blocks_of(p, hi - lo)):
            image, j0, j1, j2 = place_of(p, block)
            image += lo
            images = min(p[GROUP], hi - image)
            base = bring(p, x, 0, 0, image, images, j0, j1, j2, scratch)
            sum_block(
                p, base, g, image, images, j0, j1, j2, taps, c0, address_of(sums), width, row_sums,
                of_bias, scratch,
            )  # fmt: skip
            flush(sums, totals)
        for j in range(biases.size):
            biases[j] = T(of_bias[j])
        for t in range(taps):
            for j in range(width):
                parts[s, t * p[OUTPUTS] + c0 + j] = T(totals[t * width + j])

    return sum_channels


def depthwise_weights_grad(T):
    """Gradients for the weights in parts; part s is of the images from ``images * s // parts`` on.

    Sums over a block are taken in the working type, those over blocks in float64. ``biases`` has
    shape (parts, channels), or size 0 for not wanted.
    """
    size, places, sum_channels = T.bitwidth // 8, places_of(T), _make_sum_channels(T)
    numbers = view(T)

    def task(i, n, scratch, x, g, parts, biases, geometry):
        p = words(scratch + places.plan, 64)
        make_plan(geometry, p, size, 0, 1, False)
        count, channels, taps = parts.shape[0], geometry[CONV_CHANNELS], _all_taps(geometry)
        _list_taps(
            geometry, p, 0, words(scratch + places.taps, 0),
            words(scratch + places.taps + _ORDER, 0), False,
        )  # fmt: skip
        across, strips = channels * taps // (_MOST // 2) + 1, (channels + _STRIP - 1) // _STRIP
        lo, hi = row_part(i, n, count * across)
        images = geometry[CONV_IMAGES]
        for unit in range(lo, hi):
            s, a = unit // across, unit % across
            c0, c1 = row_part(a, across, strips)
            c0, c1 = c0 * _STRIP, min(channels, c1 * _STRIP)
            first, last = row_part(s, count, images)
            if c0 < c1:
                place = address_of(biases) + (s * channels + c0) * size
                sum_channels(
                    p, address_of(x), address_of(g), parts, s,
                    numbers(place, c1 - c0 if biases.size > 0 else 0), first, last, c0, c1, taps,
                    scratch,
                )  # fmt: skip
        return 0

    return task
