"""Hidden layers as geometry: stretch, turn, move and bend the plane until a line divides it.

    python examples/hidden_geometry.py --plot
    python examples/hidden_geometry.py --plot --animation 1

The matrix of a layer stretches and turns the plane, its bias moves it, its activation bends it.
The last layer can only draw a straight line; so the hidden ones have to lay the two classes on
different sides of one. With layers of two units all this can be seen: the points and a net of lines
are drawn as each hidden layer has them, below the decision boundary in the plane of the input, at
several times of the training. Not every start gets there.

Bending never tears: neither does tanh, nor a matrix of full rank. A disc within a ring therefore
cannot be divided from it in the plane, however many layers of two units one takes; with three units
the disc is lifted out of the ring, and a plane does it.
"""

import numpy as np
from common import BLUE, ORANGE, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import Adam

FRAMES = 5
NETWORKS = ((1, 2), (2, 2), (4, 2), (1, 3), (2, 3))  # hidden layers, units in each


def moons(count=200):
    """Two arcs, each reaching into the other, and 0 or 1 for the arc."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi, count)
    label = np.arange(count) % 2
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.where(label, -1, 1)[:, None]
    x += np.where(label[:, None], [0.5, 0.25], [-0.5, -0.25]) + rng.normal(0, 0.1, x.shape)
    return x.astype("float32"), label[:, None].astype("float32")


def ring(count=200):
    """A disc within a ring, and 1 for the ring."""
    rng = np.random.default_rng(0)
    angle, label = rng.uniform(0, 2 * np.pi, count), np.arange(count) % 2
    radius = np.where(label, rng.uniform(1.2, 1.6, count), 0.7 * np.sqrt(rng.uniform(0, 1, count)))
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return x.astype("float32"), label[:, None].astype("float32")


def network(units, layers):
    """Hidden layers of a few tanh units, and a sigmoid."""
    x = plane = keras.Input((2,))
    for _ in range(layers):
        x = Dense(units, activation="tanh")(x)
    return keras.Model(plane, Dense(1, activation="sigmoid")(x))


def hidden(model):
    """What each hidden layer says."""
    return [keras.Model(model.input, layer.output) for layer in model.layers[1:-1]]


class Frames(keras.callbacks.Callback):
    """The weights at the start and after chosen epochs."""

    def __init__(self, epochs):
        self.epochs, self.weights = epochs, {}

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.weights[0] = self.model.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in self.epochs:
            self.weights[epoch + 1] = self.model.get_weights()


def train(data, units, layers, options, start=0):
    """A trained network, and its weights at some epochs."""
    keras.utils.set_random_seed(options.seed + start)
    model = network(units, layers)
    model.compile(optimizer=Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
    count = 40 if options.animation else FRAMES - 1
    epochs = np.geomspace(min(5, options.epochs), options.epochs, count).round().astype(int)
    frames = Frames(set(epochs))
    model.fit(*data, epochs=options.epochs, callbacks=[frames], verbose=0)
    return model, frames.weights


def race(data, units, layers, options):
    """Accuracy on the training data and number of each start, best first."""
    found = []
    for start in range(options.starts):
        model, _ = train(data, units, layers, options, start)
        found.append((model.evaluate(*data, verbose=0)[1], start))
    return sorted(found, reverse=True)


def net(reach=2.0, lines=17, points=120):
    """Lines of the plane in both directions, shape (lines, points, 2)."""
    at, along = np.linspace(-reach, reach, lines), np.linspace(-reach, reach, points)
    upright = np.stack(np.broadcast_arrays(at[:, None], along[None]), axis=-1)
    return np.concatenate([upright, upright[..., ::-1]]).astype("float32")


def draw_input(axis, model, x, y, reach=2.0):
    """The decision boundary among the points."""
    side = np.linspace(-reach, reach, 80, dtype="float32")
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    answer = model.predict(grid, verbose=0).reshape(80, 80)
    axis.contourf(side, side, answer, [0, 0.5, 1], colors=[BLUE, ORANGE], alpha=0.2)
    axis.contour(side, side, answer, [0.5], colors="k", linewidths=1)
    axis.scatter(*x.T, s=6, c=np.where(y[:, 0], ORANGE, BLUE))
    axis.set(xticks=[], yticks=[], aspect="equal")


def draw_hidden(axis, layer, x, y, output=None):
    """The same points and a net of lines where a hidden layer has them, and the output's line."""
    lines = net()
    for line in layer.predict(lines.reshape(-1, 2), verbose=0).reshape(lines.shape):
        axis.plot(*line.T, color="0.8", linewidth=0.6, zorder=0)
    axis.scatter(*layer.predict(x, verbose=0).T, s=6, c=np.where(y[:, 0], ORANGE, BLUE))
    if output is not None:  # a h1 + b h2 + c = 0
        (a, b), c = (weight.ravel() for weight in output.get_weights())
        foot, way = -c * np.array([a, b]) / (a * a + b * b), np.array([-b, a]) / np.hypot(a, b)
        axis.plot(*np.stack([foot - 9 * way, foot + 9 * way]).T, color="k", linewidth=1)
    axis.set(xticks=[], yticks=[], aspect="equal", xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
    axis.grid(False)


def draw(axes, data, model):
    """The plane of the input and both hidden layers."""
    first, second = hidden(model)
    draw_input(axes[0], model, *data)
    draw_hidden(axes[1], first, *data)
    draw_hidden(axes[2], second, *data, model.layers[-1])


def plot(options, data, model, weights):
    chosen = np.linspace(0, len(weights) - 1, FRAMES).round().astype(int)
    figure, axes = subplots(3, FRAMES, size=(12, 7.5))
    for column, epoch in zip(axes.T, np.array(list(weights))[chosen], strict=True):
        model.set_weights(weights[epoch])
        draw(column, data, model)
        column[0].set_title(f"epoch {epoch}")
    names = ("plane of the input", "first hidden layer", "second hidden layer")
    for axis, name in zip(axes[:, 0], names, strict=True):
        axis.set_ylabel(name)
    save(figure, options, "hidden_geometry")


def plot_ring(options, data, flat, lifted):
    """One hidden layer of two units, and one of three."""
    figure = subplots(size=(12, 4.2))[0]
    figure.clear()
    left, middle = (figure.add_subplot(1, 3, place) for place in (1, 2))
    right = figure.add_subplot(1, 3, 3, projection="3d")
    draw_input(left, flat, *data)
    left.set_title("Two units: boundary")
    draw_hidden(middle, hidden(flat)[0], *data, flat.layers[-1])
    middle.set_title("Two units: hidden layer")
    x, y = data
    right.scatter(*hidden(lifted)[0].predict(x, verbose=0).T, c=np.where(y[:, 0], ORANGE, BLUE))
    right.set(xticklabels=[], yticklabels=[], zticklabels=[], title="Three units: hidden layer")
    save(figure, options, "hidden_geometry_ring")


def animate(options, data, model, weights):
    """The same as a film, with one frame for each of the epochs that were kept."""
    from matplotlib.animation import FuncAnimation

    figure, axes = subplots(1, 3, size=(10, 3.6))

    def frame(epoch):
        for axis in axes:
            axis.clear()
        model.set_weights(weights[epoch])
        draw(axes, data, model)
        axes[0].set_title(f"epoch {epoch}")

    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "hidden_geometry.gif"
    FuncAnimation(figure, frame, list(weights)).save(path, writer="pillow", fps=6)
    print("See", path)


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(150, "passes over the points"),
        starts=(4, "starts of each network"),
        animation=(0, "1: also write a film"),
    )
    cases = {"arcs": moons(), "disc in a ring": ring()}
    found = {
        (name, layers, units): race(data, units, layers, options)
        for name, data in cases.items()
        for layers, units in NETWORKS
    }
    print("Share of the points on the right side, for each start, best first:")
    table(
        ["data", "hidden layers", "best", *[""] * (options.starts - 1)],
        [
            [name, f"{layers} of {units} units", *(f"{right:.3f}" for right, _ in runs)]
            for (name, layers, units), runs in found.items()
        ],
    )
    if options.plot or options.animation:
        arcs, disc = cases.values()
        model, weights = train(arcs, 2, 2, options, start=found["arcs", 2, 2][0][1])
        if options.plot:
            plot(options, arcs, model, weights)
            pair = [train(disc, units, 1, options)[0] for units in (2, 3)]
            plot_ring(options, disc, *pair)
        if options.animation:
            animate(options, arcs, model, weights)
    return found


if __name__ == "__main__":
    main()
