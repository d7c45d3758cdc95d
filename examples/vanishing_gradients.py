"""Vanishing and exploding gradients, layer by layer, and the derivative that anyone can check.

    python examples/vanishing_gradients.py --plot

To see how much a weight matters, change it a little and look how much the loss changes: dl / dw. In
a deep network of sigmoid units a change near the input is squashed by every layer on its way up, by
a factor of at most 1/4 each time, and hardly arrives: the first layers do not learn. tanh and ReLU
with starting values made for them keep the gradients of all layers alike; weights that start too
large make them explode.

The callback `GradientRecorder` records the norms. Back-propagation is compared with the finite
difference for single weights, and by `check_gradients` for all of them.
"""

import numpy as np
from common import COLOURS, classifier, compiled, digits, save, settings, subplots, table

import minikeras as keras
from minikeras import autodiff, losses, ops
from minikeras.callbacks import GradientRecorder
from minikeras.initializers import VarianceScaling
from minikeras.optimizers import SGD

DEPTH, UNITS, STEP = 8, 32, 1e-4


def networks():
    """Activation and starting values of the networks."""
    return {
        "sigmoid, Glorot": ("sigmoid", "glorot_uniform"),
        "tanh, Glorot": ("tanh", "glorot_uniform"),
        "ReLU, He": ("relu", "he_uniform"),
        "ReLU, sqrt(2) He": ("relu", VarianceScaling(4.0, seed=keras.SeedGenerator(0))),
    }


class FromTheStart(GradientRecorder):
    """Records the gradient norms of all layers before the first update, too."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.first = self.measure()

    def norms(self):
        """Norms of shape (records, layers)."""
        layers = [name for name in self.records if name.startswith("gradient_norm")]
        return np.array([[self.first[name], *self.records[name]] for name in layers]).T


def train(activation, start, options):
    """Gradient norms by epoch and layer, and the accuracy on the training part."""
    keras.utils.set_random_seed(options.seed)
    (x, y), _ = digits()
    model = compiled(classifier((UNITS,) * DEPTH, activation, kernel_initializer=start), SGD(0.05))
    recorder = FromTheStart((x[:256], y[:256]))
    with np.errstate(all="ignore"):
        run = model.fit(x, y, epochs=options.epochs, verbose=0, callbacks=[recorder])
    return recorder.norms(), run.history["accuracy"][-1]


def loss_of(weights, x, y, activation="sigmoid"):
    """The loss as a function of kernels and biases in turn."""
    signal = x
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        signal = keras.activations.get(activation)(ops.matmul(signal, kernel) + bias)
    answer = ops.softmax(ops.matmul(signal, weights[-2]) + weights[-1])
    return ops.mean(losses.sparse_categorical_crossentropy(y, answer))


def derivatives(options):
    """For the most important weight of some layers: change of the loss / change of the weight.

    Returns rows (layer, finite difference, gradient by back-propagation).
    """
    keras.utils.set_random_seed(options.seed)
    (x, y), _ = digits()
    x, y = x[:64].astype("float64"), y[:64]
    model = classifier((UNITS,) * DEPTH, "sigmoid")
    weights = [w.astype("float64") for w in model.get_weights()]
    gradients = autodiff.grad(loss_of)(weights, x, y)
    rows = []
    for layer in (0, DEPTH // 2, DEPTH):
        gradient = np.asarray(gradients[2 * layer])
        place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
        changed = [w.copy() for w in weights]
        changed[2 * layer][place] += STEP
        difference = float(loss_of(changed, x, y)) - float(loss_of(weights, x, y))
        rows.append((layer + 1, difference / STEP, gradient[place]))
    return rows


def check_all(options):
    """Raise an AssertionError unless all gradients of a small network agree with differences."""
    keras.utils.set_random_seed(options.seed)
    (x, y), _ = digits()
    weights = classifier((8, 8), "tanh").get_weights()
    function = lambda *w: loss_of(w, x[:16].astype("float64"), y[:16], "tanh")  # noqa: E731
    autodiff.check_gradients(function, *weights)
    return len(weights)


def plot(options, found):
    figure, (start, course) = subplots(1, 2, size=(11, 4))
    layers = range(1, DEPTH + 2)
    for (name, (norms, _)), colour in zip(found.items(), COLOURS, strict=False):
        start.plot(layers, norms[0], "o-", color=colour, label=name)
        epochs = range(len(norms))
        course.plot(epochs, norms[:, 0], color=colour, label=f"{name}, layer 1")
        course.plot(epochs, norms[:, -1], "--", color=colour, linewidth=1)
    start.set(xlabel="layer", ylabel="norm of the gradient", yscale="log")
    start.set_title("Before the first update")
    start.legend()
    course.set(xlabel="epoch", ylabel="norm of the gradient", yscale="log")
    course.set_title("While learning: layer 1 (solid), output layer (dashed)")
    save(figure, options, "vanishing_gradients")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(20, "passes over the digits"))
    print(f"Change of the loss for a change of {STEP:g} of one weight, {DEPTH} sigmoid layers:")
    rows = derivatives(options)
    table(
        ["layer of the weight", "change of loss / change", "back-propagation"],
        [[layer, f"{difference:.3e}", f"{given:.3e}"] for layer, difference, given in rows],
    )
    print(f"check_gradients: {check_all(options)} kernels and biases agree.\n")

    found = {name: train(*network, options) for name, network in networks().items()}
    print(f"{DEPTH} layers of {UNITS} units: norm of the gradient at the start, and the result:")
    table(
        ["network", "layer 1", "output layer", "ratio", "accuracy, training"],
        [
            [n, f"{g[0, 0]:.2g}", f"{g[0, -1]:.2g}", f"{g[0, 0] / g[0, -1]:.2g}", f"{right:.3f}"]
            for n, (g, right) in found.items()
        ],
    )
    if options.plot:
        plot(options, found)
    return rows, found


if __name__ == "__main__":
    main()
