"""Convolution, bias, relu and pooling of 2 x 2 pixels, block by block while a block is in cache.

Blocks are those of `conv`, of an even number of whole rows; what they give lies in scratch memory.
"""

from numba import types

from ..table import CONV_FILTERS, CONV_IMAGES, CONV_OUT, CONV_POOL_PIXELS
from ._jit import address_of, inner, noalias, view
from ._parts import piece, row_part
from .conv import make_phases, make_weights_grad
from .conv_plan import (
    AXIS,
    BOXED,
    COUNT,
    EXTENT,
    GROUP,
    INPUTS,
    OUTPUTS,
    PIXELS,
    TARGET,
    WALK,
    blocks_of,
    box_side,
    extent_at,
    fill_taps,
    make_bring,
    make_plan,
    make_runs,
    place_of,
    places_of,
    words,
)
from .pooling import make_gate, make_largest_of_four

_RELU = 1
assert CONV_POOL_PIXELS <= PIXELS


@inner
def _even_rows(p):
    """Shorten blocks that are cut along the rows to an even number of them."""
    if p[AXIS + EXTENT] < p[AXIS + COUNT] and p[AXIS + EXTENT] % 2 == 1:
        p[AXIS + EXTENT] -= 1
        if p[BOXED] != 0:
            step = p[INPUTS]
            for axis in (2, 1, 0):
                p[WALK + axis] = step
                step *= box_side(p, axis)
            p[WALK + 3] = step


def _make_pool(T):
    """``pool(x, y, index, height, width, filters, images, rows, image, row)``.

    The windows of some rows of images at address x, from `row` of `image` on.
    """
    numbers = view(T)
    largest, gate = make_largest_of_four(), make_gate(T)

    @inner
    def pool(x, y, index, height, width, filters, images, rows, image, row):
        line = width * filters
        pixels = numbers(x, images * height * line)
        for b in range(images):
            for r in range(rows // 2):
                out = ((image + b) * (height // 2) + row // 2 + r) * (width // 2) * filters
                at = (b * height + 2 * r) * line
                for _ in range(width // 2):
                    right, below = at + filters, at + line
                    corner = below + filters
                    best = piece(y, out, out + filters)
                    taps = piece(index, out, out + filters)
                    largest(
                        piece(pixels, at, right), piece(pixels, right, right + filters),
                        piece(pixels, below, corner), piece(pixels, corner, corner + filters),
                        best, taps,
                    )  # fmt: skip
                    gate(best, taps)
                    at += 2 * filters
                    out += filters

    return pool


def conv_relu_pool(T):
    """y = the largest numbers of windows of relu(x * w + bias), index as of `max_pool`, gated.

    ``bias`` of size 0: none. Geometry of the convolution of images, whose rows must be so short
    that a block holds two: see `CONV_POOL_PIXELS` and ``program/fusion``.
    """
    places, size = places_of(T), T.bitwidth // 8
    bring, phases, pool = make_bring(T), make_phases(T, False), _make_pool(T)

    @inner
    def block(p, geometry, x, w, biases, y, index, number, scratch):
        height, width = geometry[CONV_OUT + 1], geometry[CONV_OUT + 2]
        filters = geometry[CONV_FILTERS]
        image, j0, j1, j2 = place_of(p, number)
        images = min(p[GROUP], geometry[CONV_IMAGES] - image)
        base = bring(p, x, 0, 0, image, images, j0, j1, j2, scratch)
        start = (image * height + j1) * width * filters * size
        out = scratch + places.slopes
        phases(
            p, geometry, base, w, biases, out - start, image, images, j0, j1, j2, 0, filters,
            _RELU, scratch,
        )  # fmt: skip
        rows = extent_at(p, 1, j1, 0)
        pool(out, y, index, height, width, filters, images, rows, image, j1)

    def task(i, n, scratch, x, w, bias, y, index, geometry):
        p = words(scratch + places.plan, 64)
        make_plan(geometry, p, size, 0, n, False)
        _even_rows(p)
        lo, hi = row_part(i, n, blocks_of(p, geometry[CONV_IMAGES]))
        if lo < hi:
            fill_taps(geometry, p, words(scratch + places.taps, 0), False)
        biases = address_of(bias) if bias.size > 0 else 0
        for number in range(lo, hi):
            block(p, geometry, address_of(x), address_of(w), biases, y, index, number, scratch)
        return 0

    return task


def _make_unpool(T):
    """``slopes``, as for `conv_weights_grad`, of gradients that a pooling gives back.

    g are those of the windows, `taps` the address of their places (see `max_pool`, gated).
    """
    size, zero, places = T.bitwidth // 8, T(0), places_of(T)
    numbers, bytes_at = view(T), view(types.uint8)
    zeros, _ = make_runs(T)

    @inner
    def pair(g, taps, first, even, odd):
        noalias()
        for j in range(g.size):
            tap = types.int32(taps[j])
            even[j] = g[j] if tap == first else zero
            odd[j] = g[j] if tap == first + 1 else zero

    @inner
    def slopes(p, g, taps, act, image, images, j0, j1, j2, e0, e1, e2, c0, cn, scratch):
        filters, height = p[OUTPUTS], p[AXIS + TARGET]
        windows = e2 // 2
        out = scratch + places.slopes
        for b in range(images):
            for r in range(j1, j1 + e1):
                if r // 2 < height // 2:
                    at = (((image + b) * (height // 2) + r // 2) * windows) * filters + c0
                    for c in range(windows):
                        pair(
                            numbers(g + at * size, cn), bytes_at(taps + at, cn),
                            types.int32(r % 2 * 2), numbers(out + 2 * c * cn * size, cn),
                            numbers(out + (2 * c + 1) * cn * size, cn),
                        )  # fmt: skip
                        at += filters
                    zeros(numbers(out + 2 * windows * cn * size, (e2 - 2 * windows) * cn))
                else:
                    zeros(numbers(out, e2 * cn))
                out += e2 * cn * size
        return scratch + places.slopes, cn

    return slopes


def conv_pool_weights_grad(T):
    """Gradients for the weights and the bias of `conv_relu_pool`, in parts: `conv_weights_grad`."""
    run = make_weights_grad(T, _make_unpool(T))

    def task(i, n, scratch, x, g, index, geometry, parts, biases):
        taps = address_of(index)
        run(i, n, scratch, address_of(x), address_of(g), taps, 0, geometry, parts, biases)
        return 0

    return task
