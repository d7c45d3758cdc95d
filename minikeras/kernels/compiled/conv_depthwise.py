"""Convolutions of each channel with a kernel of its own; `geometry` as for other convolutions.

Weights have shape (taps, channels). Work is shared as in pooling; the weights' gradient is cut into
parts by images, which remain to be added up.
"""

from numba import types

from ..table import CONV_CHANNELS, CONV_IMAGES, CONV_KERNEL
from ._jit import inner, noalias, view
from ._parts import flat_part, piece, row_part
from .pooling import make_clear, make_windows, outputs_of, share_of

_CHANNELS = 64  # whose sums are taken at once
_SLOT = 1 << 20  # bytes of scratch for the sums of the working type


def _make_multiply():
    @inner
    def multiply(x, y, out):
        noalias()
        for j in range(x.size):
            out[j] += x[j] * y[j]

    return multiply


def depthwise(T):
    """y = x * w, channel by channel."""
    multiply, zero = _make_multiply(), T(0)

    @inner
    def visit(count, t, at, out, width, arguments):
        x, w, y = arguments
        here = piece(y, out, out + width)
        multiply(piece(x, at, at + width), piece(w, t * width, (t + 1) * width), here)

    windows = make_windows(visit)

    def task(i, n, scratch, x, w, y, geometry):
        channels = geometry[CONV_CHANNELS]
        lo, hi = row_part(i, n, geometry[CONV_IMAGES] * outputs_of(geometry))
        for number in range(lo, hi):
            here = piece(y, number * channels, (number + 1) * channels)
            for j in range(here.size):
                here[j] = zero
            windows(number, geometry, 0, channels, (x, w, y))
        return 0

    return task


def depthwise_input_grad(T):
    """dx = the gradient of `depthwise` for its input."""
    multiply, clear = _make_multiply(), make_clear(T)

    @inner
    def visit(count, t, at, out, width, arguments):
        g, w, dx, channels, c0 = arguments
        start = t * channels + c0
        weights = piece(w, start, start + width)
        multiply(piece(g, out, out + width), weights, piece(dx, at, at + width))

    windows = make_windows(visit)

    def task(i, n, scratch, g, w, dx, geometry):
        lo, hi, c0, c1 = share_of(i, n, geometry)
        channels, outputs = geometry[CONV_CHANNELS], outputs_of(geometry)
        for image in range(lo, hi):
            clear(dx, geometry, image, c0, c1)
            for number in range(image * outputs, (image + 1) * outputs):
                windows(number, geometry, c0, c1, (g, w, dx, channels, c0))
        return 0

    return task


def _make_sum_channels(T):
    """``sum_channels(...)``: the gradients of some channels, over images lo to hi."""
    multiply, zero = _make_multiply(), T(0)
    numbers, doubles = view(T), view(types.float64)

    @inner
    def visit(count, t, at, out, width, arguments):
        x, g, sums = arguments
        here = piece(sums, t * width, (t + 1) * width)
        multiply(piece(x, at, at + width), piece(g, out, out + width), here)

    @inner
    def flush(sums, totals):
        noalias()
        for j in range(sums.size):
            totals[j] += types.float64(sums[j])
            sums[j] = zero

    windows = make_windows(visit)

    @inner
    def sum_channels(x, g, parts, s, lo, hi, c0, c1, geometry, scratch):
        taps = geometry[CONV_KERNEL] * geometry[CONV_KERNEL + 1] * geometry[CONV_KERNEL + 2]
        width, outputs = c1 - c0, outputs_of(geometry)
        sums, totals = numbers(scratch, taps * width), doubles(scratch + _SLOT, taps * width)
        for j in range(sums.size):
            sums[j] = zero
            totals[j] = 0.0
        for image in range(lo, hi):
            for number in range(image * outputs, (image + 1) * outputs):
                windows(number, geometry, c0, c1, (x, g, sums))
            flush(sums, totals)
        for t in range(taps):
            for j in range(width):
                parts[s, t * geometry[CONV_CHANNELS] + c0 + j] = T(totals[t * width + j])

    return sum_channels


def depthwise_weights_grad(T):
    """Gradients for the weights in parts; part s is of the images from ``images * s // parts`` on.

    Sums over an image are taken in the working type, those over images in float64.
    """
    sum_channels = _make_sum_channels(T)

    def task(i, n, scratch, x, g, parts, geometry):
        count, channels = parts.shape[0], geometry[CONV_CHANNELS]
        across = (channels + _CHANNELS - 1) // _CHANNELS
        lo, hi = row_part(i, n, count * across)
        images = geometry[CONV_IMAGES]
        for unit in range(lo, hi):
            s, a = unit // across, unit % across
            c0, c1 = flat_part(a, across, channels)
            first, last = row_part(s, count, images)
            if c0 < c1:
                sum_channels(x, g, parts, s, first, last, c0, c1, geometry, scratch)
        return 0

    return task
