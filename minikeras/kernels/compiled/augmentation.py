"""Images under affine maps: a task owns rows of the output, in the gradient images.

Row n of `maps` holds a0, a1, a2, b0, b1, b2: place (x, y) of image n of the output shows what is at
``(a0 x + a1 y + a2, b0 x + b1 y + b2)`` of the input. order 0 takes the nearest number there (half
way: the one farther from 0), 1 interpolates between four. Beyond the edges, mode says: 0 everything
is `fill`; 1 the edge goes on; 2 the image repeats; 3 it repeats mirrored, edges twice.
"""

import math

from ._jit import exact, inner
from ._parts import row_part


@exact
def inside(k, size, mode):
    """The place in [0, size) that stands for place k; -1 for none."""
    if 0 <= k < size:
        return k
    if mode == 1:
        return 0 if k < 0 else size - 1
    if mode == 2:
        k %= size
        return k + size if k < 0 else k
    if mode == 3:
        k %= 2 * size
        k = k + 2 * size if k < 0 else k
        return k if k < size else 2 * size - 1 - k
    return -1


@exact
def nearest(v):
    """The nearest whole number, halves away from zero."""
    return int(math.floor(v + 0.5)) if v >= 0.0 else int(math.ceil(v - 0.5))


@exact
def within_reach(u, v):
    """False for places too far away to count, and for those that are no numbers."""
    return abs(u) < 1e9 and abs(v) < 1e9


@inner
def place(maps, n, x, y):
    """Column and row of the input for column x and row y of the output."""
    return (
        maps[n, 0] * x + maps[n, 1] * y + maps[n, 2],
        maps[n, 3] * x + maps[n, 4] * y + maps[n, 5],
    )


@inner
def add(x, n, r, c, mode, fill, weight, y, i, j):
    r, c = inside(r, x.shape[1], mode), inside(c, x.shape[2], mode)
    if r < 0 or c < 0:
        for k in range(x.shape[3]):
            y[n, i, j, k] += weight * fill
    else:
        for k in range(x.shape[3]):
            y[n, i, j, k] += weight * x[n, r, c, k]


@inner
def give(dx, n, r, c, mode, weight, g, i, j):
    r, c = inside(r, dx.shape[1], mode), inside(c, dx.shape[2], mode)
    if r >= 0 and c >= 0:
        for k in range(dx.shape[3]):
            dx[n, r, c, k] += weight * g[n, i, j, k]


def make_set(T):
    """Compiled function (y, n, i, j, value): all channels of one place."""

    @inner
    def set_place(y, n, i, j, value):
        for k in range(y.shape[3]):
            y[n, i, j, k] = T(value)

    return set_place


def affine_images(T):
    one, set_place = T(1), make_set(T)

    @inner
    def mix(x, n, r, c, down, right, y, i, j):
        """Between four places of the input, of which none is beyond the edges: most are such."""
        a, b = (one - down) * (one - right), (one - down) * right
        d, e = down * (one - right), down * right
        for k in range(x.shape[3]):
            y[n, i, j, k] = (
                a * x[n, r, c, k]
                + b * x[n, r, c + 1, k]
                + d * x[n, r + 1, c, k]
                + e * x[n, r + 1, c + 1, k]
            )

    @inner
    def sample(x, n, u, v, order, mode, fill, y, i, j):
        if not within_reach(u, v):
            set_place(y, n, i, j, fill)
            return
        if order == 0:
            set_place(y, n, i, j, 0.0)
            add(x, n, nearest(v), nearest(u), mode, fill, one, y, i, j)
            return
        r, c = int(math.floor(v)), int(math.floor(u))
        down, right = T(v - r), T(u - c)
        if 0 <= r < x.shape[1] - 1 and 0 <= c < x.shape[2] - 1:
            mix(x, n, r, c, down, right, y, i, j)
        else:
            set_place(y, n, i, j, 0.0)
            add(x, n, r, c, mode, fill, (one - down) * (one - right), y, i, j)
            add(x, n, r, c + 1, mode, fill, (one - down) * right, y, i, j)
            add(x, n, r + 1, c, mode, fill, down * (one - right), y, i, j)
            add(x, n, r + 1, c + 1, mode, fill, down * right, y, i, j)

    def task(i, n, scratch, x, maps, order, mode, fill, y):
        height = y.shape[1]
        lo, hi = row_part(i, n, y.shape[0] * height)
        for line in range(lo, hi):
            image, row = line // height, line % height
            for column in range(y.shape[2]):
                u, v = place(maps, image, T(column), T(row))
                sample(x, image, u, v, order, mode, T(fill), y, row, column)
        return 0

    return task


def affine_images_grad(T):
    """dx: each number of g goes back to the places that its output was made of."""
    one, set_place = T(1), make_set(T)

    @inner
    def spread(dx, n, u, v, order, mode, g, i, j):
        if not within_reach(u, v):
            return
        if order == 0:
            give(dx, n, nearest(v), nearest(u), mode, one, g, i, j)
            return
        r, c = int(math.floor(v)), int(math.floor(u))
        down, right = T(v - r), T(u - c)
        give(dx, n, r, c, mode, (one - down) * (one - right), g, i, j)
        give(dx, n, r, c + 1, mode, (one - down) * right, g, i, j)
        give(dx, n, r + 1, c, mode, down * (one - right), g, i, j)
        give(dx, n, r + 1, c + 1, mode, down * right, g, i, j)

    def task(i, n, scratch, g, maps, order, mode, dx):
        lo, hi = row_part(i, n, g.shape[0])
        rows, columns = g.shape[1], g.shape[2]
        for image in range(lo, hi):
            for p in range(rows * columns):
                set_place(dx, image, p // columns, p % columns, 0.0)
            for p in range(rows * columns):
                row, column = p // columns, p % columns
                u, v = place(maps, image, T(column), T(row))
                spread(dx, image, u, v, order, mode, g, row, column)
        return 0

    return task
