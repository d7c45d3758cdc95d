"""Representation matters: the same points in Cartesian and in polar coordinates.

    python examples/coordinates.py --plot

A disc within a ring cannot be divided from it by a line. Written as angle and radius, the same
points can: the simplest network, a single sigmoid, does it at once. Which representation is right
depends on the question: by angle or by x and y, other things are simple. Two half planes are
divided by a line in x and y; in angle and radius, where the plane is cut open at 180 degrees, the
left one falls into two pieces.

A hidden layer finds a representation by itself, from either coordinates, and the last layer draws
its line there. That is what deep learning is about; but a good representation, where one knows it,
saves units and steps.
"""

import numpy as np
from common import BLUE, ORANGE, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import Adam

HIDDEN = (0, 2, 3, 4, 8)
REACHED = 0.98


def polar(x):
    """Angle, in units of 180 degrees from -1 to 1, and radius."""
    return np.stack([np.arctan2(x[:, 1], x[:, 0]) / np.pi, np.hypot(*x.T)], axis=1)


QUESTIONS = {
    "in the disc?": lambda x: np.hypot(*x.T) < 1.0,
    "left of a line?": lambda x: x[:, 0] < 0.3 * x[:, 1] - 0.2,
}
COORDINATES = {"Cartesian": lambda x: x, "polar": polar}


def points(question, count=600):
    """Points of a square, without those close to the border of the question's answer."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.6, 1.6, (4 * count, 2)).astype("float32")
    around = [
        question(x + move) for move in ((0.08, 0.08), (-0.08, 0.08), (0.08, -0.08), (-0.08, -0.08))
    ]
    x = x[np.all(around, axis=0) | ~np.any(around, axis=0)][:count]
    return x, question(x)[:, None].astype("float32")


def network(hidden):
    layers = [Dense(hidden, activation="tanh")] if hidden else []
    return keras.Sequential([keras.Input((2,)), *layers, Dense(1, activation="sigmoid")])


class Reached(keras.callbacks.Callback):
    """The first epoch after which nearly all points are on the right side."""

    def on_train_begin(self, logs=None):
        self.epoch = None

    def on_epoch_end(self, epoch, logs=None):
        if self.epoch is None and logs["accuracy"] >= REACHED:
            self.epoch = epoch + 1


def train(question, coordinates, hidden, options):
    """A network of the coordinates, its accuracy, and the epoch when it got most points right."""
    keras.utils.set_random_seed(options.seed)
    x, y = points(QUESTIONS[question])
    model, reached = network(hidden), Reached()
    model.compile(optimizer=Adam(0.03), loss="binary_crossentropy", metrics=["accuracy"])
    inputs = COORDINATES[coordinates](x)
    model.fit(inputs, y, epochs=options.epochs, callbacks=[reached], verbose=0)
    return model, model.evaluate(inputs, y, verbose=0)[1], reached.epoch


def draw(axis, question, coordinates, found, hidden):
    """The points in their coordinates, and the boundary of a network there."""
    x, y = points(QUESTIONS[question])
    inputs = COORDINATES[coordinates](x)
    model, right, _ = found[question, coordinates, hidden]
    low, high = inputs.min(axis=0) - 0.1, inputs.max(axis=0) + 0.1
    sides = [np.linspace(a, b, 100, dtype="float32") for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    answer = model.predict(grid, verbose=0).reshape(100, 100)
    axis.contourf(*sides, answer, [0, 0.5, 1], colors=[BLUE, ORANGE], alpha=0.2)
    axis.contour(*sides, answer, [0.5], colors="k", linewidths=1)
    axis.scatter(*inputs.T, s=4, c=np.where(y[:, 0], ORANGE, BLUE))
    axis.set_title(f"{hidden or 'no'} hidden units: {right:.1%} right", fontsize=10)
    axis.set(xlabel="x" if coordinates == "Cartesian" else "angle / 180 degrees")
    axis.set(ylabel="y" if coordinates == "Cartesian" else "radius")


def plot(options, found):
    figure, axes = subplots(2, 4, size=(14, 6.6))
    for row, question in zip(axes, QUESTIONS, strict=True):
        cases = [(name, hidden) for name in COORDINATES for hidden in (0, 4)]
        for axis, (name, hidden) in zip(row, cases, strict=True):
            draw(axis, question, name, found, hidden)
    save(figure, options, "coordinates")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(60, "passes over the points"))
    found = {
        (question, name, hidden): train(question, name, hidden, options)
        for question in QUESTIONS
        for name in COORDINATES
        for hidden in HIDDEN
    }
    print(f"Share of the points on the right side (and the epoch when it reached {REACHED:.0%}):")
    rows = []
    for question in QUESTIONS:
        for name in COORDINATES:
            runs = [found[question, name, hidden] for hidden in HIDDEN]
            cells = [f"{right:.3f} ({epoch or '-'})" for _, right, epoch in runs]
            rows.append([f"{question} {name}", *cells])
    table(["question and coordinates", *(f"{hidden} hidden" for hidden in HIDDEN)], rows)
    if options.plot:
        plot(options, found)
    return found


if __name__ == "__main__":
    main()
