"""The loss of a model over a whole data set, as a function of one float64 vector.

It is computed in chunks, whose losses and gradients are summed in float64, so that the size of the
chunks decides about memory and speed and not about the result.

There is such a function only where nothing else enters: layers that draw random numbers while
training (dropout, noise) and layers with a state that each call changes (BatchNormalization, whose
statistics would also be those of chunks) are refused, and so are constraints, which would move the
weights behind the minimiser's back. A BatchNormalization with ``trainable=False`` is a fixed
function and welcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .. import ops
from ..autodiff.tape import Tape
from ..autodiff.variable import Variable
from ..core import tree
from .interrupts import Interrupts
from .steps import Step, as_tensor, update_trackers

MEANS = ("sum_over_batch_size", "mean")


def _losses(model: Any) -> list[Any]:
    return [output.loss for output in model.compiled.outputs if output.loss is not None]


def why_whole(model: Any) -> str | None:
    """Why chunks cannot be summed, or None where they can."""
    losses = _losses(model)
    reductions = {loss.reduction for loss in losses}
    if reductions - {*MEANS, "sum"} or ("sum" in reductions and len(reductions) > 1):
        return f"the loss has the reduction {', '.join(map(repr, reductions))}"
    if any(getattr(loss, "ignore_class", None) is not None for loss in losses):
        return "the loss ignores a class, so parts have different numbers of labels that count"
    return None


def _is_sum(model: Any) -> bool:
    return any(loss.reduction == "sum" for loss in _losses(model))


# --- steps ---


def _loss_of(model: Any, rows: int, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Predictions and loss of a chunk, such that chunks sum to the loss of all `rows` samples.

    Means are weighted by the caller; sums count as they are, so here the penalties of the weights
    are given the share that makes all chunks together count them once.
    """
    y_pred = model(x, training=True)
    chunk = tree.flatten(x)[0].shape[0]
    if chunk < rows and any(_mask_of(leaf) is not None for leaf in tree.flatten(y_pred)):
        raise ValueError(
            f"{type(model.optimizer).__name__} needs the loss of all samples, which cannot be put "
            "together from parts where masks leave out different numbers of values. Pass "
            f"batch_size={rows}, the number of samples."
        )
    loss = model.compute_loss(x, y, y_pred, sample_weight, training=True)
    if chunk < rows and _is_sum(model):
        for penalty in model.losses:
            loss = loss - penalty * (1 - chunk / rows)
    return y_pred, as_tensor(loss)


def gradient_step(
    model: Any,
    variables: Sequence[Variable],
    rows: int,
    x: Any,
    y: Any,
    sample_weight: Any,
) -> list[Any]:
    """The loss of a chunk and its gradients; loss and metrics are noted as in training."""
    with Tape() as tape:
        for variable in variables:
            tape.watch(variable)
        y_pred, loss = _loss_of(model, rows, x, y, sample_weight)
    if loss.size != 1:
        raise ValueError(
            f"{type(model.optimizer).__name__} needs a loss that is one number. Received: one of "
            f"shape {loss.shape}. Use another reduction."
        )
    gradients = tape.gradient(loss, variables)
    if all(g is None for g in gradients):
        raise ValueError(
            "No variable has a gradient: the loss does not depend on any of them. Variables: "
            f"{[v.path for v in variables]}. Between weights and loss there may be a function "
            "without a gradient (argmax, round, a comparison, stop_gradient), or one of numpy's, "
            "which gives constants."
        )
    update_trackers(model, x, y, y_pred, sample_weight, loss)
    return [loss, *_filled(gradients, variables)]


def product_step(
    model: Any,
    variables: Sequence[Variable],
    direction: Sequence[Variable],
    rows: int,
    x: Any,
    y: Any,
    sample_weight: Any,
) -> list[Any]:
    """The Hessian of a chunk's loss times `direction`: the gradient of a directional derivative."""
    with Tape() as outer:
        for variable in variables:
            outer.watch(variable)
        with Tape() as inner:
            for variable in variables:
                inner.watch(variable)
            _, loss = _loss_of(model, rows, x, y, sample_weight)
        pairs = zip(inner.gradient(loss, variables), direction, strict=True)
        slopes = [ops.sum(g * d) for g, d in pairs if g is not None]
        slope = sum(slopes[1:], slopes[0])
    return _filled(outer.gradient(as_tensor(slope), variables), variables)


def _filled(gradients: Iterable[Any], variables: Iterable[Variable]) -> list[Any]:
    pairs = zip(gradients, variables, strict=True)
    return [np.zeros(v.shape, v.dtype) if g is None else g for g, v in pairs]


def _mask_of(value: Any) -> Any:
    return getattr(value, "mask", None)


# --- the objective ---


