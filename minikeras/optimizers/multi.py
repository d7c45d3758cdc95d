"""Several optimizers at once: each variable is given to one of them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

from ..autodiff.variable import Variable
from ..core.configurable import Configurable
from ..core.registry import register
from ..core.serialize import deserialize, serialize
from .base import Optimizer
from .recording import last, settle
from .wrapping import WrappingOptimizer


@register("optimizers")
class OptimizerMap(MutableMapping, Configurable):
    """Which optimizer a variable is given to, by its path.

    A key is a path, or a regular expression that matches all of it: "encoder/.*" stands for all
    variables of the layer "encoder" and the layers in it. A path wins over an expression. Paths
    begin with the model's name where it builds its layers, as Sequential and subclasses do.

    Args:
        default_optimizer: For variables that no key fits.
        optimizer_map: Keys to optimizers.

    Example:

    >>> from minikeras import optimizers
    >>> chosen = optimizers.OptimizerMap(optimizers.SGD(0.1), {"head/.*": optimizers.Adam()})
    >>> chosen["head/kernel"].name, chosen["body/kernel"].name
    ('adam', 'sgd')
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                "OptimizerMap: `default_optimizer` must be an optimizer. "
                f"Received: {default_optimizer!r}."
            )
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(
                "OptimizerMap: `optimizer_map` must be a dict of paths to optimizers. "
                f"Received: {optimizer_map!r}."
            )
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no key fits."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        keys = self.keys_for(key)
        if len(keys) > 1:
            raise ValueError(
                f"Several keys of the OptimizerMap fit {key!r}: {', '.join(map(repr, keys))}. "
                "Make them exclude each other."
            )
        return self._optimizer_map[keys[0]] if keys else self._default_optimizer

    def keys_for(self, path: str) -> list[str]:
        """The keys that fit a path."""
        if path in self._optimizer_map:
            return [path]
        return [key for key in self._optimizer_map if re.fullmatch(key, path)]

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"A key of an OptimizerMap must be a string. Received: {key!r}.")
        if key in self._optimizer_map:
            raise ValueError(
                f"The OptimizerMap has the key {key!r} already: {self._optimizer_map[key]!r}. "
                "Delete it first."
            )
        _check_single(optimizer, f"the key {key!r}")
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer for a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        return {
            "default_optimizer": serialize(self._default_optimizer),
            "optimizer_map": {key: serialize(o) for key, o in self._optimizer_map.items()},
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> OptimizerMap:
        made = {
            key: deserialize(o, custom_objects=custom_objects)
            for key, o in (config["optimizer_map"] or {}).items()
        }
        return cls(deserialize(config["default_optimizer"], custom_objects=custom_objects), made)


@register("optimizers")
class MultiOptimizer(WrappingOptimizer):
    """Gives each variable to one of several optimizers.

    They have their own rates and settings, found in `optimizers`; the rate of the whole cannot be
    asked for. The loss is scaled for all of them at once.

    Args:
        optimizer_map: An `OptimizerMap`, or a function of a variable that returns its optimizer.
        loss_scale_factor: As of any optimizer; the inner ones must not have one.
        name: Display name.

    Example:

    >>> import minikeras as keras
    >>> slow, fast = keras.Variable([1.0]), keras.Variable([1.0])
    >>> rates = {id(slow): keras.optimizers.SGD(0.1), id(fast): keras.optimizers.SGD(0.5)}
    >>> optimizer = keras.optimizers.MultiOptimizer(lambda variable: rates[id(variable)])
    >>> optimizer.apply([[1.0], [1.0]], [slow, fast])
    >>> slow.numpy(), fast.numpy()
    (array([0.9], dtype=float32), array([0.5], dtype=float32))
    """

    def __init__(
        self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None
    ):
        self._inner_optimizers: list[Optimizer] = []
        self._of_inner: list[list[Variable]] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        if not callable(optimizer_map):
            raise TypeError(
                "MultiOptimizer: `optimizer_map` must be an OptimizerMap or a function of a "
                f"variable. Received: {optimizer_map!r}."
            )
        self.optimizer_map = optimizer_map
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (
                *optimizer_map._optimizer_map.values(),
                optimizer_map.default_optimizer,
            ):
                self._add(optimizer, "the map")

    def _add(self, optimizer: Any, where: str) -> int:
        """The number of an inner optimizer."""
        _check_single(optimizer, where)
        if all(optimizer is not known for known in self._inner_optimizers):
            if optimizer.loss_scale_factor not in (None, self.loss_scale_factor):
                raise ValueError(
                    "MultiOptimizer: the loss is scaled for all optimizers at once. Give it the "
                    "loss_scale_factor, not an inner optimizer. "
                    f"Received: {optimizer!r} with {optimizer.loss_scale_factor}."
                )
            optimizer.loss_scale_factor = self.loss_scale_factor
            optimizer.reduce = self.reduce if self.reduce is not None else optimizer.reduce
            self._inner_optimizers.append(optimizer)
            self._of_inner.append([])
        return next(k for k, o in enumerate(self._inner_optimizers) if o is optimizer)

    def _inner(self) -> list[Optimizer]:
        return self._inner_optimizers

    # --- state ---

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        self._warn_of_unused_keys(variables)
        for variable in variables:
            which = self._add(self.optimizer_map(variable), f"'{variable.path}'")
            self._of_inner[which].append(variable)
        for optimizer, its in zip(self._inner_optimizers, self._of_inner, strict=True):
            if its:
                optimizer.build(its)
        self._trainable_variables = list(variables)
        self.built = True

    def _warn_of_unused_keys(self, variables: Sequence[Variable]) -> None:
        chosen: Any = self.optimizer_map
        if not isinstance(chosen, OptimizerMap):
            return
        used = {key for v in variables for key in chosen.keys_for(v.path)}
        unused = [key for key in list(chosen) if key not in used]
        if unused:
            paths = ", ".join(v.path for v in variables)
            warnings.warn(
                f"MultiOptimizer: no variable has a path that fits {', '.join(map(repr, unused))}. "
                f"The paths are: {paths}.",
                stacklevel=4,
            )

    @property
    def optimizers(self) -> list[Optimizer]:
        """The inner optimizers."""
        return self._inner_optimizers

    @property
    def variables(self) -> list[Variable]:
        """Iterations and rate (unused here), then those of each inner optimizer."""
        return [*super().variables, *[v for o in self._inner_optimizers for v in o.variables]]

    @property
    def learning_rate(self) -> Any:
        raise AttributeError(
            "A MultiOptimizer has no rate of its own. Ask one of its `optimizers` for it."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError(
            "A MultiOptimizer has no rate of its own. Set that of one of its `optimizers`."
        )

    @property
    def loss_scale_factor(self) -> float | None:
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self._inner_optimizers:
            optimizer.loss_scale_factor = value

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        for optimizer, its in zip(self._inner_optimizers, self._of_inner, strict=True):
            chosen = [v for v in var_list if any(v is own for own in its)]
            if chosen:
                optimizer.finalize_variable_values(chosen)

    # --- applying ---

    def _bring(self, pairs: dict[int, Any]) -> None:
        settle(self._count, self._iterations)
        for optimizer, its in zip(self._inner_optimizers, self._of_inner, strict=True):
            chosen = {id(v): pairs[id(v)] for v in its if id(v) in pairs}
            if chosen:
                optimizer._bring(chosen)

    def _finish(self, present: list[Variable]) -> None:
        chosen = {id(v) for v in present}
        for optimizer, its in zip(self._inner_optimizers, self._of_inner, strict=True):
            its = [v for v in its if id(v) in chosen]
            if its:
                optimizer._finish(its)
        last(self._count, self._iterations)

    # --- config ---

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizer_map": serialize(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        optimizer_map = deserialize(config["optimizer_map"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer_map": optimizer_map})

    def _given(self) -> dict[str, Any]:
        given = {"optimizer_map": self.optimizer_map, "name": self.name}
        return {**given, "loss_scale_factor": self.loss_scale_factor}

    def __repr__(self) -> str:
        return f"<MultiOptimizer of {self._inner_optimizers!r}>"


def _check_single(optimizer: Any, where: str) -> None:
    """Refuse what is no optimizer, or one that wraps others."""
    if not isinstance(optimizer, Optimizer) or isinstance(optimizer, WrappingOptimizer):
        raise ValueError(
            f"The optimizer of {where} must be an optimizer that wraps no other. "
            f"Received: {optimizer!r}."
        )
