"""Checks before any work starts: compiled? loss? does the data fit the model and the loss?"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..core import tree, validate
from ..data import (
    align_inputs,
    align_target,
    data_kind,
    in_order,
    target_kind,
    to_array,
    to_array_or_text,
    to_nest,
)
from ..graph.symbol import Symbol
from . import text
from .outputs import in_outputs_order, output_names


def first_epoch(initial_epoch: Any, epochs: int) -> int:
    """`initial_epoch`, checked; a warning when it lies behind the last one."""
    initial_epoch = validate.non_negative_int(initial_epoch, "initial_epoch", "fit")
    if initial_epoch > epochs:
        warnings.warn(
            "fit has nothing to train: `epochs` is the number of the last epoch, not of further "
            f"ones. Received: initial_epoch={initial_epoch}, epochs={epochs}.",
            stacklevel=4,
        )
    return initial_epoch


def require_compiled(model: Any, what: str) -> None:
    if model.compiled is None:
        raise ValueError(
            f"The model must be compiled before `{what}`. "
            "Call model.compile(optimizer=..., loss=...) first."
        )


def require_loss(model: Any, y: Any) -> None:
    """A target needs a loss, and a loss a target."""
    if model.compiled.has_loss and y is None and not model.has_own_loss:
        raise ValueError(
            "The model was compiled with a loss, which needs targets. Received: y=None. "
            "Pass the targets as `y`."
        )
    compiled = model.compiled
    used = compiled.has_metrics or compiled.has_loss or model.has_own_loss
    if y is not None and not used:
        raise ValueError(
            "The model was compiled without a loss, so `y` has no use. Compile it with loss=..., "
            "or override `compute_loss` or `train_step`."
        )


def require_arrays(x: Any, what: str) -> None:
    """Refuse what is no batch of arrays."""
    if data_kind(x) != "arrays":
        raise TypeError(
            f"`{what}` takes arrays, or nests of them. Received: {type(x).__name__}. Generators "
            "and data sets are taken by `fit` (with other optimizers), `evaluate` and `predict`."
        )


def prepare(model: Any, x: Any, y: Any, name: str = "x") -> tuple[Any, Any]:
    """Arrays in the ranks and dtypes that model and loss take; the model is built if it is not.

    Raises:
        ValueError: Shapes, labels or dtypes that do not fit, with what to do.
    """
    if y is None and _fits_already(model, x):
        return x, None
    x = to_nest(x, name, to_array_or_text if text.takes_text(model) else to_array)
    for leaf in tree.flatten(x):
        if leaf is not None and len(leaf) == 0:
            raise ValueError(
                f"`{name}` is empty: at least one sample is needed. Received: shape {leaf.shape}."
            )
    if not model.built and model.has_call:
        _build(model, x, y)
    elif not model.built:  # nothing but the layers that its steps use
        model.built = all(la.built for la in model._flatten_layers(include_self=False))
    if model.input_shapes is not None:
        arrays = in_order(_with_optional(model, x), model.input_names)
        _require_inputs(model, arrays)
        names = [n if name == "x" else f"{n} of {name}" for n in model.input_names]
        text.match_inputs(model, arrays, names)
        aligned = align_inputs(arrays, model.input_shapes, names, f"Model '{model.name}'")
        x = aligned[0] if len(aligned) == 1 else aligned
    if y is None:
        return x, None
    return x, prepare_targets(model, x, to_nest(y, "y"))


def _with_optional(model: Any, x: Any) -> Any:
    """A dict of inputs in which those that may be left out are None where they are."""
    return {**dict.fromkeys(model.optional_inputs), **x} if isinstance(x, dict) else x


def _require_inputs(model: Any, arrays: list[Any]) -> None:
    for name, array in zip(model.input_names, arrays, strict=True):
        if array is None and name not in model.optional_inputs:
            raise ValueError(
                f"Input '{name}' of model '{model.name}' is missing. Received: None. Pass an "
                "array, or make the input with `Input(..., optional=True)`."
            )


def _build(model: Any, x: Any, y: Any) -> None:
    """Build a model by its `call`, unless that is for other inputs than its `train_step`."""
    try:
        model.build_from_data(x)
    except Exception:  # whatever a `call` of the user's may raise
        if y is not None or not model.has_own_step("train"):
            raise


def _fits_already(model: Any, x: Any) -> bool:
    """Whether `x` is an array that needs no look: the common case of serving, decided quickly."""
    if type(x) is not np.ndarray or not model.built or not x.flags.c_contiguous or not len(x):
        return False
    shapes = model.input_shapes
    return (
        shapes is not None
        and len(shapes) == 1
        and x.dtype == np.float32
        and x.ndim == len(shapes[0])
        and all(n in (None, m) for n, m in zip(shapes[0], x.shape, strict=True))
    )


def prepare_targets(model: Any, x: Any, y: Any) -> Any:
    """Targets in the ranks and dtypes of the losses, in the nest given; builds the metrics."""
    compiled = model.compiled
    if compiled is None or not model.has_call:
        return y
    if model.has_own_loss and not (compiled.has_loss or compiled.has_metrics):
        return y  # it knows itself what its targets are
    output = model.output_for(x)
    names = output_names(output, model.output_names)
    targets = in_outputs_order(y, names, "y", compiled.with_loss(names))
    if all(leaf is None or len(leaf) == len(tree.flatten(x)[0]) for leaf in targets):
        losses = compiled.losses_for(names)  # other lengths get their own error
        triples = zip(targets, tree.flatten(output), losses, strict=True)
        targets = [None if t is None else _aligned(t, o, loss) for t, o, loss in triples]
    compiled.build(targets, output, names)
    return _replaced(y, names, targets)


def _aligned(target: np.ndarray, output: Any, loss: Any) -> np.ndarray:
    """A target in the rank and dtype that the loss takes."""
    name = getattr(getattr(loss, "fn", None), "__name__", None) or getattr(loss, "name", None)
    shape = (None, *output.shape[1:])
    y = align_target(target, shape, name, ignore_class=getattr(loss, "ignore_class", None))
    if target_kind(name) == "labels" and y.dtype != np.int64:
        y = y.astype(np.int64)
    elif target_kind(name) in ("one_hot", "binary", "same") and y.dtype.kind != "f":
        y = y.astype(output.dtype)
    return np.ascontiguousarray(y)


def _replaced(nest: Any, names: list[Any], leaves: list[Any]) -> Any:
    """The nest with other leaves, which come in the order of the outputs."""
    if (
        isinstance(nest, dict)
        and None not in names
        and not any(isinstance(v, dict) for v in nest.values())
    ):
        by_name = dict(zip(names, leaves, strict=True))
        return {key: by_name[key] for key in nest}
    found = iter([leaf for leaf in leaves if leaf is not None])
    return tree.map_structure(lambda old: None if old is None else next(found), nest)


def number_of_classes(model: Any, x: Any) -> int | None:
    """Number of classes of a classifier, for class weights; None when the output does not tell."""
    output = model.output_for(x) if model.has_call else None
    if isinstance(output, Symbol) and len(output.shape) == 2 and (output.shape[1] or 0) > 1:
        return output.shape[1]
    return None


def directions(model: Any) -> dict[str, str]:
    """For the metrics that tell which way is better: their name, and "max" or "min"."""
    told = {"up": "max", "down": "min"}
    pairs = zip(model.metrics_names, model.metrics, strict=False)
    known = ((name, getattr(metric, "_direction", None)) for name, metric in pairs)
    return {name: told[direction] for name, direction in known if direction in told}
