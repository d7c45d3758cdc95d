"""The workloads in Keras's interface: real Keras on any backend, and minikeras."""

import importlib
import os
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
    Layer,
    MaxPool,
    Recurrent,
    SelfAttention,
    Workload,
)

RECURRENT = {"lstm": "LSTM", "gru": "GRU", "simple": "SimpleRNN"}


def keras_layer(keras: Any, part: Layer, rank: int) -> Any:
    """One layer, for images or sequences with that many axes."""
    layers = keras.layers
    match part:
        case Dense(units, activation):
            return layers.Dense(units, activation=activation)
        case BatchNorm():
            return layers.BatchNormalization()
        case Dropout(rate):
            return layers.Dropout(rate)
        case Activation(name):
            return layers.Activation(name)
        case Conv(filters, size, activation, same, bias):
            padding = "same" if same else "valid"
            kind = getattr(layers, f"Conv{rank}D")
            return kind(filters, size, padding=padding, activation=activation, use_bias=bias)
        case MaxPool(size):
            return getattr(layers, f"MaxPooling{rank}D")(size)
        case GlobalPool(kind):
            return getattr(layers, f"Global{kind.title()}Pooling{rank}D")()
        case Flatten():
            return layers.Flatten()
        case Embedding(vocabulary, width):
            return layers.Embedding(vocabulary, width)
        case Recurrent(kind, units, both_ways):
            layer = getattr(layers, RECURRENT[kind])(units)
            return layers.Bidirectional(layer) if both_ways else layer
        case SelfAttention(heads, width):
            return layers.MultiHeadAttention(heads, width)


def keras_network(keras: Any, workload: Workload) -> Any:
    """The model, Sequential where no layer takes two inputs.

    Raises Unsupported when the library has no such layer.
    """
    rank = max(1, len(workload.shape) - 1)
    dtype = "int32" if workload.vocabulary else "float32"
    inputs = keras.Input(workload.shape, dtype=dtype)
    try:
        layers = [keras_layer(keras, part, rank) for part in workload.layers]
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
    x, y = workload.data(samples)
    model = keras_model(keras, workload)

    def epoch() -> float:
        history = model.fit(x, y, epochs=1, batch_size=workload.batch, verbose=0).history
        return float(history["loss"][-1])

    return Runner(
        epoch,
        lambda: model.predict(x, batch_size=workload.batch, verbose=0),
        lambda: model.predict(x[:1], verbose=0),
        lambda: np.asarray(model(x[:1])),
    )
