"""Small real data sets: each module has a `load_data`, as in Keras."""

from minikeras.datasets import digits, mnist

__all__ = ["digits", "mnist"]
