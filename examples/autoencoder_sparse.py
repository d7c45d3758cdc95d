"""A sparse autoencoder: many units in the code, but few of them at a time.

    python examples/autoencoder_sparse.py --plot

A code of 100 units for 64 points is no bottleneck, unless each unit may be active for few images
only. So a penalty is added: how far q, the mean activation of a unit over the batch, is from a
small target p, as the Kullback-Leibler divergence p log(p/q) + (1 - p) log((1 - p)/(1 - q)) of two
coins. It is steeper than (q - p)^2, and so strong where q is far off. A layer of one's own adds it
to the loss with `add_loss`.

Without the penalty half of the units speak for every image. With it a few units at a time speak,
each for one kind of image: most of the ten images that excite it most are the same digit. The L1
penalty of Keras's `activity_regularizer` makes sparse codes, too, but silences half of the units
for ever, while the divergence grows as q falls below its target and keeps all of them in use.
"""

import numpy as np
from common import BLUE, ORANGE, digits, save, settings, show, subplots, table

import minikeras as keras
from minikeras import ops
from minikeras.layers import Dense
from minikeras.optimizers import Adam

TARGET, UNITS, MOST = 0.05, 100, 10


class Sparsity(keras.layers.Layer):
    """Adds to the loss what the mean activations of the units, from 0 to 1, lack of the target."""

    def __init__(self, target, weight, **kwargs):
        super().__init__(**kwargs)
        self.target, self.weight = target, weight

    def call(self, activations):
        divergence = coins(self.target, ops.mean(activations, axis=0))
        self.add_loss(self.weight * ops.sum(divergence))
        return activations


def coins(p, q):
    """The Kullback-Leibler divergence of a coin that falls on its head with q from one with p."""
    return p * ops.log(p / q) + (1 - p) * ops.log((1 - p) / (1 - q))


def penalty(name):
    """A layer behind the code, and the penalty of the code's own layer."""
    if name == "divergence":
        return Sparsity(TARGET, weight=0.01), None
    return None, keras.regularizers.L1(0.003) if name == "L1" else None


def train(name, options):
    """An autoencoder of 100 sigmoids, and its encoder."""
    keras.utils.set_random_seed(options.seed)
    (x, _), _ = digits()
    behind, regularizer = penalty(name)
    image = keras.Input((64,))
    code = Dense(UNITS, activation="sigmoid", activity_regularizer=regularizer)(image)
    code = code if behind is None else behind(code)
    small = keras.regularizers.L2(3e-5)  # else large weights would answer to faint activations
    model = keras.Model(image, Dense(64, activation="sigmoid", kernel_regularizer=small)(code))
    model.compile(optimizer=Adam(0.003), loss="binary_crossentropy")
    model.fit(x, x, epochs=options.epochs, verbose=0)
    return model, keras.Model(image, code)


def most_exciting(code, labels):
    """The ten images that excite each unit most, and the share of their most frequent digit.

    Units that are never excited are left out.
    """
    used = code.max(axis=0) > 0.1
    ranks = np.argsort(-code[:, used], axis=0)[:MOST].T
    same = [np.bincount(labels[images]).max() / MOST for images in ranks]
    return ranks, float(np.mean(same)) if same else 0.0


def plot(options, models, codes, x, labels):
    figure, axes = subplots(2, len(models), size=(11, 4.6), height_ratios=[1.2, 1])
    bins = np.linspace(0, 1, 41)
    for (above, below), name in zip(axes.T, models, strict=True):
        code = codes[name]
        ranks = most_exciting(code, labels)[0][:32]
        show(above, x[ranks].mean(axis=1), 8, f"penalty: {name}", vmin=0, vmax=1)
        for values, colour, label in (
            (code.ravel(), BLUE, "for each image"),
            (code.mean(axis=0), ORANGE, "mean of each unit"),
        ):
            share = np.full(values.size, 1 / values.size)
            below.hist(values, bins, weights=share, color=colour, alpha=0.6, label=label)
        below.set(xlabel="activation", ylim=(0, 1))
    axes[0, 0].set_ylabel("mean of the 10 images\nthat excite a unit most")
    axes[1, 0].set_ylabel("share")
    axes[1, 0].legend()
    save(figure, options, "autoencoder_sparse")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(150, "passes over the digits"))
    _, (x, labels) = digits()
    models = {name: train(name, options) for name in ("none", "divergence", "L1")}
    codes = {name: encoder.predict(x, verbose=0) for name, (_, encoder) in models.items()}
    found = {}
    for name, (model, _) in models.items():
        error = float(np.square(model.predict(x, verbose=0) - x).mean())
        active = float((codes[name] > 0.5).mean(axis=1).mean())
        ranks, same = most_exciting(codes[name], labels)
        found[name] = float(codes[name].mean()), active, len(ranks), same, error
    print(f"A code of {UNITS} sigmoids, test part; the target of the divergence is {TARGET}:")
    table(
        ["penalty", "mean", "units above 1/2", "units in use", "same digit", "squared error"],
        [
            [name, f"{mean:.3f}", f"{UNITS * active:.1f}", used, f"{same:.0%}", f"{error:.4f}"]
            for name, (mean, active, used, same, error) in found.items()
        ],
    )
    q = np.array([0.01, 0.05, 0.2, 0.5, 0.9])
    print(f"The divergence from p = {TARGET}, and (q - p)^2 for comparison:")
    table(
        ["q", *(f"{value:g}" for value in q)],
        [
            ["divergence", *(f"{float(value):.3f}" for value in coins(TARGET, q))],
            ["(q - p)^2", *(f"{value:.3f}" for value in (q - TARGET) ** 2)],
        ],
    )
    if options.plot:
        plot(options, models, codes, x, labels)
    return found


if __name__ == "__main__":
    main()
