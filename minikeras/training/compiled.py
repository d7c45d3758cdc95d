"""Compiled: the optimizer, loss and metrics that `compile` was given, resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import losses, optimizers
from .. import metrics as metrics_room
from ..core import tree
from ..core.serialize import serialize
from ..core.validate import boolean, number, positive_int, reject_unknown
from .outputs import Output, in_outputs_order, output_names, shared_out

ARGUMENTS = (
    *("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"),
    *("run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"),
)
# metrics whose meaning depends on the shapes of targets and outputs
BY_SHAPES = {
    **dict.fromkeys(("accuracy", "acc"), metrics_room.accuracy_for),
    **dict.fromkeys(("crossentropy", "ce"), metrics_room.crossentropy_for),
}


class Compiled:
    """Arguments of `compile`, checked and made objects.

    What belongs to which output, and metrics whose meaning depends on the data ("accuracy"), are
    settled by `build`, given a target and an output.

    Attributes:
        outputs: For each output of the model its loss and metrics, once built.
        names: Names of the results in order: "loss", then losses and metrics of the outputs.
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
        self.run_eagerly = boolean(run_eagerly, "run_eagerly", "compile")
        positive_int(steps_per_execution, "steps_per_execution", "compile")
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
        # unknown losses and metrics fail here, not in `fit`
        self._losses = _map_leaves(as_loss, loss, is_loss)
        self._metrics = _resolved_metrics(metrics, "metrics")
        self._weighted_metrics = _resolved_metrics(weighted_metrics, "weighted_metrics")
        _check_weights(loss_weights)
        self.has_loss = any(part is not None for part in _leaves(self._losses, is_loss))
        self.loss_tracker = metrics_room.Mean(name="loss")
        self.outputs: list[Output] = []
        self.built = False
        self.names = self._names_so_far()
        self._own_losses: list[Any] = []
        self._ordered_metrics: list[tuple[str, Any]] = []

    @property
    def has_metrics(self) -> bool:
        return any(_leaves(self._metrics, is_metric)) or any(
            _leaves(self._weighted_metrics, is_metric)
        )

    def _names_so_far(self) -> list[str]:
        """The names of a model with one output, which most have; others know theirs when built."""
        if any(isinstance(s, Mapping) for s in (self._metrics, self._weighted_metrics)):
            return ["loss"]
        specs = (self._metrics, self._weighted_metrics)
        return _distinct(["loss", *_metric_names(*[_leaves(s, is_metric) for s in specs])])

    # --- building ---

    def build(self, targets: Any, output: Any, given_names: Sequence[str] | None = None) -> None:
        """Settle what belongs to which output.

        Args:
            targets: For each output its target, anything with a shape, or None.
            output: Nest of the model's outputs, likewise.
            given_names: Names that the model gives to its outputs.

        Raises:
            ValueError: Losses or metrics that do not fit the outputs.
        """
        if self.built:
            return
        names = output_names(output, given_names)
        self.outputs = [Output(name) for name in names]
        self._share_losses(names)
        leaves = tree.flatten(output)
        plain = _metrics_of(self._metrics, names, "metrics")
        weighted = _metrics_of(self._weighted_metrics, names, "weighted_metrics")
        for k, (one, y, y_pred) in enumerate(zip(self.outputs, targets, leaves, strict=True)):
            one.metrics = [_metric(s, y, y_pred) for s in plain[k]]
            one.weighted_metrics = [_metric(s, y, y_pred) for s in weighted[k]]
            one.metric_names = _metric_names(plain[k], weighted[k])
        self._own_losses = [o for o in self.outputs if o.tracker is not None]
        self._ordered_metrics = self._named_metrics()
        own = [output.tracker.name for output in self._own_losses]
        self.names = _distinct(["loss", *own, *(name for name, _ in self._ordered_metrics)])
        self.built = True

    def losses_for(self, names: Sequence[Any]) -> list[Any]:
        """The loss of each output, None where it has none; a single loss is that of all.

        Raises:
            ValueError: Another number of losses than outputs, or unknown names.
        """
        return self._per_output(self._losses, names)

    def with_loss(self, names: Sequence[Any]) -> list[bool]:
        """Whether each output has a loss."""
        return [loss is not None for loss in self.losses_for(names)]

    def _per_output(self, spec: Any, names: Sequence[Any]) -> list[Any]:
        several = is_loss(spec) and len(names) > 1
        return shared_out([spec] * len(names) if several else spec, names, "loss", is_loss)

    def _share_losses(self, names: list[Any]) -> None:
        found = self.losses_for(names)
        weights = shared_out(self.given["loss_weights"], names, "loss_weights", _is_number)
        for output, loss, weight in zip(self.outputs, found, weights, strict=True):
            output.loss = loss
            output.weight = None if weight is None else float(weight)
        specs = self._per_output(self.given["loss"], names)
        several = [(o, s) for o, s in zip(self.outputs, specs, strict=True) if o.loss is not None]
        if len(several) > 1:
            for output, spec in several:
                label = output.name or _name_of(spec)
                output.tracker = metrics_room.Mean(name=f"{label}_loss")

    def _named_metrics(self) -> list[tuple[str, Any]]:
        """(name, metric): those of one output as compiled, those of several by name as in Keras."""
        found: list[tuple[str, Any]] = []
        for output in self.outputs:
            front = f"{output.name}_" if output.name and len(self.outputs) > 1 else ""
            metrics = (*output.metrics, *output.weighted_metrics)
            names = [front + name for name in output.metric_names]
            found += zip(names, metrics, strict=True)
        return sorted(found, key=lambda pair: pair[0]) if len(self.outputs) > 1 else found

    # --- use ---

    @property
    def all_metrics(self) -> list[Any]:
        """The running mean of the loss, then of each output's loss, then all metrics."""
        own = [output.tracker for output in self._own_losses]
        return [self.loss_tracker, *own, *(metric for _, metric in self._ordered_metrics)]

    def require_built(self, y: Any, y_pred: Any) -> None:
        """Build for targets and outputs at hand, where nobody has before."""
        if not self.built:
            names = output_names(y_pred)
            self.build(in_outputs_order(y, names, "y", self.with_loss(names)), y_pred)

    def loss(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum of the outputs' losses; their running means take them in.

        Raises:
            ValueError: Nothing to compute a loss of.
        """
        self.require_built(y, y_pred)
        total: Any = None
        for output, target, prediction, weight in self._parts(y, y_pred, sample_weight):
            if output.loss is None:
                continue
            if target is None:
                raise ValueError(
                    f"Output '{output.name}' has a loss and needs a target. Received: none in `y`."
                )
            value = output.loss(target, prediction, sample_weight=weight)
            if output.tracker is not None:
                rows = float(prediction.shape[0])
                output.tracker.update_state(value, sample_weight=rows)
            if output.weight is not None:
                value = value * output.weight
            total = value if total is None else total + value
        return total

    def update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        self.require_built(y, y_pred)
        for output, target, prediction, weight in self._parts(y, y_pred, sample_weight):
            if target is None:
                continue
            for metric in output.metrics:
                metric.update_state(target, prediction)
            for metric in output.weighted_metrics:
                metric.update_state(target, prediction, sample_weight=weight)

    def _parts(self, y: Any, y_pred: Any, sample_weight: Any) -> list[tuple]:
        """For each output: itself, target, prediction, weights."""
        predictions = tree.flatten(y_pred)
        names = [o.name for o in self.outputs]
        if sample_weight is not None and not tree.is_nested(sample_weight):
            weights = [sample_weight] * len(predictions)
        else:
            weights = in_outputs_order(sample_weight, names, "sample_weight")
        needed = [output.loss is not None for output in self.outputs]
        targets = in_outputs_order(y, names, "y", needed)
        return list(zip(self.outputs, targets, predictions, weights, strict=True))

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
    found = losses.get(loss)
    if isinstance(found, losses.Loss):
        return found
    if not callable(found):
        raise ValueError(
            f"A loss is a name, a function (y_true, y_pred) or a Loss. Received: {loss!r}."
        )
    return losses.LossFunctionWrapper(found, name=getattr(found, "__name__", None))


def is_loss(spec: Any) -> bool:
    """Whether this stands for one loss (or none) rather than a collection of losses."""
    return not isinstance(spec, list | tuple | dict) or _is_record(spec)


is_metric = is_loss


def _is_record(spec: Any) -> bool:
    return isinstance(spec, dict) and "class_name" in spec


def _is_number(spec: Any) -> bool:
    return not isinstance(spec, list | tuple | dict)


def _map_leaves(function: Any, spec: Any, is_leaf: Any) -> Any:
    """`function` of each leaf of a collection, which may be one leaf."""
    if is_leaf(spec):
        return function(spec)
    if isinstance(spec, Mapping):
        return {key: _map_leaves(function, value, is_leaf) for key, value in spec.items()}
    return [_map_leaves(function, value, is_leaf) for value in spec]


def _leaves(spec: Any, is_leaf: Any) -> list[Any]:
    if is_leaf(spec):
        return [] if spec is None else [spec]
    values = spec.values() if isinstance(spec, Mapping) else spec
    return [leaf for value in values for leaf in _leaves(value, is_leaf)]


def _check_weights(loss_weights: Any) -> None:
    for weight in _leaves(loss_weights, _is_number):
        number(weight, "loss_weights", "compile")


def _resolved_metrics(specs: Any, argument: str) -> Any:
    if specs is not None and is_metric(specs):
        raise ValueError(
            f"`{argument}` must be a list. Received: {specs!r}. Write {argument}=[{specs!r}]."
        )
    return _map_leaves(_resolved, specs, is_metric)


def _resolved(spec: Any) -> Any:
    """A known name as it is; anything else as a metric or function."""
    if spec is None or (isinstance(spec, str) and spec in BY_SHAPES):
        return spec
    found = metrics_room.get(spec)
    return spec if isinstance(spec, str) else found


def _metrics_of(specs: Any, names: Sequence[Any], argument: str) -> list[list[Any]]:
    """The metrics of each output; a plain list is that of a single output."""
    flat = isinstance(specs, list) and all(is_metric(s) for s in specs)
    if len(names) == 1:
        return [_leaves(specs, is_metric)]
    if flat and specs and len(specs) != len(names):
        raise ValueError(
            f"The model has {len(names)} outputs and needs one list of `{argument}` for each, "
            f"or a dict by name. Received: {[_name_of(s) for s in specs]}."
        )
    return [_leaves(s, is_metric) for s in shared_out(specs or None, names, argument, is_metric)]


def _metric(spec: Any, target: Any, output: Any) -> Any:
    if isinstance(spec, str) and spec in BY_SHAPES:
        if target is None:
            raise ValueError(f"The metric {spec!r} needs targets. Received: none for its output.")
        return BY_SHAPES[spec](target.shape, output.shape, name=spec)
    metric = metrics_room.get(spec)
    if isinstance(metric, metrics_room.Metric):
        return metric
    return metrics_room.MeanMetricWrapper(metric, name=_name_of(spec))


def _metric_names(plain: Sequence[Any], weighted: Sequence[Any]) -> list[str]:
    """Names of metrics; "weighted_" goes before that of a weighted one that is there plain too."""
    names = [_name_of(m) for m in plain]
    return names + [f"weighted_{n}" if n in names else n for n in map(_name_of, weighted)]


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
