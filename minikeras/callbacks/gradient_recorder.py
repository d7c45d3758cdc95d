"""How gradients and dead units change while a model learns."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..autodiff.tape import Tape, unwrap
from ..core import tree, validate
from ..core.catalog import register
from .callback import Callback, Logs
from .figures import new_axes

__all__ = ["GradientRecorder"]

_BATCH_HOOKS = ("on_train_batch_end",)
_RELU = ("relu", "relu6")


@register("callbacks")
class GradientRecorder(Callback):
    """Record, layer by layer, the norm of the loss's gradient and the share of dead ReLU units.

    They are computed on the same samples each time, beside training, which they do not change by a
    bit. A unit is dead when it gives 0 for all of these samples (of a convolution: a channel that
    is 0 everywhere). Vanishing gradients show as norms that fall from the last layer to the first.

    After each epoch the logs hold "gradient_norm_<layer>" and, for layers with ReLU,
    "dead_units_<layer>" (from 0 to 1), which the history keeps and other callbacks can watch.

    Args:
        data: (x, y) or (x, y, sample_weight) to compute on; by default the first `samples` of the
            validation data of `fit`.
        every: "epoch", or a number to record as well after every so many batches.
        samples: How many samples of the validation data to take.
        training: Whether layers behave as in training (dropout, batch statistics).

    Attributes:
        steps: Updates made before each record.
        records: Name to values, one for each of `steps`.

    Raises:
        ValueError: Before the first epoch: no data.

    >>> import numpy as np, minikeras as keras
    >>> x = np.ones((8, 3), "float32")
    >>> model = keras.Sequential([keras.layers.Dense(4, "relu", name="hidden"),
    ...                           keras.layers.Dense(1, name="out")])
    >>> model.compile("sgd", "mse")
    >>> recorder = GradientRecorder((x, x[:, :1]))
    >>> history = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[recorder])
    >>> sorted(recorder.records)
    ['dead_units_hidden', 'gradient_norm_hidden', 'gradient_norm_out']
    >>> len(history.history["gradient_norm_out"])
    2
    """

    state_names = ("steps", "records")

    def __init__(
        self,
        data: Any = None,
        every: int | str = "epoch",
        samples: int = 128,
        training: bool = False,
    ):
        owner = type(self).__name__
        if data is not None and not (isinstance(data, tuple | list) and len(data) in (2, 3)):
            raise ValueError(
                f"{owner}: `data` must be (x, y) or (x, y, sample_weight). "
                f"Received: {type(data).__name__}."
            )
        self.data = data
        if every != "epoch":
            every = validate.positive_int(every, "every", owner)
        self.every = every
        self.samples = validate.positive_int(samples, "samples", owner)
        self.training = validate.boolean(training, "training", owner)
        self.steps: list[int] = []
        self.records: dict[str, list[float]] = {}
        self._probe: Any = None

    @property
    def idle_hooks(self) -> tuple[str, ...]:  # type: ignore[override]
        """The hook of batches, unless something is recorded in it."""
        own = type(self).on_train_batch_end is not GradientRecorder.on_train_batch_end
        return () if own or self.every != "epoch" else _BATCH_HOOKS

    @property
    def log_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the logs of an epoch will hold."""
        if self.model is None:
            return ()
        layers = _leaves(self.model)
        norms = [f"gradient_norm_{n}" for n, layer in layers if layer.trainable_variables]
        return (*norms, *(f"dead_units_{n}" for n, layer in layers if _has_relu(layer)))

    def on_train_begin(self, logs: Logs = None) -> None:
        self.steps, self.records = [], {}
        self._probe = self._find_probe()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not isinstance(self.every, str) and self._updates() % self.every == 0:
            self._record()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.steps or self.steps[-1] != self._updates():
            self._record()
        if logs is not None:
            logs.update({name: values[-1] for name, values in self.records.items()})

    def measure(self) -> dict[str, float]:
        """The numbers for the model as it is now."""
        x, y, weight = self._probe
        kept = [(v, v.numpy()) for v in self.model.non_trainable_variables] if self.training else []
        try:
            return self._measure(x, y, weight)
        finally:
            for variable, value in kept:
                variable.assign(value)

    def plot(self, axes: Any = None) -> list[Any]:
        """Draw the norms, and below them the shares of dead units; returns the matplotlib axes.

        Args:
            axes: As many axes to draw into; a new figure by default.
        """
        if not self.steps:
            raise ValueError("There is nothing to draw yet. Pass the recorder to `fit` first.")
        kinds = ["gradient_norm_", "dead_units_"]
        kinds = [kind for kind in kinds if any(name.startswith(kind) for name in self.records)]
        beside = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if axes is None else {}
        axes = new_axes(len(kinds)) if axes is None else list(np.ravel(np.asarray(axes, object)))
        for kind, one in zip(kinds, axes, strict=True):
            for name, values in self.records.items():
                if name.startswith(kind):
                    one.plot(self.steps, values, label=name.removeprefix(kind))
            one.set_ylabel(kind.replace("_", " ").strip())
            one.legend(title="layer", fontsize="small", **beside)
        axes[0].set_yscale("log")
        axes[-1].set_xlabel("updates")
        return axes

    def _updates(self) -> int:
        """Updates that the model has had."""
        return int(self.model.optimizer.iterations)

    def _record(self) -> None:
        self.steps.append(self._updates())
        for name, value in self.measure().items():
            self.records.setdefault(name, []).append(value)

    def _find_probe(self) -> Any:
        run = self.model.training_run
        if self.data is not None:
            return run.prepared(*self.data)
        if run.validation_data is None:
            raise ValueError(
                "GradientRecorder needs samples to compute on, and `fit` has no validation data in "
                "arrays. Pass data=(x, y), or validation_data=(x, y) to `fit`."
            )
        return tree.map_structure(
            lambda leaf: None if leaf is None else leaf[: self.samples], run.validation_data
        )

    def _measure(self, x: Any, y: Any, weight: Any) -> dict[str, float]:
        model = self.model
        variables = model.trainable_variables
        with _outputs_of(dict(_leaves(model))) as outputs, Tape() as tape:
            for variable in variables:
                tape.watch(variable)
            y_pred = model(x, training=self.training)
            loss = model.compute_loss(x, y, y_pred, weight, training=self.training)
        gradients = tape.gradient(loss, variables)
        norms = self._norms(dict(zip(map(id, variables), map(unwrap, gradients), strict=True)))
        dead = {f"dead_units_{name}": _dead_share(given) for name, given in outputs.items()}
        return {**norms, **dead}

    def _norms(self, gradients: dict[int, Any]) -> dict[str, float]:
        """The norm of the gradient of each layer's weights together."""
        norms = {}
        for name, layer in _leaves(self.model):
            variables = layer.trainable_variables
            if variables:
                given = [gradients.get(id(v)) for v in variables]
                squares = [np.sum(np.square(g, dtype=np.float64)) for g in given if g is not None]
                norms[f"gradient_norm_{name}"] = float(np.sqrt(sum(squares)))
        return norms


