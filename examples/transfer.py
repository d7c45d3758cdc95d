"""Transfer: what a network learned from the digits 0 to 4 helps with 5 to 9.

    python examples/transfer.py --plot

The digits lie anywhere on a sheet of 12 x 12 points. A network that has learned to tell 0 to 4
apart, wherever they lie, has learned what matters about a digit, too. To tell 5 to 9 apart, a new
network takes its hidden layers, frozen, and learns only a new output layer: few weights, for which
few labelled images suffice. Then the layers may be thawed and trained on with a small rate
(fine-tuning).

With one image of each digit, the frozen layers help most. With thirty, it is better to thaw them.
With a hundred, the frozen layers are in the way, since they know nothing of the strokes that only 5
to 9 have, and a network trained from scratch has caught up with the fine-tuned one. If all
digits lie at the same place, there is little to transfer: scratch is best from the beginning.
"""

import numpy as np
from common import digits, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import Adam

SHOTS = (1, 3, 10, 30, 100)
WAYS = ("from scratch", "frozen", "fine-tuned")
SIDE, COPIES, BATCH = 12, 20, 32
PLACES = ("anywhere", "in the middle")


def halves(place, rng):
    """Digits 0 to 4 and 5 to 9 (labelled from 0) of training and test part, laid on the sheet."""
    parts = []
    for x, y in digits():
        for labels in (range(5), range(5, 10)):
            chosen = np.repeat(np.flatnonzero(np.isin(y, labels)), COPIES)
            parts.append((laid(x[chosen], place, rng), y[chosen] - labels[0]))
    return parts


def laid(x, place, rng):
    sheet = np.zeros((len(x), SIDE, SIDE), "float32")
    free = SIDE - 8
    for image, onto in zip(x.reshape(-1, 8, 8), sheet, strict=True):
        top, left = rng.integers(0, free + 1, 2) if place == "anywhere" else (free // 2, free // 2)
        onto[top : top + 8, left : left + 8] = image
    return sheet.reshape(len(x), -1)


def network():
    """Three hidden layers and five classes."""
    image = x = keras.Input((SIDE * SIDE,))
    for _ in range(3):
        x = Dense(128, activation="relu", kernel_initializer="he_normal")(x)
    return keras.Model(image, Dense(5, activation="softmax")(x))


def fit(model, x, y, rate, steps):
    model.compile(
        optimizer=Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    batch = min(len(x), BATCH)
    model.fit(x, y, epochs=-(-steps * batch // len(x)), batch_size=batch, verbose=0)


def reuse(model):
    """The hidden layers of a model, copied and frozen, and a network with a new output on them."""
    copy = keras.models.clone_model(model)  # so that fine-tuning leaves the model itself alone
    copy.set_weights(model.get_weights())
    hidden = keras.Model(copy.input, copy.layers[-2].output)
    hidden.trainable = False
    return hidden, keras.Model(hidden.input, Dense(5, activation="softmax")(hidden.output))


def compare(model, train, test, shots, rng, steps):
    """Accuracy on the test part by each way, after training on a few images of each class."""
    x, y = train
    few = [rng.choice(np.flatnonzero(y == c)[::COPIES], shots, replace=False) for c in range(5)]
    x, y = x[np.concatenate(few)], y[np.concatenate(few)]
    scratch = network()
    fit(scratch, x, y, 0.001, steps)
    hidden, new = reuse(model)
    fit(new, x, y, 0.001, steps)
    found = [scratch.evaluate(*test, verbose=0)[1], new.evaluate(*test, verbose=0)[1]]
    hidden.trainable = True
    fit(new, x, y, 0.0003, steps)
    return [*found, new.evaluate(*test, verbose=0)[1]]


def curves(place, options):
    """The network for 0 to 4, its accuracy, and those of all ways by number of images."""
    keras.utils.set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    old, train, old_test, test = halves(place, rng)
    model = network()
    fit(model, *old, 0.001, 20 * options.steps)
    found = {}
    for shots in SHOTS:
        draws = range(options.draws)
        found[shots] = [compare(model, train, test, shots, rng, options.steps) for _ in draws]
    return model, model.evaluate(*old_test, verbose=0)[1], found


def weights_to_learn(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def plot(options, found):
    figure, axes = subplots(1, 2, size=(11, 4), sharey=True)
    for axis, (place, runs) in zip(axes, found.items(), strict=True):
        by_way = np.transpose([runs[shots] for shots in SHOTS], (2, 0, 1))
        for way, values in zip(WAYS, by_way, strict=True):
            mean, spread = values.mean(axis=1), values.std(axis=1)
            axis.plot(SHOTS, mean, "o-", label=way)
            axis.fill_between(SHOTS, mean - spread, mean + spread, alpha=0.15)
        axis.set(xscale="log", xlabel="labelled images of each digit", title=f"Digits {place}")
        axis.set_xticks(SHOTS, SHOTS)
        axis.minorticks_off()
    axes[0].set_ylabel("accuracy on 5 to 9, test part")
    axes[1].legend(loc="lower right")
    save(figure, options, "transfer")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        steps=(300, "steps of training; 20 times as many for 0 to 4"),
        draws=(3, "draws of the few images"),
    )
    found = {}
    for place in PLACES:
        model, right, found[place] = curves(place, options)
        print(f"Digits {place}; accuracy {right:.3f} on 0 to 4; on 5 to 9, by way of training:")
        table(
            ["images of each digit", *WAYS],
            [[n, *(f"{a:.3f}" for a in np.mean(runs, axis=0))] for n, runs in found[place].items()],
        )
    learned = [weights_to_learn(network) for network in (model, reuse(model)[1])]
    print(f"Weights to learn: {learned[0]:,} from scratch, {learned[1]:,} of a new output layer.")
    if options.plot:
        plot(options, found)
    return found, learned


if __name__ == "__main__":
    main()
