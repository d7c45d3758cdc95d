"""Batch normalisation: the same network with and without it, step by step.

    python examples/batch_norm.py --plot

Three layers of 100 sigmoid units learn the digits. A sigmoid hears something only near z = 0, and
what reaches it moves about while the layers below learn. Batch normalisation brings z to mean 0 and
variance 1 over each mini-batch, then scales and shifts it by two learned numbers; at test time it
uses moving averages. Shown are the accuracy against the number of steps, and the 15th, 50th and
85th percentile of the input of one unit of the last layer (after Ioffe and Szegedy 2015); then
what each learning rate comes to.
"""

import numpy as np
from common import (
    BLUE,
    CLASSES,
    ORANGE,
    compiled,
    digits,
    save,
    settings,
    subplots,
    table,
)

import minikeras as keras
from minikeras.layers import Activation, BatchNormalization, Dense
from minikeras.optimizers import SGD

BATCH, UNIT = 60, 0
PERCENTILES = (15, 50, 85)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)


def network(normalised):
    """Three layers of sigmoid units; the normalisation stands in front of the sigmoid."""
    layers = [keras.Input((64,))]
    for _ in range(3):
        layers.append(Dense(100, use_bias=not normalised))
        if normalised:
            layers.append(BatchNormalization(momentum=0.9))
        layers.append(Activation("sigmoid"))
    return keras.Sequential([*layers, Dense(CLASSES, activation="softmax")])


class Watch(keras.callbacks.Callback):
    """Every few steps: test accuracy, and percentiles of what the last sigmoid is given."""

    def __init__(self, test, every=5):
        self.test, self.every = test, every

    def on_train_begin(self, logs=None):
        self.step, self.steps, self.accuracy, self.inputs = 0, [], [], []

    def on_train_batch_end(self, batch, logs=None):
        if self.step % self.every == 0:
            x, y = self.test
            for layer in self.model.layers[:-2]:
                x = layer(x, training=False) if isinstance(layer, BatchNormalization) else layer(x)
            self.inputs.append(np.percentile(np.asarray(x)[:, UNIT], PERCENTILES))
            last = self.model.layers[-1](self.model.layers[-2](x))
            self.accuracy.append(float((np.asarray(last).argmax(axis=1) == y).mean()))
            self.steps.append(self.step)
        self.step += 1


def train(normalised, rate, options):
    keras.utils.set_random_seed(options.seed)
    train_part, test = digits()
    watch = Watch(test)
    model = compiled(network(normalised), SGD(rate))
    model.fit(
        *train_part, batch_size=BATCH, epochs=options.epochs, callbacks=[watch], verbose=0
    )  # fmt: skip
    return watch


def steps_to(watch, accuracy):
    """The first step at which the accuracy was reached; None if never."""
    reached = [s for s, a in zip(watch.steps, watch.accuracy, strict=True) if a >= accuracy]
    return reached[0] if reached else None


def plot(options, watches):
    figure, axes = subplots(1, 3, size=(13, 3.8))
    names = {"without": (False, ORANGE), "with batch normalisation": (True, BLUE)}
    for axis, (name, (normalised, colour)) in zip(axes[1:], names.items(), strict=True):
        watch = watches[normalised]
        axes[0].plot(watch.steps, watch.accuracy, color=colour, label=name)
        low, middle, high = np.transpose(watch.inputs)
        axis.fill_between(watch.steps, low, high, color=colour, alpha=0.25)
        axis.plot(watch.steps, middle, color=colour)
        axis.set(xlabel="step", title=f"Input of a sigmoid, {name}", ylim=(-2.5, 2.5))
    axes[0].set(xlabel="step", ylabel="accuracy, test part", ylim=(0, 1.02), title="Digits")
    axes[0].legend()
    axes[1].set_ylabel("15th, 50th, 85th percentile of z")
    save(figure, options, "batch_norm")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(40, "passes over the digits"),
        rate=(0.3, "learning rate of the curves"),
    )
    watches = {normalised: train(normalised, options.rate, options) for normalised in (False, True)}
    rows = []
    for rate in RATES:
        both = [train(normalised, rate, options) for normalised in (False, True)]
        steps = [steps_to(watch, 0.9) for watch in both]
        cells = [f"{w.accuracy[-1]:.3f} ({s or 'never'})" for w, s in zip(both, steps, strict=True)]
        rows.append([f"{rate:g}", *cells])
    print(f"Test accuracy after {len(watches[True].steps) * 5} steps (first step at 0.9):")
    table(["learning rate", "without", "with batch normalisation"], rows)
    spread = {k: np.ptp([m for _, m, _ in w.inputs]) for k, w in watches.items()}
    print(f"The median input of a sigmoid wandered over {spread[False]:.2f} without batch")
    print(f"normalisation and over {spread[True]:.2f} with it (learning rate {options.rate:g}).")
    if options.plot:
        plot(options, watches)
    return watches


if __name__ == "__main__":
    main()
