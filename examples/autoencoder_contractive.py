"""A contractive autoencoder: similar images get similar codes.

    python examples/autoencoder_contractive.py --plot

To the reconstruction error is added how much the code changes with the image: the squared Frobenius
norm of the Jacobian, the sum of all (d code_j / d point_i)^2. The reconstruction asks to tell the
training images apart, the penalty to ignore everything else: the code stays sensitive in the few
directions in which digits really vary, and gets blunt in all others.

For one layer of sigmoids the penalty can be written down: sum_j (h_j (1 - h_j))^2 sum_i W_ij^2. For
any encoder a tape gives it, one row of the Jacobian per number of the code; training then
differentiates through the tape's gradients (second order). Both give the same training. The decoder
is tied, else small weights of the encoder could hide behind large ones of the decoder.
"""

import time

import numpy as np
from autoencoder_tied import Transposed
from common import digits, save, settings, show, subplots, table

import minikeras as keras
from minikeras import ops
from minikeras.layers import Dense
from minikeras.optimizers import Adam

UNITS = 32
FACTORS = (0.0, 0.003, 0.01, 0.03)


def penalty_of_sigmoids(layer, code):
    """Squared norm of the Jacobian of a layer of sigmoids: mean over the batch."""
    slopes = ops.square(code * (1 - code))
    return ops.mean(ops.sum(slopes * ops.sum(ops.square(layer.kernel), axis=0), axis=-1))


def jacobian(encoder, x):
    """For each number of the code, its derivatives by all points of all images."""
    with keras.GradientTape(persistent=True) as tape:
        x = tape.watch(x)
        code = encoder(x)
        numbers = [code[:, j] for j in range(code.shape[-1])]
    return [tape.gradient(number, x) for number in numbers]


def penalty_by_tape(encoder, x):
    """The same squared norm, for any encoder."""
    return sum(ops.mean(ops.sum(ops.square(row), axis=-1)) for row in jacobian(encoder, x))


class Contractive(keras.Model):
    """A layer of sigmoids and back, tied; `by_tape` says how to find the penalty."""

    def __init__(self, factor, by_tape=False):
        super().__init__()
        self.encoder = Dense(UNITS, activation="sigmoid")
        self.decoder = Transposed(self.encoder, activation="sigmoid")
        self.factor, self.by_tape = factor, by_tape

    def call(self, x):
        code = self.encoder(x)
        if self.by_tape:
            self.add_loss(self.factor * penalty_by_tape(self.encoder, x))
        else:
            self.add_loss(self.factor * penalty_of_sigmoids(self.encoder, code))
        return self.decoder(code)


def train(factor, options, by_tape=False, epochs=None):
    keras.utils.set_random_seed(options.seed)
    (x, _), _ = digits()
    model = Contractive(factor, by_tape)
    model.compile(optimizer=Adam(0.003), loss="binary_crossentropy")
    model.fit(x, x, epochs=epochs or options.epochs, verbose=0)
    return model


def judge(model, x, rng):
    """Squared error, norm of the Jacobian, its singular values, and what noise does to the code.

    The last is the distance that noise moves a code, relative to that between two digits.
    """
    error = float(np.square(model.predict(x, verbose=0) - x).mean())
    values = np.linalg.svd(np.stack(jacobian(model.encoder, x), axis=1), compute_uv=False)
    code, other = (np.asarray(model.encoder(part)) for part in (x, rng.permutation(x)))
    noisy = (x + rng.normal(0, 0.1, x.shape)).astype("float32")
    moved = np.linalg.norm(np.asarray(model.encoder(noisy)) - code, axis=1).mean()
    return error, values, float(moved / np.linalg.norm(other - code, axis=1).mean())


def plot(options, models, found):
    figure, axes = subplots(1, 3, size=(13, 3.6))
    for factor, (_, values, _) in found.items():
        mean = values.mean(axis=0)
        axes[0].plot(range(1, UNITS + 1), mean / mean[0], label=f"factor {factor:g}")
    axes[0].set(xlabel="direction, by rank", ylabel="singular value / the largest")
    axes[0].set_title("How much the code changes by direction")
    axes[0].legend()
    for axis, factor in zip(axes[1:], (FACTORS[0], FACTORS[-2]), strict=True):
        kernel = models[factor].encoder.kernel.numpy().T
        limit = np.abs(kernel).max()
        show(axis, kernel, 8, f"Weights, factor {factor:g}", "RdBu", vmin=-limit, vmax=limit)
    save(figure, options, "autoencoder_contractive")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(100, "passes over the digits"))
    _, (x, _) = digits()
    rng = np.random.default_rng(options.seed)
    models = {factor: train(factor, options) for factor in FACTORS}
    found = {factor: judge(model, x, rng) for factor, model in models.items()}
    print(f"A code of {UNITS} sigmoids, tied, test part:")
    table(
        ["factor", "squared error", "norm of Jacobian", "directions", "code moved by noise"],
        [
            [
                f"{factor:g}",
                f"{error:.4f}",
                f"{np.sqrt(np.square(values).sum(axis=1).mean()):.2f}",
                f"{directions(values):.1f} of {UNITS}",
                f"{moved:.1%}",
            ]
            for factor, (error, values, moved) in found.items()
        ],
    )
    print("Directions: those in which the code changes at least a third as much as in the first.\n")
    weights, seconds = [], []
    for by_tape in (False, True):
        start = time.perf_counter()
        weights.append(train(0.01, options, by_tape, epochs=5).get_weights())
        seconds.append(time.perf_counter() - start)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(*weights, strict=True))
    print(f"Five epochs with the formula and with a tape: weights differ by {difference:.0e};")
    print(f"they took {seconds[0]:.2f} s and {seconds[1]:.2f} s.")
    if options.plot:
        plot(options, models, found)
    return found, difference


def directions(values):
    return (values > values[:, :1] / 3).sum(axis=1).mean()


if __name__ == "__main__":
    main()
