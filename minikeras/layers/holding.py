"""What a layer holds: weights, layers with weights of their own, and penalties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import constraints, initializers, regularizers
from ..autodiff.context import context
from ..autodiff.spec import is_float
from ..autodiff.tensor import Tensor
from ..autodiff.variable import Variable
from ..core import tree
from ..core.limits import claim
from ..core.names import path_of, place
from ..core.walk import members
from ..ops import core as ops_core
from .call_context import call_context


def _usual(method: Any) -> Any:
    """Mark what a file does by itself, all layers at once, unless a layer has its own way."""
    method.is_usual = True
    return method


class Holding:
    """The part of a layer that knows its weights, and those of the layers in its attributes.

    All are found by looking at attributes; `_bookkeeping` of a class names those not looked at.
    """

    _bookkeeping: frozenset[str] = frozenset()
    name: str
    built: bool
    variable_dtype: str
    _trainable: bool
    _losses: list[Any]

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self._own_variables():
            if variable.learnable:
                variable.trainable = self._trainable
        for layer in self._sublayers():
            layer.trainable = value

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: Any = None,
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """A new weight of this layer.

        Args:
            shape: Its shape; () for a scalar.
            initializer: Name, object or function; Glorot uniform by default (zeros for integers).
            trainable: Whether gradients change it.
            regularizer: Penalty on it, added to the loss.
            constraint: Projection applied after every update.
        """
        if self.built and call_context.depth:
            raise ValueError(
                f"Layer '{self.name}' makes a weight in its `call`, which would be a new one at "
                "every call. Make weights in `__init__` or in build(self, input_shape)."
            )
        if isinstance(shape, str):  # the older order: add_weight(name, shape, ...)
            shape, name, initializer = initializer, shape, None
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        if any(n is None for n in shape):
            raise ValueError(
                f"Weights need a fixed shape. Received: shape={shape} for layer '{self.name}'. "
                "Only the batch dimension of an input may be unknown."
            )
        dtype = self.variable_dtype if dtype is None else ops_core.settings.standardize_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if is_float(dtype) else "zeros"
        claim(math.prod(shape), name or "variable")
        variable = Variable(initializers.get(initializer), shape, dtype, trainable, name)
        own = self.__dict__.get("_path")
        own = own if own is not None and own == place.path else path_of(self.name)
        variable.path = f"{own}/{variable.name}"
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.trainable = trainable and self._trainable
        self.__dict__.setdefault("_weights_made", []).append(variable)
        return variable

    def _own_path(self) -> str:
        """The names of the layers around it and its own, as at its first call or building."""
        path = self.__dict__.get("_path")
        if path is None:
            path = self.__dict__["_path"] = path_of(self.name)
        return path

    def _own_variables(self) -> list[Variable]:
        """Variables held by this layer itself: made by `add_weight`, or set as attributes."""
        return members(self, lambda v: isinstance(v, Variable), lambda owner: owner._bookkeeping)

    @_usual
    def save_own_variables(self, store: Any) -> None:
        """Put the weights of this layer, without those of the layers in it, into a mapping.

        Override it, and `load_own_variables`, to save more; files hold arrays under string keys.
        """
        for number, weight in enumerate(self._own_weights()):
            store[str(number)] = weight.numpy()

    @_usual
    def load_own_variables(self, store: Any) -> None:
        """Take over what `save_own_variables` stored.

        Raises:
            ValueError: The mapping misses a weight.
        """
        weights = self._own_weights()
        missing = [str(number) for number in range(len(weights)) if str(number) not in store]
        if missing:
            raise ValueError(
                f"Layer '{self.name}' has {len(weights)} weights of its own and needs one array "
                f"for each. Received: {len(store)}, none under the key {missing[0]!r}."
            )
        for number, weight in enumerate(weights):
            weight.assign(store[str(number)])

    def _own_weights(self) -> list[Variable]:
        """What is saved of this layer itself."""
        inner = {id(weight) for layer in self._sublayers() for weight in layer.weights}
        return [weight for weight in self.weights if id(weight) not in inner]

    def _sublayers(self) -> list[Any]:
        """Layers held by this one, in attributes or in lists and dicts there."""
        return members(self, lambda v: isinstance(v, Holding), lambda owner: owner._bookkeeping)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """This layer and all below it, each once, outer ones first."""
        found: dict[int, Any] = {id(self): self} if include_self else {}
        for layer in self._sublayers():
            below = layer._flatten_layers() if recursive else [layer]
            for one in below:
                found.setdefault(id(one), one)
        return list(found.values())

    @property
    def variables(self) -> list[Variable]:
        """All variables, the states of random generators included."""
        own = self._own_variables()
        ordered = [v for v in own if v.learnable] + [v for v in own if not v.learnable]
        states = [
            s.state for s in members(self, _is_seed_generator, lambda owner: owner._bookkeeping)
        ]
        found = {id(v): v for v in [*ordered, *states]}
        for layer in self._sublayers():
            for variable in layer.variables:
                found.setdefault(id(variable), variable)
        return list(found.values())

    @property
    def weights(self) -> list[Variable]:
        """Variables that are saved: all but the states of random generators."""
        return [v for v in self.variables if not getattr(v, "is_seed_state", False)]

    @property
    def _carried_variables(self) -> list[Variable]:
        """Variables that count among none of the others, as bookkeeping: states between batches."""
        others = {id(v) for v in self.variables}
        held = [
            variable
            for layer in self._flatten_layers()
            for variable in members(layer, lambda v: isinstance(v, Variable))
        ]
        return list({id(v): v for v in held if id(v) not in others}.values())

    @property
    def trainable_variables(self) -> list[Variable]:
        return [v for v in self.weights if v.trainable] if self._trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        return self.trainable_variables

    @property
    def non_trainable_weights(self) -> list[Variable]:
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.weights if id(v) not in trainable]

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Copy arrays into the weights; all shapes are checked before any is written."""
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(
                f"Layer '{self.name}' has {len(variables)} weights. "
                f"Received: {len(weights)} arrays."
                + (
                    ""
                    if self.built
                    else " The layer is not built yet; call it or `build` it first."
                )
            )
        arrays = [np.asarray(w) for w in weights]
        for variable, array in zip(variables, arrays, strict=True):
            if variable.shape != array.shape:
                raise ValueError(
                    f"Weight '{variable.path}' has shape {variable.shape}. Received: an array of "
                    f"shape {array.shape}. No weight was changed."
                )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def count_params(self) -> int:
        """Number of scalars in the weights."""
        if not self.built:
            raise ValueError(
                f"Layer '{self.name}' is not built, so its weights do not exist yet. Call it on "
                "data, or build(input_shape)."
            )
        return sum(v.size for v in self.weights)

    # --- losses ---

    def add_loss(self, loss: Any) -> None:
        """Add scalars to the loss of the step that is being computed."""
        self._losses.extend(tree.flatten(loss))

    @property
    def losses(self) -> list[Any]:
        """Penalties of the last call (`add_loss`, activity) and of the weights now."""
        layers = self._flatten_layers()
        penalties = [loss for layer in layers for loss in layer._losses if not _is_stale(loss)]
        for variable in self.trainable_variables:
            if variable.regularizer is not None:
                penalties.append(variable.regularizer(variable))
        return penalties

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()


def _is_stale(loss: Any) -> bool:
    """Whether a penalty stands for no number any more, its recording being over."""
    return isinstance(loss, Tensor) and not loss.known and not context.tracing


def _is_seed_generator(value: Any) -> bool:
    return getattr(value, "is_seed_generator", False) is True
