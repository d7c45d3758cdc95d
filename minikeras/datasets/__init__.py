"""Small real data sets: each module has a `load_data`, as in Keras."""

from minikeras.datasets import cifar10, digits, mnist

__all__ = ["cifar10", "digits", "mnist"]
