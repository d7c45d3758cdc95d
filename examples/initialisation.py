"""Where the weights start: zeros fail, and the scale decides whether a deep network hears anything.

    python examples/initialisation.py --plot

Units that start alike get the same gradient and stay alike for ever: a layer of 32 equal units is a
layer of one. So weights start at random. Their scale matters, too: each layer multiplies the
variance of its input by (inputs) x (variance of a weight). Glorot and Bengio keep that product near
1 for units with slope 1 around zero, He et al. make up for the half that a ReLU cuts off. He's rule
is also taught as sqrt(2) times Glorot's, `VarianceScaling(2.0, "fan_avg")`; where layers change
their width, it differs from Keras's `he_normal` and `he_uniform`, which count the inputs only.
"""

import numpy as np
from common import classifier, compiled, digits, save, settings, subplots, table

import minikeras as keras
from minikeras.initializers import Constant, RandomNormal, RandomUniform, VarianceScaling
from minikeras.optimizers import SGD

DEPTH, WIDTH = 10, 100


def same_start(value, options):
    """Train a network whose weights all start as `value`; None for the usual start.

    Returns its accuracy on the test part and the spread of the hidden units: the largest standard
    deviation of a weight over the 32 units of the layer, which is 0 where they are copies.
    """
    (x, y), test = digits()
    initializer = "glorot_uniform" if value is None else Constant(value)
    model = compiled(classifier((32,), "tanh", kernel_initializer=initializer), SGD(0.2))
    model.fit(x, y, epochs=options.epochs, verbose=0)
    kernel = model.layers[0].get_weights()[0]
    return model.evaluate(*test, verbose=0)[1], float(kernel.std(axis=1).max())


def schemes():
    """Starting values of a deep network by name.

    An initializer repeats its draw in every layer that shares it, unless it draws its seeds, too.
    """
    seeds = keras.SeedGenerator(0)
    return {
        "normal, 0.01": RandomNormal(stddev=0.01, seed=seeds),
        "normal, 0.5": RandomNormal(stddev=0.5, seed=seeds),
        "uniform, +-0.05": RandomUniform(-0.05, 0.05, seed=seeds),
        "Glorot": "glorot_uniform",
        "He (Keras)": "he_uniform",
        "sqrt(2) Glorot": VarianceScaling(2.0, "fan_avg", "uniform", seed=seeds),
    }


def variances(activation, initializer, options):
    """Mean square of the activations of every hidden layer, before any training."""
    keras.utils.set_random_seed(options.seed)
    (x, _), _ = digits()
    signal = (x - x.mean()) / x.std()
    model = classifier((WIDTH,) * DEPTH, activation, kernel_initializer=initializer)
    found = []
    for layer in model.layers[:-1]:
        signal = np.asarray(layer(signal))
        found.append(float((signal.astype("float64") ** 2).mean()))
    return found


def train(activation, initializer, options):
    """Accuracy on the training part after a few epochs."""
    keras.utils.set_random_seed(options.seed)
    (x, y), _ = digits()
    x = (x - x.mean()) / x.std()
    hidden = classifier((WIDTH,) * DEPTH, activation, kernel_initializer=initializer)
    run = compiled(hidden, SGD(0.01)).fit(x, y, epochs=options.epochs, verbose=0)
    return run.history["accuracy"][-1]


def plot(options, found):
    figure, axes = subplots(1, 2, size=(10, 4), sharey=True)
    for axis, activation in zip(axes, ("tanh", "relu"), strict=True):
        for name, (values, _) in found[activation].items():
            style = "--" if name.startswith("sqrt") else "-"
            axis.plot(range(1, DEPTH + 1), values, style, marker="o", markersize=4, label=name)
        axis.set(yscale="log", xlabel="hidden layer", title=activation, ylim=(1e-12, 1e14))
    axes[0].set_ylabel("mean square of the activations")
    axes[0].legend(title="starting values", ncols=2, loc="upper left")
    save(figure, options, "initialisation")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(20, "passes over the digits"))
    starts = {"all 0": 0.0, "all 0.1": 0.1, "Glorot, random": None}
    symmetry = {name: same_start(value, options) for name, value in starts.items()}
    print(f"One hidden layer of 32 tanh units after {options.epochs} epochs:")
    table(
        ["weights at the start", "spread of the units", "accuracy, test"],
        [[name, f"{spread:.2g}", f"{right:.3f}"] for name, (right, spread) in symmetry.items()],
    )

    kernels = {name: keras.initializers.get(scheme) for name, scheme in schemes().items()}
    deviations = {name: float(np.std(kernel((64, WIDTH)))) for name, kernel in kernels.items()}
    found = {
        activation: {
            name: (variances(activation, scheme, options), train(activation, scheme, options))
            for name, scheme in schemes().items()
        }
        for activation in ("tanh", "relu")
    }
    print(f"{DEPTH} hidden layers of {WIDTH} units: mean square of the activations at the start,")
    print(f"and accuracy on the training part after {options.epochs} epochs of gradient descent:")
    for activation, rows in found.items():
        table(
            [activation, "deviation, 64 x 100", "layer 1", f"layer {DEPTH}", "accuracy"],
            [
                [name, f"{deviations[name]:.3f}", f"{v[0]:.2g}", f"{v[-1]:.2g}", f"{right:.3f}"]
                for name, (v, right) in rows.items()
            ],
        )
    if options.plot:
        plot(options, found)
    return symmetry, found


if __name__ == "__main__":
    main()
