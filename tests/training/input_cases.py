"""Runs of `fit` on every kind of input, for minikeras and for Keras alike: they take the module."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

ROWS, SIZE = 22, 5

_rng = np.random.default_rng(3)
X = _rng.standard_normal((ROWS, 3)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5]] + 0.1).astype("float32")
LABELS = _rng.integers(0, 3, ROWS)
WEIGHTS = _rng.random(ROWS).astype("float32")
CLASS_WEIGHT = {0: 1.0, 1: 3.0, 2: 0.5}


def batches(*arrays: np.ndarray, size: int = SIZE) -> list[tuple[np.ndarray, ...]]:
    return [tuple(a[i : i + size] for a in arrays) for i in range(0, len(arrays[0]), size)]


def regression(keras: Any) -> Any:
    start = keras.initializers.Constant(0.1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer=start)])
    model.compile(keras.optimizers.SGD(0.05), "mse", metrics=["mae"], weighted_metrics=["mse"])
    return model


def classifier(keras: Any) -> Any:
    kernel = np.linspace(-1, 1, 9).reshape(3, 3).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
    model.set_weights([kernel, np.zeros(3, "float32")])
    model.compile(
        keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"]
    )
    return model


def dataset(keras: Any, items: list, **options: Any) -> Any:
    """A PyDataset of given batches."""

    class Given(keras.utils.PyDataset):
        def __len__(self) -> int:
            return len(items)

        def __getitem__(self, index: int) -> Any:
            return items[index]

    return Given(**options)


def endless(items: list) -> Iterator[Any]:
    while True:
        yield from items


def _fit(keras: Any, *data: Any, **options: Any) -> dict[str, list[float]]:
    options = {"epochs": 3, "verbose": 0, "shuffle": False, **options}
    return regression(keras).fit(*data, **options).history


def _classify(keras: Any, *data: Any, **options: Any) -> dict[str, list[float]]:
    options = {"epochs": 3, "verbose": 0, "shuffle": False, **options}
    return classifier(keras).fit(*data, **options).history


CASES: dict[str, Callable[[Any], dict[str, list[float]]]] = {
    "arrays": lambda k: _fit(k, X, Y, batch_size=SIZE),
    "weighted arrays": lambda k: _fit(k, X, Y, batch_size=SIZE, sample_weight=WEIGHTS),
    "steps of arrays": lambda k: _fit(k, X, Y, batch_size=SIZE, steps_per_epoch=2, epochs=4),
    "a PyDataset": lambda k: _fit(k, dataset(k, batches(X, Y))),
    "a PyDataset with weights": lambda k: _fit(k, dataset(k, batches(X, Y, WEIGHTS))),
    "steps of a PyDataset": lambda k: _fit(
        k, dataset(k, batches(X, Y)), steps_per_epoch=2, epochs=4
    ),
    "an endless generator": lambda k: _fit(k, endless(batches(X, Y)), steps_per_epoch=3),
    "one pass of a generator": lambda k: _fit(k, (b for b in batches(X, Y)), epochs=1),
    "a validation split": lambda k: _fit(k, X, Y, batch_size=SIZE, validation_split=0.3),
    "a weighted validation split": lambda k: _fit(
        k, X, Y, batch_size=SIZE, validation_split=0.3, sample_weight=WEIGHTS
    ),
    "weighted validation data": lambda k: _fit(
        k, X, Y, batch_size=SIZE, validation_data=(X[:7], Y[:7], WEIGHTS[:7]), validation_freq=2
    ),
    "validation batches": lambda k: _fit(
        k, X, Y, batch_size=SIZE, validation_data=dataset(k, batches(X, Y, size=4))
    ),
    "validation steps": lambda k: _fit(
        k,
        dataset(k, batches(X, Y)),
        validation_data=(X, Y),
        validation_steps=2,
        validation_batch_size=4,
        validation_freq=[1, 3],
    ),
    "class weights": lambda k: _classify(k, X, LABELS, batch_size=SIZE, class_weight=CLASS_WEIGHT),
    "class weights of a PyDataset": lambda k: _classify(
        k, dataset(k, batches(X, LABELS)), class_weight=CLASS_WEIGHT
    ),
    "weights of labels": lambda k: _classify(
        k, X, LABELS, batch_size=SIZE, sample_weight=WEIGHTS, initial_epoch=1
    ),
}
