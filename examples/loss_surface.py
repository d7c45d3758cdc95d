"""Cross entropy beats squared error where the output saturates.

    python examples/loss_surface.py --plot

An output unit that is sure of a wrong answer has to be told so loudly. The squared error whispers:
its slope holds the factor s'(z), which is nearly 0 far from z = 0, so the network stands on a plain
and does not know where to go. In the cross entropy that factor cancels and the slope is s(z) - y.

Shown are the slopes at one output unit, the surface of both losses over the two weights of a small
network (after Glorot and Bengio 2010), and the training of the digits with both losses, from an
ordinary start and from a stubborn one: a bias that makes the network sure that all images are 0s.
"""

import numpy as np
from common import BLUE, ORANGE, classifier, compiled, digits, save, settings, subplots, table

import minikeras as keras
from minikeras import autodiff, losses, ops
from minikeras.optimizers import SGD

LOSSES = {"squared error": "mse", "cross entropy": "categorical_crossentropy"}
COLOURS = {"squared error": ORANGE, "cross entropy": BLUE}


def slopes(z):
    """The slope of both losses at an output s(z) that should be 1."""
    target = np.ones_like(z)
    found = {}
    for name, loss in (
        ("squared error", losses.mean_squared_error),
        ("cross entropy", losses.binary_crossentropy),
    ):
        found[name] = autodiff.grad(
            lambda z, loss=loss: ops.sum(loss(target[:, None], ops.sigmoid(z)[:, None]))
        )(z)
    return found


def surface(weights):
    """Both losses of s(w2 tanh(w1 x)) for all pairs of weights, over 0s and 1s of the digits.

    The only input is the ink in the middle of the image: a 1 has much of it, a 0 none.
    """
    (x, y), _ = digits()
    chosen = y < 2
    middle = x[chosen].reshape(-1, 8, 8)[:, 2:6, 3:5].mean(axis=(1, 2))
    middle = (middle - middle.mean()) / middle.std()
    target = y[chosen].astype("float64")
    hidden = np.tanh(weights[:, None] * middle)  # (weights, images)
    z = weights[:, None, None] * hidden  # (second weight, first weight, images)
    output = 1 / (1 + np.exp(-z))
    return {
        "squared error": ((target - output) ** 2).mean(axis=-1),
        "cross entropy": np.logaddexp(0, (1 - 2 * target) * z).mean(axis=-1),
    }


def train(loss, bias, options):
    """Accuracy on the training part after each epoch; `bias` is what the output 0 starts with."""
    keras.utils.set_random_seed(options.seed)
    (x, y), _ = digits()
    model = compiled(classifier((64,)), SGD(options.rate), loss)
    kernel, biases = model.layers[-1].get_weights()
    biases[0] = bias
    model.layers[-1].set_weights([kernel, biases])
    answers = keras.utils.to_categorical(y)
    run = model.fit(x, answers, batch_size=32, epochs=options.epochs, verbose=0)
    return run.history["accuracy"]


def plot(options, runs):
    z = np.linspace(-8, 8, 161)
    figure, (left, right) = subplots(1, 2, size=(10, 3.8))
    for name, slope in slopes(z).items():
        left.plot(z, slope, color=COLOURS[name], label=name)
    left.set(xlabel="z, the answer should be s(z) = 1", ylabel="slope of the loss, dL/dz")
    left.set_title("Sure and wrong: left end")
    left.legend()
    for (name, start), accuracy in runs.items():
        style = "-" if start == "ordinary" else "--"
        label = f"{name}, {start} start"
        epochs = range(1, len(accuracy) + 1)
        right.plot(epochs, accuracy, style, color=COLOURS[name], label=label)
    right.set(xlabel="epoch", ylabel="accuracy, training part", ylim=(0, 1.02), title="Digits")
    right.legend()
    save(figure, options, "loss_slopes")

    weights = np.linspace(-4, 4, 61)
    first, second = np.meshgrid(weights, weights)
    figure, axis = subplots(size=(7, 5.5), subplot_kw={"projection": "3d"})
    for name, heights in surface(weights).items():
        colour = COLOURS[name]
        axis.plot_surface(first, second, heights, color=colour, alpha=0.9, label=name)
        axis.plot_wireframe(first, second, heights, color="white", linewidth=0.3, rstride=4)
    axis.set(xlabel="first weight", ylabel="second weight", zlabel="mean loss")
    axis.view_init(elev=16, azim=-115)
    axis.set_title("The same network, two losses")
    axis.legend(loc="upper left")
    save(figure, options, "loss_surface")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(30, "passes over the digits"),
        rate=(0.2, "learning rate"),
    )
    z = np.array([-8.0, -4.0, -2.0, 0.0, 2.0])
    found = slopes(z)
    print("Slope at an output s(z) that should be 1:")
    table(["z", *map("{:g}".format, z)], [[n, *map("{:.4f}".format, s)] for n, s in found.items()])

    starts = {"ordinary": 0.0, "stubborn": 12.0}
    runs = {
        (name, start): train(loss, bias, options)
        for start, bias in starts.items()
        for name, loss in LOSSES.items()
    }
    print(f"Accuracy on the training part after {options.epochs} epochs:")
    table(
        ["loss", *(f"{start} start" for start in starts)],
        [[name, *(f"{runs[name, start][-1]:.3f}" for start in starts)] for name in LOSSES],
    )
    if options.plot:
        plot(options, runs)
    return runs


if __name__ == "__main__":
    main()
