"""Universality: one hidden layer fits any continuous function, if it is wide; and why deep then?

    python examples/universality.py --plot

With enough units, one hidden layer comes as close to a continuous function as one likes: a steep
sigmoid is a step, and steps up and down make towers under any curve. That can be built by hand,
without any training; the error falls as 1 over the number of towers. What training finds is better
with the same number of units, as its slopes need not be steep.

Deep networks make functions of functions. A tent folds the line of numbers in two, the tent of a
tent in four: d layers of two ReLU units make 2^d straight pieces, for which one layer needs 2^d
units or so. Waves around a point are of that kind: the square of the distance first, then a wave of
it. Of networks with the same number of weights, the deep ones learn them, and the fat one does not.
"""

import numpy as np
from common import BLUE, ORANGE, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import Adam

WIDTHS = (2, 4, 8, 16, 32, 64, 128)
DEPTHS, BUDGETS = (1, 2, 3, 4), (100, 200, 400, 800, 1600)


def curve(x):
    """A continuous function on [0, 1], nothing special."""
    return 0.2 + 0.4 * x**2 + 0.3 * x * np.sin(15 * x) + 0.05 * np.cos(50 * x)


def waves(x):
    """Waves around the middle of the square from -1 to 1."""
    return np.cos(3 * np.pi * np.hypot(x[:, :1], x[:, 1:]))


def line(count=1000):
    x = np.linspace(0, 1, count, dtype="float32")[:, None]
    return x, curve(x)


def square(count, seed):
    x = np.random.default_rng(seed).uniform(-1, 1, (count, 2)).astype("float32")
    return x, waves(x)


def network(inputs, widths, activation):
    start = "he_normal" if activation == "relu" else "glorot_uniform"
    hidden = [Dense(n, activation=activation, kernel_initializer=start) for n in widths]
    return keras.Sequential([keras.Input((inputs,)), *hidden, Dense(1)])


def error(model, x, y):
    """Root of the mean square."""
    return float(np.sqrt(np.square(model.predict(x, verbose=0) - y).mean()))


# --- built by hand ---


def towers(count):
    """One layer of steep sigmoids, each a step to the height of the next tower."""
    model = network(1, (count,), "sigmoid")
    borders, steep = np.arange(count) / count, 100.0 * count
    steps = np.diff(curve(borders + 0.5 / count), prepend=0)
    borders[0] = -1  # the first tower stands from the beginning
    model.set_weights([np.full((1, count), steep), -steep * borders, steps[:, None], np.zeros(1)])
    return model


def folds(depth):
    """A tent of a tent of ...: two ReLU units in each layer."""
    model = network(1, (2,) * depth, "relu")
    tent = np.array([[2.0], [-4.0]])  # 2 relu(x) - 4 relu(x - 1/2)
    bend = np.array([0.0, -0.5])
    deeper = [np.hstack([tent, tent]), bend] * (depth - 1)
    model.set_weights([np.ones((1, 2)), bend, *deeper, tent, np.zeros(1)])
    return model


def pieces(model):
    """Number of straight pieces of a network's function on [0, 1]."""
    x, _ = line(2**12 + 1)
    slopes = np.diff(model.predict(x, verbose=0)[:, 0])
    return 1 + int((np.abs(np.diff(slopes)) > 1e-5).sum())


# --- learned ---


