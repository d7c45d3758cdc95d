"""Gated recurrent units (Cho et al. 2014) over sequences.

``z, r = sigmoid(...); h = z h' + (1 - z) g``, where h' is the state of the step before. The
candidate g is, where the reset gate comes *after* the recurrent product, ``tanh(x_t W_g + b_g + r
((h' keep) U_g + b'_g))``; *before* it ``tanh(x_t W_g + b_g + (r h' keep) U_g)``. Gates lie in the
order z, r, g. A masked step leaves the state as it was. See `recurrent` for the arrays.
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
def make_cells(T):
    """``after(z, r, g, inner, old, h)`` of a row; ``reset(z, r, before, inner)`` and ``candidate(z,
    g, old, h)``, the parts of the other kind: before and after the second product."""
    sigmoid, tanh, one = make_sigmoid(T), make_tanh(T), T(1)

    @inner
    def after(z, r, g, inner, old, h):
        noalias()
        for j in range(h.size):
            a, b = sigmoid(z[j]), sigmoid(r[j])
            d = tanh(g[j] + b * inner[j])
            z[j], r[j], g[j] = a, b, d
            h[j] = a * old[j] + (one - a) * d

    @inner
    def reset(z, r, before, inner):
        noalias()
        for j in range(inner.size):
            b = sigmoid(r[j])
            z[j], r[j] = sigmoid(z[j]), b
            inner[j] = b * before[j]

    @inner
    def candidate(z, g, old, h):
        noalias()
        for j in range(h.size):
            d = tanh(g[j])
            g[j] = d
            h[j] = z[j] * old[j] + (one - z[j]) * d

    return after, reset, candidate


def _make_products(T, is_after):
    """``products(lo, hi, t, w, v, bias, gates, inside, before, scratch)``: what a step adds to the
    gates, and ``inside``."""
    size, places = T.bitwidth // 8, places_of(T)
    product, (_, reset, _) = make_product(T), make_cells(T)

    @inner
    def products(lo, hi, t, w, v, bias, gates, inside, before, scratch):
        _, steps, units = before.shape
        table, targets, m = scratch + places.rows, scratch + places.targets, hi - lo
        biases = address_of(bias) if bias.size > 0 else 0
        at = (lo * steps + t) * units * size
        into, own = address_of(gates) + 3 * at, address_of(inside) + at
        product(address_of(before) + at, table, w, into, targets, m, biases, 1, scratch)
        if is_after:
            more = biases + 2 * units * size if biases != 0 else 0
            product(address_of(before) + at, table, v, own, table, m, more, 0, scratch)
            return
        for b in range(lo, hi):
            reset(
                part(gates, b, t, 0, units), part(gates, b, t, units, units),
                part(before, b, t, 0, units), part(inside, b, t, 0, units),
            )  # fmt: skip
        product(own, table, v, into + 2 * units * size, targets, m, 0, 1, scratch)

    return products


def _make_walk(T, is_after):
    """``walk(...)``: rows lo to hi through the whole sequence."""
    places, products = places_of(T), _make_products(T, is_after)
    (after, _, candidate), (copy, carry, zeros) = make_cells(T), make_copies(T)
    fetch = make_fetch(T)

    @inner
    def finish(b, s, t, h0, mask, gates, inside, outputs):
        """One row's new state."""
        units = outputs.shape[2]
        old = part(outputs, b, s - 1, 0, units) if s > 0 else row(h0, b)
        new = part(outputs, b, s, 0, units)
        z, g = part(gates, b, t, 0, units), part(gates, b, t, 2 * units, units)
        if is_masked(mask, b, t):
            zeros(part(gates, b, t, 0, 3 * units))
            zeros(part(inside, b, t, 0, units))
            copy(old, new)
        elif is_after:
            after(
                z, part(gates, b, t, units, units), g, part(inside, b, t, 0, units), old, new
            )  # fmt: skip
        else:
            candidate(z, g, old, new)

    @inner
    def walk(
        lo, hi, w, v, bias, h0, mask, keep, backwards, gates, inside, before, outputs, h, scratch
    ):  # fmt: skip
        _, steps, units = outputs.shape
        fill_rows(scratch + places.rows, steps * units, hi - lo)
        fill_rows(scratch + places.targets, steps * 3 * units, hi - lo)
        way = -1 if backwards != 0 else 1
        for s in range(steps):
            t = time_of(s, steps, backwards)
            for b in range(lo, hi):
                fetch(gates, b, t + way)
                old = part(outputs, b, s - 1, 0, units) if s > 0 else row(h0, b)
                carry(old, row(keep, b), part(before, b, t, 0, units))
            products(lo, hi, t, w, v, bias, gates, inside, before, scratch)
            for b in range(lo, hi):
                finish(b, s, t, h0, mask, gates, inside, outputs)
        for b in range(lo, hi):
            copy(part(outputs, b, steps - 1, 0, units) if steps > 0 else row(h0, b), row(h, b))

    return walk


