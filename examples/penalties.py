"""Penalties on the weights: L1 selects inputs, L2 shrinks all, and what that says about a prior.

    python examples/penalties.py --plot

A penalty is added to the loss. Courses write it in several ways: the sum of |w| (`L1`), of w^2
(`L2`), half of that (`L2(nu / 2)`), the norm sqrt(sum w^2) without the square (any function will
do). Seen as probability, loss + penalty is minus the log of likelihood x prior: L2 is a Gaussian
prior with variance 1 / (2 n L2), L1 a Laplace prior of scale 1 / (n L1), for n examples.

A linear network tells 3s from 8s by 64 points of the image and 64 more numbers that are pure noise.
L1 finds out which inputs matter: its slope does not fade as a weight gets small. A wide network
on few images, many of them mislabelled, shows what too small and too large a penalty do; and for
plain gradient descent, weight decay and L2 turn out to be one and the same.
"""

import numpy as np
from common import (
    BLUE,
    ORANGE,
    classifier,
    compiled,
    digits,
    few_digits,
    save,
    settings,
    subplots,
    table,
)

import minikeras as keras
from minikeras import ops, regularizers
from minikeras.layers import Dense
from minikeras.optimizers import SGD, Adam

PAIR, FEW = (3, 8), 500


def norm(w):
    """The norm without the square, as a penalty: 0.03 sqrt(sum w^2)."""
    return 0.03 * ops.sqrt(ops.sum(ops.square(w)))


PENALTIES = {
    "none": None,
    "L2, 0.01": regularizers.L2(0.01),
    "norm, 0.03": norm,
    "L1, 0.01": regularizers.L1(0.01),
}
FACTORS = (0.0, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


def with_noise(x, y, rng):
    """The images of the two digits with as many columns of noise, and 1 for the second digit."""
    chosen = np.isin(y, PAIR)
    points = x[chosen]
    noise = rng.uniform(0, 1, points.shape).astype("float32")
    return np.hstack([points, noise]), (y[chosen, None] == PAIR[1]).astype("float32")


def select(penalty, options):
    """Weights of a linear network under a penalty, and its accuracy on the test part."""
    keras.utils.set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    train, test = (with_noise(*part, rng) for part in digits())
    output = Dense(1, activation="sigmoid", kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input((128,)), output])
    rate = keras.optimizers.schedules.CosineDecay(0.02, options.epochs * 9)
    model.compile(optimizer=Adam(rate), loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(*train, epochs=options.epochs, verbose=0)
    return model.get_weights()[0][:, 0], model.evaluate(*test, verbose=0)[1]


def sweep(factor, options):
    """Accuracy on training and test part of a wide network under an L2 penalty."""
    keras.utils.set_random_seed(options.seed)
    train, test = few_digits(FEW)
    model = compiled(classifier((256,), kernel_regularizer=regularizers.L2(factor)), Adam(0.003))
    model.fit(*train, epochs=options.epochs, verbose=0)
    return [model.evaluate(*part, verbose=0)[1] for part in (train, test)]


def decay_and_penalty(options):
    """The largest difference of weights trained with L2(0.01) and with weight_decay=0.02."""
    found = []
    for penalty, decay in ((regularizers.L2(0.01), None), (None, 0.02)):
        keras.utils.set_random_seed(options.seed)
        (x, y), _ = digits()
        model = keras.Sequential([keras.Input((64,)), Dense(10, kernel_regularizer=penalty)])
        optimizer = SGD(0.1, weight_decay=decay)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=optimizer, loss=loss)
        model.fit(x, y, epochs=3, verbose=0)
        found.append(model.get_weights()[0])
    return float(np.abs(found[0] - found[1]).max()), float(np.abs(found[0]).max())


def plot(options, selected, curves):
    figure, axes = subplots(2, len(selected), size=(12, 5.2), height_ratios=[1.4, 1])
    for (above, below), (name, (weights, _)) in zip(axes.T, selected.items(), strict=True):
        limit = np.abs(weights).max()
        picture = above.imshow(weights[:64].reshape(8, 8), cmap="RdBu", vmin=-limit, vmax=limit)
        above.set(title=name, xticks=[], yticks=[])
        above.grid(False)
        figure.colorbar(picture, ax=above, shrink=0.8)
        size = [np.sort(np.abs(part))[::-1] for part in (weights[:64], weights[64:])]
        for values, label, colour in zip(size, ("image", "noise"), (BLUE, ORANGE), strict=True):
            below.plot(values, color=colour, label=label)
        below.set(xlabel="rank of the input")
    axes[0, 0].set_ylabel("weights of the 64 points")
    axes[1, 0].set_ylabel("size of the weight")
    axes[1, 0].legend()
    save(figure, options, "penalties")

    figure, axis = subplots(size=(6, 3.8))
    positions = range(len(FACTORS))
    for values, label in zip(np.transpose(list(curves.values())), ("training", "test")):  # noqa: B905
        axis.plot(positions, values, "o-", label=f"{label} part")
    axis.set_xticks(positions, [f"{factor:g}" for factor in FACTORS])
    axis.set(xlabel="factor of the L2 penalty", ylabel="accuracy")
    axis.set_title(f"{FEW} digits, many of them mislabelled")
    axis.legend()
    save(figure, options, "penalty_factor")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(150, "passes over the data"))
    w = np.array([3.0, -4.0])
    formulas = {"L1(1)": regularizers.L1(1.0), "L2(1)": regularizers.L2(1.0)}
    formulas |= {"L2(nu / 2), nu = 1": regularizers.L2(0.5), "norm": lambda w: norm(w) / 0.03}
    values = ", ".join(f"{name} {float(f(w)):g}" for name, f in formulas.items())
    print(f"Penalties of the weights (3, -4): {values}\n")

    selected = {name: select(penalty, options) for name, penalty in PENALTIES.items()}
    print(f"{PAIR[0]} against {PAIR[1]}, 64 points and 64 columns of noise; weights below 0.01:")
    table(
        ["penalty", "points", "noise", "largest, noise", "accuracy, test"],
        [
            [
                name,
                *(f"{(np.abs(part) < 0.01).sum()} of 64" for part in (v[:64], v[64:])),
                f"{np.abs(v[64:]).max():.3f}",
                f"{right:.3f}",
            ]
            for name, (v, right) in selected.items()
        ],
    )

    curves = {factor: sweep(factor, options) for factor in FACTORS}
    print(f"A layer of 256 units, {FEW} digits, 3 of 10 labels drawn at random; L2 on all kernels:")
    table(
        ["factor", "deviation of the prior", "training", "test"],
        [
            [f"{f:g}", f"{(2 * FEW * f) ** -0.5:.2f}" if f else "any", *(f"{a:.3f}" for a in right)]
            for f, right in curves.items()
        ],
    )
    difference, largest = decay_and_penalty(options)
    print("Gradient descent with L2(0.01) and with weight_decay=0.02: weights up to")
    print(f"{largest:.2f} differ by at most {difference:.0e}.")
    if options.plot:
        plot(options, selected, curves)
    return selected, curves, difference


if __name__ == "__main__":
    main()
