"""CIFAR-10: 60,000 colour photographs of 32x32 points in ten classes.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; the file is
the Python version at https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import os

from minikeras.datasets._cifar import Pair, Source, load

__all__ = ["load_data"]

FOLDER = "cifar-10-batches-py"  # in the archive
CACHED = "cifar-10-batches-py-target"  # Keras's name: the folder; with "_archive" the archive
ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = ("test_batch",)


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Pair, Pair]:
    """The images and their labels, split into a training and a test part.

    `path` is a file or a folder of yours: the archive ``cifar-10-python.tar.gz``, a folder with its
    batches, or an ``.npz`` file of the arrays x_train, y_train, x_test and y_test (of any number of
    images). Without it Keras's cache is read (`~/.keras/datasets`, or `datasets` in the folder that
    `KERAS_HOME` names), to which the archive is downloaded when it is not there.

    Returns `(x_train, y_train), (x_test, y_test)`: images uint8 of shape (50000, 32, 32, 3) and
    (10000, 32, 32, 3), values 0 to 255, with the channels where `config.image_data_format()` says;
    labels uint8 of shape (50000, 1) and (10000, 1): 0 airplane, 1 automobile, 2 bird, 3 cat,
    4 deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.

    Raises OSError when the data are neither here nor to be had, saying where to put the file, and
    ValueError when what is there is not CIFAR-10.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    return load(
        path, Source("CIFAR-10", FOLDER, CACHED, ORIGIN, SHA256, TRAIN, TEST, "labels", npz=True)
    )
