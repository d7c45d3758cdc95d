"""More images out of few: changes that leave the meaning, made anew for every batch.

    python examples/cifar_augmentation.py --plot                      the embedded digits, seconds
    python examples/cifar_augmentation.py --data cifar10 --plot       CIFAR-10, downloaded once
    python examples/cifar_augmentation.py --data FILE.npz --plot      CIFAR-10 from a file of yours

A network with enough weights learns its training images by heart. Shown the same images shifted,
turned by up to 15 degrees, zoomed, in other contrast and with noise, it never sees one twice and
has to learn what they have in common. Which changes leave the meaning, only we know: a mirrored
horse is a horse, so photographs are also flipped; a mirrored 2 is no digit, so digits are not.

The changes are layers of the model. They act in `fit` only: `evaluate` and `predict` see images as
they are, and a saved model needs no other program before it. The training curve is the one over
changed images, so it may well lie below that of the validation part. What is harder to learn takes
longer: in the first epochs the network without augmentation leads.
"""

import time
from pathlib import Path

import numpy as np
from common import BLUE, CLASSES, ORANGE, compiled, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    GaussianNoise,
    GlobalAveragePooling2D,
    MaxPooling2D,
    RandomContrast,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)

DIGITS = 200  # of the 1438; with all of them hardly anything is left to learn
EPOCHS, BATCH = {"digits": 100}, {"digits": 16}  # else 40 and 64
DEGREES = 15
SAMPLES = 10
SCALE = (0, 1)  # of the images that the network sees


def load(name):
    """Images (samples, rows, columns, channels) from 0 to 1 and their labels, in two parts."""
    if name == "digits":
        (x, y), test = keras.datasets.digits.load_data()
        parts, largest = [(x[:DIGITS, ..., None], y[:DIGITS]), (test[0][..., None], test[1])], 16
    else:
        given = () if name == "cifar10" else (Path(name),)
        parts, largest = keras.datasets.cifar10.load_data(*given), 255
    return [(x.astype("float32") / largest, y.ravel()) for x, y in parts]


def changes(photographs):
    """The layers that change images, by name."""
    found = {"flipped": RandomFlip("horizontal")} if photographs else {}
    return found | {
        "moved": RandomTranslation(0.1, 0.1, fill_mode="nearest"),
        f"turned, {DEGREES} degrees": RandomRotation(DEGREES / 360, fill_mode="nearest"),
        "zoomed": RandomZoom(0.1, fill_mode="nearest"),
        "contrast": RandomContrast(0.2, value_range=SCALE),
        "noise": GaussianNoise(0.02),
    }


def network(shape, width, augmented):
    """Three times two convolutions, each normalised, and a pooling; then the mean of each map."""
    layers = [keras.Input(shape)]
    if augmented:
        layers += changes(shape[-1] == 3).values()
    for filters in (width, 2 * width, 4 * width):
        for _ in range(2):
            layers += [
                Conv2D(filters, 3, padding="same", use_bias=False),
                BatchNormalization(momentum=0.9),
                Activation("relu"),
            ]
        layers += [MaxPooling2D(2)]
    layers += [GlobalAveragePooling2D(), Dense(CLASSES, activation="softmax")]
    return keras.Sequential(layers)


def train(parts, augmented, options):
    """The history of a training, and its seconds per epoch."""
    keras.utils.set_random_seed(options.seed)
    (x, y), test = parts
    model = network(x.shape[1:], options.width, augmented)
    steps = options.epochs * -(-len(x) // options.batch)
    rate = keras.optimizers.schedules.CosineDecay(0.003, steps)
    compiled(model, keras.optimizers.Adam(rate))
    verbose = 0 if options.data == "digits" else "auto"
    if verbose:
        print("Training", "with" if augmented else "without", "augmentation")
    start = time.perf_counter()
    history = model.fit(x, y, options.batch, options.epochs, validation_data=test, verbose=verbose)
    return history.history, (time.perf_counter() - start) / options.epochs


def plot_curves(options, histories):
    figure, axes = subplots(1, 2, size=(11, 4))
    colours = {"without": ORANGE, "with augmentation": BLUE}
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        for label, history in histories.items():
            epochs = np.arange(1, len(history[name]) + 1)
            style = {"color": colours[label]}
            axis.plot(epochs, history[f"val_{name}"], label=f"{label}, validation", **style)
            axis.plot(epochs, history[name], "--", label=f"{label}, training", lw=1.2, **style)
        axis.set(xlabel="epoch", ylabel=name)
    axes[0].set_ylim(bottom=0)
    axes[1].legend(loc="lower right")
    save(figure, options, "cifar_augmentation")


def plot_samples(options, images):
    """The same images as they are, after each of the changes, and after all of them."""
    layers = changes(images.shape[-1] == 3)
    together = keras.Sequential([keras.Input(images.shape[1:]), *layers.values()])
    rows = {"as it is": images}
    rows |= {name: layer(images, training=True) for name, layer in layers.items()}
    for again in ("all of them", "again", "and again"):
        rows[again] = together(images, training=True)
    figure, axes = subplots(len(rows), len(images), size=(9, 0.9 * len(rows)))
    for line, (name, changed) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for axis, image in zip(line, np.clip(changed, *SCALE), strict=True):
            axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
    save(figure, options, "cifar_augmentation_samples")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(0, "passes over the data; 0 means 100 for the digits and 40 for photographs"),
        width=(16, "filters of the first convolutions; later ones have 2 and 4 times as many"),
        data=("digits", "'digits', 'cifar10', or a file or folder of CIFAR-10"),
    )
    options.epochs = options.epochs or EPOCHS.get(options.data, 40)
    options.batch = BATCH.get(options.data, 64)
    parts = load(options.data)
    found = {
        name: train(parts, augmented, options)
        for name, augmented in (("without", False), ("with augmentation", True))
    }
    rows = []
    for name, (history, seconds) in found.items():
        best = int(np.argmax(history["val_accuracy"]))
        ends = [history[key][-1] for key in ("accuracy", "val_accuracy", "val_loss")]
        cells = [f"{end:.3f}" for end in ends]
        top = f"{history['val_accuracy'][best]:.3f} (epoch {best + 1})"
        rows.append([name, *cells, top, f"{seconds:.2f}"])
    print(f"{len(parts[0][0])} images to learn, {len(parts[1][0])} to validate:")
    head = ["", "training", "validation", "its loss", "best validation", "s an epoch"]
    table(head, rows)
    histories = {name: history for name, (history, _) in found.items()}
    if options.plot:
        plot_curves(options, histories)
        plot_samples(options, parts[0][0][:SAMPLES])
    return histories


if __name__ == "__main__":
    main()
