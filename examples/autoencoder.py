"""An autoencoder: 64 points through a bottleneck of a few numbers, and back.

    python examples/autoencoder.py --plot

The network is to answer with its own input. That would be easy but for the layer in the middle,
the code, which is smaller than the image ("undercomplete"): it must find out what images of digits
have in common. With linear layers the best code is found by principal component analysis; hidden
layers of bent functions do better with the same number of codings, above all with few.

With inputs from 0 to 1 and sigmoids at the end, cross entropy may take the place of the squared
error. Its slopes are steeper, so that gradient descent of the same rate gets to a small squared
error in half the time; Adam, which finds the length of its steps by itself, gains next to nothing.
"""

import numpy as np
from common import BLUE, ORANGE, digits, save, settings, show, show_classes, subplots, table

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import SGD, Adam

SIZES = (1, 2, 4, 8, 16, 32)
KINDS = ("autoencoder", "principal components")
LOSSES = {"cross entropy": "binary_crossentropy", "squared error": "mse"}


def autoencoder(size):
    """The whole network and, for what it says of an image, its first half."""
    image = keras.Input((64,))
    hidden = Dense(128, activation="relu")(image)
    code = Dense(size, name="code")(hidden)
    hidden = Dense(128, activation="relu")(code)
    again = Dense(64, activation="sigmoid")(hidden)
    model = keras.Model(image, again)
    return model, keras.Model(image, model.get_layer("code").output)


def train(size, loss, optimizer, options):
    """The two networks, and the squared error on the test part, epoch by epoch."""
    keras.utils.set_random_seed(options.seed)
    (x, _), (x_test, _) = digits()
    model, encoder = autoencoder(size)
    model.compile(optimizer=optimizer, loss=loss, metrics=["mse"])
    run = model.fit(x, x, epochs=options.epochs, validation_data=(x_test, x_test), verbose=0)
    return model, encoder, run.history["val_mse"]


def principal_components(x, x_test, size):
    """The test images seen through the best linear bottleneck of a size."""
    mean = x.mean(axis=0)
    directions = np.linalg.svd(x - mean, full_matrices=False)[2][:size]
    return (x_test - mean) @ directions.T @ directions + mean


def error(x, again):
    return float(np.square(x - again).mean())


def race(options):
    """Squared error on the test part by epoch, for both losses and two optimizers."""
    makers = {"SGD": lambda: SGD(0.3, momentum=0.9), "Adam": Adam}
    return {
        (name, by): train(16, loss, make(), options)[2]
        for by, make in makers.items()
        for name, loss in LOSSES.items()
    }


def plot(options, seen, codes, labels, curves):
    figure, axes = subplots(2, 2, size=(11, 8.5))
    for axis, kind in zip(axes[0], KINDS, strict=True):
        images = [seen["given"], *(seen[kind, size] for size in SIZES)]
        show(axis, np.concatenate([part[:10] for part in images]), 10, kind, vmin=0, vmax=1)
        axis.set_yticks([9 * row + 3.5 for row in range(len(images))], ["given", *SIZES])
        axis.tick_params(length=0)
        axis.set_ylabel("numbers in the code")
    left, right = axes[1]
    show_classes(left, codes, labels)
    left.set(xlabel="first number", ylabel="second number", title="Codes of two numbers")
    for (loss, by), curve in curves.items():
        style = {"color": BLUE if by == "SGD" else ORANGE, "label": f"{by}, {loss}"}
        line = "-" if loss == "cross entropy" else "--"
        right.plot(range(1, len(curve) + 1), curve, line, **style)
    right.set(xlabel="epoch", ylabel="squared error, test part", yscale="log")
    right.set_yticks([0.01, 0.02, 0.05], ["0.01", "0.02", "0.05"])
    right.minorticks_off()
    right.set_title("A code of 16 numbers, trained by two losses")
    right.legend()
    save(figure, options, "autoencoder")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(60, "passes over the digits"))
    (x, _), (x_test, labels) = digits()
    seen = {"given": x_test}
    for size in SIZES:
        model, encoder, _ = train(size, "binary_crossentropy", Adam(0.003), options)
        seen[KINDS[0], size] = model.predict(x_test, verbose=0)
        seen[KINDS[1], size] = principal_components(x, x_test, size)
        if size == 2:
            codes = encoder.predict(x_test, verbose=0)
    errors = {key: error(x_test, again) for key, again in seen.items()}
    print("Squared error of 64 points given back, test part:")
    table(
        ["numbers in the code", *KINDS],
        [[size, *(f"{errors[kind, size]:.4f}" for kind in KINDS)] for size in SIZES],
    )

    curves = race(options)
    print("Squared error of a code of 16, by what it was trained with:")
    table(
        ["optimizer, loss", "first epoch", "half way", "at the end"],
        [
            [f"{by}, {name}", *(f"{curve[i]:.4f}" for i in (0, len(curve) // 2, -1))]
            for (name, by), curve in curves.items()
        ],
    )
    if options.plot:
        plot(options, seen, codes, labels, curves)
    return errors, curves


if __name__ == "__main__":
    main()
