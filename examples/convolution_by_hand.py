"""Convolution and pooling written out: sums over small windows, and how derivatives come back.

    python examples/convolution_by_hand.py --plot

Everything is computed twice, by loops that follow the formula and by the layer:

* Y(i, j) = sum over m, n of X(i + m, j + n) K(m, n). Libraries call it convolution; strictly it is
  cross-correlation, for convolution runs over the kernel backwards, X(i - m, j - n). A learned
  kernel does not care. 'valid' keeps to whole windows, 'same' adds zeros around the image, and a
  stride leaves out places.
* Back-propagation. A weight meets every place, so its derivative gathers from all of them: dE/dK is
  the correlation of X with dE/dY. A pixel feeds several outputs: dE/dX is the true convolution, the
  one that turns the kernel round, of dE/dY with K.
* In one dimension, K kernels of width N have K N weights and K biases, however long the signal is.
* Max pooling has no weights. Each derivative goes back to the place that the maximum came from
  (unpooling by argmax), those of mean pooling in equal parts to the whole window.
"""

import numpy as np
from common import BLUE, ORANGE, digits, save, settings, show, subplots, table

import minikeras as keras
from minikeras import ops
from minikeras.layers import AveragePooling2D, Conv1D, Conv2D, MaxPooling2D

KERNELS = {
    "mean": np.full((3, 3), 1 / 9),
    "edge below": [[1, 1, 1], [0, 0, 0], [-1, -1, -1]],
    "edge right": [[1, 0, -1], [1, 0, -1], [1, 0, -1]],
    "sharper": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "outline": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
}
SIGNAL_KERNELS = {"-1, 0, 1": [-1, 0, 1], "1, -1, 1": [1, -1, 1], "1/3, 1/3, 1/3": [1 / 3] * 3}


# --- by loops -------------------------------------------------------------------------------------


def correlate(x, kernel, stride=1):
    """Y(i, j) = sum of X(i + m, j + n) K(m, n), for whole windows."""
    tall, wide = kernel.shape
    rows = range(0, x.shape[0] - tall + 1, stride)
    columns = range(0, x.shape[1] - wide + 1, stride)
    return np.array(
        [[(x[i : i + tall, j : j + wide] * kernel).sum() for j in columns] for i in rows]
    )


def convolve(x, kernel):
    """Y(i, j) = sum of X(i - m, j - n) K(m, n), wherever there is any overlap."""
    tall, wide = kernel.shape
    y = np.zeros((x.shape[0] + tall - 1, x.shape[1] + wide - 1))
    for i, j in np.ndindex(x.shape):
        y[i : i + tall, j : j + wide] += x[i, j] * kernel
    return y


def pad_same(x, kernel):
    """Zeros around the image, so that there is a window for each of its points."""
    tall, wide = kernel.shape
    above, left = (tall - 1) // 2, (wide - 1) // 2
    return np.pad(x, [(above, tall - 1 - above), (left, wide - 1 - left)])


def pool(x, size, of=np.max):
    rows, columns = x.shape[0] // size, x.shape[1] // size
    return of(x.reshape(rows, size, columns, size), axis=(1, 3))


def unpool(g, x, size):
    """Each derivative at the first place of the maximum of its window, zeros elsewhere."""
    dx = np.zeros_like(x)
    for i, j in np.ndindex(g.shape):
        window = x[i * size : (i + 1) * size, j * size : (j + 1) * size]
        m, n = np.unravel_index(window.argmax(), window.shape)
        dx[i * size + m, j * size + n] = g[i, j]
    return dx


# --- by layers ------------------------------------------------------------------------------------


def layer_of(kernel, **arguments):
    """A Conv2D with one kernel of the given weights."""
    layer = Conv2D(1, np.shape(kernel), use_bias=False, **arguments)
    layer.build((None, None, None, 1))
    layer.set_weights([np.reshape(kernel, (*np.shape(kernel), 1, 1))])
    return layer


def applied(layer, x):
    """A layer on one image without channels."""
    return np.asarray(layer(np.float32(x)[None, :, :, None]))[0, :, :, 0]


def derivatives(layer, x, g):
    """dE/dX, and dE/dK if there is one, where dE/dY = g; E is the sum of Y times g."""
    with keras.GradientTape() as tape:
        image = tape.watch(np.float32(x)[None, :, :, None])
        error = ops.sum(layer(image) * np.float32(g)[None, :, :, None])
    found = tape.gradient(error, [image, *layer.trainable_variables])
    return [np.asarray(each).squeeze() for each in found]


def compare(rng):
    """Largest differences between loops and layers."""
    x, kernel = rng.normal(size=(8, 8)), rng.normal(size=(3, 2))
    g, halves = rng.normal(size=(6, 7)), rng.normal(size=(4, 4))
    layer, turned = layer_of(kernel), layer_of(kernel[::-1, ::-1])
    same, strided = layer_of(kernel, padding="same"), layer_of(kernel, strides=2)
    largest, mean = MaxPooling2D(2), AveragePooling2D(2)
    into_image, into_kernel = derivatives(layer, x, g)
    spread = np.kron(halves / 4, np.ones((2, 2)))
    pairs = {
        "valid": (correlate(x, kernel), applied(layer, x)),
        "same": (correlate(pad_same(x, kernel), kernel), applied(same, x)),
        "stride 2": (correlate(x, kernel, 2), applied(strided, x)),
        "kernel turned round": (convolve(x, kernel)[2:-2, 1:-1], applied(turned, x)),
        "derivative, kernel": (correlate(x, g), into_kernel),
        "derivative, image": (convolve(g, kernel), into_image),
        "max pooling": (pool(x, 2), applied(largest, x)),
        "its derivative, unpooled": (unpool(halves, x, 2), derivatives(largest, x, halves)[0]),
        "mean pooling": (pool(x, 2, np.mean), applied(mean, x)),
        "its derivative, spread": (spread, derivatives(mean, x, halves)[0]),
    }
    return {name: float(np.abs(a - b).max()) for name, (a, b) in pairs.items()}


