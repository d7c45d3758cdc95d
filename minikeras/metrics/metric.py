"""Metric: a number that sums up many batches, and the state it needs for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..autodiff.context import context
from ..autodiff.spec import as_array
from ..autodiff.tensor import Tensor
from ..autodiff.variable import Variable
from ..core import settings, tree
from ..core.configurable import Configurable
from ..core.names import auto_name, to_snake_case
from ..core.registry import register, resolve
from ..core.versioned import Changes
from ..core.walk import members


@register("metrics")
class Metric(Configurable):
    """Base of all metrics: a subclass makes its state with `add_variable` in the constructor.

    It defines ``update_state(...)``, which changes the state by a batch, and ``result()``.

    Args:
        dtype: In which to compute; `floatx()` by default.
        name: Display name.

    Example:

    >>> class Count(Metric):
    ...     def __init__(self, name="count"):
    ...         super().__init__(name=name)
    ...         self.seen = self.add_variable((), "zeros", name="seen")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.seen.assign_add(len(y_true))
    ...     def result(self):
    ...         return float(self.seen)
    >>> Count()([1, 2], [1, 1])
    2.0
    """

    _direction: str | None = None  # "up" or "down": which way is better, where that is known

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self._dtype = settings.standardize_dtype(getattr(dtype, "compute_dtype", dtype))
        Changes.count += 1  # models look again which metrics they hold

    @property
    def dtype(self) -> str:
        return self._dtype

    def _require_floats(self) -> None:
        """Raise where the dtype is none that kernels compute in."""
        if self._dtype not in ("float32", "float64"):
            raise ValueError(
                f"{type(self).__name__} computes in float32 or float64. "
                f"Received: dtype={self._dtype!r}."
            )

    # --- state ---

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A new variable of the state.

        Args:
            shape: Its shape; () for a number.
            initializer: Name, object or function of (shape, dtype); what `reset_state` restores is
                zero all the same.
            aggregation: How states of several processes are combined.
        """
        if "_dtype" not in self.__dict__:
            raise RuntimeError(
                f"{type(self).__name__} adds a variable before its constructor has called "
                "`super().__init__()`. Call that first."
            )
        dtype = settings.standardize_dtype(dtype or self._dtype)
        name = name or auto_name("variable")
        start = _zeros if initializer in (None, "zeros") else resolve("initializers", initializer)
        variable = Variable(start, tuple(shape), dtype, trainable=False, name=name)
        variable.path = f"{self.name}/{name}"
        self.__dict__.setdefault("_state", []).append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """As `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The state: own variables, then those of metrics held in attributes."""
        found = {id(v): v for v in self.__dict__.get("_state", ())}
        for part in members(self, lambda v: isinstance(v, Variable | Metric)):
            for variable in part.variables if isinstance(part, Metric) else (part,):
                found.setdefault(id(variable), variable)
        return list(found.values())

    def reset_state(self) -> None:
        """Back to the state before the first update."""
        for variable in self.variables:
            variable.assign(0)

    # --- to override ---

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"Metric {type(self).__name__} has no `update_state` method. "
            "Define update_state(self, y_true, y_pred, sample_weight=None)."
        )

    def result(self) -> Any:
        raise NotImplementedError(
            f"Metric {type(self).__name__} has no `result` method. Define result(self)."
        )

    # --- use ---

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update with a batch and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(
        self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any
    ) -> list[np.ndarray]:
        """The values of `variables` after an update that starts from the given ones."""
        return self._with_values(metric_variables, lambda: self.update_state(*args, **kwargs))[0]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The result for given values of `variables`."""
        return self._with_values(metric_variables, self.result)[1]

    def stateless_reset_state(self) -> list[np.ndarray]:
        """The values of `variables` before the first update."""
        values = [np.zeros(v.shape, v.dtype) for v in self.variables]
        return self._with_values(values, self.reset_state)[0]

    def _with_values(self, values: Sequence[Any], call: Callable[[], Any]) -> tuple[list, Any]:
        """Values of the variables, and what `call` returns, when they start from `values`."""
        variables = self.variables
        if len(variables) != len(values):
            raise ValueError(
                f"Metric '{self.name}' has {len(variables)} variables. Received: {len(values)} "
                "values for them."
            )
        with _standing_for(variables, values) as scope:
            result = tree.map_structure(_value, call())
            return [scope[id(v)] for v in variables], result

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _zeros(shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
    return np.zeros(shape, dtype)


def _value(result: Any) -> Any:
    return result.value if isinstance(result, Tensor) else result


@contextmanager
def _standing_for(variables: Sequence[Variable], values: Sequence[Any]) -> Iterator[dict]:
    """Within the block the variables read and write private copies of `values`."""
    outer_scope, outer_lifted = context.scope, context.lifted
    context.scope = dict(outer_scope or {})
    context.lifted = {}
    try:
        for variable, value in zip(variables, values, strict=True):
            context.scope[id(variable)] = np.array(as_array(_value(value)), variable.dtype)
        yield context.scope
    finally:
        context.scope, context.lifted = outer_scope, outer_lifted


def number(result: Any) -> Any:
    """A numpy scalar of an array without axes; anything else unchanged."""
    return result[()] if isinstance(result, np.ndarray) and result.ndim == 0 else result
