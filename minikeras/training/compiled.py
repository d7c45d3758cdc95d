"""Compiled: the optimizer, loss and metrics that `compile` was given, resolved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import losses, optimizers
from .. import metrics as metrics_room
from ..core import tree
from ..core.serialize import serialize
from ..core.validate import reject_unknown

ARGUMENTS = (
    *("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"),
    *("run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"),
)
UNKNOWN_METRIC = ("accuracy", "acc", "crossentropy", "ce")


class Compiled:
    """Arguments of `compile`, checked and made objects.

    Metrics whose meaning depends on the data ("accuracy") are made by `build`, which the first step
    calls with the shapes of targets and outputs.
    """

    def __init__(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **unknown: Any,
    ):
        reject_unknown(unknown, ARGUMENTS, "compile")
        self.given = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile is True or jit_compile == "auto",
        }
        self.optimizer = optimizers.get(optimizer)
        self.loss = as_loss(loss)
        self.loss_weight = _single_weight(loss_weights)
        self.run_eagerly = bool(run_eagerly)
        # unknown metrics fail here, not in `fit`
        self._metric_specs = [_resolved(s) for s in as_list(metrics, "metrics")]
        self._weighted_specs = [_resolved(s) for s in as_list(weighted_metrics, "weighted_metrics")]
        self.loss_tracker = metrics_room.Mean(name="loss")
        self.metrics: list[Any] = []
        self.weighted_metrics: list[Any] = []
        self.built = False
        self.names = self._result_names()

    def _result_names(self) -> list[str]:
        """Names of loss and metrics in order: as given, and told apart where two are the same."""
        names = ["loss", *map(_name_of, self._metric_specs)]
        weighted = map(_name_of, self._weighted_specs)
        return _distinct([*names, *[f"weighted_{n}" if n in names else n for n in weighted]])

    def build(self, target: Any, output: Any) -> None:
        """Make the metrics, given a target and an output (anything with a shape and a dtype)."""
        if self.built:
            return
        self.metrics = [self._metric(s, target, output) for s in self._metric_specs]
        self.weighted_metrics = [self._metric(s, target, output) for s in self._weighted_specs]
        self.built = True

    def _metric(self, spec: Any, target: Any, output: Any) -> Any:
        if spec in ("accuracy", "acc"):
            return metrics_room.accuracy_for(target.shape, output.shape, name=spec)
        if spec in ("crossentropy", "ce"):
            return metrics_room.crossentropy_for(target.shape, output.shape, name=spec)
        metric = metrics_room.get(spec)
        if isinstance(metric, metrics_room.Metric):
            return metric
        return metrics_room.MeanMetricWrapper(metric, name=_name_of(spec))

    @property
    def all_metrics(self) -> list[Any]:
        return [self.loss_tracker, *self.metrics, *self.weighted_metrics]

    def update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        for metric in self.metrics:
            metric.update_state(y, y_pred)
        for metric in self.weighted_metrics:
            metric.update_state(y, y_pred, sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments as a file holds them."""
        config = {"optimizer": serialize(self.optimizer)}
        for name, value in self.given.items():
            config[name] = tree.map_structure(_plain, value)
        return config


def as_loss(loss: Any) -> Any:
    """A Loss object of a name, function, class or object; None stays None."""
    if loss is None or isinstance(loss, losses.Loss):
        return loss
    if isinstance(loss, list | tuple | dict) and not (
        isinstance(loss, dict) and "class_name" in loss
    ):
        flat = tree.flatten(loss)
        if len(flat) != 1:
            raise ValueError(
                f"The model has one output and needs one loss. Received: {len(flat)} losses "
                f"({loss!r})."
            )
        return as_loss(flat[0])
    found = losses.get(loss)
    if isinstance(found, losses.Loss):
        return found
    if not callable(found):
        raise ValueError(
            f"A loss is a name, a function (y_true, y_pred) or a Loss. Received: {loss!r}."
        )
    return losses.LossFunctionWrapper(found, name=getattr(found, "__name__", None))


def as_list(specs: Any, argument: str) -> list[Any]:
    """The metrics of the one output, from a list, a dict, a nest of one, or a single metric."""
    if specs is None:
        return []
    if (
        isinstance(specs, str)
        or callable(specs)
        or (isinstance(specs, dict) and "class_name" in specs)
    ):
        raise ValueError(
            f"`{argument}` must be a list. Received: {specs!r}. Write {argument}=[{specs!r}]."
        )
    values = list(specs.values()) if isinstance(specs, dict) else list(specs)
    return [m for v in values for m in (v if isinstance(v, list | tuple) else [v])]


def _single_weight(loss_weights: Any) -> float | None:
    flat: Sequence[Any] = [] if loss_weights is None else tree.flatten(loss_weights)
    if len(flat) > 1:
        raise ValueError(
            f"The model has one output and takes one loss weight. Received: {loss_weights!r}."
        )
    return float(flat[0]) if flat else None


def _resolved(spec: Any) -> Any:
    """A known name as it is; anything else as a metric or function."""
    if isinstance(spec, str) and spec in UNKNOWN_METRIC:
        return spec
    found = metrics_room.get(spec)
    return spec if isinstance(spec, str) else found


def _distinct(names: Sequence[str]) -> list[str]:
    """Equal names told apart: the second "mae" is "mae_1"."""
    before = [names[:i].count(name) for i, name in enumerate(names)]
    return [f"{name}_{n}" if n else name for name, n in zip(names, before, strict=True)]


def _name_of(spec: Any) -> str:
    if isinstance(spec, str):
        return spec
    return getattr(spec, "name", None) or getattr(spec, "__name__", type(spec).__name__)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return serialize(value)
