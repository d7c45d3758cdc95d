"""What the examples share: the command line, the digits, small networks, tables and figures."""

import argparse
import ast
from pathlib import Path

import numpy as np

import minikeras as keras
from minikeras.layers import Dense

CLASSES = 10
ROOMS = ("layers", "losses", "metrics", "optimizers", "callbacks")  # whose texts are read
# colours that people with any colour vision tell apart, also in print
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d1495b", "#8e5ea2", "#6b6b6b", "#7a4a1d", "#56b4e9")
BLUE, ORANGE, GREEN, RED, PURPLE, GREY, BROWN, SKY = COLOURS
STYLE = {
    "axes.prop_cycle": f"cycler('color', {list(COLOURS)})",
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "legend.fontsize": 9,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 120,
}


def settings(doc, arguments, **numbers):
    """Read the command line; `numbers` are further options of a script: name=(default, meaning).

    Also seeds every random number, so that a run can be repeated.
    """
    parser = argparse.ArgumentParser(description=doc.strip().splitlines()[0])
    for name, (default, meaning) in numbers.items():
        flag = "--" + name.replace("_", "-")
        parser.add_argument(
            flag, type=type(default), default=default, help=f"{meaning} ({default})"
        )
    parser.add_argument("--seed", type=int, default=1, help="start of all random numbers (1)")
    parser.add_argument("--plot", action="store_true", help="draw the figures")
    parser.add_argument(
        "--output", type=Path, default=Path("output"), help="folder of the figures (output)"
    )
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(options.seed)
    return options


# --- data ---


def digits():
    """The handwritten digits as rows of 64 numbers from 0 (paper) to 1 (ink), and their labels."""
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    return (as_rows(x_train), y_train), (as_rows(x_test), y_test)


def as_rows(images):
    """Images of counts from 0 to 16 as float rows from 0 to 1."""
    return images.reshape(len(images), -1).astype("float32") / 16


def few_digits(count=500, wrong=0.3):
    """Training data that tempt a network to learn by heart: few digits, many of them mislabelled.

    A share `wrong` of the labels is replaced by a random digit. Returns the images and their
    labels, and the test part, all of whose labels are right.
    """
    (x, y), test = digits()
    rng = np.random.default_rng(0)
    guessed = np.where(rng.random(count) < wrong, rng.integers(0, CLASSES, count), y[:count])
    return (x[:count], guessed.astype("uint8")), test


def text(path="", count=60_000):
    """The text of a file; by default what this library says of its own layers and so on."""
    if path:
        return Path(path).read_text(encoding="utf-8")
    found, package = [], Path(keras.__file__).parent
    for source in (file for room in ROOMS for file in sorted((package / room).glob("*.py"))):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                found += prose(ast.get_docstring(node) or "")
    return "\n".join(dict.fromkeys(found))[:count]


def prose(docstring):
    """The lines of a docstring before its examples."""
    lines = docstring.split("Example")[0].splitlines()
    return [line.strip() for line in lines if line.strip()]


# --- networks ---


def classifier(hidden=(64,), activation="relu", inputs=64, outputs=CLASSES, **dense):
    """Dense layers of the given widths and a softmax; `dense` goes to every layer."""
    layers = [Dense(units, activation=activation, **dense) for units in hidden]
    last = Dense(outputs, activation="softmax", **dense)
    return keras.Sequential([keras.Input((inputs,)), *layers, last])


def compiled(model, optimizer="adam", loss="sparse_categorical_crossentropy"):
    """The model, ready to be trained on labels, with its accuracy."""
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return model


class WeightPath(keras.callbacks.Callback):
    """All weights in one vector, before training and after every update (or every epoch)."""

    def __init__(self, every_batch=True):
        self.every_batch = every_batch

    def on_train_begin(self, logs=None):
        self.points = []
        self.note()

    def on_train_batch_end(self, batch, logs=None):
        if self.every_batch:
            self.note()

    def on_epoch_end(self, epoch, logs=None):
        if not self.every_batch:
            self.note()

    def note(self):
        self.points.append(np.concatenate([w.ravel() for w in self.model.get_weights()]))


# --- what is shown ---


def table(header, rows):
    """Print rows under a header, columns aligned; numbers should come as text already."""
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for number, line in enumerate(lines):
        first, *rest = (
            cell.rjust(w) if i else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *rest]).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print()


def subplots(rows=1, columns=1, size=None, **kwargs):
    """An empty figure in the style of the examples; `size` in inches."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(STYLE)
    return plt.subplots(rows, columns, figsize=size or (4.5 * columns, 3.5 * rows), **kwargs)


def save(figure, options, name):
    """Write a figure to the output folder and say where it is."""
    import matplotlib.pyplot as plt

    for axis in figure.axes:
        if axis.get_xlabel() == "epoch":  # there is no epoch 2.5
            axis.xaxis.get_major_locator().set_params(integer=True)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / f"{name}.png"
    figure.savefig(path)
    plt.close(figure)
    print("See", path)


def mosaic(images, columns, gap=1):
    """Images as one picture, row by row, with empty lines between them.

    Rows of 64 numbers are images of 8 x 8 points; others have a height and a width.
    """
    images = np.asarray(images, "float32")
    images = images.reshape(-1, 8, 8) if images.ndim == 2 else images
    height, width = images.shape[1:3]
    rows = -(-len(images) // columns)
    tall, wide = height + gap, width + gap
    picture = np.full((rows * tall - gap, columns * wide - gap), np.nan, "float32")
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        top, left = row * tall, column * wide
        picture[top : top + height, left : left + width] = image
    return picture


def show(axis, images, columns=1, title="", cmap="gray_r", **imshow):
    """Draw images into an axis, see `mosaic`: ink is dark; `imshow` are its further arguments."""
    picture = axis.imshow(mosaic(images, columns), cmap=cmap, **imshow)
    axis.set(title=title, xticks=[], yticks=[])
    axis.grid(False)
    axis.spines[:].set_visible(False)
    return picture


def show_classes(axis, points, labels, size=6):
    """Draw points of a plane, coloured by their digits, whose names stand among them."""
    axis.scatter(*points.T, s=size, c=labels, cmap="tab10", vmin=0, vmax=9, linewidth=0)
    halo = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "alpha": 0.7, "linewidth": 0}
    for digit in np.unique(labels):
        middle = np.median(points[labels == digit], axis=0)
        axis.text(*middle, str(digit), ha="center", va="center", fontsize=12, bbox=halo)
