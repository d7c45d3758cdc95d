"""Greedy pretraining, an auxiliary task, one layer at a time: ways to train what is hard to train.

    python examples/pretraining.py --plot

A deep network of sigmoid units does not learn the digits from random weights by plain gradient
descent: the gradient fades on its way down. Building it layer by layer does better:

* supervised: train a network with one hidden layer, put a second between it and the output, and so
  on; each new layer starts on features that mean something already;
* unsupervised: train each layer to reconstruct what the layer below gives it, without labels;
* auxiliary task: first learn to tell an image from one that is upside down, which needs no labels;
* coordinate descent: train one layer while the others are frozen, then the next, round and round.

After each, the whole network is trained on the labels.
"""

import numpy as np
from common import CLASSES, compiled, digits, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import SGD, Adam

DEPTH, UNITS = 4, 64


def hidden_layers():
    return [Dense(UNITS, activation="sigmoid") for _ in range(DEPTH)]


def stack(layers, outputs=CLASSES):
    """The layers, which keep the weights they have, below a new softmax."""
    return keras.Sequential([keras.Input((64,)), *layers, Dense(outputs, activation="softmax")])


def supervised(layers, x, y, epochs):
    """Train networks of 1, 2, ... hidden layers on the labels; layers below are frozen."""
    for depth in range(1, DEPTH + 1):
        for below in layers[: depth - 1]:
            below.trainable = False
        compiled(stack(layers[:depth]), Adam(0.003)).fit(x, y, epochs=epochs, verbose=0)
    thaw(layers)


def unsupervised(layers, x, y, epochs):
    """Train each layer to encode what the layer below gives, so that it can be decoded."""
    signal = x
    for layer in layers:
        decoder = Dense(signal.shape[1])
        autoencoder = keras.Sequential([keras.Input(signal.shape[1:]), layer, decoder])
        autoencoder.compile(optimizer=Adam(0.003), loss="mse")
        autoencoder.fit(signal, signal, epochs=epochs, verbose=0)
        signal = np.asarray(layer(signal))


def auxiliary(layers, x, y, epochs):
    """Train all layers to tell images from the same images upside down; no labels."""
    both = np.concatenate([x, x[:, ::-1]])
    turned = np.repeat(np.array([0, 1], "uint8"), len(x))
    compiled(stack(layers, outputs=2), Adam(0.003)).fit(both, turned, epochs=epochs, verbose=0)


def by_coordinates(layers, x, y, epochs):
    """Train one layer at a time, from the top down, while the others are frozen."""
    model = stack(layers)
    for _ in range(max(1, epochs // 4)):
        for layer in reversed(model.layers):
            for other in model.layers:
                other.trainable = other is layer
            compiled(model, Adam(0.003)).fit(x, y, epochs=1, verbose=0)
    thaw(layers)


def thaw(layers):
    for layer in layers:
        layer.trainable = True


WAYS = {
    "random weights": None,
    "supervised, layer by layer": supervised,
    "unsupervised, layer by layer": unsupervised,
    "auxiliary task: upside down": auxiliary,
    "coordinate descent": by_coordinates,
}


def train(prepare, options):
    """Accuracy by epoch of the whole network, trained by plain descent after the preparation."""
    keras.utils.set_random_seed(options.seed)
    (x, y), test = digits()
    layers = hidden_layers()
    if prepare:
        prepare(layers, x, y, options.epochs)
    model = compiled(stack(layers), SGD(0.1))
    run = model.fit(x, y, epochs=options.epochs, validation_data=test, verbose=0)
    return run.history


def plot(options, runs):
    figure, axis = subplots(size=(7.5, 4.4))
    for name, history in runs.items():
        accuracy = history["val_accuracy"]
        axis.plot(range(1, len(accuracy) + 1), accuracy, label=name)
    axis.set(xlabel="epoch", ylabel="accuracy, test part", ylim=(0, 1.02))
    axis.set_title(f"{DEPTH} layers of {UNITS} sigmoid units, gradient descent after pretraining")
    figure.legend(ncols=3, loc="outside lower center")
    save(figure, options, "pretraining")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(30, "passes over the digits for each part"))
    runs = {name: train(prepare, options) for name, prepare in WAYS.items()}
    print(
        f"{DEPTH} layers of {UNITS} sigmoid units, then {options.epochs} epochs of plain descent:"
    )
    table(
        ["preparation", "loss, training", "accuracy, training", "accuracy, test"],
        [
            [name, *(f"{h[key][-1]:.3f}" for key in ("loss", "accuracy", "val_accuracy"))]
            for name, h in runs.items()
        ],
    )
    if options.plot:
        plot(options, runs)
    return runs


if __name__ == "__main__":
    main()
