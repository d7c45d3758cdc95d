"""Polyak averaging: the mean of the last weights is better than the last weights.

    python examples/polyak_averaging.py --plot

With small batches and a constant rate, the weights end up circling the minimum, and their moving
average lies in the middle of it. `use_ema=True` lets the optimizer keep it; `SwapEMAWeights`
lends it to the model for every evaluation, and when training ends the model keeps it. Averaging
takes hardly any time, and does much of what letting the learning rate fall does.
"""

import numpy as np
from batch_sizes import halves, line_loss
from common import BLUE, ORANGE, classifier, compiled, few_digits, save, settings, subplots, table

import minikeras as keras
from minikeras.callbacks import Callback, SwapEMAWeights
from minikeras.layers import Dense
from minikeras.optimizers import SGD

RATES, BATCH = (0.3, 0.1, 0.03), 8


class Path(Callback):
    """Weights of a line and their average after every update."""

    def on_train_begin(self, logs=None):
        self.weights, self.averages = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append([w.item() for w in self.model.get_weights()])
        self.averages.append([a.numpy().item() for a in self.model.optimizer.averages])


def follow_line(options):
    """The ways of the two weights of a straight line, and of their average, in batches of one."""
    keras.utils.set_random_seed(options.seed)
    x, y = halves()
    model = keras.Sequential([keras.Input((1,)), Dense(1)])
    model.set_weights([np.array([[-0.6]]), np.array([1.4])])
    model.compile(optimizer=SGD(0.05, use_ema=True, ema_momentum=0.97), loss="mse")
    path = Path()
    model.fit(x, y, batch_size=1, epochs=4, callbacks=[path], verbose=0)
    return np.array(path.weights), np.array(path.averages)


def train(rate, averaged, options):
    """Accuracy on the test part by epoch, and the final weights' loss on the training part."""
    keras.utils.set_random_seed(options.seed)
    train_part, test = few_digits(1438)
    model = compiled(classifier(()), SGD(rate, use_ema=averaged, ema_momentum=0.998))
    swap = [SwapEMAWeights()] if averaged else []
    run = model.fit(
        *train_part, batch_size=BATCH, epochs=options.epochs, validation_data=test,
        callbacks=swap, verbose=0,
    )  # fmt: skip
    return run.history["val_accuracy"], model.evaluate(*train_part, verbose=0)[0]


def plot(options, path, runs):
    figure, (left, right) = subplots(1, 2, size=(11, 4.2))
    weights, averages = path
    x, y = np.meshgrid(np.linspace(-1.35, 0.5, 100), np.linspace(-0.5, 1.6, 100))
    left.contourf(x, y, np.sqrt(line_loss(x, y)), 16, cmap="Greys_r", alpha=0.5)
    left.plot(*weights.T, color=ORANGE, linewidth=0.7, label="weights")
    left.plot(*averages.T, color=BLUE, linewidth=1.8, label="moving average")
    left.plot(*averages[-1], "o", color=BLUE)
    left.set(xlabel="weight", ylabel="bias", title="A line, batches of one")
    left.grid(False)
    left.legend(loc="lower left")
    for averaged, colour, name in ((False, ORANGE, "weights"), (True, BLUE, "moving average")):
        accuracy = runs[RATES[0], averaged][0]
        right.plot(range(1, len(accuracy) + 1), accuracy, color=colour, label=name)
    right.set(xlabel="epoch", ylabel="accuracy, test part", ylim=(0.7, 0.96))
    right.set_title(f"Digits, many of them mislabelled, rate {RATES[0]:g}")
    right.legend()
    save(figure, options, "polyak_averaging")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(30, "passes over the digits"))
    path = follow_line(options)
    last = len(path[0]) // 2
    spread = [np.sqrt(part[last:].var(axis=0).sum()) for part in path]
    loss = [line_loss(*part[last:].T).mean() for part in path]
    print("A line in batches of one, second half of the training:")
    table(
        ["", "spread", "mean loss"],
        [
            [name, f"{s:.3f}", f"{value:.4f}"]
            for name, s, value in zip(("weights", "moving average"), spread, loss, strict=True)
        ],
    )
    runs = {(rate, on): train(rate, on, options) for rate in RATES for on in (False, True)}
    print(f"Mislabelled digits, one layer, batches of {BATCH}, after {options.epochs} epochs:")
    table(
        ["rate", "loss, weights", "loss, average", "accuracy, weights", "accuracy, average"],
        [
            [f"{rate:g}", *(f"{runs[rate, on][1]:.3f}" for on in (False, True)),
             *(f"{runs[rate, on][0][-1]:.3f}" for on in (False, True))]
            for rate in RATES
        ],
    )  # fmt: skip
    if options.plot:
        plot(options, path, runs)
    return path, runs


if __name__ == "__main__":
    main()
