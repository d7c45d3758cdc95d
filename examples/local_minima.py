"""Local minima: another start reaches another end, and momentum may roll past a small dip.

    python examples/local_minima.py --plot

Gradient descent walks downhill from where it stands, so the start decides in which valley it ends.
On a curve with several valleys that is plain to see; momentum, like a heavy ball, rolls through a
shallow one and still need not find the deepest. A small network behaves the same: trained from
many starts on two interleaved spirals it ends at many different losses. Wide networks suffer
less: their starts lead to ends that are about equally good.
"""

import numpy as np
from common import BLUE, ORANGE, save, settings, subplots, table

import minikeras as keras
from minikeras import autodiff, ops
from minikeras.layers import Dense
from minikeras.optimizers import SGD, Adam

WIDTHS, GOOD = (3, 6, 12, 48), 0.05


def curve(w):
    """A loss with several valleys, the deepest near 0.9."""
    return 0.12 * ops.square(w - 1) + 0.3 * ops.sin(3.2 * w + 1.8) + 0.5


def descend(start, momentum=0.0, steps=200):
    """The way from a start down the curve."""
    weight = keras.Variable(np.array(float(start)))
    optimizer = SGD(0.03, momentum=momentum)
    way = [float(start)]
    for _ in range(steps):
        optimizer.apply([autodiff.grad(curve)(weight)], [weight])
        way.append(float(weight.numpy()))
    return np.array(way)


def spirals(count=200):
    """Two interleaved spirals of `count` points in all, and which spiral each is on."""
    rng = np.random.default_rng(0)
    turn = np.sqrt(rng.uniform(0.03, 1, count)) * 1.3 * 2 * np.pi
    label = np.arange(count) % 2
    angle = turn + np.pi * label
    points = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) / 6
    return points.astype("float32"), label[:, None].astype("float32")


def ends(width, options):
    """The final loss and the outputs of networks of two hidden layers, from several starts."""
    x, y = spirals()
    grid = np.stack(np.meshgrid(*[np.linspace(-1.6, 1.6, 80)] * 2), axis=-1).astype("float32")
    found = []
    for trial in range(options.trials):
        keras.utils.set_random_seed(options.seed + trial)
        layers = [Dense(width, activation="tanh"), Dense(width, activation="tanh"), Dense(1)]
        model = keras.Sequential([keras.Input((2,)), *layers])
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        model.compile(optimizer=Adam(0.03), loss=loss)
        model.fit(x, y, batch_size=len(x), epochs=options.epochs, verbose=0)
        end = model.evaluate(x, y, batch_size=len(x), verbose=0)
        found.append((end, model.predict(grid.reshape(-1, 2), batch_size=6400, verbose=0)))
    return sorted(found, key=lambda pair: pair[0])


def plot(options, ways, found):
    figure, (left, right) = subplots(1, 2, size=(11, 3.9))
    w = np.linspace(-4.2, 4.2, 300)
    left.plot(w, np.asarray(curve(w)), color="black", linewidth=1)
    for (_, momentum), way in ways.items():
        colour, marker = (ORANGE, "o") if momentum else (BLUE, "s")
        left.plot(way[0], curve(way[0]), marker, color=colour, markerfacecolor="white")
        left.plot(way[-1], curve(way[-1]), marker, color=colour, markersize=8)
        style = {"arrowstyle": "->", "color": colour, "connectionstyle": "arc3,rad=-0.3"}
        ends_at = [(at, float(curve(at))) for at in (way[-1], way[0])]
        left.annotate("", *ends_at, arrowprops=style)
    left.plot([], [], "s", color=BLUE, label="gradient descent")
    left.plot([], [], "o", color=ORANGE, label="with momentum 0.9")
    left.set(xlabel="weight", ylabel="loss", title="Start (white) and end (filled)")
    left.legend()
    for position, results in enumerate(found.values()):
        losses = [loss for loss, _ in results]
        jitter = position + np.linspace(-0.25, 0.25, len(losses))
        right.plot(jitter, losses, ".", markersize=8)
    right.set_xticks(range(len(found)), [f"{width}" for width in found])
    right.set(xlabel="units in each of two layers", ylabel="loss after training")
    right.set(yscale="log", title=f"Two spirals from {options.trials} starts")
    save(figure, options, "local_minima")

    results = next(r for width, r in found.items() if width == WIDTHS[1])
    picks = [results[0], results[len(results) // 2], results[-1]]
    figure, axes = subplots(1, 3, size=(10, 3.6), sharex=True, sharey=True)
    x, y = spirals()
    for axis, (loss, output), name in zip(axes, picks, ("best", "middle", "worst"), strict=True):
        grid = np.linspace(-1.6, 1.6, 80)
        axis.contourf(
            grid, grid, output.reshape(80, 80) > 0, [-1, 0.5, 2], colors=["#f3d9a4", "#a9cfe6"]
        )
        axis.scatter(*x.T, c=np.where(y[:, 0] > 0, BLUE, ORANGE), s=8)
        axis.set(title=f"{name} start: loss {loss:.3g}", aspect="equal", xlabel="first input")
        axis.grid(False)
    axes[0].set_ylabel("second input")
    figure.suptitle(f"The same network of {WIDTHS[1]} and {WIDTHS[1]} units, three starts")
    save(figure, options, "local_minima_spirals")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(300, "passes over the spirals"),
        trials=(12, "starts for each network"),
    )
    starts = (-3.5, -1.8, 3.5)
    ways = {(start, m): descend(start, m) for m in (0.0, 0.9) for start in starts}
    print("A curve with several valleys:")
    table(
        ["start", "momentum", "end", "loss"],
        [[f"{s:g}", f"{m:g}", f"{w[-1]:.2f}", f"{curve(w[-1]):.3f}"] for (s, m), w in ways.items()],
    )
    found = {width: ends(width, options) for width in WIDTHS}
    print(f"Two spirals from {options.trials} starts, loss after {options.epochs} epochs:")
    losses = {width: np.array([loss for loss, _ in results]) for width, results in found.items()}
    table(
        ["units", "best", "median", "worst", f"starts that end below {GOOD}"],
        [
            [
                f"{width} and {width}",
                *(f"{v:.2g}" for v in (e.min(), np.median(e), e.max())),
                f"{(e < GOOD).mean():.0%}",
            ]
            for width, e in losses.items()
        ],
    )
    if options.plot:
        plot(options, ways, found)
    return ways, losses


if __name__ == "__main__":
    main()