def _leaves(model: Any, scope: str = "") -> list[tuple[str, Any]]:
    """The layers that are no models, with their names, below the names of inner models."""
    found: list[tuple[str, Any]] = []
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found += _leaves(layer, f"{scope}{layer.name}/")
        else:
            found.append((f"{scope}{layer.name}", layer))
    return found


def _has_relu(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    if getattr(activation, "__name__", type(activation).__name__.lower()) in _RELU:
        return True
    return type(layer).__name__ == "ReLU" and not getattr(layer, "negative_slope", 0)


@contextmanager
def _outputs_of(layers: dict[str, Any]) -> Iterator[dict[str, list[np.ndarray]]]:
    """Within the block, what layers with ReLU give is kept under their names, units last."""
    outputs: dict[str, list[np.ndarray]] = {n: [] for n, la in layers.items() if _has_relu(la)}

    def listening(layer: Any, kept: list[np.ndarray]) -> Any:
        call = layer.call

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            values = np.asarray(unwrap(result))
            first = getattr(layer, "data_format", None) == "channels_first"
            kept.append(np.moveaxis(values, 1, -1) if first else values)
            return result

        return wrapped

    for name, kept in outputs.items():  # past __setattr__: the layer itself does not change
        layers[name].__dict__["call"] = listening(layers[name], kept)
    try:
        yield outputs
    finally:
        for name in outputs:
            del layers[name].__dict__["call"]


def _dead_share(outputs: list[np.ndarray]) -> float:
    """The share of units (last axis) that are 0 for all samples in all calls."""
    alive = [np.any(o.reshape(-1, o.shape[-1]) != 0, axis=0) for o in outputs]
    return float(1 - np.mean(np.any(alive, axis=0))) if alive else float("nan")
