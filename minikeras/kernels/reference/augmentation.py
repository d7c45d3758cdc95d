"""Twins of the kernels for images under affine maps."""

import numpy as np


def _inside(k, size, mode):
    """Places in [0, size) for places k, and whether there are any."""
    within = (k >= 0) & (k < size)
    if mode == 0:
        return np.where(within, k, 0), within
    if mode == 1:
        return np.clip(k, 0, size - 1), within | True
    if mode == 2:
        return k % size, within | True
    twice = k % (2 * size)
    return np.where(twice < size, twice, 2 * size - 1 - twice), within | True


def _nearest(v):
    return np.where(v >= 0, np.floor(v + v.dtype.type(0.5)), np.ceil(v - v.dtype.type(0.5)))


def _corners(maps, shape, order):
    """For all places of the output: (rows, columns, weights) of what they are made of."""
    _, height, width, _ = shape
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    rows, columns = rows.astype(maps.dtype), columns.astype(maps.dtype)
    a = maps[:, :, None, None]
    u = a[:, 0] * columns + a[:, 1] * rows + a[:, 2]
    v = a[:, 3] * columns + a[:, 4] * rows + a[:, 5]
    near = (np.abs(u) < 1e9) & (np.abs(v) < 1e9)
    u, v = np.where(near, u, -1e12).astype(maps.dtype), np.where(near, v, -1e12).astype(maps.dtype)
    if order == 0:
        return near, [(_nearest(v).astype(int), _nearest(u).astype(int), np.ones_like(u))]
    r, c = np.floor(v), np.floor(u)
    down, right = v - r, u - c
    r, c = r.astype(int), c.astype(int)
    return near, [
        (r, c, (1 - down) * (1 - right)),
        (r, c + 1, (1 - down) * right),
        (r + 1, c, down * (1 - right)),
        (r + 1, c + 1, down * right),
    ]


def affine_images(x, maps, order, mode, fill, y):
    near, corners = _corners(maps, y.shape, order)
    images = np.arange(x.shape[0])[:, None, None]
    y[...] = 0
    for r, c, weight in corners:
        r, found = _inside(r, x.shape[1], mode)
        c, too = _inside(c, x.shape[2], mode)
        picked = np.where((found & too)[..., None], x[images, r, c], x.dtype.type(fill))
        y += weight[..., None] * picked
    y[~near] = fill


def affine_images_grad(g, maps, order, mode, dx):
    near, corners = _corners(maps, g.shape, order)
    images = np.arange(g.shape[0])[:, None, None]
    dx[...] = 0
    for r, c, weight in corners:
        r, found = _inside(r, dx.shape[1], mode)
        c, too = _inside(c, dx.shape[2], mode)
        counts = (found & too & near) * weight
        where = tuple(np.broadcast_arrays(images, r, c))
        np.add.at(dx, where, g * counts[..., None].astype(g.dtype))
