"""Simple recurrence (Elman 1990) over sequences: ``h = act(x_t W + b + (h' keep) U)``.

h' is the state of the step before. A masked step leaves the state as it was. See `recurrent` for
the arrays; activations have the codes of `gemm`.
"""

from ._jit import address_of, exact, inner, noalias, shared, view
from ._parts import row
from .gemm import CLIPPED, SIGMOID, TANH
from .maths import make_sigmoid, make_tanh
from .recurrent import (
    fill_rows,
    is_masked,
    make_back,
    make_begin,
    make_copies,
    make_gather,
    make_product,
    make_start,
    make_together,
    make_weights,
    part,
    places_of,
    rows_of,
    time_of,
)


def _make_curves(T):
    """``linear(z, h)``, ``clipped``, ``squashed`` and ``bent``: the activations of a row."""
    zero, sigmoid, tanh = T(0), make_sigmoid(T), make_tanh(T)

    @inner
    def linear(z, h):
        noalias()
        for j in range(h.size):
            h[j] = z[j]

    @inner
    def clipped(z, h):
        noalias()
        for j in range(h.size):
            h[j] = zero if zero > z[j] else z[j]

    @inner
    def squashed(z, h):
        noalias()
        for j in range(h.size):
            h[j] = sigmoid(z[j])

    @inner
    def bent(z, h):
        noalias()
        for j in range(h.size):
            h[j] = tanh(z[j])

    return linear, clipped, squashed, bent


@shared
def make_activate(T):
    """``activate(z, h, act)`` of a row."""
    linear, clipped, squashed, bent = _make_curves(T)

    @exact
    def activate(z, h, act):
        if act == TANH:
            bent(z, h)
        elif act == CLIPPED:
            clipped(z, h)
        elif act == SIGMOID:
            squashed(z, h)
        else:
            linear(z, h)

    return activate


def _make_walk(T):
    """``walk(...)``: rows lo to hi through the whole sequence."""
    size, places = T.bitwidth // 8, places_of(T)
    activate, (copy, carry, zeros), product = make_activate(T), make_copies(T), make_product(T)

    @inner
    def step(b, s, t, h0, mask, act, z, outputs):
        units = outputs.shape[2]
        new, taken = part(outputs, b, s, 0, units), part(z, b, t, 0, units)
        if is_masked(mask, b, t):
            zeros(taken)
            copy(part(outputs, b, s - 1, 0, units) if s > 0 else row(h0, b), new)
        else:
            activate(taken, new, act)

    @inner
    def walk(lo, hi, w, h0, mask, keep, act, backwards, z, before, outputs, h, scratch):
        _, steps, units = outputs.shape
        table = scratch + places.rows
        fill_rows(table, steps * units, hi - lo)
        for s in range(steps):
            t = time_of(s, steps, backwards)
            for b in range(lo, hi):
                old = part(outputs, b, s - 1, 0, units) if s > 0 else row(h0, b)
                carry(old, row(keep, b), part(before, b, t, 0, units))
            at = (lo * steps + t) * units * size
            a, c = address_of(before) + at, address_of(z) + at
            product(a, table, w, c, table, hi - lo, 0, 1, scratch)
            for b in range(lo, hi):
                step(b, s, t, h0, mask, act, z, outputs)
        for b in range(lo, hi):
            copy(part(outputs, b, steps - 1, 0, units) if steps > 0 else row(h0, b), row(h, b))

    return walk


def simple_rnn(T):
    """All steps. ``z`` holds x W + b, and then what the activation took; ``before`` the h' keep."""
    places, walk, together = places_of(T), _make_walk(T), make_together(T)
    start, weights = make_start(T), make_weights(T)

    def task(i, n, scratch, w, h0, mask, keep, act, backwards, z, before, outputs, h):
        batch, _, units = outputs.shape
        lo, hi = rows_of(i, n, batch)
        if lo == hi:
            return 0
        start(scratch)
        packed, _ = weights(
            address_of(w), units, 1, units, units, hi - lo, scratch, scratch + places.packed
        )
        count = together(units)
        for b in range(lo, hi, count):
            walk(
                b, min(hi, b + count), packed, h0, mask, keep, act, backwards,
                z, before, outputs, h, scratch,
            )  # fmt: skip
        return 0

    return task


