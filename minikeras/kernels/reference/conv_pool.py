"""Twin of convolution, relu and pooling in one."""

import numpy as np

from .. import table
from .conv import conv, conv_weights_grad


def conv_relu_pool(x, w, bias, y, index, geometry):
    images, filters = int(geometry[table.CONV_IMAGES]), int(geometry[table.CONV_FILTERS])
    height, width = (int(n) for n in geometry[table.CONV_OUT + 1 : table.CONV_OUT + 3])
    whole = np.empty(images * height * width * filters, x.dtype)
    conv(x, w, bias, whole, geometry, 1)
    pixels = whole.reshape(images, height, width, filters)[:, : height // 2 * 2, : width // 2 * 2]
    windows = pixels.reshape(images, height // 2, 2, width // 2, 2, filters)
    windows = windows.transpose(0, 1, 3, 2, 4, 5).reshape(-1, 4, filters)
    best = np.where(np.isnan(windows).any(axis=1), np.nan, windows.max(axis=1))
    y[...] = best.reshape(-1)
    index[...] = np.where(best > 0, windows.argmax(axis=1), 255).reshape(-1)


def conv_pool_weights_grad(x, g, index, geometry, parts, biases):
    images, filters = int(geometry[table.CONV_IMAGES]), int(geometry[table.CONV_FILTERS])
    height, width = (int(n) for n in geometry[table.CONV_OUT + 1 : table.CONV_OUT + 3])
    shape = (images, height // 2, 1, width // 2, 1, filters)
    taps = np.arange(4).reshape(1, 1, 2, 1, 2, 1)
    spread = np.where(index.reshape(shape) == taps, g.reshape(shape), 0)
    whole = np.zeros((images, height, width, filters), g.dtype)
    rows, columns = height // 2 * 2, width // 2 * 2
    whole[:, :rows, :columns] = spread.reshape(images, rows, columns, filters)
    none = np.empty(0, g.dtype)
    conv_weights_grad(x, whole.reshape(-1), none, geometry, 0, parts, biases)
