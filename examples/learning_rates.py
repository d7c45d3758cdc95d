"""How large a step: rates that are too small and too large, and schedules that let them fall.

    python examples/learning_rates.py --plot

On a parabola, a small rate crawls, a good one arrives, a large one jumps from side to side and a
larger one flies off. When a network learns from mini-batches that contradict each other (here a
single layer, and digits of which many are mislabelled), no single rate is right throughout: a large
one gets near quickly and then rattles about, a small one never gets there. So one lets the rate
fall: as alpha / sqrt(t + 1), by a power of t, exponentially, in steps, or each time the loss has
stopped improving (a performance schedule); or rise first, then fall (one cycle). Functions of time
may be given to the optimizer; what watches the training is a callback.
"""

import math

import numpy as np
from common import classifier, compiled, few_digits, save, settings, subplots, table

import minikeras as keras
from minikeras.callbacks import (
    Callback,
    LearningRateFinder,
    LearningRateScheduler,
    OneCycle,
    ReduceLROnPlateau,
)
from minikeras.optimizers import SGD, schedules

IMAGES, BATCH, ALPHA = 1438, 8, 1.0


class PowerDecay(schedules.LearningRateSchedule):
    """``rate / (1 + step / steps) ** power``: a schedule of one's own."""

    def __init__(self, rate, steps, power):
        self.rate, self.steps, self.power = rate, steps, power

    def __call__(self, step):
        return self.rate / (1 + float(step) / self.steps) ** self.power


class RateWatch(Callback):
    """The learning rate at the end of every epoch."""

    def on_train_begin(self, logs=None):
        self.rates = []

    def on_epoch_end(self, epoch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def plans(epochs, steps):
    """Rate (or schedule) and callbacks of each plan; `steps` is the number of steps per epoch."""
    total = epochs * steps
    parts = [total // 2, 3 * total // 4]
    return {
        "constant, large": (ALPHA, []),
        "constant, small": (ALPHA / 100, []),
        "alpha / sqrt(t + 1)": (ALPHA, [LearningRateScheduler(lambda t: ALPHA / math.sqrt(t + 1))]),
        "power": (PowerDecay(ALPHA, 2 * steps, 1.5), []),
        "exponential": (schedules.ExponentialDecay(ALPHA, total, 0.01), []),
        "piecewise constant": (
            schedules.PiecewiseConstantDecay(parts, [ALPHA, ALPHA / 10, ALPHA / 100]),
            [],
        ),
        "performance": (ALPHA, [ReduceLROnPlateau("loss", factor=0.5, patience=2)]),
        "one cycle": (ALPHA, [OneCycle(ALPHA, momentum=None)]),
    }


def train(plan, options):
    """History and rates by epoch."""
    rate, callbacks = plan
    keras.utils.set_random_seed(options.seed)
    train_part, test = few_digits(IMAGES)
    watch = RateWatch()
    run = compiled(classifier(()), SGD(rate)).fit(
        *train_part, batch_size=BATCH, epochs=options.epochs, validation_data=test, verbose=0,
        callbacks=[*callbacks, watch],
    )  # fmt: skip
    return run.history, watch.rates


def find_rate(options):
    """The rate at which the loss falls fastest, found by raising it from batch to batch."""
    keras.utils.set_random_seed(options.seed)
    train_part, _ = few_digits(IMAGES)
    finder = LearningRateFinder(1e-3, 100)
    compiled(classifier(()), SGD()).fit(
        *train_part, batch_size=BATCH, epochs=1, verbose=0, callbacks=[finder]
    )  # fmt: skip
    return finder.suggestion


def on_parabola(rate, steps=12, start=1.8):
    """The way of a weight down w^2 / 2."""
    weight, optimizer = keras.Variable(np.array(start)), SGD(rate)
    way = [start]
    for _ in range(steps):
        optimizer.apply([weight.numpy().copy()], [weight])
        way.append(float(weight.numpy()))
    return np.array(way)


def plot(options, ways, runs):
    figure, axes = subplots(1, len(ways), size=(11, 2.8), sharey=True)
    w = np.linspace(-2.6, 2.6, 100)
    for axis, (rate, way) in zip(axes, ways.items(), strict=True):
        axis.plot(w, w**2 / 2, color="black", linewidth=1)
        axis.plot(way, way**2 / 2, ".-", markersize=7, linewidth=0.9)
        axis.set(title=f"rate {rate:g}", xlabel="weight", xlim=(-2.6, 2.6), ylim=(-0.1, 3.4))
    axes[0].set_ylabel("loss")
    figure.suptitle(f"{len(way) - 1} steps down a parabola")
    save(figure, options, "learning_rates_parabola")

    figure, (left, right) = subplots(1, 2, size=(11, 4.6))
    for name, (history, rates) in runs.items():
        epochs = range(1, len(rates) + 1)
        style = "--" if name.startswith("constant") else "-"
        left.plot(epochs, rates, style, label=name)
        right.plot(epochs, history["loss"], style, label=name)
    left.set(xlabel="epoch", ylabel="learning rate", yscale="log", ylim=(5e-3, 1.5))
    left.set_title("Schedules")
    right.set(xlabel="epoch", ylabel="loss, training part", ylim=(1.1, 1.75))
    right.set_title("Digits, many of them mislabelled")
    figure.legend(*left.get_legend_handles_labels(), ncols=4, loc="outside lower center")
    save(figure, options, "learning_rates")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(30, "passes over the digits"))
    ways = {rate: on_parabola(rate) for rate in (0.05, 0.6, 1.9, 2.1)}
    print("A parabola: distance from its bottom after 12 steps:")
    table(["rate", "distance"], [[f"{rate:g}", f"{abs(w[-1]):.2g}"] for rate, w in ways.items()])

    found = find_rate(options)
    print(f"Rate at which the loss falls fastest (LearningRateFinder): {found:.2g}\n")
    steps = math.ceil(IMAGES / BATCH)
    runs = {name: train(plan, options) for name, plan in plans(options.epochs, steps).items()}
    print(f"The mislabelled digits in batches of {BATCH}, after {options.epochs} epochs:")
    table(
        ["plan", "rate, epoch 1", "last rate", "loss, training", "accuracy, test"],
        [
            [name, f"{rates[0]:.3g}", f"{rates[-1]:.3g}", f"{history['loss'][-1]:.3f}",
             f"{history['val_accuracy'][-1]:.3f}"]
            for name, (history, rates) in runs.items()
        ],
    )  # fmt: skip
    if options.plot:
        plot(options, ways, runs)
    return ways, runs


if __name__ == "__main__":
    main()
