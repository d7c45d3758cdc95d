"""The workloads in Keras's interface: real Keras on any backend, and minikeras."""

import importlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from runner import Runner, Unsupported
from workloads import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalPool,
    MaxPool,
    Recurrent,
    SelfAttention,
    Workload,
)

RECURRENT = {"lstm": "LSTM", "gru": "GRU", "simple": "SimpleRNN"}


def _convolution(layers: Any, part: Conv, rank: int) -> Any:
    return getattr(layers, f"Conv{rank}D")(
        part.filters,
        part.size,
        padding="same" if part.same else "valid",
        activation=part.activation,
        use_bias=part.bias,
    )


def _recurrent(layers: Any, part: Recurrent, rank: int) -> Any:
    layer = getattr(layers, RECURRENT[part.kind])(part.units)
    return layers.Bidirectional(layer) if part.both_ways else layer


def _pool(layers: Any, part: GlobalPool, rank: int) -> Any:
    return getattr(layers, f"Global{part.kind.title()}Pooling{rank}D")()


# How each is made of the room of layers, for images or sequences with that many axes.
MAKERS: dict[type, Callable[[Any, Any, int], Any]] = {
    Dense: lambda layers, part, _: layers.Dense(part.units, activation=part.activation),
    BatchNorm: lambda layers, _, __: layers.BatchNormalization(),
    Dropout: lambda layers, part, _: layers.Dropout(part.rate),
    Activation: lambda layers, part, _: layers.Activation(part.name),
    Conv: _convolution,
    MaxPool: lambda layers, part, rank: getattr(layers, f"MaxPooling{rank}D")(part.size),
    GlobalPool: _pool,
    Flatten: lambda layers, _, __: layers.Flatten(),
    Embedding: lambda layers, part, _: layers.Embedding(part.vocabulary, part.width),
    Recurrent: _recurrent,
    SelfAttention: lambda layers, part, _: layers.MultiHeadAttention(part.heads, part.width),
}


def keras_network(keras: Any, workload: Workload) -> Any:
    """The model, Sequential where no layer takes two inputs.

    Raises Unsupported when the library has no such layer.
    """
    rank = max(1, len(workload.shape) - 1)
    dtype = "int32" if workload.vocabulary else "float32"
    inputs = keras.Input(workload.shape, dtype=dtype)
    try:
        layers = [MAKERS[type(part)](keras.layers, part, rank) for part in workload.layers]
    except AttributeError as error:
        raise Unsupported(str(error)) from error
    if not any(isinstance(part, SelfAttention) for part in workload.layers):
        return keras.Sequential([inputs, *layers])
    x = inputs
    for part, layer in zip(workload.layers, layers, strict=True):
        x = layer(x, x) if isinstance(part, SelfAttention) else layer(x)
    return keras.Model(inputs, x)


def keras_model(keras: Any, workload: Workload) -> Any:
    """The compiled model, from any library with Keras's interface."""
    model, optimizers = keras_network(keras, workload), keras.optimizers
    model.compile(
        optimizer=optimizers.SGD(0.1) if workload.optimizer == "sgd" else optimizers.Adam(0.001),
        loss="sparse_categorical_crossentropy" if workload.classes else "mse",
        metrics=["accuracy"] if workload.classes else [],
        steps_per_execution=int(os.environ.get("STEPS_PER_EXECUTION", 1)),
    )
    return model


def runner(workload: Workload, samples: int | None, library: str) -> Runner:
    keras = importlib.import_module(library)
    if os.environ.get("DIRECT_CONVOLUTIONS"):
        keras.config.set_winograd(False)
    x, y = workload.data(samples)
    model = keras_model(keras, workload)

    def epoch() -> float:
        history = model.fit(x, y, epochs=1, batch_size=workload.batch, verbose=0).history
        return float(history["loss"][-1])

    return Runner(
        epoch,
        lambda rows=x: model.predict(rows, batch_size=workload.batch, verbose=0),
        lambda: model.predict(x[:1], verbose=0),
        lambda: np.asarray(model(x[:1])),
    )
