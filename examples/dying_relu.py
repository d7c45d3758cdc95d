"""Dying ReLU: units that give 0 for every image, and never come back.

    python examples/dying_relu.py --plot

A ReLU unit whose input is negative for all images gives 0, has slope 0, and so never changes again.
A few steps that are too long push it there: the first part trains one epoch with too large a rate,
then goes on with a sensible one, while the callback `GradientRecorder` counts the dead. In the
second part an accident pushes the inputs of all hidden units down. The ReLU network stays dead; a
leaky ReLU keeps a small slope below zero and an ELU a fading one, so that their units come back.
"""

from common import CLASSES, COLOURS, compiled, digits, save, settings, subplots, table

import minikeras as keras
from minikeras.callbacks import GradientRecorder, LambdaCallback, LearningRateScheduler
from minikeras.layers import Dense
from minikeras.optimizers import SGD

RATES = (0.1, 1.0, 1.5, 2.0, 3.0)
FUNCTIONS = ("relu", "leaky_relu", "elu")
ACCIDENT, PUSH = 5, 4.0  # epoch, and how far biases are pushed down


def network(activation, options):
    """One hidden layer; the loss takes the numbers before the softmax, so its slope stays whole."""
    keras.utils.set_random_seed(options.seed)
    hidden = Dense(64, activation=activation, kernel_initializer="he_uniform")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return compiled(keras.Sequential([keras.Input((64,)), hidden, Dense(CLASSES)]), SGD(0.1), loss)


def shock(rate, options):
    """Share of dead units by epoch, and accuracy, after one epoch of ReLU with this rate."""
    (x, y), _ = digits()
    recorder = GradientRecorder((x, y))
    plan = LearningRateScheduler(lambda epoch: rate if epoch == 0 else 0.1)
    run = network("relu", options).fit(
        x, y, epochs=options.epochs, verbose=0, callbacks=[plan, recorder]
    )
    (dead,) = (v for name, v in recorder.records.items() if name.startswith("dead_units"))
    return dead, run.history["accuracy"]


def accident(activation, options):
    """Accuracy by epoch of a network whose hidden biases are pushed down after some epochs."""
    (x, y), _ = digits()
    model = network(activation, options)

    def push(epoch, logs=None):
        if epoch == ACCIDENT:
            bias = model.layers[0].bias
            bias.assign(bias.numpy() - PUSH)

    return model.fit(
        x, y, epochs=options.epochs, verbose=0, callbacks=[LambdaCallback(on_epoch_begin=push)]
    ).history["accuracy"]


def plot(options, shocks, accidents):
    figure, (left, right) = subplots(1, 2, size=(10, 3.9))
    for rate, (dead, _) in shocks.items():
        left.plot(range(1, len(dead) + 1), dead, label=f"{rate:g}")
    left.set(xlabel="epoch", ylabel="share of dead units", ylim=(-0.02, 1.02))
    left.set_title("ReLU, one epoch with too large a rate")
    left.legend(title="first rate", loc="center right")
    for (name, accuracy), colour in zip(accidents.items(), COLOURS, strict=False):
        right.plot(range(1, len(accuracy) + 1), accuracy, color=colour, label=name)
    right.axvline(ACCIDENT + 0.5, color="black", linestyle=":", linewidth=1)
    right.set(xlabel="epoch", ylabel="accuracy, training part", ylim=(0, 1.02))
    right.set_title("All units pushed below zero (dotted)")
    right.legend(loc="center right")
    save(figure, options, "dying_relu")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(30, "passes over the digits"))
    shocks = {rate: shock(rate, options) for rate in RATES}
    print("64 ReLU units; the first epoch with a large rate, the others with 0.1:")
    table(
        ["first rate", "dead after epoch 1", "dead at the end", "accuracy, training"],
        [
            [f"{rate:g}", *(f"{dead[i]:.0%}" for i in (0, -1)), f"{right[-1]:.3f}"]
            for rate, (dead, right) in shocks.items()
        ],
    )
    accidents = {name: accident(name, options) for name in FUNCTIONS}
    print(f"After {ACCIDENT} epochs, all biases are pushed down by {PUSH:g}; accuracy, training:")
    epochs = [
        e for e in (ACCIDENT, ACCIDENT + 1, ACCIDENT + 5, options.epochs) if e <= options.epochs
    ]
    table(
        ["function", *(f"epoch {e}" for e in epochs)],
        [[name, *(f"{a[e - 1]:.3f}" for e in epochs)] for name, a in accidents.items()],
    )
    if options.plot:
        plot(options, shocks, accidents)
    return shocks, accidents


if __name__ == "__main__":
    main()
