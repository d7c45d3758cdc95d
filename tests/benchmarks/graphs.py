"""What ways of building a model cost: graphs, layers and steps of one's own, deep networks."""

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

Result = tuple[str, float, str]
ROUNDS = 9


def graphs(options: argparse.Namespace) -> Iterator[Result]:
    """Functional models, steps and layers of one's own, over the built-in way; time to build."""
    from workloads import WORKLOADS

    import minikeras as keras

    yield _ratio("functional residual network over the same as Sequential", *_residual(keras))
    tiny, seed = WORKLOADS["mlp_tiny"], WORKLOADS["mlp_seed"]
    own, usual, steps = _own_step(keras, tiny)
    first, second = _interleaved(own, usual)
    added = 1e6 * (median(first) - median(second)) / steps
    yield "a train_step of one's own, mlp_tiny", added, f"{added:+.1f} us a step"
    yield _ratio("a layer written in ten ops over a fused one, mlp_seed", *_ten_ops(keras, seed))
    deep = min(_build_deep(keras) for _ in range(3))
    yield "building and compiling 175 layers", deep, f"{deep:.2f} s"


def _ratio(case: str, own: Callable[[], float], usual: Callable[[], float]) -> Result:
    first, second = _interleaved(own, usual)
    of_medians, of_minima = median(first) / median(second), min(first) / min(second)
    return case, max(of_medians, of_minima), f"{max(of_medians, of_minima):.2f} x"


def _interleaved(*runs: Callable[[], float]) -> list[list[float]]:
    """Seconds of each run in turn, the first round left out."""
    turns = [[run() for run in runs] for _ in range(ROUNDS + 1)][1:]
    return [list(column) for column in zip(*turns, strict=True)]


def _trainer(model: Any, x: Any, y: Any, batch: int, epochs: int = 1) -> Callable[[], float]:
    def seconds() -> float:
        start = time.perf_counter()
        model.fit(x, y, batch, epochs, verbose=0)
        return time.perf_counter() - start

    return seconds


def _residual(keras: Any) -> tuple[Callable[[], float], Callable[[], float]]:
    import numpy as np

    class Residual(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(256, "relu")

        def call(self, x: Any) -> Any:
            return x + self.dense(x)

    x = inputs = keras.Input((256,))
    for _ in range(6):
        x = keras.layers.add([x, keras.layers.Dense(256, "relu")(x)])
    functional = keras.Model(inputs, keras.layers.Dense(1)(x))
    stack = keras.Sequential([keras.Input((256,)), *[Residual() for _ in range(6)]])
    stack.add(keras.layers.Dense(1))
    rows = np.random.default_rng(0).normal(size=(12_800, 256)).astype("float32")
    runs = []
    for model in (functional, stack):
        model.compile("sgd", "mse")
        runs.append(_trainer(model, rows, rows[:, :1], 128))
    return runs[0], runs[1]


def _own_step(keras: Any, workload: Any) -> tuple[Callable[[], float], Callable[[], float], int]:
    from with_keras import keras_model

    class Own(keras.Sequential):
        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            with keras.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            weights = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            for metric in self.metrics:
                metric.update_state(loss)
            return {metric.name: metric.result() for metric in self.metrics}

    usual = keras_model(keras, workload)
    own = Own([keras.Input(workload.shape), *keras.models.clone_model(usual).layers])
    x, y = workload.data()
    for model in (own, usual):
        model.compile("adam", "mse")
    steps = -(-len(x) // workload.batch) * 4
    return (
        _trainer(own, x, y, workload.batch, 4),
        _trainer(usual, x, y, workload.batch, 4),
        steps,
    )


def _ten_ops(keras: Any, workload: Any) -> tuple[Callable[[], float], Callable[[], float]]:
    from with_keras import keras_model

    ops = keras.ops

    class Sigmoid(keras.layers.Layer):
        """A dense layer with a sigmoid, in ten operations."""

        def __init__(self, units: int) -> None:
            super().__init__()
            self.units = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units))
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros")

        def call(self, x: Any) -> Any:
            z = ops.add(ops.matmul(x, self.kernel), self.bias)
            z = ops.minimum(ops.maximum(z, -30.0), 30.0)
            e = ops.exp(ops.negative(z))
            y = ops.divide(1.0, ops.add(e, 1.0))
            return ops.subtract(ops.multiply(y, 2.0), y)

    usual = keras_model(keras, workload)
    own = keras.Sequential([keras.Input(workload.shape), Sigmoid(500), Sigmoid(500)])
    own.add(keras.layers.Dense(10, "softmax"))
    x, y = workload.data(5000)
    runs = []
    for model in (own, usual):
        model.compile("sgd", "sparse_categorical_crossentropy")
        runs.append(_trainer(model, x, y, workload.batch))
    return runs[0], runs[1]


def _build_deep(keras: Any) -> float:
    start = time.perf_counter()
    x = inputs = keras.Input((64,))
    for _ in range(58):  # three layers each
        branch = keras.layers.Dense(64)(x)
        branch = keras.layers.BatchNormalization()(branch)
        x = keras.layers.Add()([x, branch])
    model = keras.Model(inputs, keras.layers.Dense(10, "softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return time.perf_counter() - start
