"""The recipe of deep learning: read a training history and say what to do next.

    python examples/recipe.py --plot                  judge three runs made on the spot
    python examples/recipe.py --history training.csv  judge a file of `CSVLogger`
    python examples/recipe.py --history history.json  or `history.history` saved as JSON

First question: is the result good on the training part? If not, more data or dropout will not help;
choose another loss, activation, starting values or learning rate, or a larger network, and the
shape of the curve says which to try first. Second question: is it good on data not seen? If not,
the network has learnt by heart: stop early, penalise weights, drop units, find more data. Only when
both are answered with yes is the work done.
"""

import csv
import json
import math
from pathlib import Path

import numpy as np
from common import classifier, compiled, digits, few_digits, save, settings, subplots

import minikeras as keras
from minikeras.optimizers import SGD, Adam

GOOD, GAP = 0.95, 0.05  # accuracy wanted on the training part; what the test part may lack


def read(path):
    """The history in a file: columns of a CSV file, or a JSON object of lists."""
    if path.suffix == ".json":
        return json.loads(path.read_text())
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name] or "nan") for row in rows] for name in rows[0]}


def judge(history):
    """Which branch of the recipe applies: its name, and what to do, by the curves."""
    loss, right = history["loss"], history["accuracy"][-1]
    if not all(map(math.isfinite, loss)):
        return "bad on the training part", [
            "the loss is no longer a number: lower the learning rate, clip the gradients"
        ]
    if right < GOOD:
        return "bad on the training part", causes(loss)
    if "val_accuracy" not in history:
        return "good on the training part", ["validate: nothing is known about unseen data"]
    if right - history["val_accuracy"][-1] > GAP:
        return "bad on the test part", remedies(history["val_loss"])
    return "good on both", ["done: keep the network"]


def causes(loss):
    """What to try when the training part is not learnt, by the shape of the loss."""
    start, middle, end = loss[0], loss[len(loss) // 2], loss[-1]
    if end > start:
        return ["the loss grows: lower the learning rate"]
    if end > 0.9 * start:
        return [
            "the loss hardly moves: with softmax, take cross entropy instead of squared error",
            "take ReLU or ELU instead of sigmoid, and starting values made for it",
            "raise the learning rate, or let Adam choose it for each weight",
        ]
    if end < 0.9 * middle:
        return ["the loss is still falling: train for more epochs, with momentum or a larger rate"]
    return ["the loss has settled too high: let the rate fall; then take a larger network"]


def remedies(val_loss):
    """What to try when only the training part is learnt."""
    best = int(np.nanargmin(val_loss)) + 1
    tips = [
        "more data, or the same data shifted and rotated",
        "weight penalty, dropout; then a smaller network",
    ]
    if best < 0.8 * len(val_loss):
        tips.insert(0, f"early stopping: the loss on the test part was best in epoch {best}")
    return tips


def demonstration(options):
    """Histories of three runs, one for each branch."""
    everything, test = digits()
    mislabelled, _ = few_digits()
    runs = {
        "sigmoid, squared error": (classifier((32, 32), "sigmoid"), SGD(0.1), "mse", everything),
        "few digits, mislabelled": (classifier((256,)), Adam(0.005), None, mislabelled),
        "ReLU, cross entropy": (classifier((64,)), Adam(0.003), None, everything),
    }
    histories = {}
    for name, (model, optimizer, loss, (x, y)) in runs.items():
        y_test = test[1]
        if loss:
            y, y_test = keras.utils.to_categorical(y), keras.utils.to_categorical(y_test)
        compiled(model, optimizer, loss or "sparse_categorical_crossentropy")
        part = (test[0], y_test)
        run = model.fit(x, y, epochs=options.epochs, validation_data=part, verbose=0)
        histories[name] = run.history
    return histories


def plot(options, histories):
    figure, axes = subplots(1, len(histories), size=(4.2 * len(histories), 3.6), squeeze=False)
    for axis, (name, history) in zip(axes[0], histories.items(), strict=True):
        for key, label in (("accuracy", "training part"), ("val_accuracy", "test part")):
            if key in history:
                axis.plot(range(1, len(history[key]) + 1), history[key], label=label)
        axis.axhline(GOOD, color="black", linestyle=":", linewidth=1)
        axis.set(xlabel="epoch", ylim=(0, 1.03), title=f"{name}:\n{judge(history)[0]}")
    axes[0, 0].set_ylabel("accuracy (dotted: wanted)")
    axes[0, -1].legend(loc="lower right")
    save(figure, options, "recipe")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(60, "passes over the data of the runs made here"),
        history=("", "file to judge instead"),
    )
    if options.history:
        histories = {Path(options.history).name: read(Path(options.history))}
    else:
        histories = demonstration(options)
    for name, history in histories.items():
        branch, advice = judge(history)
        numbers = [
            f"{key} {history[key][-1]:.3f}"
            for key in ("accuracy", "val_accuracy")
            if key in history
        ]
        print(f"{name} ({', '.join(numbers)}): {branch}")
        for tip in advice:
            print(f"  - {tip}")
    if options.plot:
        plot(options, histories)
    return {name: judge(history)[0] for name, history in histories.items()}


if __name__ == "__main__":
    main()
