"""A race of activation functions in a deep network.

    python examples/activation_race.py --plot

A common ranking is ELU, leaky ReLU, ReLU, tanh, logistic sigmoid, from best to worst. The reasons:
the sigmoid is flat at both ends and never centred; tanh is centred but flat at its ends; the ReLU
is not flat above 0, but a unit that is negative for all images is dead; the leaky ReLU and the ELU
let a little through there, and the parametric ReLU learns how much. Here every function drives the
same narrow and deep network from several starts, each with the initialisation made for it and the
best of a few learning rates; what is raced is the loss on the training part. The ranking of a race
depends on network and data: look at the figures printed, not only at the names.
"""

import numpy as np
from common import CLASSES, compiled, digits, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import Activation, Dense, PReLU
from minikeras.optimizers import SGD

RANKING = ("elu", "leaky_relu", "relu", "tanh", "sigmoid")
RACERS = (*RANKING, "parametric relu")
LAYERS, UNITS, RATES = 8, 32, (0.05, 0.1)


def network(activation):
    """Eight layers of 32 units with this activation."""
    start = "glorot_uniform" if activation in ("tanh", "sigmoid") else "he_uniform"
    layers = [keras.Input((64,))]
    for _ in range(LAYERS):
        layers.append(Dense(UNITS, kernel_initializer=start))
        layers.append(PReLU() if activation == "parametric relu" else Activation(activation))
    return keras.Sequential([*layers, Dense(CLASSES, activation="softmax")])


def run(activation, rate, seed, epochs):
    """Loss on the training part by epoch."""
    keras.utils.set_random_seed(seed)
    (x, y), _ = digits()
    model = compiled(network(activation), SGD(rate))
    return model.fit(x, y, epochs=epochs, verbose=0).history["loss"]


def race(activation, options):
    """The best rate, and the losses by epoch of shape (starts, epochs)."""
    seeds = range(options.seed, options.seed + options.starts)
    runs = {rate: [run(activation, rate, s, options.epochs) for s in seeds] for rate in RATES}
    final = {
        rate: np.median(np.nan_to_num(losses, nan=np.inf)[:, -1]) for rate, losses in runs.items()
    }
    best = min(final, key=final.get)
    return best, np.array(runs[best])


def slopes(name):
    """Value and slope of an activation function on a grid."""
    z = np.linspace(-4, 4, 161)
    value = np.asarray(keras.activations.get(name)(z))
    return z, value, np.gradient(value, z)


def plot(options, found):
    figure, axes = subplots(1, 3, size=(13, 3.9))
    for name in RANKING:
        z, value, slope = slopes(name)
        axes[0].plot(z, value, label=name)
        axes[1].plot(z, slope, label=name)
    for name, (_, losses) in found.items():
        low, middle, high = np.nanpercentile(losses, (10, 50, 90), axis=0)
        epochs = range(1, len(middle) + 1)
        line = axes[2].plot(epochs, middle, label=name)[0]
        axes[2].fill_between(epochs, low, high, color=line.get_color(), alpha=0.15)
    axes[0].set(xlabel="z", ylabel="g(z)", ylim=(-1.5, 4), title="Functions")
    axes[1].set(xlabel="z", ylabel="slope of g", title="Slopes")
    axes[2].set(xlabel="epoch", ylabel="loss, training part", yscale="log")
    axes[2].set_title(f"Median and range of {options.starts} starts")
    handles = axes[2].get_legend_handles_labels()
    figure.legend(*handles, ncols=len(found), loc="outside lower center")
    save(figure, options, "activation_race")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(30, "passes over the digits"),
        starts=(5, "starts for each function and rate"),
    )
    found = {name: race(name, options) for name in RACERS}
    order = sorted(found, key=lambda name: np.median(found[name][1][:, -1]))
    print(
        f"{LAYERS} layers of {UNITS} units, {options.epochs} epochs of the digits, "
        f"{options.starts} starts:"
    )
    rows = []
    for place, name in enumerate(order, 1):
        rate, losses = found[name]
        level = np.median(losses, axis=0) < 0.1
        first = str(level.argmax() + 1) if level.any() else "never"
        ends = [f"{f(losses[:, -1]):.4f}" for f in (np.median, np.max)]
        rows.append([f"{place} {name}", f"{rate:g}", *ends, first])
    table(["function", "best rate", "median loss", "worst loss", "loss 0.1 in epoch"], rows)
    print("The common ranking: " + " > ".join(RANKING))
    if options.plot:
        plot(options, found)
    return order, found


if __name__ == "__main__":
    main()
