"""Each library's way to train a workload, written as its users write it.

`make(peer, workload)` gives a `Runner`. The name of a peer is that of its library; the variables
`KERAS_BACKEND` and `STEPS_PER_EXECUTION` choose among Keras's own variants.
"""

import importlib
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from workloads import BatchNorm, Dense, Dropout, Layer, Workload


class Unsupported(Exception):
    """The library cannot train this workload."""


@dataclass(frozen=True)
class Runner:
    """What can be timed: one epoch of training (gives the loss), predictions of many and of one."""

    epoch: Callable[[], float]
    predict: Callable[[], Any]
    predict_one: Callable[[], Any]
    call_one: Callable[[], Any]


def make(peer: str, workload: Workload, samples: int | None = None) -> Runner:
    """A runner; `samples` replaces the number of samples.

    Raises Unsupported when the library lacks something that the workload needs.
    """
    makers = {
        "minikeras": lambda: _keras_like("minikeras", workload, samples),
        "keras": lambda: _keras_like("keras", workload, samples),
        "torch": lambda: _torch(workload, samples, compiled=False),
        "torch-compile": lambda: _torch(workload, samples, compiled=True),
        "sklearn": lambda: _sklearn(workload, samples),
    }
    if peer not in makers:
        raise ValueError(f"`peer` must be one of {', '.join(makers)}. Received: {peer!r}.")
    return makers[peer]()


def keras_model(keras: Any, workload: Workload) -> Any:
    """The compiled Sequential model, from any library with Keras's interface."""

    def layer(part: Layer) -> Any:
        if isinstance(part, Dense):
            return keras.layers.Dense(part.units, activation=part.activation)
        if isinstance(part, Dropout):
            return keras.layers.Dropout(part.rate)
        return keras.layers.BatchNormalization()

    model = keras.Sequential([keras.Input((workload.inputs,)), *map(layer, workload.layers)])
    optimizers = keras.optimizers
    model.compile(
        optimizer=optimizers.SGD(0.1) if workload.optimizer == "sgd" else optimizers.Adam(0.001),
        loss="sparse_categorical_crossentropy" if workload.classes else "mse",
        metrics=["accuracy"] if workload.classes else [],
        steps_per_execution=int(os.environ.get("STEPS_PER_EXECUTION", 1)),
    )
    return model


def _keras_like(library: str, workload: Workload, samples: int | None) -> Runner:
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


def _torch(workload: Workload, samples: int | None, compiled: bool) -> Runner:
    torch = importlib.import_module("torch")
    x, y = map(torch.from_numpy, workload.data(samples))
    model = _torch_model(torch.nn, workload)
    forward = torch.compile(model) if compiled else model
    loss_of = torch.nn.CrossEntropyLoss() if workload.classes else torch.nn.MSELoss()
    parameters = model.parameters()
    optimizer = (
        torch.optim.SGD(parameters, 0.1)
        if workload.optimizer == "sgd"
        else torch.optim.Adam(parameters, 0.001)
    )

    def epoch() -> float:
        model.train()
        order = torch.randperm(len(x))
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for rows in order.split(workload.batch):
            target = y[rows]
            output = forward(x[rows])
            loss = loss_of(output, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
            if workload.classes:
                right += (output.argmax(1) == target).sum()
        return float(total) / len(x)

    @torch.no_grad()
    def predict() -> None:
        model.eval()
        for part in x.split(workload.batch):
            forward(part)

    @torch.no_grad()
    def one() -> None:
        model.eval()
        forward(x[:1])

    return Runner(epoch, predict, one, one)


def _torch_model(nn: Any, workload: Workload) -> Any:
    """The same layers; softmax is left to the loss, as torch wants it."""
    activations = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
    modules, width = [], workload.inputs
    for part in workload.layers:
        if isinstance(part, Dense):
            modules.append(nn.Linear(width, part.units))
            width = part.units
            if part.activation in activations:
                modules.append(activations[part.activation]())
        else:
            modules.append(
                nn.BatchNorm1d(width) if isinstance(part, BatchNorm) else nn.Dropout(part.rate)
            )
    return nn.Sequential(*modules)


def _sklearn(workload: Workload, samples: int | None) -> Runner:
    hidden = workload.layers[:-1]
    kinds = {part.activation for part in hidden if isinstance(part, Dense)}
    if not all(isinstance(part, Dense) for part in hidden) or len(kinds) != 1:
        raise Unsupported("scikit-learn's networks have only dense layers of one activation")
    network = importlib.import_module("sklearn.neural_network")
    warnings.simplefilter("ignore")  # it says after every epoch that it has not converged
    x, y = workload.data(samples)
    y = y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
    kind = network.MLPClassifier if workload.classes else network.MLPRegressor
    model = kind(
        hidden_layer_sizes=tuple(part.units for part in hidden),
        activation={"sigmoid": "logistic"}.get(kinds.pop(), "relu"),
        solver=workload.optimizer,
        learning_rate_init=0.1 if workload.optimizer == "sgd" else 0.001,
        momentum=0.0,
        batch_size=workload.batch,
        max_iter=1,
        warm_start=True,
    )

    def epoch() -> float:
        return float(model.fit(x, y).loss_)

    def one() -> Any:
        return model.predict(x[:1])

    return Runner(epoch, lambda: model.predict(x), one, one)
