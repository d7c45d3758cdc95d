"""Pooling over windows of images with their channels last; `geometry` as for convolutions.

Pixels outside the image are no part of a window. Forward tasks own rows of the result; gradients
are added up where they belong by the task that owns the image, or some channels of it. The tap that
was the largest of a window is kept in a byte; kernels ``wide_...`` are for windows of more taps.
"""

from numba import types

from ..table import (
    CONV_CHANNELS,
    CONV_DILATION,
    CONV_IMAGES,
    CONV_IN,
    CONV_KERNEL,
    CONV_OUT,
    CONV_PAD,
    CONV_STRIDE,
)
from ._jit import exact, inner, noalias
from ._parts import piece, row_part

_GRAIN = 64  # channels that a task takes at least, where it shares an image
_NOTHING = 255  # the tap of a window that passes no gradient


@exact
def _start(geometry, axis, o):
    """First pixel under window o of an axis, which may lie outside."""
    return o * geometry[CONV_STRIDE + axis] - geometry[CONV_PAD + axis]


@exact
def _first(geometry, axis, start):
    """First tap that lies inside."""
    dilation = geometry[CONV_DILATION + axis]
    return max(0, (dilation - 1 - start) // dilation)


@exact
def _last(geometry, axis, start):
    """Behind the last tap that lies inside."""
    dilation = geometry[CONV_DILATION + axis]
    inside = (geometry[CONV_IN + axis] - start + dilation - 1) // dilation
    return min(geometry[CONV_KERNEL + axis], inside)


@exact
def _pixel(geometry, image, y0, y1, y2):
    return ((image * geometry[CONV_IN] + y0) * geometry[CONV_IN + 1] + y1) * geometry[
        CONV_IN + 2
    ] + y2


@exact
def outputs_of(geometry):
    return geometry[CONV_OUT] * geometry[CONV_OUT + 1] * geometry[CONV_OUT + 2]


@exact
def _place(geometry, number):
    """Image and place of a window, counted through all images."""
    rest, o2 = number // geometry[CONV_OUT + 2], number % geometry[CONV_OUT + 2]
    rest, o1 = rest // geometry[CONV_OUT + 1], rest % geometry[CONV_OUT + 1]
    return rest // geometry[CONV_OUT], rest % geometry[CONV_OUT], o1, o2


def make_windows(visit):
    """``windows(number, geometry, c0, c1, arguments)``: all taps of a window that lie inside.

    ``visit(count, t, at, out, c0, c1, *arguments)`` is called for the count-th of them: tap t,
    whose channels start at ``at`` in the images, those of the window at ``out`` in the result.
    Returns how many there are.
    """

    @inner
    def windows(number, geometry, c0, c1, arguments):
        image, o0, o1, o2 = _place(geometry, number)
        s0, s1, s2 = _start(geometry, 0, o0), _start(geometry, 1, o1), _start(geometry, 2, o2)
        channels = geometry[CONV_CHANNELS]
        count = 0
        for k0 in range(_first(geometry, 0, s0), _last(geometry, 0, s0)):
            for k1 in range(_first(geometry, 1, s1), _last(geometry, 1, s1)):
                for k2 in range(_first(geometry, 2, s2), _last(geometry, 2, s2)):
                    t = (k0 * geometry[CONV_KERNEL + 1] + k1) * geometry[CONV_KERNEL + 2] + k2
                    y0 = s0 + k0 * geometry[CONV_DILATION]
                    y1 = s1 + k1 * geometry[CONV_DILATION + 1]
                    y2 = s2 + k2 * geometry[CONV_DILATION + 2]
                    at = _pixel(geometry, image, y0, y1, y2) * channels
                    visit(count, t, at + c0, number * channels + c0, c1 - c0, arguments)
                    count += 1
        return count

    return windows


@exact
def _has_four(geometry):
    """Whether windows are 2 x 2 and do not overlap, nor reach outside."""
    return (
        geometry[CONV_KERNEL] == 1 and geometry[CONV_KERNEL + 1] == 2
        and geometry[CONV_KERNEL + 2] == 2 and geometry[CONV_STRIDE + 1] == 2
        and geometry[CONV_STRIDE + 2] == 2
        and geometry[CONV_PAD + 1] == 0 and geometry[CONV_PAD + 2] == 0
        and geometry[CONV_OUT + 1] * 2 <= geometry[CONV_IN + 1]
        and geometry[CONV_OUT + 2] * 2 <= geometry[CONV_IN + 2]
    )  # fmt: skip


@exact
def _four(geometry, number):
    """Where the four pixels of such a window start: the first, and the step to the next row."""
    image, o0, o1, o2 = _place(geometry, number)
    channels = geometry[CONV_CHANNELS]
    first = _pixel(geometry, image, o0 * geometry[CONV_STRIDE], 2 * o1, 2 * o2) * channels
    return first, geometry[CONV_IN + 2] * channels


def _make_compare(U):
    """The visitor that keeps the largest number of a window, and its tap as type U."""

    @inner
    def begin(x, y, index, t):
        noalias()
        for j in range(x.size):
            y[j] = x[j]
            index[j] = t

    @inner
    def compare(x, y, index, t):
        noalias()
        for j in range(x.size):
            better = x[j] > y[j] or x[j] != x[j]
            y[j] = x[j] if better else y[j]
            index[j] = t if better else index[j]

    @inner
    def visit(count, t, at, out, width, arguments):
        x, y, index = arguments
        x, y, index = (
            piece(x, at, at + width),
            piece(y, out, out + width),
            piece(index, out, out + width),
        )
        if count == 0:
            begin(x, y, index, U(t))
        else:
            compare(x, y, index, U(t))

    return visit


def make_largest_of_four():
    """Compiled function (a, b, c, d, y, index): the largest of four numbers, and which it is."""

    @inner
    def largest(a, b, c, d, y, index):
        noalias()
        for j in range(y.size):
            best, tap = a[j], types.int32(0)
            better = b[j] > best or b[j] != b[j]
            best, tap = b[j] if better else best, types.int32(1) if better else tap
            better = c[j] > best or c[j] != c[j]
            best, tap = c[j] if better else best, types.int32(2) if better else tap
            better = d[j] > best or d[j] != d[j]
            y[j], index[j] = d[j] if better else best, index.dtype.type(3 if better else tap)

    return largest


def _make_max_pool(T, U, gate):
    """``pool(i, n, x, y, index, geometry)``; ``gate(y, index)`` finishes the windows of a place."""
    windows, of_four = make_windows(_make_compare(U)), make_largest_of_four()

    @inner
    def pool(i, n, x, y, index, geometry, gated):
        channels = geometry[CONV_CHANNELS]
        lo, hi = row_part(i, n, geometry[CONV_IMAGES] * outputs_of(geometry))
        four = _has_four(geometry)
        for number in range(lo, hi):
            out = number * channels
            if four:
                at, row = _four(geometry, number)
                of_four(
                    piece(x, at, at + channels), piece(x, at + channels, at + 2 * channels),
                    piece(x, at + row, at + row + channels),
                    piece(x, at + row + channels, at + row + 2 * channels),
                    piece(y, out, out + channels), piece(index, out, out + channels),
                )  # fmt: skip
            else:
                windows(number, geometry, 0, channels, (x, y, index))
            if gated:
                gate(piece(y, out, out + channels), piece(index, out, out + channels))

    return pool


def make_gate(T):
    """Compiled function (y, index): relu of y, whose taps become 255 where no gradient passes."""
    zero, nothing = T(0), types.uint8(_NOTHING)

    @inner
    def gate(y, index):
        noalias()
        for j in range(y.size):
            index[j] = index[j] if y[j] > zero else nothing
            y[j] = zero if y[j] <= zero else y[j]

    return gate


def max_pool(T):
    """y = the largest number of each window; index = its tap. A NaN is larger than any number.

    gated: y = its relu, and index = 255 where that passes no gradient.
    """
    pool = _make_max_pool(T, types.uint8, make_gate(T))

    def task(i, n, scratch, x, y, index, geometry, gated):
        pool(i, n, x, y, index, geometry, gated)
        return 0

    return task


def wide_max_pool(T):
    """`max_pool` for windows of any number of taps, not gated."""

    @inner
    def no_gate(y, index):
        pass

    pool = _make_max_pool(T, types.int32, no_gate)

    def task(i, n, scratch, x, y, index, geometry):
        pool(i, n, x, y, index, geometry, 0)
        return 0

    return task


@exact
def share_of(i, n, geometry):
    """The images and channels of a task: some images, or a part of the channels of one."""
    images, channels = geometry[CONV_IMAGES], geometry[CONV_CHANNELS]
    across = 1
    while images * across < n and n % (2 * across) == 0 and channels >= 2 * across * _GRAIN:
        across *= 2
    lo, hi = row_part(i // across, n // across, images)
    c0, c1 = row_part(i % across, across, channels)
    return lo, hi, c0, c1


def make_clear(T):
    """``clear(dx, geometry, image, c0, c1)``: zeros in some channels of an image."""
    zero = T(0)

    @inner
    def clear(dx, geometry, image, c0, c1):
        channels = geometry[CONV_CHANNELS]
        start = _pixel(geometry, image, 0, 0, 0) * channels
        stop = _pixel(geometry, image + 1, 0, 0, 0) * channels
        if c1 - c0 == channels:
            whole = piece(dx, start, stop)
            for j in range(whole.size):
                whole[j] = zero
        else:
            for at in range(start, stop, channels):
                part = piece(dx, at + c0, at + c1)
                for j in range(part.size):
                    part[j] = zero

    return clear


@exact
def _covers(geometry):
    """Whether such windows leave no pixel out."""
    return (
        geometry[CONV_OUT] == geometry[CONV_IN] and geometry[CONV_STRIDE] == 1
        and geometry[CONV_PAD] == 0
        and geometry[CONV_OUT + 1] * 2 == geometry[CONV_IN + 1]
        and geometry[CONV_OUT + 2] * 2 == geometry[CONV_IN + 2]
    )  # fmt: skip


def _make_spread(T, U):
    """Functions that hand gradients back: the visitor of any window, and one of windows of four."""
    zero = T(0)

    @inner
    def add(g, index, dx, t):
        noalias()
        for j in range(g.size):
            dx[j] += g[j] if index[j] == t else zero

    @inner
    def visit(count, t, at, out, width, arguments):
        g, index, dx = arguments
        g, index, dx = (
            piece(g, out, out + width),
            piece(index, out, out + width),
            piece(dx, at, at + width),
        )
        add(g, index, dx, U(t))

    @inner
    def of_four(g, index, a, b, c, d):
        noalias()
        for j in range(g.size):
            a[j] = g[j] if index[j] == 0 else zero
            b[j] = g[j] if index[j] == 1 else zero
            c[j] = g[j] if index[j] == 2 else zero
            d[j] = g[j] if index[j] == 3 else zero

    return visit, of_four


def _make_max_pool_grad(T, U):
    """The task of `max_pool_grad` for taps of type U."""
    clear = make_clear(T)
    visit, of_four = _make_spread(T, U)

    windows = make_windows(visit)

    def task(i, n, scratch, g, index, dx, geometry):
        lo, hi, c0, c1 = share_of(i, n, geometry)
        channels, outputs = geometry[CONV_CHANNELS], outputs_of(geometry)
        four = _has_four(geometry)
        width, whole = c1 - c0, four and _covers(geometry)
        for image in range(lo, hi):
            if not whole:
                clear(dx, geometry, image, c0, c1)
            for number in range(image * outputs, (image + 1) * outputs):
                if four:
                    at, row = _four(geometry, number)
                    at, out = at + c0, number * channels + c0
                    right, below = at + channels, at + row
                    of_four(
                        piece(g, out, out + width), piece(index, out, out + width),
                        piece(dx, at, at + width), piece(dx, right, right + width),
                        piece(dx, below, below + width),
                        piece(dx, below + channels, below + channels + width),
                    )  # fmt: skip
                else:
                    windows(number, geometry, c0, c1, (g, index, dx))
        return 0

    return task


def max_pool_grad(T):
    """dx = the sum of the g of those windows of which it was the largest number."""
    return _make_max_pool_grad(T, types.uint8)


def wide_max_pool_grad(T):
    """`max_pool_grad` for windows of any number of taps."""
    return _make_max_pool_grad(T, types.int32)


@exact
def _count(geometry, number):
    """How many pixels of a window lie inside."""
    _, o0, o1, o2 = _place(geometry, number)
    s0, s1, s2 = _start(geometry, 0, o0), _start(geometry, 1, o1), _start(geometry, 2, o2)
    n0 = _last(geometry, 0, s0) - _first(geometry, 0, s0)
    n1 = _last(geometry, 1, s1) - _first(geometry, 1, s1)
    return n0 * n1 * (_last(geometry, 2, s2) - _first(geometry, 2, s2))


def _make_add():
    """The visitor that adds up the pixels of a window."""

    @inner
    def begin(x, y):
        noalias()
        for j in range(x.size):
            y[j] = x[j]

    @inner
    def add(x, y):
        noalias()
        for j in range(x.size):
            y[j] += x[j]

    @inner
    def visit(count, t, at, out, width, arguments):
        x, y = arguments
        if count == 0:
            begin(piece(x, at, at + width), piece(y, out, out + width))
        else:
            add(piece(x, at, at + width), piece(y, out, out + width))

    return visit


def average_pool(T):
    """y = the mean of the pixels of each window that lie inside the image."""
    windows = make_windows(_make_add())

    @inner
    def divide(y, count):
        for j in range(y.size):
            y[j] /= count

    def task(i, n, scratch, x, y, geometry):
        channels = geometry[CONV_CHANNELS]
        lo, hi = row_part(i, n, geometry[CONV_IMAGES] * outputs_of(geometry))
        for number in range(lo, hi):
            windows(number, geometry, 0, channels, (x, y))
            mean = piece(y, number * channels, (number + 1) * channels)
            divide(mean, T(_count(geometry, number)))
        return 0

    return task


def average_pool_grad(T):
    """dx = the sum of g / (pixels of the window inside) over the windows that a pixel is in."""
    clear = make_clear(T)

    @inner
    def add(g, dx, count):
        noalias()
        for j in range(g.size):
            dx[j] += g[j] / count

    @inner
    def visit(count, t, at, out, width, arguments):
        g, dx, pixels = arguments
        add(piece(g, out, out + width), piece(dx, at, at + width), pixels)

    windows = make_windows(visit)

    def task(i, n, scratch, g, dx, geometry):
        lo, hi, c0, c1 = share_of(i, n, geometry)
        outputs = outputs_of(geometry)
        for image in range(lo, hi):
            clear(dx, geometry, image, c0, c1)
            for number in range(image * outputs, (image + 1) * outputs):
                windows(number, geometry, c0, c1, (g, dx, T(_count(geometry, number))))
        return 0

    return task