def _make_forward(T, is_after):
    """``forward(...)``: a task of `gru_after`, or of `gru_before`, which takes no biases."""
    size, places, walk = T.bitwidth // 8, places_of(T), _make_walk(T, is_after)
    start, weights, together = make_start(T), make_weights(T), make_together(T)

    @inner
    def forward(
        i, n, scratch, w, bias, h0, mask, keep, backwards, gates, inside, before, outputs, h
    ):  # fmt: skip
        batch, _, units = outputs.shape
        lo, hi = rows_of(i, n, batch)
        if lo < hi:
            start(scratch)
            x, rows, at = address_of(w), hi - lo, scratch + places.packed
            of_gates, at = weights(x, 3 * units, 1, units, 2 * units, rows, scratch, at)
            x += 2 * units * size
            of_candidate, at = weights(x, 3 * units, 1, units, units, rows, scratch, at)
            count = together(units)
            for b in range(lo, hi, count):
                walk(
                    b, min(hi, b + count), of_gates, of_candidate, bias, h0, mask, keep, backwards,
                    gates, inside, before, outputs, h, scratch,
                )  # fmt: skip

    return forward


def gru_after(T):
    """All steps, the reset gate after the product.

    ``gates`` hold x W + b, and then z, r and the candidate; ``inside`` what r multiplies;
    ``before`` the h' keep. ``bias`` b' of size 0 means none.
    """
    forward = _make_forward(T, True)

    def task(
        i, n, scratch, w, bias, h0, mask, keep, backwards, gates, inside, before, outputs, h
    ):  # fmt: skip
        forward(
            i, n, scratch, w, bias, h0, mask, keep, backwards, gates, inside, before, outputs, h
        )
        return 0

    return task


def gru_before(T):
    """All steps, the reset gate before the product.

    ``gates`` as in `gru_after`; ``inside`` holds r h' keep.
    """
    forward, numbers = _make_forward(T, False), view(T)

    def task(
        i, n, scratch, w, h0, mask, keep, backwards, gates, inside, before, outputs, h
    ):  # fmt: skip
        forward(
            i, n, scratch, w, numbers(0, 0), h0, mask, keep, backwards, gates, inside, before,
            outputs, h,
        )  # fmt: skip
        return 0

    return task


def _make_cell_grads(T):
    """Gradients of a row's step from dh, the gradient for h; what goes on to h' stays in dh.

    ``after(z, r, g, inner, old, dh, di, bz, br, bg, bi)``; ``candidate(z, g, old, dh, bz, bg)`` and
    ``reset(r, before, up, br)``, where up is the gradient for r h' keep, and then that for h' keep.
    Gradients take the place of what the gates let through; the b gather those of all steps.
    """
    one = T(1)

    @inner
    def after(z, r, g, inner, old, dh, di, bz, br, bg, bi):
        noalias()
        for j in range(dh.size):
            a, b, d, up = z[j], r[j], g[j], dh[j]
            slope = up * (one - a) * (one - d * d)
            dz, dr = up * (old[j] - d) * (a * (one - a)), slope * inner[j] * (b * (one - b))
            own = slope * b
            z[j], r[j], g[j], di[j], dh[j] = dz, dr, slope, own, up * a
            bz[j] += dz
            br[j] += dr
            bg[j] += slope
            bi[j] += own

    @inner
    def candidate(z, g, old, dh, bz, bg):
        noalias()
        for j in range(dh.size):
            a, d, up = z[j], g[j], dh[j]
            dz, dg = up * (old[j] - d) * (a * (one - a)), up * (one - a) * (one - d * d)
            z[j], g[j], dh[j] = dz, dg, up * a
            bz[j] += dz
            bg[j] += dg

    @inner
    def reset(r, before, up, br):
        noalias()
        for j in range(up.size):
            b = r[j]
            dr = up[j] * before[j] * (b * (one - b))
            r[j], up[j] = dr, up[j] * b
            br[j] += dr

    return after, candidate, reset


