"""Convolution, bias, relu and pooling of 2 x 2 pixels, block by block while a block is in cache.

Blocks are those of `conv`, of an even number of whole rows; what they give lies in scratch memory.
"""

from ..table import CONV_FILTERS, CONV_IMAGES, CONV_OUT, CONV_POOL_PIXELS
from ._jit import address_of, inner, view
from ._parts import piece, row_part
from .conv import make_phases
from .conv_plan import (
    AXIS,
    BOXED,
    COUNT,
    EXTENT,
    GROUP,
    INPUTS,
    PIXELS,
    WALK,
    blocks_of,
    box_side,
    extent_at,
    fill_taps,
    make_bring,
    make_plan,
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
