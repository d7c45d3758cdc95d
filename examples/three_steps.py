"""Deep learning in three steps: define a set of functions, say how good one is, pick the best.

    python examples/three_steps.py
    python examples/three_steps.py --loss categorical_crossentropy --optimizer adam --epochs 20
    python examples/three_steps.py --data mnist --loss categorical_crossentropy --optimizer adam

The first line is the classic program: two layers of 500 sigmoid units, squared error, plain
gradient descent. It needs patience, 1000 epochs of the digits, because the squared error of a
saturated output has hardly a slope. The second line reaches the same accuracy in 20: with a softmax
output, choose cross entropy. The learning curves and the saved model go to the folder `output`.
"""

import argparse
import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

import minikeras as keras
from minikeras.layers import Dense
from minikeras.models import Sequential, load_model
from minikeras.optimizers import SGD

MANY_EPOCHS = 30  # from here on one bar for the whole training instead of one for each epoch


def load(data):
    """Images as rows of numbers; `data` is digits, mnist, or a path of mnist.npz or its folder."""
    if data == "digits":
        (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
        scale = 1  # 0 to 16, as they are
    else:
        path = "mnist.npz" if data == "mnist" else data
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data(path)
        scale = 16  # 0 to 255: to 0 to 16, too
    as_rows = [x.reshape(len(x), -1).astype("float32") / scale for x in (x_train, x_test)]
    return (as_rows[0], y_train), (as_rows[1], y_test)


def optimizer_named(name, steps):
    """SGD as in the classic program; any other with a rate that falls from 0.001 to 0."""
    if name == "sgd":
        return SGD(lr=0.1)
    rate = keras.optimizers.schedules.CosineDecay(0.001, steps)
    return keras.optimizers.get({"class_name": name, "config": {"learning_rate": rate}})


class TrainingBar(keras.callbacks.Callback):
    """One progress bar for all epochs."""

    def on_train_begin(self, logs=None):
        self.bar = tqdm(total=self.params["epochs"], unit="epoch", mininterval=0.2)

    def on_epoch_end(self, epoch, logs=None):
        if epoch % 10 == 9:
            self.bar.set_postfix({k: f"{v:.4f}" for k, v in logs.items()}, refresh=False)
        self.bar.update()

    def on_train_end(self, logs=None):
        self.bar.close()


def plot(history, path):
    """The learning curves: loss and accuracy, on the training and on the test part."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[name]) + 1)
        axis.plot(epochs, history[name], label="training part")
        axis.plot(epochs, history[f"val_{name}"], label="test part")
        axis.set(xlabel="epoch", ylabel=name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="digits, mnist, or a path (digits)")
    parser.add_argument("--loss", default="mse", help="name of a loss (mse)")
    parser.add_argument("--optimizer", default="sgd", help="name of an optimizer (sgd, lr=0.1)")
    parser.add_argument("--epochs", type=int, help="passes over the data (digits 1000, MNIST 10)")
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder (output)")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    epochs = options.epochs or (1000 if options.data == "digits" else 10)

    keras.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = load(options.data)
    labels = y_test
    if not options.loss.startswith("sparse"):
        y_train, y_test = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_test)

    # Step 1: define a set of functions
    model = Sequential()
    model.add(Dense(units=500, input_dim=x_train.shape[1], activation="sigmoid"))
    model.add(Dense(units=500, activation="sigmoid"))
    model.add(Dense(units=10, activation="softmax"))
    model.summary()

    # Step 2: say how good a function is
    optimizer = optimizer_named(options.optimizer, steps=epochs * math.ceil(len(x_train) / 100))
    model.compile(loss=options.loss, optimizer=optimizer, metrics=["accuracy"])

    # Step 3: pick the best function
    many = epochs >= MANY_EPOCHS
    history = model.fit(
        x_train,
        y_train,
        epochs=epochs,
        batch_size=100,
        validation_data=(x_test, y_test),
        verbose=0 if many else "auto",
        callbacks=[TrainingBar()] if many else [],
    )
    plot(history.history, options.output / "learning_curves.png")

    # Use it
    score = model.evaluate(x_test, y_test, verbose=0)
    print("Total loss on the test part:", score[0])
    print("Accuracy on the test part:", score[1])
    result = model.predict(x_test, verbose=0)
    print("First ten images:", *result[:10].argmax(axis=1), "- their labels:", *labels[:10])

    # Save it, load it again
    model.save(options.output / "model.h5")
    loaded = load_model(options.output / "model.h5")
    same = np.array_equal(loaded.predict(x_test, verbose=0), result)
    print("The loaded model predicts the same:", same)
    print("See", options.output / "learning_curves.png")
    return score


if __name__ == "__main__":
    main()