def _make_walk_back_after(T):
    """``walk(...)``: the gradients of rows lo to hi, from the last step to the first."""
    size, places, numbers = T.bitwidth // 8, places_of(T), view(T)
    (after, _, _), (copy, _, zeros), gather = _make_cell_grads(T), make_copies(T), make_gather(T)
    back, begin, bring = make_back(T), make_begin(T), make_bring(T)
    fetch = make_fetch(T)

    @inner
    def step(b, s, t, last, h0, gates, inside, outputs, g_outputs, mask, dz, di, dh, sums):
        units = dh.shape[1]
        bring(gates, dz, b, t, last)
        fetch(inside, b, last)
        fetch(di, b, last)
        if g_outputs.size > 0:
            gather(part(g_outputs, b, s, 0, units), numbers(0, 0), row(dh, b))
        if is_masked(mask, b, t):
            zeros(part(dz, b, t, 0, 3 * units))
            zeros(part(di, b, t, 0, 3 * units))
            return
        after(
            part(dz, b, t, 0, units), part(dz, b, t, units, units),
            part(dz, b, t, 2 * units, units), part(inside, b, t, 0, units),
            part(outputs, b, s - 1, 0, units) if s > 0 else row(h0, b), row(dh, b),
            part(di, b, t, 2 * units, units), piece(sums, b, 0, units),
            piece(sums, b, units, 2 * units), piece(sums, b, 2 * units, 3 * units),
            piece(sums, b, 3 * units, 4 * units),
        )  # fmt: skip
        copy(part(dz, b, t, 0, 2 * units), part(di, b, t, 0, 2 * units))

    @inner
    def walk(
        lo, hi, w, h0, gates, inside, outputs, g_outputs, g_h, mask, keep, backwards,
        dz, di, dh, sums, scratch,
    ):  # fmt: skip
        _, steps, width = dz.shape
        fill_rows(scratch + places.rows, steps * width, hi - lo)
        fill_rows(scratch + places.targets, width // 3, hi - lo)
        for b in range(lo, hi):
            begin(g_h, dh, b)
            zeros(row(sums, b))
        way = -1 if backwards != 0 else 1
        for s in range(steps - 1, -1, -1):
            t = time_of(s, steps, backwards)
            for b in range(lo, hi):
                step(
                    b, s, t, t - way, h0, gates, inside, outputs, g_outputs, mask, dz, di, dh, sums
                )  # fmt: skip
            at = address_of(di) + (lo * steps + t) * width * size
            back(lo, hi, at, scratch + places.rows, w, keep, dh, scratch)

    return walk


def gru_after_grad(T):
    """``dz``, the gradient for x W + b, which may be the memory of the gates, ``di``, that for
    (h' keep) U + b', that for h at the beginning, and the ``sums`` over the steps of each row: of
    dz, then of the candidate's part of di.

    Gradients for outputs and h of size 0 stand for none.
    """
    places, walk, together = places_of(T), _make_walk_back_after(T), make_together(T)
    start, weights = make_start(T), make_weights(T)

    def task(
        i, n, scratch, w, h0, gates, inside, outputs, g_outputs, g_h, mask, keep, backwards,
        dz, di, dh0, sums,
    ):  # fmt: skip
        batch, _, width = dz.shape
        lo, hi = rows_of(i, n, batch)
        if lo == hi:
            return 0
        units = width // 3
        start(scratch)
        packed, _ = weights(
            address_of(w), 1, width, width, units, hi - lo, scratch, scratch + places.packed
        )
        count = together(units)
        for b in range(lo, hi, count):
            walk(
                b, min(hi, b + count), packed, h0, gates, inside, outputs, g_outputs, g_h, mask,
                keep, backwards, dz, di, dh0, sums, scratch,
            )  # fmt: skip
        return 0

    return task


def _make_walk_back_before(T):
    """``walk(...)``: the gradients of rows lo to hi, from the last step to the first."""
    size, places, numbers = T.bitwidth // 8, places_of(T), view(T)
    (_, candidate, reset), (_, _, zeros) = _make_cell_grads(T), make_copies(T)
    gather, product, begin = make_gather(T), make_product(T), make_begin(T)
    bring = make_bring(T)

    @inner
    def step(b, s, t, last, h0, gates, outputs, g_outputs, mask, dz, dh, sums):
        """Gradients for the update gate and the candidate."""
        units = dh.shape[1]
        bring(gates, dz, b, t, last)
        if g_outputs.size > 0:
            gather(part(g_outputs, b, s, 0, units), numbers(0, 0), row(dh, b))
        if is_masked(mask, b, t):
            zeros(part(dz, b, t, 0, 3 * units))
            return
        candidate(
            part(dz, b, t, 0, units), part(dz, b, t, 2 * units, units),
            part(outputs, b, s - 1, 0, units) if s > 0 else row(h0, b), row(dh, b),
            piece(sums, b, 0, units), piece(sums, b, 2 * units, 3 * units),
        )  # fmt: skip

    @inner
    def walk(
        lo, hi, w, v, h0, gates, before, outputs, g_outputs, g_h, mask, keep, backwards,
        dz, dh, sums, scratch,
    ):  # fmt: skip
        _, steps, width = dz.shape
        units, m = width // 3, hi - lo
        table, targets, work = (
            scratch + places.rows, scratch + places.targets, scratch + places.work
        )  # fmt: skip
        fill_rows(table, steps * width, m)
        fill_rows(targets, units, m)
        for b in range(lo, hi):
            begin(g_h, dh, b)
            zeros(row(sums, b))
        way = -1 if backwards != 0 else 1
        for s in range(steps - 1, -1, -1):
            t = time_of(s, steps, backwards)
            for b in range(lo, hi):
                step(b, s, t, t - way, h0, gates, outputs, g_outputs, mask, dz, dh, sums)
            at = address_of(dz) + (lo * steps + t) * width * size
            product(at + 2 * units * size, table, v, work, targets, m, 0, 0, scratch)
            for b in range(lo, hi):
                reset(
                    part(dz, b, t, units, units), part(before, b, t, 0, units),
                    numbers(work + (b - lo) * units * size, units),
                    piece(sums, b, units, 2 * units),
                )  # fmt: skip
            product(at, table, w, work, targets, m, 0, 1, scratch)
            for b in range(lo, hi):
                up = numbers(work + (b - lo) * units * size, units)
                gather(up, row(keep, b), row(dh, b))

    return walk


def gru_before_grad(T):
    """``dz``, the gradient for what the gates held, which may be their memory, that for h at the
    beginning, and the ``sums`` of dz over the steps of each row.

    Gradients for outputs and h of size 0 stand for none.
    """
    size, places, walk = T.bitwidth // 8, places_of(T), _make_walk_back_before(T)
    start, weights, together = make_start(T), make_weights(T), make_together(T)

    def task(
        i, n, scratch, w, h0, gates, before, outputs, g_outputs, g_h, mask, keep, backwards,
        dz, dh0, sums,
    ):  # fmt: skip
        batch, _, width = dz.shape
        lo, hi = rows_of(i, n, batch)
        if lo == hi:
            return 0
        units, rows = width // 3, hi - lo
        start(scratch)
        x, at = address_of(w), scratch + places.packed
        of_gates, at = weights(x, 1, width, 2 * units, units, rows, scratch, at)
        x += 2 * units * size
        of_candidate, at = weights(x, 1, width, units, units, rows, scratch, at)
        count = together(units)
        for b in range(lo, hi, count):
            walk(
                b, min(hi, b + count), of_gates, of_candidate, h0, gates, before, outputs,
                g_outputs, g_h, mask, keep, backwards, dz, dh0, sums, scratch,
            )  # fmt: skip
        return 0

    return task
