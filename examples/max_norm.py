"""Max-norm: the weights into a unit may not be longer than r.

    python examples/max_norm.py --plot

After every update, the weights into each unit that have become longer than r are scaled back to
length r; unlike a penalty, this does nothing to the others. A unit with short weights cannot turn
a small difference between two images into opposite answers, so the network cannot learn the
mislabelled ones among its few training images by heart: the smaller r, the stronger the bound.
"""

import numpy as np
from common import classifier, compiled, few_digits, save, settings, subplots, table

import minikeras as keras
from minikeras.constraints import MaxNorm
from minikeras.optimizers import Adam

RADII = (None, 2.0, 1.5, 1.0, 0.5)


class LongestWeights(keras.callbacks.Callback):
    """The length of the weights into each unit of the first layer, after every epoch."""

    def on_train_begin(self, logs=None):
        self.longest = []

    def on_epoch_end(self, epoch, logs=None):
        kernel = self.model.layers[0].get_weights()[0]
        self.longest.append(np.linalg.norm(kernel, axis=0).max())


def train(radius, options):
    """History, longest weights by epoch, and lengths of all units at the end."""
    keras.utils.set_random_seed(options.seed)
    train_part, test = few_digits()
    constraint = None if radius is None else MaxNorm(radius)
    model = classifier((256,), kernel_constraint=constraint)
    watch = LongestWeights()
    compiled(model, Adam(0.001))
    run = model.fit(
        *train_part, epochs=options.epochs, validation_data=test, callbacks=[watch], verbose=0
    )
    lengths = np.linalg.norm(model.layers[0].get_weights()[0], axis=0)
    return run.history, watch.longest, lengths


def named(radius):
    return "no bound" if radius is None else f"r = {radius:g}"


def plot(options, runs):
    figure, (left, right) = subplots(1, 2, size=(10, 3.8))
    for radius, (history, longest, _) in runs.items():
        epochs = range(1, len(longest) + 1)
        left.plot(epochs, longest, label=named(radius))
        right.plot(epochs, history["val_accuracy"], label=named(radius))
    left.set(xlabel="epoch", ylabel="longest weights into a unit")
    left.set_title("First layer")
    left.legend()
    right.set(xlabel="epoch", ylabel="accuracy, test part", title="Digits")
    save(figure, options, "max_norm")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(100, "passes over the digits"))
    runs = {radius: train(radius, options) for radius in RADII}
    print("A layer of 256 units, 500 digits, 3 of 10 labels of the training part drawn at random:")
    table(
        ["bound", "longest", "units at the bound", "accuracy, training", "accuracy, test"],
        [
            [
                named(radius),
                f"{lengths.max():.2f}",
                "-" if radius is None else f"{(lengths > 0.999 * radius).mean():.0%}",
                *(f"{history[name][-1]:.3f}" for name in ("accuracy", "val_accuracy")),
            ]
            for radius, (history, _, lengths) in runs.items()
        ],
    )
    if options.plot:
        plot(options, runs)
    return runs


if __name__ == "__main__":
    main()
