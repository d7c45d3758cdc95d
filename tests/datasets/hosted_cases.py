"""Small files in the layouts that Keras hosts, and the arguments whose results it recorded."""

from pathlib import Path
from typing import Any

import numpy as np


def _texts(count: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    texts = np.empty(count, object)
    texts[:] = [generator.integers(1, 30, generator.integers(2, 12)).tolist() for _ in range(count)]
    return texts


def write(folder: Path) -> None:
    """A file of each kind."""
    generator = np.random.default_rng(7)
    labels = generator.integers(0, 2, (2, 9))
    np.savez(
        folder / "imdb.npz",
        x_train=_texts(9, 1),
        y_train=labels[0],
        x_test=_texts(9, 2),
        y_test=labels[1],
    )
    np.savez(folder / "reuters.npz", x=_texts(11, 3), y=generator.integers(0, 46, 11))
    for name, columns in (("boston_housing", 13), ("california_housing", 8)):
        np.savez(
            folder / f"{name}.npz", x=generator.normal(size=(700, columns)), y=np.arange(700.0)
        )


TEXTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "frequent": {"num_words": 15},
    "rare": {"skip_top": 8, "num_words": 20},
    "left_out": {"num_words": 15, "oov_char": None, "skip_top": 5},
    "short": {"maxlen": 7},
    "no_start": {"start_char": None},
    "unshifted": {"start_char": None, "index_from": 0},
    "other": {"start_char": 5, "oov_char": 6, "index_from": 7, "num_words": 25, "seed": 3},
}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"imdb_{name}": ("imdb", options) for name, options in TEXTS.items()},
    **{f"reuters_{name}": ("reuters", options) for name, options in TEXTS.items()},
    "reuters_half": ("reuters", {"test_split": 0.5}),
    "boston": ("boston_housing", {}),
    "boston_third": ("boston_housing", {"test_split": 0.3, "seed": 5}),
    "california": ("california_housing", {}),
    "california_small": ("california_housing", {"version": "small", "test_split": 0.1}),
}


def summary(parts: Any) -> Any:
    """What was loaded, in plain values; of tables the targets, which tell the order."""
    (x_train, y_train), (x_test, y_test) = parts
    lists = x_train.dtype == object
    return {
        "x": [np.asarray(x).tolist() if lists else list(x.shape) for x in (x_train, x_test)],
        "y": [y_train.tolist(), y_test.tolist()],
        "sum": 0 if lists else float((x_train[:, 0] * y_train).sum()),
    }
