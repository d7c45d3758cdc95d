"""Bias and variance: too few weights cannot follow the data, too many follow every accident.

    python examples/bias_variance.py --plot

Too small a network is wrong in the same way whichever sample it gets: that is bias. Too large a one
follows the noise of its sample, so another sample would have given another function: that is
variance. Linear networks, whose inputs are few or many waves, learn a curve from noisy points, over
and over with new samples; the mean squared error is bias^2 + variance + noise. There is no escape:
what lowers the one raises the other, and the best network lies in between.
"""

import numpy as np
from common import BLUE, ORANGE, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import Adam

WAVES, POINTS, NOISE = (2, 4, 6, 10, 20), 20, 0.4


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
        model.compile(optimizer=Adam(0.1), loss="mse")
        model.fit(waves(x, count), y, batch_size=POINTS, epochs=options.epochs, verbose=0)
        found.append(model.predict(waves(grid, count), batch_size=81, verbose=0)[:, 0])
    return grid[:, 0], np.array(found), (x, y)


def bias_and_variance(grid, predictions):
    """Squared bias and variance, both averaged over the grid.

    The mean over a few samples still wanders; that part, variance / samples, is no bias.
    """
    square = ((predictions.mean(axis=0) - curve(grid)) ** 2).mean()
    variance = predictions.var(axis=0, ddof=1).mean()
    return float(max(0, square - variance / len(predictions))), float(variance)


def plot(options, curves):
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
    save(figure, options, "bias_variance")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(200, "updates of each network"),
        samples=(12, "samples of the curve"),
    )
    curves = {count: fits(count, options) for count in WAVES}
    print(
        f"A curve from {POINTS} points, noise of variance {NOISE**2:g}, {options.samples} samples:"
    )
    rows = [[count, *bias_and_variance(*found[:2])] for count, found in curves.items()]
    table(
        ["weights", "bias^2", "variance", "sum"],
        [[w, f"{b:.3f}", f"{v:.3f}", f"{b + v:.3f}"] for w, b, v in rows],
    )
    if options.plot:
        plot(options, curves)
    return rows


if __name__ == "__main__":
    main()
