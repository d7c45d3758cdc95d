"""CIFAR-100: 60,000 colour photographs of 32x32 points in a hundred classes, grouped into twenty.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; the file is
the Python version at https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import os

from minikeras.core.validate import one_of
from minikeras.datasets._cifar import Pair, Source, load

__all__ = ["load_data"]

FOLDER = "cifar-100-python"  # in the archive
CACHED = "cifar-100-python-target"  # Keras's name: the folder; with "_archive" the archive
ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
LABEL_MODES = ("fine", "coarse")


def load_data(
    label_mode: str = "fine", path: str | os.PathLike[str] | None = None
) -> tuple[Pair, Pair]:
    """The images and their labels, split into a training and a test part.

    `label_mode` is "fine" for the hundred classes (labels 0 to 99) or "coarse" for the twenty
    groups of them (0 to 19). `path` is a file or a folder of yours: the archive
    ``cifar-100-python.tar.gz``, or a folder with its batches ``train`` and ``test``. Without it
    Keras's cache is read (`~/.keras/datasets`, or `datasets` in the folder that `KERAS_HOME`
    names), to which the archive is downloaded when it is not there.

    Returns `(x_train, y_train), (x_test, y_test)`: images uint8 of shape (50000, 32, 32, 3) and
    (10000, 32, 32, 3), values 0 to 255, with the channels where `config.image_data_format()` says;
    labels uint8 of shape (50000, 1) and (10000, 1).

    Raises OSError when the data are neither here nor to be had, saying where to put the file, and
    ValueError for another `label_mode` and when what is there is not CIFAR-100.

    >>> (x_train, y_train), (x_test, y_test) = load_data("coarse")  # doctest: +SKIP
    """
    mode = one_of(label_mode, LABEL_MODES, "label_mode")
    labels = f"{mode}_labels"
    train, test = ("train",), ("test",)
    return load(
        path, Source("CIFAR-100", FOLDER, CACHED, ORIGIN, SHA256, train, test, labels, npz=False)
    )
