"""The Variables of an optimizer: making them, reading and writing them, calls without state."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from ..autodiff.variable import Variable
from ..core import settings
from ..core.registry import resolve
from ..core.validate import one_of

AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")
NOT_OWN = ("_iterations", "_rate", "_scheduled")
FILLS = {"zeros": 0.0, "ones": 1.0}


class State:
    """The part of an optimizer that keeps Variables."""

    name: str
    built: bool
    _iterations: Variable
    _rate: Variable | None
    _own: list[Variable]
    _trainable_variables: list[Variable]

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, Variable) and name not in NOT_OWN and "_own" in self.__dict__:
            self._keep(value)

    def _keep(self, variable: Variable) -> None:
        """Make a Variable part of the state, in the order of files."""
        if all(variable is not kept for kept in self._own):
            if variable.path == variable.name:  # not one of a layer
                variable.path = f"{self.name}/{variable.name}"
            self._own.append(variable)

    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate (unless scheduled), then the others, in the order of files."""
        return [self._iterations, *([] if self._rate is None else [self._rate]), *self._own]

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: str | None = None,
        aggregation: str | None = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A Variable that belongs to the state of this optimizer.

        Args:
            shape: Its shape.
            initializer: Name of an initializer, or a function of (shape, dtype).
            dtype: `floatx()` by default.
            aggregation: How replicas would be joined; there is one.
            layout: Must be None.
            name: Display name.
        """
        one_of(aggregation, AGGREGATIONS, "aggregation", "add_variable")
        if layout is not None:
            raise ValueError(f"add_variable: layouts are not supported. Received: {layout!r}.")
        dtype = settings.floatx() if dtype is None else dtype
        dtype = "int32" if dtype == "int" else dtype
        if isinstance(initializer, str) and initializer in FILLS:
            initial: Any = np.full(shape, FILLS[initializer], dtype)
        else:
            initial = resolve("initializers", initializer)
        variable = Variable(initial, tuple(shape), dtype, trainable=False, name=name)
        self._keep(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A Variable with the shape and dtype of another, for a rule of your own."""
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            name=f"{reference_variable.path}_{name or 'var'}".replace("/", "_"),
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Variables for each trainable one: a list, or a tuple of lists for a list of names.

        In files those of one trainable variable follow each other.
        """
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, list | tuple)
        initializers = list(initializer) if several else [initializer] * len(names)
        if len(names) != len(initializers):
            raise ValueError(
                "add_optimizer_variables needs one initializer for all names, or one for each. "
                f"Received: name={name!r}, initializer={initializer!r}."
            )
        made: tuple[list[Variable], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for kept, each, start in zip(made, names, initializers, strict=True):
                kept.append(self.add_variable_from_reference(variable, each, start))
        return made[0] if isinstance(name, str) else made

    def assign(self, variable: Variable, value: Any) -> None:
        """``variable.assign(value)``; a subclass may watch or change what is written."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a Variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a Variable."""
        variable.assign_sub(value)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all `variables` of a built optimizer.

        Raises:
            ValueError: Not built, or wrong number or shapes.
        """
        if not self.built:
            raise ValueError(
                f"The optimizer '{self.name}' has no state yet. Call optimizer.build(variables) "
                "before set_weights."
            )
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(
                f"The optimizer '{self.name}' has {len(variables)} variables. "
                f"Received: {len(weights)} weights."
            )
        for variable, weight in zip(variables, weights, strict=True):
            if tuple(np.shape(weight)) != variable.shape:
                raise ValueError(
                    f"The optimizer's variable '{variable.path}' has shape {variable.shape}. "
                    f"Received: a weight of shape {np.shape(weight)}."
                )
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the state into a mapping: "0", "1", ... to arrays, in the order of `variables`."""
        for number, variable in enumerate(self.variables):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the state from a mapping; another number of arrays gives a warning and no change."""
        variables = self.variables
        if len(store) != len(variables):
            warnings.warn(
                f"The optimizer '{self.name}' has {len(variables)} variables, and "
                f"{len(store)} were saved: its state was not loaded."
                + ("" if self.built else " It was not built yet."),
                stacklevel=2,
            )
            return
        for number, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(number)]))

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        raise NotImplementedError

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        """What `apply` would make of these values; neither optimizer nor variables change.

        The gradient of the result is not available: a step is no differentiable function here.

        Args:
            optimizer_variables: Values of `variables`.
            grads: One gradient per trainable variable.
            trainable_variables: Values of the variables that the optimizer was built for.

        Returns:
            New values of the trainable variables, and of the optimizer's.

        Example:

        >>> import minikeras as keras
        >>> v = keras.Variable([1.0])
        >>> optimizer = keras.optimizers.SGD(0.5)
        >>> optimizer.build([v])
        >>> state = [a.numpy() for a in optimizer.variables]
        >>> optimizer.stateless_apply(state, [[1.0]], [v.numpy()])[0]
        [array([0.5], dtype=float32)]
        """
        if not self.built:
            raise ValueError(
                f"{type(self).__name__}.stateless_apply needs a built optimizer. Call "
                "optimizer.build(variables) first."
            )
        variables, state = self._trainable_variables, self.variables
        for what, given, known in (
            ("optimizer_variables", optimizer_variables, state),
            ("trainable_variables", trainable_variables, variables),
        ):
            if len(given) != len(known):
                raise ValueError(
                    f"stateless_apply: `{what}` must hold {len(known)} values. "
                    f"Received: {len(given)}."
                )
        targets = [*variables, *state]
        before = [target.value for target in targets]
        try:
            for target, value in zip(
                targets, [*trainable_variables, *optimizer_variables], strict=True
            ):
                target.assign(value)
            self.apply(grads, variables)
            after = [target.value for target in targets]
        finally:
            for target, value in zip(targets, before, strict=True):
                target.assign(value)
        return after[: len(variables)], after[len(variables) :]
