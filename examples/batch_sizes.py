"""Full batch, mini-batch, one example at a time: how often to update, and how well aimed.

    python examples/batch_sizes.py --plot

One epoch with the whole data set in one batch makes a single, well aimed step. Batches of 32 make
many steps that point roughly the right way; batches of one make the most, and stagger. The first
part follows the two weights of a straight line (ink of the lower half of a digit from that of its
upper half) over the contours of the total loss. The second trains a classifier of the digits with
each batch size, and with the images sorted by class and not shuffled: then every batch tells the
network that all the world is one digit.
"""

import time

import numpy as np
from common import (
    BLUE,
    GREEN,
    ORANGE,
    WeightPath,
    classifier,
    compiled,
    digits,
    save,
    settings,
    subplots,
    table,
)

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import SGD

LINE_EPOCHS = 12


def halves(count=128):
    """Ink of the upper and of the lower half of some images, in standard deviations.

    The former is shifted, which makes the bowl of the loss long and slanted, as most are.
    """
    (x, _), _ = digits()
    images = x[:count].reshape(-1, 8, 8)
    ink = np.stack([images[:, :4].mean(axis=(1, 2)), images[:, 4:].mean(axis=(1, 2))], axis=1)
    ink = (ink - ink.mean(axis=0)) / ink.std(axis=0)
    return ink[:, :1] + 0.7, ink[:, 1:]


def follow_line(size, options):
    """Weight and bias of the line after every update, from a fixed start."""
    keras.utils.set_random_seed(options.seed)
    x, y = halves()
    model = keras.Sequential([keras.Input((1,)), Dense(1)])
    model.set_weights([np.array([[-0.6]]), np.array([1.4])])
    model.compile(optimizer=SGD(0.05), loss="mse")
    path = WeightPath()
    epochs = min(LINE_EPOCHS, options.epochs)
    model.fit(x, y, batch_size=size, epochs=epochs, verbose=0, callbacks=[path])
    return np.array(path.points)


def line_loss(weight, bias):
    """The total loss of lines: mean squared error over all images, for arrays of weights."""
    x, y = halves()
    error = weight[..., None] * x[:, 0] + bias[..., None] - y[:, 0]
    return (error**2).mean(axis=-1)


def train_classifier(size, options, shuffle=True):
    """History of a classifier of the digits, and the seconds that it took."""
    keras.utils.set_random_seed(options.seed)
    (x, y), test = digits()
    if not shuffle:
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    model = compiled(classifier((64,)), SGD(0.1))
    start = time.perf_counter()
    run = model.fit(
        x, y, batch_size=size or len(x), epochs=options.epochs, shuffle=shuffle,
        validation_data=test, validation_batch_size=512, verbose=0,
    )  # fmt: skip
    return run.history, time.perf_counter() - start


def plot(options, paths, runs):
    figure, (contour, curves) = subplots(1, 2, size=(11, 4.2))
    weights, biases = np.meshgrid(np.linspace(-1.35, 0.9, 120), np.linspace(-1.1, 1.6, 120))
    heights = line_loss(weights, biases)
    contour.contourf(weights, biases, np.sqrt(heights), 16, cmap="Greys_r", alpha=0.5)
    for name, colour in (("1", ORANGE), ("16", GREEN), ("all (128)", BLUE)):
        path = paths[name]
        dots = {"markersize": 7 if len(path) < 60 else 0, "linewidth": 1 if name == "1" else 1.6}
        contour.plot(*path.T, ".-", color=colour, label=f"{name}: {len(path) - 1}", **dots)
    contour.plot(*path[0], "o", color="black", label="start")
    contour.set(
        xlabel="weight", ylabel="bias", xlim=(-1.35, 0.9), title=f"Updates in {LINE_EPOCHS} epochs"
    )
    contour.grid(False)
    contour.legend(title="batch: updates", loc="lower left")
    for name, (history, _) in runs.items():
        style = "--" if "sorted" in name else "-"
        accuracy = history["val_accuracy"]
        curves.plot(range(1, len(accuracy) + 1), accuracy, style, label=name)
    curves.set(xlabel="epoch", ylabel="accuracy, test part", ylim=(0, 1.02), title="Digits")
    curves.legend(title="batch")
    save(figure, options, "batch_sizes")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(20, "passes over the data"))
    sizes = {"all (128)": 128, "16": 16, "1": 1}
    paths = {name: follow_line(size, options) for name, size in sizes.items()}
    print("A line, loss of all images after the same number of epochs:")
    table(
        ["batch", "updates", "loss at the start", "loss at the end"],
        [
            [name, len(path) - 1, *(f"{line_loss(*path[i]):.4f}" for i in (0, -1))]
            for name, path in paths.items()
        ],
    )

    (x, _), _ = digits()
    sizes = {f"all ({len(x)})": 0, "256": 256, "32": 32, "1": 1}
    runs = {name: train_classifier(size, options) for name, size in sizes.items()}
    runs["32, sorted, not shuffled"] = train_classifier(32, options, shuffle=False)
    print(f"A classifier of the digits after {options.epochs} epochs at the same learning rate:")
    table(
        ["batch", "loss, training", "accuracy, test", "seconds"],
        [
            [name, f"{run['loss'][-1]:.3f}", f"{run['val_accuracy'][-1]:.3f}", f"{seconds:.2f}"]
            for name, (run, seconds) in runs.items()
        ],
    )
    if options.plot:
        plot(options, paths, runs)
    return paths, runs


if __name__ == "__main__":
    main()
