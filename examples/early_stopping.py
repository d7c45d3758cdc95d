"""Early stopping on a validation part, then a second training on all data.

    python examples/early_stopping.py --plot

The loss on the training part falls for ever; that on a validation part, which the network does not
learn from, falls, turns and rises: from there on it learns by heart. `EarlyStopping` waits for
`patience` epochs without an improvement and gives back the weights of the best epoch. What the
validation part was needed for, how long to train, is then known, and it can be learnt from as well:
a second training starts from new weights, on all data, for the number of epochs found. One call
does both: `keras.utils.early_stop_and_retrain`.
"""

import numpy as np
from common import (
    BLUE,
    GREEN,
    ORANGE,
    classifier,
    compiled,
    few_digits,
    save,
    settings,
    subplots,
    table,
)

import minikeras as keras
from minikeras.optimizers import Adam

IMAGES, HELD_OUT = 600, 200


def network():
    return compiled(classifier((128,)), Adam(0.002))


def train(options, seed):
    """One experiment: to the end, stopped early, and trained a second time on all data.

    Returns the history to the end, the best epoch (from 1), the epoch at which training stopped,
    and accuracies on the test part.
    """
    (x, y), test = few_digits(IMAGES)
    part, held_out = (x[:-HELD_OUT], y[:-HELD_OUT]), (x[-HELD_OUT:], y[-HELD_OUT:])
    accuracy = {}

    keras.utils.set_random_seed(seed)
    model = network()
    history = model.fit(*part, epochs=options.epochs, validation_data=held_out, verbose=0).history
    accuracy["to the end"] = model.evaluate(*test, verbose=0)[1]

    keras.utils.set_random_seed(seed)
    model = network()
    found = keras.utils.early_stop_and_retrain(
        model, *part, validation_data=held_out, epochs=options.epochs, patience=options.patience,
        verbose=0,
    )  # fmt: skip
    accuracy["stopped early"] = model.evaluate(*test, verbose=0)[1]
    accuracy["second training, all data"] = found.model.evaluate(*test, verbose=0)[1]
    return history, found.epochs, len(found.search.epoch), accuracy


def plot(options, history, best, end):
    figure, (left, right) = subplots(1, 2, size=(10, 3.9))
    for axis, name in ((left, "loss"), (right, "accuracy")):
        epochs = range(1, len(history[name]) + 1)
        axis.plot(epochs, history[name], color=BLUE, label="training part")
        axis.plot(epochs, history[f"val_{name}"], color=ORANGE, label="validation part")
        axis.axvline(best, color=GREEN, linestyle="--", label=f"best epoch: {best}")
        axis.axvline(end, color="black", linestyle=":", label=f"stopped: {end}")
        axis.set(xlabel="epoch", ylabel=name)
    left.set_title("400 digits, many of them mislabelled")
    left.legend()
    save(figure, options, "early_stopping")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(80, "passes over the data at most"),
        patience=(10, "epochs without improvement before training stops"),
        starts=(8, "experiments to average over"),
    )
    runs = [train(options, options.seed + i) for i in range(options.starts)]
    history, best, end, _ = runs[0]
    print(f"First experiment: best epoch {best}, stopped after epoch {end} of {options.epochs}.")
    print(f"Accuracy on the test part, over {options.starts} starts:")
    names = list(runs[0][3])
    results = np.array([[accuracy[name] for name in names] for *_, accuracy in runs])
    table(
        ["training", "mean", "lowest", "highest"],
        [
            [name, *(f"{f(results[:, i]):.3f}" for f in (np.mean, np.min, np.max))]
            for i, name in enumerate(names)
        ],
    )
    if options.plot:
        plot(options, history, best, end)
    return dict(zip(names, results.mean(axis=0), strict=True)), best, end


if __name__ == "__main__":
    main()
