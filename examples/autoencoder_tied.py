"""Tied weights: the decoder uses the encoder's weights, turned over.

    python examples/autoencoder_tied.py --plot

An autoencoder has the shape of a sandwich, so each layer of its second half can take the weights of
its mirror image, transposed, and have only a bias of its own. That is a layer of one's own in ten
lines, which holds another layer. It halves the number of weights, which limits the risk of learning
the training images by heart: with few of them, the tied network is better on the test part.

A single linear layer, tied, finds what principal component analysis finds: its squared error is the
same, and the weights into its units stand at right angles and have length one, unasked.
"""

import time

import numpy as np
from common import digits, save, settings, show, subplots, table

import minikeras as keras
from minikeras import activations, ops
from minikeras.layers import Dense
from minikeras.optimizers import Adam

COUNTS = (50, 100, 200, 400, 1438)
WIDTHS = (128, 16)


class Transposed(keras.layers.Layer):
    """The layer that leads back from where `dense` leads: its kernel transposed, an own bias."""

    def __init__(self, dense, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = dense
        self.activation = activations.get(activation)

    def build(self, input_shape):
        self.bias = self.add_weight(shape=(self.dense.kernel.shape[0],), initializer="zeros")

    def call(self, x):
        return self.activation(ops.matmul(x, ops.transpose(self.dense.kernel)) + self.bias)


def autoencoder(tied):
    """64 points, 128 units, a code of 16, and back by own weights or by the same ones."""
    image = keras.Input((64,))
    wide, code = Dense(WIDTHS[0], activation="relu"), Dense(WIDTHS[1])
    x = code(wide(image))
    if tied:
        back = [Transposed(code, activation="relu"), Transposed(wide, activation="sigmoid")]
    else:
        back = [Dense(WIDTHS[0], activation="relu"), Dense(64, activation="sigmoid")]
    for layer in back:
        x = layer(x)
    return keras.Model(image, x)


def train(tied, count, options):
    """Number of weights, squared error on training and test part, seconds."""
    keras.utils.set_random_seed(options.seed)
    (x, _), (x_test, _) = digits()
    x = x[:count]
    model = autoencoder(tied)
    model.compile(optimizer=Adam(0.003), loss="binary_crossentropy", metrics=["mse"])
    start = time.perf_counter()
    model.fit(x, x, epochs=options.epochs * 1438 // count, verbose=0)
    seconds = time.perf_counter() - start
    errors = [model.evaluate(part, part, verbose=0)[1] for part in (x, x_test)]
    return model.count_params(), *errors, seconds


def linear(options, size=8):
    """A tied linear layer: its kernel, its squared error, and that of the principal components."""
    (x, _), (x_test, _) = digits()
    mean = x.mean(axis=0)
    x, x_test = x - mean, x_test - mean
    image = keras.Input((64,))
    dense = Dense(size, use_bias=False)
    model = keras.Model(image, Transposed(dense)(dense(image)))
    rate = keras.optimizers.schedules.CosineDecay(0.02, 2 * options.epochs * 45)
    model.compile(optimizer=Adam(rate), loss="mse")
    model.fit(x, x, epochs=2 * options.epochs, verbose=0)
    best = np.linalg.svd(x, full_matrices=False)[2][:size]
    lost = np.square(x_test - x_test @ best.T @ best).mean()
    return dense.kernel.numpy(), model.evaluate(x_test, x_test, verbose=0), float(lost)


def plot(options, runs, kernel):
    figure, (left, right) = subplots(1, 2, size=(10, 3.8), width_ratios=[3, 2])
    for tied, name in ((False, "weights of its own"), (True, "tied")):
        for part, line in ((1, ":"), (2, "o-")):
            values = [runs[tied, count][part] for count in COUNTS]
            label = f"{name}, {'training' if part == 1 else 'test'} part"
            left.plot(COUNTS, values, line, color=f"C{int(tied)}", label=label)
    left.set(xscale="log", xlabel="training images", ylabel="squared error")
    left.set_xticks(COUNTS, COUNTS)
    left.minorticks_off()
    left.legend()
    limit = np.abs(kernel).max()
    title = "Weights of a linear layer, tied"
    show(right, kernel.T, 4, title, cmap="RdBu", vmin=-limit, vmax=limit)
    save(figure, options, "autoencoder_tied")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(60, "passes over all digits"))
    runs = {(tied, n): train(tied, n, options) for n in COUNTS for tied in (False, True)}
    print(
        "A code of 16 numbers; squared error by number of training images, as many steps for all:"
    )
    table(
        ["images", "training", "training, tied", "test", "test, tied"],
        [
            [n, *(f"{runs[tied, n][part]:.4f}" for part in (1, 2) for tied in (False, True))]
            for n in COUNTS
        ],
    )
    own, tied = (runs[which, COUNTS[-1]] for which in (False, True))
    print(f"{own[0]:,} weights and {own[-1]:.1f} s; tied {tied[0]:,} weights and {tied[-1]:.1f} s.")
    kernel, error, best = linear(options)
    angles = np.abs(kernel.T @ kernel - np.eye(kernel.shape[1])).max()
    print(f"Linear, 8 units, tied: squared error {error:.4f}, principal components {best:.4f};")
    print(f"the products of its units' weights are those of a unit matrix to {angles:.3f}.")
    if options.plot:
        plot(options, runs, kernel)
    return runs, (error, best, angles)


if __name__ == "__main__":
    main()