def by_differences(rng, step=1e-4):
    """The derivatives of the loops again, by moving every number a little."""
    x, kernel = rng.normal(size=(6, 5)), rng.normal(size=(3, 3))
    g = rng.normal(size=(4, 3))
    worst = 0.0
    for numbers, formula in ((kernel, correlate(x, g)), (x, convolve(g, kernel))):
        for place in np.ndindex(numbers.shape):
            old, ends = numbers[place], []
            for moved in (old + step, old - step):
                numbers[place] = moved
                ends.append((correlate(x, kernel) * g).sum())
            numbers[place] = old
            worst = max(worst, abs((ends[0] - ends[1]) / (2 * step) - formula[place]))
    return worst


def counts(length, kernels, width):
    """Weights of a one-dimensional convolution, and of a dense layer with as many outputs."""
    layer = Conv1D(kernels, width)
    layer.build((None, length, 1))
    outputs = (length - width + 1) * kernels
    return layer.count_params(), (length + 1) * outputs


# --- pictures -------------------------------------------------------------------------------------


def plot(options, image):
    figure, axes = subplots(2, 6, size=(12, 4.3))
    show(axes[0, 0], image[None], 1, "image")
    axes[1, 0].axis("off")
    for (name, kernel), (above, below) in zip(KERNELS.items(), axes[:, 1:].T, strict=True):
        found = applied(layer_of(kernel, padding="same"), image)
        small = np.float32(kernel)[None]
        size = np.abs(found).max()
        pale = 1.8 * np.abs(small).max()  # so that the numbers can be read
        show(above, small, 1, name, "PuOr", vmin=-pale, vmax=pale)
        for (i, j), weight in np.ndenumerate(small[0]):
            above.text(j, i, f"{weight:.2g}", ha="center", va="center", fontsize=9)
        show(below, found[None], 1, "", "PuOr", vmin=-size, vmax=size)
    figure.suptitle("Kernels (orange: negative) and what they find")
    save(figure, options, "convolution_by_hand")


def plot_pooling(options, image, rng):
    g = np.round(rng.uniform(-1, 1, (4, 4)), 1)
    mean = derivatives(AveragePooling2D(2), image, g)[0]
    pictures = {
        "image": (image, "gray_r"),
        "max pooling": (pool(image, 2), "gray_r"),
        "derivatives that come back": (g, "PuOr"),
        "unpooled by argmax": (derivatives(MaxPooling2D(2), image, g)[0], "PuOr"),
        "mean pooling: equal parts": (mean, "PuOr"),
    }
    figure, axes = subplots(1, 5, size=(14, 3.2))
    for axis, (name, (numbers, colours)) in zip(axes, pictures.items(), strict=True):
        limits = {"vmin": 0 if colours == "gray_r" else -1, "vmax": 1}
        show(axis, numbers[None], 1, name, colours, **limits)
        for line in range(1, len(numbers)):
            wide = 1.5 if len(numbers) == 4 or line % 2 == 0 else 0.3
            axis.axhline(line - 0.5, color="0.5", lw=wide)
            axis.axvline(line - 0.5, color="0.5", lw=wide)
    save(figure, options, "convolution_by_hand_pooling")


def plot_signal(options, rng):
    time = np.arange(120)
    signal = np.where((time // 30) % 2, 1.0, 0.0) + 0.1 * rng.normal(size=120)
    figure, axes = subplots(4, 1, size=(8, 6), sharex=True)
    axes[0].plot(time, signal, color=BLUE)
    axes[0].set_ylabel("signal")
    for axis, (name, kernel) in zip(axes[1:], SIGNAL_KERNELS.items(), strict=True):
        layer = Conv1D(1, 3, use_bias=False)
        layer.build((None, None, 1))
        layer.set_weights([np.reshape(kernel, (3, 1, 1))])
        found = np.asarray(layer(np.float32(signal)[None, :, None]))[0, :, 0]
        axis.plot(time[1:-1], found, color=ORANGE)
        axis.set_ylabel(name)
    axes[-1].set_xlabel("n")
    figure.suptitle("A signal, and what three kernels of width 3 make of it")
    save(figure, options, "convolution_by_hand_signal")


def main(arguments=None):
    options = settings(__doc__, arguments)
    rng = np.random.default_rng(options.seed)
    differences = compare(rng)
    table(["loops and layers", "difference"], [[n, f"{d:.0e}"] for n, d in differences.items()])
    worst = by_differences(rng)
    print(f"Derivatives by formula and by finite differences: {worst:.0e} apart at most.\n")
    rows = [
        [length, kernels, width, *counts(length, kernels, width)]
        for length in (128, 1024)
        for kernels, width in ((64, 3), (128, 7))
    ]
    table(["length of signal", "kernels", "width", "weights of Conv1D", "of a dense layer"], rows)
    if options.plot:
        image = digits()[0][0][0].reshape(8, 8)
        plot(options, image)
        plot_pooling(options, image, rng)
        plot_signal(options, rng)
    return differences, worst, [row[-2:] for row in rows]


if __name__ == "__main__":
    main()
