"""How a convolution is cut into blocks, and the offset tables that make each a matrix product.

A convolution reads a *source* and writes a *target*, pixel by pixel on up to three axes. Forward
the target pixel j reads the source pixels ``j * stride + k * dilation - pad``. Its transpose (the
gradient for the input) is taken by *phases*: target pixels ``r + stride * j`` of one remainder r
read the source pixels ``j + q`` for the taps with ``r + pad - k * dilation = stride * q``, which is
a convolution with stride 1 again. So in both, target ``r + jump * j`` reads ``step * j + q``.

A *block* is a box of target pixels of one image, or some whole images. Where its taps reach beyond
the source, the part of the source that it reads is copied between zeros into scratch memory, where
it stays in the second-level cache. The tables do not depend on the place of the block.
"""

from typing import NamedTuple

from numba import types

from ..table import (
    CONV_BOX,
    CONV_CHANNELS,
    CONV_DILATION,
    CONV_FILTERS,
    CONV_GROUPS,
    CONV_IMAGES,
    CONV_IN,
    CONV_KERNEL,
    CONV_OFFSETS,
    CONV_OUT,
    CONV_PAD,
    CONV_STRIDE,
)
from ._jit import address_of, exact, inner, noalias, shared, view
from .packing import MC, Tiles, integers
from .reduce import make_activation_pull

PIXELS = 512  # most pixels of a block
_ENOUGH = 256  # pixels that make a good block: small images are taken together
_CACHED = 384 << 10  # bytes of a box that leave room for the rest in the second-level cache
_MISS = 1 << 40  # no source pixel

# The plan: for each axis eight numbers, then those of the whole.
COUNT, EXTENT, SOURCE, TARGET, STEP, JUMP, LOW, SPAN = range(8)
AXIS = 8
WALK = 3 * AXIS  # steps between source pixels of each axis, then between images, in numbers
GROUP, BOXED, INPUTS, OUTPUTS = range(WALK + 4, WALK + 8)
KNOWN = WALK + 8  # for which extents the tables were made
_WORDS = 64


class Places(NamedTuple):
    """Where things lie in scratch, in bytes: behind those of the matrix product."""

    plan: int
    taps: int
    rows: int
    targets: int
    box: int
    slopes: int  # the gradients of a block


def places_of(T) -> Places:
    tiles = Tiles(T)
    plan = (tiles.rows_c + (MC + tiles.rows) * 8 + 63) & ~63
    taps = plan + 8 * _WORDS
    rows = taps + 8 * CONV_OFFSETS
    targets = rows + 8 * PIXELS
    box = targets + 8 * PIXELS
    return Places(plan, taps, rows, targets, box, box + CONV_BOX)


@exact
def tap(geometry, axis, phase, k, transposed):
    """The offset q of tap k on an axis; `_MISS` for a tap that is not of this phase."""
    reach = k * geometry[CONV_DILATION + axis] - geometry[CONV_PAD + axis]
    if not transposed:
        return reach
    stride = geometry[CONV_STRIDE + axis]
    return (phase - reach) // stride if (phase - reach) % stride == 0 else _MISS


@exact
def has_source(q):
    return q != _MISS


@exact
def phase_of(p, number):
    """The remainders on the three axes of a phase."""
    s1, s2 = p[AXIS + JUMP], p[2 * AXIS + JUMP]
    return number // (s1 * s2), number // s2 % s1, number % s2


@exact
def taps_of_phase(geometry, axis, phase, transposed):
    """How many taps of an axis belong to a phase."""
    count = 0
    for k in range(geometry[CONV_KERNEL + axis]):
        if tap(geometry, axis, phase, k, transposed) != _MISS:
            count += 1
    return count


@inner
def _plan_axis(geometry, p, axis, transposed):
    at = axis * AXIS
    stride = geometry[CONV_STRIDE + axis]
    source, target = geometry[CONV_IN + axis], geometry[CONV_OUT + axis]
    if transposed:
        source, target = target, source
    p[at + SOURCE], p[at + TARGET] = source, target
    p[at + STEP] = 1 if transposed else stride
    p[at + JUMP] = stride if transposed else 1
    p[at + COUNT] = (target + p[at + JUMP] - 1) // p[at + JUMP]
    low, high = _MISS, -_MISS
    for phase in range(p[at + JUMP]):
        for k in range(geometry[CONV_KERNEL + axis]):
            q = tap(geometry, axis, phase, k, transposed)
            if q != _MISS:
                low, high = min(low, q), max(high, q)
    p[at + LOW], p[at + SPAN] = low, high - low


@exact
def box_side(p, axis):
    """Source pixels along an axis that a block reads."""
    at = axis * AXIS
    return (p[at + EXTENT] - 1) * p[at + STEP] + p[at + SPAN] + 1


@exact
def _box_numbers(p):
    return box_side(p, 0) * box_side(p, 1) * box_side(p, 2) * p[INPUTS]


