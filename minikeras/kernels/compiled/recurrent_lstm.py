"""Long short-term memory (Hochreiter and Schmidhuber 1997, with a forget gate) over sequences.

``i, f, o = sigmoid(z_i, z_f, z_o); c = f c' + i tanh(z_c); h = o tanh(c)`` with ``z = x_t W + b +
(h' keep) U``, where c' and h' are those of the step before. Gates lie in the order i, f, c, o.
A masked step leaves c and h as they were. See `recurrent` for the arrays.
"""

from ._jit import address_of, inner, noalias, shared, view
from ._parts import row
from ._parts import row_piece as piece
from .maths import make_sigmoid, make_tanh
from .recurrent import (
    fill_rows,
    is_masked,
    make_back,
    make_begin,
    make_bring,
    make_copies,
    make_fetch,
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


@shared
def make_cell(T):
    """``cell(i, f, g, o, old, c, h)``: one row's step; what the gates hold becomes what they let
    through."""
    sigmoid, tanh = make_sigmoid(T), make_tanh(T)

    @inner
    def cell(i, f, g, o, old, c, h):
        noalias()
        for j in range(h.size):
            a, b, d, e = sigmoid(i[j]), sigmoid(f[j]), tanh(g[j]), sigmoid(o[j])
            state = b * old[j] + a * d
            i[j], f[j], g[j], o[j] = a, b, d, e
            c[j] = state
            h[j] = e * tanh(state)

    return cell


def _make_walk(T):
    """``walk(...)``: rows lo to hi through the whole sequence."""
    size, places = T.bitwidth // 8, places_of(T)
    cell, (copy, carry, zeros), product = make_cell(T), make_copies(T), make_product(T)
    fetch = make_fetch(T)

    @inner
    def step(b, s, t, last, h0, c0, mask, keep, gates, cells, before, outputs):
        """One row's step; ``last`` is the time of the step before."""
        units = outputs.shape[2]
        old = part(cells, b, last, 0, units) if s > 0 else row(c0, b)
        c, h = part(cells, b, t, 0, units), part(outputs, b, s, 0, units)
        fetch(gates, b, t + t - last)
        if is_masked(mask, b, t):
            zeros(part(gates, b, t, 0, 4 * units))
            copy(old, c)
            copy(part(outputs, b, s - 1, 0, units) if s > 0 else row(h0, b), h)
        else:
            cell(
                part(gates, b, t, 0, units), part(gates, b, t, units, units),
                part(gates, b, t, 2 * units, units), part(gates, b, t, 3 * units, units),
                old, c, h,
            )  # fmt: skip
        if s + 1 < outputs.shape[1]:
            carry(h, row(keep, b), part(before, b, t + t - last, 0, units))

    @inner
    def walk(
        lo, hi, w, h0, c0, mask, keep, backwards, gates, cells, before, outputs, h, c, scratch
    ):
        """Rows lo to hi through the whole sequence."""
        _, steps, units = outputs.shape
        fill_rows(scratch + places.rows, steps * units, hi - lo)
        fill_rows(scratch + places.targets, steps * 4 * units, hi - lo)
        way = -1 if backwards != 0 else 1
        for s in range(steps):
            t = time_of(s, steps, backwards)
            if s == 0:
                for b in range(lo, hi):
                    carry(row(h0, b), row(keep, b), part(before, b, t, 0, units))
            at = lo * steps + t
            product(
                address_of(before) + at * units * size, scratch + places.rows, w,
                address_of(gates) + at * 4 * units * size, scratch + places.targets,
                hi - lo, 0, 1, scratch,
            )  # fmt: skip
            for b in range(lo, hi):
                step(b, s, t, t - way, h0, c0, mask, keep, gates, cells, before, outputs)
        end = time_of(steps - 1, steps, backwards)
        for b in range(lo, hi):
            copy(part(outputs, b, steps - 1, 0, units) if steps > 0 else row(h0, b), row(h, b))
            copy(part(cells, b, end, 0, units) if steps > 0 else row(c0, b), row(c, b))

    return walk


def lstm(T):
    """All steps. ``gates`` hold x W + b, and then what the gates let through; ``before`` the h'
    keep that each step has read; ``cells`` the c."""
    places, walk, together = places_of(T), _make_walk(T), make_together(T)
    start, weights = make_start(T), make_weights(T)

    def task(
        i, n, scratch, w, h0, c0, mask, keep, backwards, gates, cells, before, outputs, h, c
    ):  # fmt: skip
        lo, hi = rows_of(i, n, outputs.shape[0])
        if lo == hi:
            return 0
        units = outputs.shape[2]
        start(scratch)
        packed, _ = weights(
            address_of(w), 4 * units, 1, units, 4 * units, hi - lo, scratch,
            scratch + places.packed,
        )  # fmt: skip
        count = together(units)
        for b in range(lo, hi, count):
            walk(
                b, min(hi, b + count), packed, h0, c0, mask, keep, backwards,
                gates, cells, before, outputs, h, c, scratch,
            )  # fmt: skip
        return 0

    return task


def _make_cell_grad(T):
    """``cell_grad(i, f, g, o, old, c, dh, dc, bi, bf, bg, bo)``: from the gradients for h and c
    those for what the gates held, which take the place of what they let through, and for the c
    before; that for h is used up. The b gather those of all steps."""
    zero, one, tanh = T(0), T(1), make_tanh(T)

    @inner
    def cell_grad(i, f, g, o, old, c, dh, dc, bi, bf, bg, bo):
        noalias()
        for j in range(dh.size):
            a, b, d, e, t = i[j], f[j], g[j], o[j], tanh(c[j])
            up, state = dh[j], dc[j] + dh[j] * e * (one - t * t)
            di, df = state * d * (a * (one - a)), state * old[j] * (b * (one - b))
            dg, do = state * a * (one - d * d), up * t * (e * (one - e))
            i[j], f[j], g[j], o[j] = di, df, dg, do
            bi[j] += di
            bf[j] += df
            bg[j] += dg
            bo[j] += do
            dc[j] = state * b
            dh[j] = zero

    return cell_grad


def _make_walk_back(T):
    """``walk(...)``: the gradients of rows lo to hi, from the last step to the first."""
    size, places, numbers = T.bitwidth // 8, places_of(T), view(T)
    cell_grad, (_, _, zeros), gather = _make_cell_grad(T), make_copies(T), make_gather(T)
    back, begin, bring = make_back(T), make_begin(T), make_bring(T)
    fetch = make_fetch(T)

    @inner
    def step(b, s, t, last, c0, gates, cells, g_outputs, mask, dz, dh, dc, sums):
        units = dh.shape[1]
        bring(gates, dz, b, t, last)
        fetch(cells, b, last + last - t)
        if g_outputs.size > 0:
            gather(part(g_outputs, b, s, 0, units), numbers(0, 0), row(dh, b))
        if is_masked(mask, b, t):
            zeros(part(dz, b, t, 0, 4 * units))
            return
        cell_grad(
            part(dz, b, t, 0, units), part(dz, b, t, units, units),
            part(dz, b, t, 2 * units, units), part(dz, b, t, 3 * units, units),
            part(cells, b, last, 0, units) if s > 0 else row(c0, b), part(cells, b, t, 0, units),
            row(dh, b), row(dc, b), piece(sums, b, 0, units), piece(sums, b, units, 2 * units),
            piece(sums, b, 2 * units, 3 * units), piece(sums, b, 3 * units, 4 * units),
        )  # fmt: skip

    @inner
    def walk(
        lo, hi, w, c0, gates, cells, g_outputs, g_h, g_c, mask, keep, backwards,
        dz, dh, dc, sums, scratch,
    ):  # fmt: skip
        _, steps, width = dz.shape
        fill_rows(scratch + places.rows, steps * width, hi - lo)
        fill_rows(scratch + places.targets, width // 4, hi - lo)
        way = -1 if backwards != 0 else 1
        for b in range(lo, hi):
            begin(g_h, dh, b)
            begin(g_c, dc, b)
            zeros(row(sums, b))
        for s in range(steps - 1, -1, -1):
            t = time_of(s, steps, backwards)
            for b in range(lo, hi):
                step(b, s, t, t - way, c0, gates, cells, g_outputs, mask, dz, dh, dc, sums)
            at = address_of(dz) + (lo * steps + t) * width * size
            back(lo, hi, at, scratch + places.rows, w, keep, dh, scratch)

    return walk


def lstm_grad(T):
    """``dz``, the gradient for z, which may be the memory of the gates, those for the states at
    the beginning, and the ``sums`` of dz over the steps of each row.

    Gradients for outputs, h and c of size 0 stand for none.
    """
    places, walk, together = places_of(T), _make_walk_back(T), make_together(T)
    start, weights = make_start(T), make_weights(T)

    def task(
        i, n, scratch, w, c0, gates, cells, g_outputs, g_h, g_c, mask, keep, backwards,
        dz, dh0, dc0, sums,
    ):  # fmt: skip
        batch, _, width = dz.shape
        lo, hi = rows_of(i, n, batch)
        if lo == hi:
            return 0
        units = width // 4
        start(scratch)
        packed, _ = weights(
            address_of(w), 1, width, width, units, hi - lo, scratch, scratch + places.packed
        )
        count = together(units)
        for b in range(lo, hi, count):
            walk(
                b, min(hi, b + count), packed, c0, gates, cells, g_outputs, g_h, g_c, mask, keep,
                backwards, dz, dh0, dc0, sums, scratch,
            )  # fmt: skip
        return 0

    return task
