"""Dropout: random sub-networks while training, the whole network afterwards.

    python examples/dropout.py --plot

Two conventions are about. In Keras (and in the program below) the number is the fraction that is
DROPPED: `Dropout(0.8)` keeps one unit in five. Other courses give the fraction that is KEPT: 0.8 of
the inputs and 0.5 of the hidden units, which is `Dropout(0.2)` and `Dropout(0.5)`. The units that
stay are scaled up by 1 / (1 - rate), so their mean agrees with the whole network's and nothing has
to be done at test time; the weights need not be multiplied by 1 - rate afterwards.

The last part trains networks of several depths and widths on few digits, many of them mislabelled,
with and without dropout (after figure 4 of Srivastava et al. 2014).
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
from minikeras.layers import Dense, Dropout
from minikeras.models import Sequential

ARCHITECTURES = ((256, 256), (512, 512), (256, 256, 256), (512, 512, 512), (256,) * 4)


# fmt: off
def classic_program():
    """The network as courses print it; in Keras, four units in five are dropped, then three."""
    model = Sequential()
    model.add(Dense(units=500, input_dim=28*28, activation='sigmoid'))
    model.add(Dropout(0.8))
    model.add(Dense(units=500, activation='sigmoid'))
    model.add(Dropout(0.6))
    model.add(Dense(units=10, activation='softmax'))
    return model
# fmt: on


def with_dropout(hidden, on_inputs, on_hidden, activation="relu", inputs=64):
    """A classifier with dropout of these fractions before its layers."""
    layers = [keras.Input((inputs,)), Dropout(on_inputs)]
    for units in hidden:
        layers += [Dense(units, activation=activation), Dropout(on_hidden)]
    return Sequential([*layers, Dense(10, activation="softmax")])


def enlarged(rows):
    """Rows of 8x8 points as rows of 28x28: each point becomes 3x3, with a margin of 2."""
    images = np.kron(rows.reshape(-1, 8, 8), np.ones((1, 3, 3), "float32"))
    return np.pad(images, ((0, 0), (2, 2), (2, 2))).reshape(len(rows), -1)


def train_programs(options):
    """Accuracy on training and test part of the classic network under four kinds of dropout."""
    (x, y), (x_test, y_test) = digits()
    x, x_test = enlarged(x), enlarged(x_test)
    hidden = (500, 500)
    programs = {
        "none": lambda: classifier(hidden, "sigmoid", inputs=784),
        "0.8 and 0.6 dropped (the program)": classic_program,
        "inputs 0.8, hidden 0.5 kept": lambda: with_dropout(hidden, 0.2, 0.5, "sigmoid", 784),
    }
    found = {}
    for name, program in programs.items():
        keras.utils.set_random_seed(options.seed)
        model = compiled(program())
        model.fit(x, y, batch_size=100, epochs=options.epochs, verbose=0)
        parts = ((x, y), (x_test, y_test))
        found[name] = [model.evaluate(*part, verbose=0)[1] for part in parts]
    return found


def means(rate, passes=4000):
    """The mean input of a unit behind a dropout layer, while training and at test time.

    Returns the mean over random draws, the number at test time, and what the mean would be if the
    units that stay were not scaled up.
    """
    weights = np.linspace(0, 1, 50, dtype="float32")
    ones = np.ones((passes, 50), "float32")
    layer = Dropout(rate)
    training = np.asarray(layer(ones, training=True)) @ weights
    test = np.asarray(layer(ones[:1], training=False)) @ weights
    return float(training.mean()), float(test[0]), float(training.mean() * (1 - rate))


def compare(hidden, options):
    """Test error in per cent by epoch, without and with dropout."""
    train, test = few_digits()
    runs = []
    for rates in ((0.0, 0.0), (0.2, 0.5)):
        keras.utils.set_random_seed(options.seed)
        model = compiled(with_dropout(hidden, *rates), keras.optimizers.Adam(0.001))
        run = model.fit(*train, epochs=2 * options.epochs, validation_data=test, verbose=0)
        runs.append(100 * (1 - np.array(run.history["val_accuracy"])))
    return runs


def named(hidden):
    return f"{len(hidden)} layers of {hidden[0]}"


def plot(options, curves):
    figure, axis = subplots(size=(7.5, 4.2))
    styles = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
    for (hidden, runs), style in zip(curves.items(), styles, strict=True):
        for errors, colour in zip(runs, (ORANGE, BLUE), strict=True):
            epochs = range(1, len(errors) + 1)
            label = named(hidden) if colour == BLUE else None
            axis.plot(epochs, errors, linestyle=style, color=colour, linewidth=1.2, label=label)
    axis.text(len(errors), 31, "without dropout", color=ORANGE, ha="right")
    axis.text(len(errors), 1.5, "with dropout", color=BLUE, ha="right")
    axis.set(xlabel="epoch", ylabel="test error (%)", ylim=(0, 50))
    axis.set_title("500 digits, many of them mislabelled")
    axis.legend(ncols=2, loc="upper center")
    save(figure, options, "dropout")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(30, "passes over the digits"))
    print("Mean of a unit's input behind Dropout(rate), over many draws:")
    agreement = {rate: means(rate) for rate in (0.2, 0.5, 0.8)}
    table(
        ["rate", "training", "test", "training, not scaled up"],
        [[f"{rate:g}", *(f"{m:.2f}" for m in found)] for rate, found in agreement.items()],
    )
    programs = train_programs(options)
    print(
        f"Two layers of 500 sigmoid units, {options.epochs} epochs of the digits in 28x28 points:"
    )
    table(
        ["dropout", "accuracy, training", "accuracy, test"],
        [[name, *(f"{a:.3f}" for a in right)] for name, right in programs.items()],
    )
    curves = {hidden: compare(hidden, options) for hidden in ARCHITECTURES}
    print(
        f"500 digits, 3 of 10 labels drawn at random: test error after {2 * options.epochs} epochs:"
    )
    table(
        ["network", "without dropout", "with dropout"],
        [[named(hidden), *(f"{e[-1]:.1f}%" for e in runs)] for hidden, runs in curves.items()],
    )
    if options.plot:
        plot(options, curves)
    return agreement, programs, curves


if __name__ == "__main__":
    main()
