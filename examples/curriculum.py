"""Curriculum learning and continuation: the easy part first, or the easy problem first.

    python examples/curriculum.py --plot

A curriculum shows the network the easy examples first and adds the harder ones step by step. What
is easy, a small teacher tells: a network trained for a few epochs, which is unsure of the images
that are hard. A continuation method begins with an easier problem instead, here blurred images, and
lets it turn gradually into the real one. With few digits, many of them mislabelled, a curriculum
pays: the hard examples are mostly the mislabelled ones, and at each stage the network has a sound
opinion before it meets them. The opposite order is the test of that explanation.
"""

import numpy as np
from common import classifier, compiled, few_digits, save, settings, subplots, table

import minikeras as keras
from minikeras.optimizers import Adam

STAGES = (0.4, 0.55, 0.7, 1.0)  # share of the examples that each quarter of the training sees


def difficulty(x, y, options):
    """The loss of each image under a small teacher."""
    keras.utils.set_random_seed(options.seed)
    teacher = compiled(classifier(()), Adam(0.01))
    teacher.fit(x, y, epochs=20, verbose=0)
    right = teacher.predict(x, verbose=0)[np.arange(len(y)), y]
    return -np.log(np.maximum(right, 1e-7))


def blurred(x, weight):
    """The images, each point mixed with its neighbours by `weight` from 0 (sharp) to 1."""
    images = np.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    around = sum(np.roll(images, shift, axis) for axis in (1, 2) for shift in (-1, 1)) / 4
    return ((1 - weight) * images + weight * around)[:, 1:-1, 1:-1].reshape(len(x), 64)


def stages(plan, x, y, hardness, rng):
    """The data of each quarter of the training."""
    order = {
        "easy first": np.argsort(hardness),
        "hard first": np.argsort(-hardness),
        "random part first": rng.permutation(len(x)),
    }
    for stage, share in enumerate(STAGES):
        if plan == "blurred first":
            yield blurred(x, 1 - stage / (len(STAGES) - 1)), y
        else:
            chosen = order[plan][: round(share * len(x))] if plan in order else slice(None)
            yield x[chosen], y[chosen]


PLANS = ("all at once", "easy first", "random part first", "hard first", "blurred first")


def train(plan, options):
    """Accuracy on the test part by update; every plan gets the same number of updates."""
    (x, y), test = few_digits()
    hardness = difficulty(x, y, options)
    keras.utils.set_random_seed(options.seed)
    model = compiled(classifier((256,)), Adam(0.002))
    updates, accuracy = [], []
    for part in stages(plan, x, y, hardness, np.random.default_rng(options.seed)):
        epochs = max(1, round(options.epochs / len(STAGES) * len(x) / len(part[0])))
        run = model.fit(*part, epochs=epochs, validation_data=test, verbose=0)
        steps = -(-len(part[0]) // 32)
        updates += [(updates[-1] if updates else 0) + steps * (i + 1) for i in range(epochs)]
        accuracy += run.history["val_accuracy"]
    return updates, accuracy


def plot(options, runs):
    figure, axis = subplots(size=(7, 4))
    for plan, (updates, accuracy) in runs.items():
        style = "-" if plan in ("all at once", "easy first") else "--"
        axis.plot(updates, accuracy, style, linewidth=1.3, label=plan)
    axis.set(xlabel="update", ylabel="accuracy, test part", ylim=(0.3, 1))
    axis.set_title("500 digits, many of them mislabelled")
    axis.legend()
    save(figure, options, "curriculum")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(60, "passes over the digits"))
    runs = {plan: train(plan, options) for plan in PLANS}
    print("500 digits, 3 of 10 labels drawn at random; accuracy on the test part:")
    table(
        ["order", "updates", "best", "end"],
        [[plan, u[-1], f"{max(a):.3f}", f"{a[-1]:.3f}"] for plan, (u, a) in runs.items()],
    )
    if options.plot:
        plot(options, runs)
    return runs


if __name__ == "__main__":
    main()
