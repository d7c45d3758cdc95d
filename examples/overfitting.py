"""Underfitting and overfitting, bias and variance: by size of the network and by amount of data.

    python examples/overfitting.py --plot

Too small a network cannot follow the data, whichever sample it gets: that is bias. Too large a one
follows every accident of its sample, so that another sample would have given another function: that
is variance. The first part measures both on a curve with noise, which linear networks fit with few
or many waves, over many samples: the mean squared error is bias^2 + variance + noise. The second
trains on the digits, 27 in 100 of them mislabelled: with more units the training error falls to
nothing, while the test error has its best in the middle; with more images, learning the wrong
labels by heart gets too hard.

With scikit-learn installed, two other methods stand beside: nearest neighbours, whose bias grows
with their number k, and support vector machines. Mind the convention: in scikit-learn a larger C
allows fewer violations of the margin, hence less bias and more variance; lecture notes may use C
for the budget of violations, the other way round.
"""

import numpy as np
from common import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    classifier,
    compiled,
    few_digits,
    save,
    settings,
    subplots,
    table,
)

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import Adam

WAVES, POINTS, NOISE = (2, 4, 6, 10, 20), 20, 0.4
UNITS, COUNTS = (1, 2, 4, 8, 16, 64, 256), (50, 100, 200, 400, 800, 1438)


def curve(x):
    """The function to be learnt."""
    return np.sin(4 * x)


def waves(x, count):
    """The inputs of a linear network: cos(k pi u) for k below `count`, with u = x from 0 to 1."""
    return np.cos(np.arange(count) * np.pi * (x + 1) / 2).astype("float32")


def fits(count, options):
    """Predictions (samples, grid) of networks that are each trained on a sample of their own."""
    grid = np.linspace(-1, 1, 81)[:, None]
    found = []
    for sample in range(options.samples):
        rng = np.random.default_rng(sample)
        x = np.linspace(-1, 1, POINTS)[:, None] + rng.uniform(-0.04, 0.04, (POINTS, 1))
        y = (curve(x) + NOISE * rng.standard_normal(x.shape)).astype("float32")
        model = keras.Sequential([keras.Input((count,)), Dense(1, use_bias=False)])
        model.compile(optimizer=Adam(0.05), loss="mse")
        model.fit(waves(x, count), y, batch_size=POINTS, epochs=4 * options.epochs, verbose=0)
        found.append(model.predict(waves(grid, count), batch_size=81, verbose=0)[:, 0])
    return grid[:, 0], np.array(found), (x, y)


def bias_and_variance(grid, predictions):
    """Squared bias and variance, both averaged over the grid.

    The mean over a few samples still wanders; that part, variance / samples, is no bias.
    """
    square = ((predictions.mean(axis=0) - curve(grid)) ** 2).mean()
    variance = predictions.var(axis=0, ddof=1).mean()
    return float(max(0, square - variance / len(predictions))), float(variance)


def errors(units, count, options):
    """Error on training and test part in per cent, of a network with one hidden layer."""
    keras.utils.set_random_seed(options.seed)
    train, test = few_digits(count)
    model = compiled(classifier((units,)), Adam(0.003))
    epochs = max(1, options.epochs * 500 // count)  # as many steps for every amount of data
    model.fit(*train, epochs=epochs, verbose=0)
    return [100 * (1 - model.evaluate(*part, verbose=0)[1]) for part in (train, test)]


def other_methods():
    """Errors of scikit-learn's neighbours and support vector machines; None where it is missing."""
    try:
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.svm import SVC
    except ImportError:
        return None
    methods = {f"{k} neighbours": KNeighborsClassifier(k) for k in (1, 5, 25, 100)}
    methods |= {f"SVM, C = {c:g}": SVC(C=c) for c in (0.02, 1, 100)}
    (x, y), (x_test, y_test) = few_digits(500)
    found = {}
    for name, method in methods.items():
        method.fit(x, y)
        found[name] = [100 * (1 - method.score(*part)) for part in ((x, y), (x_test, y_test))]
    return found


def plot(options, curves, by_size, by_count):
    figure, axes = subplots(1, 4, size=(14, 3.6))
    truth = np.linspace(-1, 1, 81)
    shown = {"underfitting": WAVES[0], "about right": WAVES[2], "overfitting": WAVES[-1]}
    for axis, (name, count) in zip(axes, shown.items(), strict=False):
        grid, predictions, (x, y) = curves[count]
        axis.plot(grid, predictions[-8:].T, color=BLUE, alpha=0.35, linewidth=0.9)
        axis.plot(truth, curve(truth), color="black", linewidth=1.5)
        axis.plot(x, y, ".", color=ORANGE)
        axis.set(title=f"{count} weights: {name}", xlabel="x", ylim=(-2, 2))
    axes[0].set_ylabel("y (blue: fits to 8 samples)")
    both = np.array([bias_and_variance(*curves[count][:2]) for count in WAVES])
    labels = ("bias$^2$", "variance", "sum")
    for values, label in zip([*both.T, both.sum(axis=1)], labels, strict=True):
        axes[3].plot(WAVES, values, "o-", markersize=4, label=label)
    axes[3].set(xscale="log", yscale="log", xlabel="weights", ylabel="mean square")
    axes[3].set_xticks(WAVES, WAVES)
    axes[3].minorticks_off()
    axes[3].legend()
    save(figure, options, "overfitting_curve")

    figure, axes = subplots(1, 2, size=(10, 3.8), sharey=True)
    for axis, found in zip(axes, (by_size, by_count), strict=True):
        for values, label, colour in zip(
            np.transpose(list(found.values())), ("training", "test"), (GREEN, RED), strict=True
        ):
            axis.plot(list(found), values, "o-", color=colour, label=f"{label} part")
        axis.set(xscale="log", ylim=(0, 100))
        axis.set_xticks(list(found), list(found))
        axis.minorticks_off()
    axes[0].set(xlabel="hidden units", ylabel="error (%)", title="500 images")
    axes[1].set(xlabel="training images", title="64 hidden units")
    axes[0].legend()
    save(figure, options, "overfitting_digits")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(100, "length of the training"),
        samples=(16, "samples of the curve"),
    )
    curves = {count: fits(count, options) for count in WAVES}
    print(
        f"A curve from {POINTS} points with noise of variance {NOISE**2:.2f}, "
        f"{options.samples} samples:"
    )
    rows = [[count, *bias_and_variance(*found[:2])] for count, found in curves.items()]
    table(
        ["weights", "bias^2", "variance", "sum"],
        [[w, f"{b:.3f}", f"{v:.3f}", f"{b + v:.3f}"] for w, b, v in rows],
    )

    by_size = {units: errors(units, 500, options) for units in UNITS}
    by_count = {count: errors(64, count, options) for count in COUNTS}
    print("Digits, 3 of 10 labels of the training part drawn at random; error in per cent:")
    table(
        ["network and data", "training", "test"],
        [
            *([f"{u:3d} units, 500 images", *(f"{e:.1f}" for e in v)] for u, v in by_size.items()),
            *([f"64 units, {c} images", *(f"{e:.1f}" for e in v)] for c, v in by_count.items()),
        ],
    )
    others = other_methods()
    if others is None:
        print('For nearest neighbours and SVM beside them: pip install "scikit-learn"')
    else:
        rows = [[name, *(f"{e:.1f}" for e in v)] for name, v in others.items()]
        table(["scikit-learn, 500 images", "training", "test"], rows)
    if options.plot:
        plot(options, curves, by_size, by_count)
    return curves, by_size, by_count


if __name__ == "__main__":
    main()
