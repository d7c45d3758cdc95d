"""What the loss looks like around trained weights: a shallow and a deep network.

    python examples/loss_landscape.py --plot

A loss of thousands of weights is shown on a plane through the trained weights, which two random
directions span. To compare networks fairly, each direction is scaled unit by unit: the part that
goes with the weights into a unit gets the length of these weights ("filter normalisation", Li et
al., "Visualizing the loss landscape of neural nets", 2017). Without that, a network with larger
weights would look flatter only because the same step means less to it.

The shallow network sits in a wide, smooth bowl. The deep one, without the short cuts of a residual
network, sits in a narrow hole in a high plateau: a small move of all weights together ruins it.
"""

import numpy as np
from common import classifier, compiled, digits, save, settings, subplots, table

import minikeras as keras

NETWORKS = {"1 hidden layer": (64,), "16 hidden layers": (32,) * 16}
REACH, IMAGES = 1.0, 300
LEVELS = (0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.6, 1, 2, 3, 6, 10, 15)


def direction(weights, rng):
    """A random direction, scaled to the length of the weights unit by unit; none for biases."""
    parts = []
    for weight in weights:
        if weight.ndim == 1:
            parts.append(np.zeros_like(weight))
            continue
        part = rng.standard_normal(weight.shape).astype("float32")
        part *= np.linalg.norm(weight, axis=0) / np.linalg.norm(part, axis=0)
        parts.append(part)
    return parts


def landscape(model, x, y, steps, seed):
    """The loss on a square grid around the weights, along two directions; the weights stay."""
    rng = np.random.default_rng(seed)
    center = model.get_weights()
    first, second = direction(center, rng), direction(center, rng)
    reach = np.linspace(-REACH, REACH, steps)
    heights = np.empty((steps, steps))
    for i, b in enumerate(reach):
        for j, a in enumerate(reach):
            moved = zip(center, first, second, strict=True)
            model.set_weights([w + a * u + b * v for w, u, v in moved])
            heights[i, j] = model.evaluate(x, y, batch_size=len(x), verbose=0)[0]
    model.set_weights(center)
    return reach, heights


def train(hidden, options):
    """A trained classifier of the digits and its landscape, over some of the training part."""
    keras.utils.set_random_seed(options.seed)
    (x, y), test = digits()
    model = compiled(classifier(hidden, kernel_initializer="he_uniform"))
    model.fit(x, y, epochs=options.epochs, batch_size=64, verbose=0)
    right = model.evaluate(*test, verbose=0)[1]
    return right, landscape(model, x[:IMAGES], y[:IMAGES], options.steps, options.seed)


def plot(options, found):
    figure = subplots(size=(11, 7.6))[0]
    figure.clear()
    for column, (name, (right, (reach, heights))) in enumerate(found.items()):
        level = np.log10(heights)
        above = figure.add_subplot(2, 2, column + 1, projection="3d")
        first, second = np.meshgrid(reach, reach)
        above.plot_surface(first, second, level, cmap="viridis", linewidth=0, rstride=1, cstride=1)
        above.set(xlabel="first direction", ylabel="second direction", zlabel="log10(loss)")
        above.set_zlim(-4, 1.5)
        above.set_title(f"{name}, accuracy {right:.3f}")
        above.view_init(elev=40, azim=-60)
        below = figure.add_subplot(2, 2, column + 3)
        lines = below.contour(reach, reach, heights, LEVELS, cmap="viridis", norm="log")
        below.clabel(lines, [level for level in lines.levels if level in (0.1, 1, 10)], fontsize=8)
        below.plot(0, 0, "k*", markersize=9)
        below.set(xlabel="first direction", ylabel="second direction", aspect="equal")
    save(figure, options, "loss_landscape")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(60, "passes over the digits"),
        steps=(35, "grid points along each direction"),
    )
    found = {name: train(hidden, options) for name, hidden in NETWORKS.items()}
    rows = []
    for name, (right, (_, heights)) in found.items():
        middle = options.steps // 2
        ends = [heights[middle, middle], np.median(heights), heights.max()]
        near = float((heights < 1).mean())
        rows.append([name, f"{right:.3f}", *(f"{h:.3g}" for h in ends), f"{near:.0%}"])
    print("Loss around the trained weights, within one length of the weights of each unit:")
    table(
        ["network", "accuracy, test", "centre", "median", "highest", "area below 1"],
        rows,
    )
    if options.plot:
        plot(options, found)
    return found


if __name__ == "__main__":
    main()
