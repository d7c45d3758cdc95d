"""Second-order and batch methods: Newton, conjugate gradients, BFGS, L-BFGS.

    pip install ".[plot,scipy]"
    python examples/second_order.py --plot

Gradient descent sees the slope; these methods learn the curvature, too, and choose the length of
each step by a line search, so there is no learning rate to set. The first part sends them through a
banana-shaped valley (Rosenbrock's function), where the slope hardly points along the valley. In the
second they train a small network on the digits, by `compile` and `fit` as usual: the whole training
set is one batch and one epoch is one iteration, which may cost several passes over the data.
"""

import time

import numpy as np
from common import COLOURS, classifier, compiled, digits, save, settings, subplots, table

import minikeras as keras
from minikeras import autodiff
from minikeras.optimizers import BFGS, LBFGS, SGD, Adam, ConjugateGradient, NewtonCG

START = (-1.2, 1.0)
METHODS = {
    "conjugate gradients": ConjugateGradient,
    "BFGS": BFGS,
    "L-BFGS": LBFGS,
    "Newton": NewtonCG,
}


def banana(w):
    """Rosenbrock's function, whose minimum is 0 at (1, 1)."""
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def curvature(w, direction):
    """The second derivatives of the function, times a direction."""
    a, b = 2 - 400 * w[1] + 1200 * w[0] ** 2, -400 * w[0]
    return np.array([a * direction[0] + b * direction[1], b * direction[0] + 200 * direction[1]])


def through_the_valley(method, steps=200):
    """The points of a method on its way, and its own report."""
    way = [START]

    def note(point, last):
        way.append(tuple(point.x))

    both = autodiff.value_and_grad(banana)
    function = lambda w: tuple(map(np.asarray, both(w)))  # noqa: E731
    found = method().minimise(function, START, steps, product=curvature, after=note)
    return np.array(way), found


def by_gradient_descent(steps, rate=0.001):
    """The points of plain descent, at about the largest rate that does not fly off."""
    weights, optimizer = keras.Variable(np.array(START)), SGD(rate)
    way = [START]
    for _ in range(steps):
        optimizer.apply([autodiff.grad(banana)(weights)], [weights])
        way.append(tuple(weights.numpy()))
    return np.array(way)


def train(optimizer, options, batch_size=None):
    """History on the digits, passes over the data, accuracy on the test part, and seconds."""
    keras.utils.set_random_seed(options.seed)
    (x, y), test = digits()
    penalty = keras.regularizers.L2(1e-4)
    model = compiled(classifier((16,), "tanh", kernel_regularizer=penalty), optimizer)
    start = time.perf_counter()
    few = isinstance(optimizer, NewtonCG)  # its steps are long, and each costs many passes
    epochs = max(1, options.epochs // 4) if few else options.epochs
    run = model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0)
    seconds = time.perf_counter() - start
    result = getattr(optimizer, "result", None)
    passes = len(run.epoch) if result is None else result.evaluations + result.products
    return run.history["loss"], passes, model.evaluate(*test, verbose=0)[1], seconds


def plot(options, ways, runs):
    figure, (valley, fall, curves) = subplots(1, 3, size=(14, 4.2))
    x, y = np.meshgrid(np.linspace(-1.7, 1.4, 200), np.linspace(-0.5, 1.8, 200))
    levels = np.linspace(-1.5, 3, 13)
    heights = np.log10(banana((x, y)) + 0.03)
    valley.contourf(x, y, heights, levels, cmap="Greys_r", alpha=0.5, extend="both")
    names = [*ways, *(name for name in runs if name not in ways)]
    colour = dict(zip(names, COLOURS, strict=False))
    for name, line in (("gradient descent", "-"), ("Newton", ".-"), ("L-BFGS", ".-")):
        valley.plot(*ways[name].T, line, color=colour[name], linewidth=1.2, label=name)
    valley.plot(1, 1, "k*", markersize=10)
    valley.set(xlabel="first weight", ylabel="second weight", title="A banana-shaped valley")
    valley.set(xlim=(-1.7, 1.4), ylim=(-0.5, 1.8))
    valley.grid(False)
    valley.legend(loc="upper center")
    for name, way in ways.items():
        fall.plot(range(1, len(way) + 1), banana(way.T) + 1e-16, color=colour[name], label=name)
    fall.set(xscale="log", yscale="log", xlabel="step", ylabel="loss", title="In the valley")
    fall.legend(loc="lower right")
    for name, (loss, *_) in runs.items():
        curves.plot(range(1, len(loss) + 1), loss, color=colour[name], label=name)
    curves.set(xlabel="epoch", ylabel="loss with penalty, training part", yscale="log")
    curves.set_title("Digits")
    curves.legend()
    save(figure, options, "second_order")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(60, "epochs on the digits"),
        steps=(5000, "steps of gradient descent in the valley"),
    )
    ways = {"gradient descent": by_gradient_descent(options.steps)}
    rows = [["gradient descent", len(ways["gradient descent"]) - 1, "1 a step"]]
    for name, method in METHODS.items():
        ways[name], found = through_the_valley(method)
        rows.append([name, found.iterations, found.evaluations])
    for row, way in zip(rows, ways.values(), strict=True):
        row.append(f"{np.linalg.norm(way[-1] - 1):.1e}")
    print("A banana-shaped valley:")
    table(["method", "steps", "evaluations", "distance from the minimum"], rows)

    (x, _), _ = digits()
    # BFGS is left out: it keeps a matrix of weights x weights
    optimizers = {name: (method(), None) for name, method in METHODS.items() if name != "BFGS"}
    optimizers |= {"gradient descent": (SGD(0.5), len(x)), "Adam, batches of 32": (Adam(), 32)}
    runs = {name: train(optimizer, options, size) for name, (optimizer, size) in optimizers.items()}
    print("A network of 16 units on the digits:")
    table(
        [
            "method",
            "epochs",
            "loss with penalty",
            "passes over the data",
            "accuracy, test",
            "seconds",
        ],
        [
            [name, len(loss), f"{loss[-1]:.4f}", passes, f"{right:.3f}", f"{seconds:.2f}"]
            for name, (loss, passes, right, seconds) in runs.items()
        ],
    )
    if options.plot:
        plot(options, ways, runs)
    return ways, runs


if __name__ == "__main__":
    main()
