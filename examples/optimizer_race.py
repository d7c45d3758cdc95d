"""Gradient descent, momentum, Nesterov, Adagrad, RMSprop, Adam: the same problems, side by side.

    python examples/optimizer_race.py --plot

Three things to see. Adagrad divides the learning rate of each weight by the root of the sum of its
squared gradients, so that small gradients get large rates and all rates fall: the table reproduces
that for gradients 0.1, 0.2 of one weight and 20, 10 of another. In a narrow valley plain descent
crawls, momentum gathers speed along it, and the adaptive methods rescale the axes. And on the
digits, each optimizer trains the same network from the same weights; the table has others, too.
"""

import numpy as np
from common import classifier, compiled, digits, save, settings, subplots, table

import minikeras as keras
from minikeras import autodiff, optimizers

RACERS = {
    "SGD": lambda: optimizers.SGD(0.1),
    "momentum 0.9": lambda: optimizers.SGD(0.1, momentum=0.9),
    "Nesterov 0.9": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "Adagrad": lambda: optimizers.Adagrad(0.1),
    "RMSprop": lambda: optimizers.RMSprop(0.005),
    "Adam": lambda: optimizers.Adam(0.005),
}
OTHERS = {
    "Adadelta": lambda: optimizers.Adadelta(3.0),
    "Adamax": lambda: optimizers.Adamax(0.02),
    "AdamW": lambda: optimizers.AdamW(0.005),
    "Nadam": lambda: optimizers.Nadam(0.005),
    "Ftrl": lambda: optimizers.Ftrl(0.2),
    "Lion": lambda: optimizers.Lion(0.001),
    "Lamb": lambda: optimizers.Lamb(0.005),
    "Muon": lambda: optimizers.Muon(0.005),
}  # Adafactor, here as in Keras, divides 0 by 0 at the corners of the images, which are never inked
IN_VALLEY = {
    "SGD": lambda: optimizers.SGD(0.03),
    "momentum 0.9": lambda: optimizers.SGD(0.03, momentum=0.9),
    "Nesterov 0.9": lambda: optimizers.SGD(0.03, momentum=0.9, nesterov=True),
    "Adagrad": lambda: optimizers.Adagrad(0.8),
    "RMSprop": lambda: optimizers.RMSprop(0.1),
    "Adam": lambda: optimizers.Adam(0.3),
}
START, STEPS = (-9.0, 2.2), 60


def adagrad_rates(gradients):
    """The rate of each weight at each update, in multiples of the learning rate.

    `gradients` holds one row per update and one column per weight.
    """
    weights = keras.Variable(np.zeros(len(gradients[0]), "float64"))
    optimizer = optimizers.Adagrad(1.0, initial_accumulator_value=0, epsilon=0)
    rates = []
    for gradient in np.asarray(gradients, "float64"):
        before = weights.numpy().copy()
        optimizer.apply([gradient], [weights])
        rates.append((before - weights.numpy()) / gradient)
    return np.array(rates)


def valley(w):
    """A long, narrow bowl: 40 times steeper across than along."""
    return 0.5 * (0.5 * w[0] ** 2 + 20 * w[1] ** 2)


def descend(optimizer):
    """The way through the valley."""
    weights = keras.Variable(np.array(START, "float32"))
    way = [weights.numpy().copy()]
    for _ in range(STEPS):
        optimizer.apply([autodiff.grad(valley)(weights)], [weights])
        way.append(weights.numpy().copy())
    return np.array(way)


def train(optimizer, options):
    """History of the digits, from the same weights for all."""
    keras.utils.set_random_seed(options.seed)
    (x, y), test = digits()
    model = compiled(classifier((64,)), optimizer)
    return model.fit(x, y, epochs=options.epochs, validation_data=test, verbose=0).history


def plot(options, ways, runs):
    figure, axes = subplots(2, 3, size=(11, 5.4), sharex=True, sharey=True)
    x, y = np.meshgrid(np.linspace(-10, 3, 100), np.linspace(-3, 3, 100))
    for axis, (name, way) in zip(axes.flat, ways.items(), strict=True):
        axis.contourf(x, y, np.sqrt(valley((x, y))), 14, cmap="Greys_r", alpha=0.5)
        axis.plot(*way.T, ".-", markersize=5, linewidth=1)
        axis.plot(0, 0, "*", color="white", markersize=10)
        axis.set(title=f"{name}: loss {valley(way[-1]):.2g}", xlim=(-10, 3), ylim=(-3, 3))
        axis.grid(False)
    figure.supxlabel("first weight")
    figure.supylabel("second weight")
    figure.suptitle(f"{STEPS} steps through a narrow valley")
    save(figure, options, "optimizer_paths")

    figure, axis = subplots(size=(6.5, 4))
    for name in RACERS:
        loss = runs[name]["loss"]
        axis.plot(range(1, len(loss) + 1), loss, label=name)
    axis.set(xlabel="epoch", ylabel="loss, training part", yscale="log", title="Digits")
    axis.legend()
    save(figure, options, "optimizer_race")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(20, "passes over the digits"))
    gradients = [[0.1, 20.0], [0.2, 10.0]]
    rates = adagrad_rates(gradients)
    print("Adagrad, rates in multiples of the learning rate:")
    table(
        ["update", "gradient 1", "rate 1", "gradient 2", "rate 2"],
        [
            [i, f"{g[0]:g}", f"1 / {1 / r[0]:.2f}", f"{g[1]:g}", f"1 / {1 / r[1]:.2f}"]
            for i, (g, r) in enumerate(zip(gradients, rates, strict=True))
        ],
    )

    ways = {name: descend(make()) for name, make in IN_VALLEY.items()}
    runs = {name: train(make(), options) for name, make in (RACERS | OTHERS).items()}
    print(f"Loss in a narrow valley after {STEPS} steps, and digits after {options.epochs} epochs:")
    table(
        ["optimizer", "valley", "loss, training", "accuracy, test"],
        [
            [
                name,
                f"{valley(ways[name][-1]):.2g}" if name in ways else "",
                f"{run['loss'][-1]:.4f}",
                f"{run['val_accuracy'][-1]:.3f}",
            ]
            for name, run in runs.items()
        ],
    )
    if options.plot:
        plot(options, ways, runs)
    return rates, ways, runs


if __name__ == "__main__":
    main()