class Objective:
    """The loss of a model over a data set, as a function of one float64 vector.

    Args:
        model: The compiled, built model.
        feeder: Feeds steps with the data; `of` makes one for another step.
        places: The chunks, as the feeder takes them.
    """

    def __init__(self, model: Any, feeder: Any, places: Sequence[tuple[int, int]]):
        self.model = model
        self.variables = list(model.trainable_variables)
        self.size = sum(v.size for v in self.variables)
        self.interrupts: Interrupts | None = None
        rows = sum(stop - start for start, stop in places)
        total = _is_sum(model)
        self._chunks = [(p, 1.0 if total else (p[1] - p[0]) / rows) for p in places]
        self._direction = [Variable(np.zeros(v.shape, v.dtype)) for v in self.variables]
        key, eager = model._state_key, lambda: model.run_eagerly
        gradient = partial(gradient_step, model, self.variables, rows)
        product = partial(product_step, model, self.variables, self._direction, rows)
        self._gradient_feeder = feeder.of(Step(gradient, key, eager))
        self._product_feeder = feeder.of(Step(product, key, eager))
        self._measured: np.ndarray | None = None  # where the metrics are from

    @property
    def precision(self) -> float:
        """Relative precision of the loss: that of the coarsest weights."""
        return max(float(np.finfo(v.dtype).eps) for v in self.variables)

    def close(self) -> None:
        self._gradient_feeder.close()
        self._product_feeder.close()

    def read(self) -> np.ndarray:
        """The weights as one vector, shape (size,)."""
        parts = [v.numpy().reshape(-1) for v in self.variables]
        return np.concatenate(parts).astype(np.float64)

    def write(self, x: np.ndarray) -> None:
        """Set the weights to a vector, rounded to their dtypes."""
        _scatter(x, self.variables)

    def holds(self, x: np.ndarray) -> bool:
        """Whether the weights are those of a vector."""
        now = ((v.numpy(), part) for v, part in _parts(x, self.variables))
        return all(np.array_equal(array, part.astype(array.dtype)) for array, part in now)

    def evaluate(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss at `x` and its gradient; the metrics are then those at `x`, too."""
        self.write(x)
        self.model.reset_metrics()
        self._measured = None
        loss, gradient = 0.0, np.zeros(self.size)
        for place, weight in self._chunks:
            value, *parts = tree.flatten(self._gradient_feeder.run(place))
            loss += weight * float(value)
            self._add(gradient, weight, parts)
        self._measured = np.array(x)
        return loss, gradient

    def product(self, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """The Hessian of the loss at `x` times a vector."""
        if not self.holds(x):
            self.write(x)
        length = float(np.linalg.norm(direction)) or 1.0
        _scatter(direction / length, self._direction)  # of length 1: far from float32's limits
        product = np.zeros(self.size)
        for place, weight in self._chunks:
            parts = tree.flatten(self._product_feeder.run(place))
            self._add(product, weight * length, parts)
        return product

    def settle(self, x: np.ndarray) -> None:
        """Have weights and metrics be those at `x`."""
        if self._measured is None or not np.array_equal(self._measured, x) or not self.holds(x):
            self.evaluate(x)

    def check(self) -> None:
        """Raise unless the loss is a function of the weights alone, on which all may rely.

        Raises:
            ValueError: Constraints; layers that draw random numbers or change in each call.
        """
        owner = type(self.model.optimizer).__name__
        if not self.variables:
            raise ValueError(
                f"{owner} has nothing to train: no variable of the model is trainable."
            )
        constrained = [v.path for v in self.variables if v.constraint is not None]
        if constrained:
            raise ValueError(
                f"{owner} searches freely and cannot keep constraints. Received: constraints on "
                f"{', '.join(constrained)}. Use a penalty (a regularizer), or another optimizer."
            )
        changing = self._changed_by_a_call()
        if changing:
            raise ValueError(
                f"{owner} needs a loss that depends on the weights alone. Received: layers that "
                f"draw random numbers or change their own state in each call: {changing}. Leave "
                "out dropout and noise (use a penalty instead), set trainable=False on "
                "BatchNormalization, or use another optimizer, such as 'adam'."
            )

    def _changed_by_a_call(self) -> str:
        """Names of the layers with variables that a training step changes; they are put back."""
        trained = {id(v) for v in self.variables}
        others = [v for v in self.model.variables if id(v) not in trained]
        before = [v.numpy() for v in others]
        self._gradient_feeder.run(self._chunks[0][0])
        self.model.reset_metrics()
        pairs = zip(others, before, strict=True)
        changed = [(v, old) for v, old in pairs if v.numpy().tobytes() != old.tobytes()]
        for variable, old in changed:
            variable.assign(old)
        return ", ".join(dict.fromkeys(_owner(self.model, v) for v, _ in changed))

    def _add(self, total: np.ndarray, weight: float, parts: Sequence[np.ndarray]) -> None:
        """Add the weighted parts, one per variable, to a flat vector, in float64."""
        at = 0
        for part in parts:
            total[at : at + part.size] += weight * part.reshape(-1).astype(np.float64)
            at += part.size
        if self.interrupts is not None and self.interrupts.seen:
            raise KeyboardInterrupt


def _parts(x: np.ndarray, variables: Iterable[Variable]) -> Iterable[tuple[Variable, np.ndarray]]:
    """Each variable with its part of a vector."""
    at = 0
    for variable in variables:
        yield variable, x[at : at + variable.size].reshape(variable.shape)
        at += variable.size


def _scatter(x: np.ndarray, variables: Iterable[Variable]) -> None:
    with np.errstate(over="ignore"):  # a trial point may lie beyond float32
        for variable, part in _parts(x, variables):
            variable.assign(part)


def _owner(model: Any, variable: Variable) -> str:
    """The innermost layer that holds a variable, as "name (Class)"."""
    holders = [
        layer for layer in model._flatten_layers() if any(v is variable for v in layer.variables)
    ]
    layer = min(holders, key=lambda layer: len(layer.variables))
    return f"'{layer.name}' ({type(layer).__name__})"