def learn(model, x, y, epochs, rate=0.01):
    steps = epochs * -(-len(x) // 64)
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(optimizer=Adam(schedule), loss="mse")
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
    return model


def learned_curve(width, options):
    """A hidden layer of sigmoids, whose steps are spread over [0, 1] at the start."""
    keras.utils.set_random_seed(options.seed)
    model = network(1, (width,), "sigmoid")
    places = np.random.default_rng(options.seed).uniform(0, 1, width)
    steep = 2.0 * width
    model.set_weights([np.full((1, width), steep), -steep * places, *model.get_weights()[2:]])
    return learn(model, *line(), 4 * options.epochs)


def widest(depth, budget):
    """The width of layers with which a network of a depth has at most so many weights."""

    def count(n):
        return 3 * n + (depth - 1) * (n * n + n) + n + 1

    return max(n for n in range(1, budget) if count(n) <= budget)


def learned_waves(depth, budget, options):
    """The network in the middle of some starts, and its error on new points."""
    found = []
    for start in range(options.starts):
        keras.utils.set_random_seed(options.seed + start)
        model = network(2, (widest(depth, budget),) * depth, "relu")
        learn(model, *square(4000, 0), options.epochs)
        found.append((error(model, *square(2000, 1)), start, model))
    return sorted(found)[len(found) // 2]


def plot(options, by_hand, learned, deep):
    figure, axes = subplots(2, 3, size=(13, 7.5))
    x, y = line()
    count = 16
    axes[0, 0].plot(x, y, color="k", linewidth=1, label="curve")
    for models, name, colour in ((by_hand, "by hand", ORANGE), (learned, "learned", BLUE)):
        axes[0, 0].plot(x, models[count].predict(x, verbose=0), color=colour, label=name)
        errors = [error(model, x, y) for model in models.values()]
        axes[0, 1].plot(WIDTHS, errors, "o-", color=colour, label=name)
    axes[0, 0].set(title=f"One layer of {count} sigmoids", xlabel="x")
    axes[0, 1].set(xscale="log", yscale="log", xlabel="units", ylabel="error", title="One layer")
    axes[0, 1].set_xticks(WIDTHS, WIDTHS)
    for depth in DEPTHS:
        label = f"{depth} hidden layer" + "s" * (depth > 1)
        axes[0, 2].plot(BUDGETS, [deep[depth, b][0] for b in BUDGETS], "o-", label=label)
    axes[0, 2].set(xscale="log", yscale="log", xlabel="weights", ylabel="error", title="Waves")
    axes[0, 2].set_xticks(BUDGETS, BUDGETS)
    axes[0, 2].set_yticks([0.05, 0.1, 0.2, 0.5], ["0.05", "0.1", "0.2", "0.5"])
    for axis in axes[0]:
        axis.legend()
        axis.minorticks_off()
    side = np.linspace(-1, 1, 120, dtype="float32")
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    pictures = {"waves": waves(grid)}
    for depth in (DEPTHS[0], DEPTHS[-1]):
        _, _, model = deep[depth, BUDGETS[-1]]
        name = f"{depth} x {widest(depth, BUDGETS[-1])} units, {BUDGETS[-1]} weights"
        pictures[name] = model.predict(grid, verbose=0)
    for axis, (name, values) in zip(axes[1], pictures.items(), strict=True):
        axis.imshow(values.reshape(120, 120), vmin=-1, vmax=1, cmap="RdBu")
        axis.set(title=name, xticks=[], yticks=[])
        axis.grid(False)
    save(figure, options, "universality")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(60, "passes over the points"),
        starts=(3, "starts of each network, of which the one in the middle counts"),
    )
    by_hand = {count: towers(count) for count in WIDTHS}
    learned = {count: learned_curve(count, options) for count in WIDTHS}
    errors = {n: (error(by_hand[n], *line()), error(learned[n], *line())) for n in WIDTHS}
    print("A curve, one hidden layer of sigmoids; error:")
    table(
        ["units", "towers, by hand", "learned"],
        [[count, *(f"{e:.4f}" for e in pair)] for count, pair in errors.items()],
    )
    tents = {depth: folds(depth) for depth in (1, 2, 4, 8)}
    print("Tents of tents, built by hand:")
    table(
        ["layers of two units", "weights", "straight pieces"],
        [[depth, model.count_params(), pieces(model)] for depth, model in tents.items()],
    )
    deep = {(d, b): learned_waves(d, b, options) for d in DEPTHS for b in BUDGETS}
    print("Waves around a point, learned; error by depth and number of weights:")
    table(
        ["hidden layers", *(f"{budget} weights" for budget in BUDGETS)],
        [[depth, *(f"{deep[depth, b][0]:.3f}" for b in BUDGETS)] for depth in DEPTHS],
    )
    if options.plot:
        plot(options, by_hand, learned, deep)
    return errors, tents, {key: value for key, (value, *_) in deep.items()}


if __name__ == "__main__":
    main()