def _make_slopes(T):
    """``linear(y, dh, dz, sums)``, ``clipped``, ``squashed`` and ``bent``: see `_make_slope`."""
    zero, one = T(0), T(1)

    @inner
    def linear(y, dh, dz, sums):
        noalias()
        for j in range(dz.size):
            d = dh[j]
            dz[j], dh[j] = d, zero
            sums[j] += d

    @inner
    def clipped(y, dh, dz, sums):
        noalias()
        for j in range(dz.size):
            d = zero if y[j] <= zero else dh[j]
            dz[j], dh[j] = d, zero
            sums[j] += d

    @inner
    def squashed(y, dh, dz, sums):
        noalias()
        for j in range(dz.size):
            d = dh[j] * (y[j] * (one - y[j]))
            dz[j], dh[j] = d, zero
            sums[j] += d

    @inner
    def bent(y, dh, dz, sums):
        noalias()
        for j in range(dz.size):
            d = dh[j] * (one - y[j] * y[j])
            dz[j], dh[j] = d, zero
            sums[j] += d

    return linear, clipped, squashed, bent


def _make_slope(T):
    """``slope(y, dh, dz, sums, act)``: dz = dh act'(y), where y is the activation; dh is used up.

    ``sums`` gather dz of all steps.
    """
    linear, clipped, squashed, bent = _make_slopes(T)

    @exact
    def slope(y, dh, dz, sums, act):
        if act == TANH:
            bent(y, dh, dz, sums)
        elif act == CLIPPED:
            clipped(y, dh, dz, sums)
        elif act == SIGMOID:
            squashed(y, dh, dz, sums)
        else:
            linear(y, dh, dz, sums)

    return slope


def _make_walk_back(T):
    """``walk(...)``: the gradients of rows lo to hi, from the last step to the first."""
    size, places, numbers = T.bitwidth // 8, places_of(T), view(T)
    slope, (_, _, zeros), gather = _make_slope(T), make_copies(T), make_gather(T)
    back, begin = make_back(T), make_begin(T)

    @inner
    def step(b, s, t, outputs, g_outputs, mask, act, dz, dh, sums):
        units = dh.shape[1]
        if g_outputs.size > 0:
            gather(part(g_outputs, b, s, 0, units), numbers(0, 0), row(dh, b))
        if is_masked(mask, b, t):
            zeros(part(dz, b, t, 0, units))
        else:
            dz = part(dz, b, t, 0, units)
            slope(part(outputs, b, s, 0, units), row(dh, b), dz, row(sums, b), act)

    @inner
    def walk(
        lo, hi, w, outputs, g_outputs, g_h, mask, keep, act, backwards, dz, dh, sums, scratch
    ):  # fmt: skip
        _, steps, units = dz.shape
        fill_rows(scratch + places.rows, steps * units, hi - lo)
        fill_rows(scratch + places.targets, units, hi - lo)
        for b in range(lo, hi):
            begin(g_h, dh, b)
            zeros(row(sums, b))
        for s in range(steps - 1, -1, -1):
            t = time_of(s, steps, backwards)
            for b in range(lo, hi):
                step(b, s, t, outputs, g_outputs, mask, act, dz, dh, sums)
            at = address_of(dz) + (lo * steps + t) * units * size
            back(lo, hi, at, scratch + places.rows, w, keep, dh, scratch)

    return walk


def simple_rnn_grad(T):
    """``dz``, the gradient for what the activation took, that for the state at the beginning, and
    the ``sums`` of dz over the steps of each row.

    Gradients for outputs and h of size 0 stand for none.
    """
    places, walk, together = places_of(T), _make_walk_back(T), make_together(T)
    start, weights = make_start(T), make_weights(T)

    def task(
        i, n, scratch, w, outputs, g_outputs, g_h, mask, keep, act, backwards, dz, dh0, sums
    ):  # fmt: skip
        batch, _, units = dz.shape
        lo, hi = rows_of(i, n, batch)
        if lo == hi:
            return 0
        start(scratch)
        packed, _ = weights(
            address_of(w), 1, units, units, units, hi - lo, scratch, scratch + places.packed
        )
        count = together(units)
        for b in range(lo, hi, count):
            walk(
                b, min(hi, b + count), packed, outputs, g_outputs, g_h, mask, keep, act, backwards,
                dz, dh0, sums, scratch,
            )  # fmt: skip
        return 0

    return task
