"""A small convolutional network reads digits: Keras's classic example.

    python examples/mnist_convnet.py --plot             the embedded digits, 8 x 8 pixels
    python examples/mnist_convnet.py --data mnist       MNIST, 28 x 28, downloaded once
    python examples/mnist_convnet.py --data FILE.npz    MNIST from a file of yours

Two convolutions learn what to look for in small patches, pooling makes the answer coarser in place
and larger in what it sees, and one dense layer decides. The same kernel looks at every place, so
the network needs few weights and does not mind where on the paper the digit stands.
"""

import time

import numpy as np
from common import CLASSES, compiled, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D


def load(name):
    """Images (samples, rows, columns, 1) from 0 to 1 and their labels, in two parts."""
    if name == "digits":
        parts, largest = keras.datasets.digits.load_data(), 16
    else:
        given = () if name == "mnist" else (name,)
        parts, largest = keras.datasets.mnist.load_data(*given), 255
    return [(x[..., np.newaxis].astype("float32") / largest, y) for x, y in parts]


def network(size):
    """The network; small images keep their size, or nothing would be left of them."""
    padding = "valid" if size >= 12 else "same"
    return keras.Sequential(
        [
            keras.Input((size, size, 1)),
            Conv2D(32, 3, activation="relu", padding=padding),
            MaxPooling2D(2),
            Conv2D(64, 3, activation="relu", padding=padding),
            MaxPooling2D(2),
            Flatten(),
            Dropout(0.5),
            Dense(CLASSES, activation="softmax"),
        ]
    )


def plot(options, model, x, y):
    """The kernels of the first layer, and digits that are taken for others."""
    kernels = np.asarray(model.layers[0].kernel)[:, :, 0]
    guessed = model.predict(x, verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(guessed != y)[:16]
    figure, axes = subplots(4, 12, size=(12, 4.4))
    for axis in axes.flat:
        axis.axis("off")
    for axis, kernel in zip(axes[:, :8].flat, np.moveaxis(kernels, -1, 0), strict=True):
        axis.imshow(kernel, cmap="PuOr", vmin=-abs(kernels).max(), vmax=abs(kernels).max())
    for axis, i in zip(axes[:, 8:].flat, wrong, strict=False):
        axis.imshow(x[i, :, :, 0], cmap="gray_r")
        axis.set_title(f"{y[i]}, read {guessed[i]}", fontsize=8)
    figure.suptitle("Kernels of the first layer; digits of the test part that are misread")
    save(figure, options, "mnist_convnet")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(12, "passes over the data; 3 are enough for MNIST"),
        batch=(32, "samples in a batch"),
        data=("digits", "'digits', 'mnist', or a file of MNIST"),
    )
    (x, y), (x_test, y_test) = load(options.data)
    steps = options.epochs * -(-len(x) // options.batch)
    rate = keras.optimizers.schedules.CosineDecay(0.003, steps)
    model = compiled(network(x.shape[1]), keras.optimizers.Adam(rate))
    start = time.perf_counter()
    verbose = 0 if options.data == "digits" else "auto"
    model.fit(x, y, batch_size=options.batch, epochs=options.epochs, verbose=verbose)
    seconds = (time.perf_counter() - start) / options.epochs
    results = [model.evaluate(*part, verbose=0) for part in ((x, y), (x_test, y_test))]
    names = "training part", "test part"
    rows = [
        (n, f"{loss:.4f}", f"{right:.4f}") for n, (loss, right) in zip(names, results, strict=True)
    ]
    table(("data", "loss", "accuracy"), rows)
    print(f"{model.count_params()} weights, {seconds:.2f} s an epoch")
    if options.plot:
        plot(options, model, x_test, y_test)
    return results[1][1]


if __name__ == "__main__":
    main()