@exact
def _is_large(p, size):
    """Whether a block of this extent has too many pixels, or reads too many."""
    pixels = p[EXTENT] * p[AXIS + EXTENT] * p[2 * AXIS + EXTENT]
    box = _box_numbers(p) * size if p[BOXED] != 0 else 0
    return pixels > PIXELS or box > CONV_BOX or (box > _CACHED and pixels > MC)


@inner
def _choose_extents(p, size):
    """Cut the axes evenly, the outermost first, until a block is small enough."""
    for axis in range(3):
        p[axis * AXIS + EXTENT] = max(1, p[axis * AXIS + COUNT])
    for axis in range(3):
        at = axis * AXIS
        parts = 1
        while p[at + EXTENT] > 1 and _is_large(p, size):
            parts += 1
            p[at + EXTENT] = (p[at + COUNT] + parts - 1) // parts


@inner
def _choose_group(p, size, images):
    """How many images a block takes: several where they are small, but leave blocks for all."""
    pixels = 1
    for axis in range(3):
        at = axis * AXIS
        if p[at + EXTENT] < p[at + COUNT]:
            return 1
        pixels *= p[at + EXTENT]
    group = (_ENOUGH + pixels - 1) // pixels
    if p[BOXED] != 0:
        group = min(group, max(1, _CACHED // max(1, _box_numbers(p) * size)))
    return max(1, min(group, images))


@inner
def make_plan(geometry, p, size, gated, tasks, transposed):
    """Fill the plan; ``gated`` sources are always copied, ``tasks`` should find a block each."""
    p[KNOWN] = -1
    p[INPUTS], p[OUTPUTS] = geometry[CONV_CHANNELS], geometry[CONV_FILTERS]
    if transposed:
        p[INPUTS], p[OUTPUTS] = p[OUTPUTS], p[INPUTS]
    p[BOXED] = gated
    for axis in range(3):
        _plan_axis(geometry, p, axis, transposed)
        at = axis * AXIS
        reach = (p[at + COUNT] - 1) * p[at + STEP] + p[at + LOW] + p[at + SPAN]
        if p[at + LOW] < 0 or reach >= p[at + SOURCE]:
            p[BOXED] = 1
    _choose_extents(p, size)
    p[GROUP] = _choose_group(p, size, (geometry[CONV_IMAGES] + tasks - 1) // tasks)
    step = p[INPUTS]
    for axis in (2, 1, 0):
        p[WALK + axis] = step
        step *= box_side(p, axis) if p[BOXED] != 0 else p[axis * AXIS + SOURCE]
    p[WALK + 3] = step


@exact
def cuts(p, axis):
    """Number of blocks along an axis."""
    at = axis * AXIS
    return (p[at + COUNT] + p[at + EXTENT] - 1) // p[at + EXTENT]


@exact
def blocks_of(p, images):
    """Number of blocks of some images."""
    return (images + p[GROUP] - 1) // p[GROUP] * cuts(p, 0) * cuts(p, 1) * cuts(p, 2)


@exact
def place_of(p, block):
    """A block's first image (counted from that of block 0) and first pixel on each axis."""
    rest, j2 = block // cuts(p, 2), block % cuts(p, 2)
    rest, j1 = rest // cuts(p, 1), rest % cuts(p, 1)
    rest, j0 = rest // cuts(p, 0), rest % cuts(p, 0)
    return (
        rest * p[GROUP], j0 * p[EXTENT], j1 * p[AXIS + EXTENT], j2 * p[2 * AXIS + EXTENT],
    )  # fmt: skip


@exact
def extent_at(p, axis, j, phase):
    """Target pixels along an axis of the block whose first is j, in a phase."""
    at = axis * AXIS
    count = (p[at + TARGET] - phase + p[at + JUMP] - 1) // p[at + JUMP]
    return max(0, min(p[at + EXTENT], count - j))


@inner
def fill_taps(geometry, p, table, transposed):
    """Offsets of the numbers that taps read, of one group of channels, phase after phase."""
    channels = p[INPUTS] // geometry[CONV_GROUPS]
    n1, n2 = geometry[CONV_KERNEL + 1], geometry[CONV_KERNEL + 2]
    at = 0
    for number in range(p[JUMP] * p[AXIS + JUMP] * p[2 * AXIS + JUMP]):
        r0, r1, r2 = phase_of(p, number)
        for k in range(geometry[CONV_KERNEL] * n1 * n2):
            q0 = tap(geometry, 0, r0, k // (n1 * n2), transposed)
            q1 = tap(geometry, 1, r1, k // n2 % n1, transposed)
            q2 = tap(geometry, 2, r2, k % n2, transposed)
            if has_source(q0) and has_source(q1) and has_source(q2):
                start = (q0 - p[LOW]) * p[WALK] + (q1 - p[AXIS + LOW]) * p[WALK + 1]
                start += (q2 - p[2 * AXIS + LOW]) * p[WALK + 2]
                for c in range(channels):
                    table[at + c] = start + c
                at += channels


@inner
def fill_pixels(table, images, e0, e1, e2, image, s0, s1, s2):
    """Offsets of the pixels of a block, from the steps between images and along the axes."""
    at = 0
    for b in range(images):
        for j0 in range(e0):
            for j1 in range(e1):
                start = b * image + j0 * s0 + j1 * s1
                for j2 in range(e2):
                    table[at + j2] = start + j2 * s2
                at += e2


@inner
def fill_rows(p, scratch_rows, scratch_targets, images, e0, e1, e2):
    """Tables of the pixels of a block: what they read, what they write, unless they are there."""
    key = ((images * 1024 + e0) * 1024 + e1) * 1024 + e2
    if p[KNOWN] == key:
        return
    p[KNOWN] = key
    fill_pixels(
        integers(scratch_rows, PIXELS), images, e0, e1, e2, p[WALK + 3],
        p[STEP] * p[WALK], p[AXIS + STEP] * p[WALK + 1], p[2 * AXIS + STEP] * p[WALK + 2],
    )  # fmt: skip
    t2 = p[OUTPUTS]
    t1 = t2 * p[2 * AXIS + TARGET]
    t0 = t1 * p[AXIS + TARGET]
    fill_pixels(
        integers(scratch_targets, PIXELS), images, e0, e1, e2, t0 * p[TARGET],
        p[JUMP] * t0, p[AXIS + JUMP] * t1, p[2 * AXIS + JUMP] * t2,
    )  # fmt: skip


@shared
def make_runs(T):
    """``zeros(out)`` and ``move(source, gate, out, act)``: runs of numbers; see `reduce`.

    An empty gate stands for none.
    """
    zero, pull = T(0), make_activation_pull(T)

    @inner
    def zeros(out):
        for j in range(out.size):
            out[j] = zero

    @inner
    def copy(source, out):
        noalias()
        for j in range(out.size):
            out[j] = source[j]

    @inner
    def move(source, gate, out, act):
        if gate.size > 0:
            pull(source, gate, out, act)
        else:
            copy(source, out)

    return zeros, move


@shared
def make_bring(T):
    """``bring(p, x, gate, act, image, images, j0, j1, j2, scratch)``: where a block reads.

    The address of what offsets 0 mean: in the source itself, or in the box that it is copied to.
    """
    size, numbers, places = T.bitwidth // 8, view(T), places_of(T)
    zeros, move = make_runs(T)

    @inner
    def fill_run(p, x, gate, act, at, first, out):
        """A run of the box along the last axis: pixels from `first` on, of which some exist."""
        channels, source = p[INPUTS], p[2 * AXIS + SOURCE]
        count = out.size // channels
        left = min(count, max(0, -first))
        right = max(left, min(count, source - first))
        zeros(numbers(address_of(out), left * channels))
        middle = (right - left) * channels
        start = (at + (first + left) * channels) * size
        move(
            numbers(x + start, middle), numbers(gate + start, middle if gate != 0 else 0),
            numbers(address_of(out) + left * channels * size, middle), act,
        )  # fmt: skip
        zeros(numbers(address_of(out) + right * channels * size, (count - right) * channels))

    @inner
    def fill_box(p, x, gate, act, image, images, first0, first1, first2, box):
        side0, side1, side2 = box_side(p, 0), box_side(p, 1), box_side(p, 2)
        run = side2 * p[INPUTS]
        for b in range(images):
            for a0 in range(side0):
                y0 = first0 + a0
                for a1 in range(side1):
                    y1 = first1 + a1
                    start = box + (b * p[WALK + 3] + a0 * p[WALK] + a1 * p[WALK + 1]) * size
                    out = numbers(start, run)
                    if 0 <= y0 < p[SOURCE] and 0 <= y1 < p[AXIS + SOURCE]:
                        at = ((image + b) * p[SOURCE] + y0) * p[AXIS + SOURCE] + y1
                        at *= p[2 * AXIS + SOURCE] * p[INPUTS]
                        fill_run(p, x, gate, act, at, first2, out)
                    else:
                        zeros(out)

    @inner
    def bring(p, x, gate, act, image, images, j0, j1, j2, scratch):
        first0 = j0 * p[STEP] + p[LOW]
        first1 = j1 * p[AXIS + STEP] + p[AXIS + LOW]
        first2 = j2 * p[2 * AXIS + STEP] + p[2 * AXIS + LOW]
        if p[BOXED] == 0:
            here = image * p[WALK + 3] + first0 * p[WALK] + first1 * p[WALK + 1]
            return x + (here + first2 * p[WALK + 2]) * size
        box = scratch + places.box
        fill_box(p, x, gate, act, image, images, first0, first1, first2, box)
        return box

    return bring


words = view(types.int64)
