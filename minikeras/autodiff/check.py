"""Gradients checked against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .tape import Tape
from .tensor import Tensor


def check_gradients(
    function: Callable[..., Any],
    *arrays: Any,
    step: float = 1e-5,
    tolerance: float = 1e-5,
    seed: int = 0,
    order: int = 1,
) -> None:
    """Compare the gradients of `function` with central differences along random directions.

    Everything runs in float64. The result is weighted by a random array, so every output counts.

    Args:
        function: Takes the arrays and returns one tensor.
        arrays: Points at which to check; integer arrays are passed on and not checked.
        step: Step of the difference ``(f(x + h d) - f(x - h d)) / 2h``.
        tolerance: Largest relative error allowed.
        seed: Seed of directions and weights.
        order: 2 also checks the gradient of the gradient.

    Raises:
        AssertionError: A gradient disagrees; the message names the argument.

    Example:

    >>> import numpy as np
    >>> from minikeras import ops
    >>> from minikeras.autodiff import check_gradients
    >>> check_gradients(lambda x: ops.square(x), np.array([1.0, -2.0]))
    """
    rng = np.random.default_rng(seed)
    points = [_float64(a) for a in arrays]
    checked = [i for i, p in enumerate(points) if p.dtype == np.float64]
    directions = {i: rng.standard_normal(points[i].shape) for i in checked}
    weights = rng.standard_normal(_value(function(*points)).shape)

    if order == 2:
        _check_second(function, points, checked, directions, weights, step, tolerance, seed)
        return
    grads = _gradients(function, points, checked, weights)
    for i, g in zip(checked, grads, strict=True):
        slope = _slope(
            lambda *p: float(np.sum(_value(function(*p)) * weights)), points, i, directions[i], step
        )
        given = 0.0 if g is None else float(np.sum(_value(g) * directions[i]))
        error = abs(slope - given) / max(1.0, abs(slope), abs(given))
        if not error <= tolerance:
            raise AssertionError(
                f"Wrong gradient for argument {i}: finite differences give {slope:.8g}, the "
                f"gradient gives {given:.8g} along the same direction (relative error {error:.2e})."
            )


def _check_second(function, points, checked, directions, weights, step, tolerance, seed) -> None:
    """The directional derivative is itself a function: check its gradient."""
    for i in checked:

        def directional(*args: Any, i: int = i) -> Any:
            with Tape() as tape:
                x = tape.watch(args[i])
                y = function(*args[:i], x, *args[i + 1 :])
            g = tape.gradient(y, [x], seed=weights)[0]
            return np.zeros(()) if g is None else (g * directions[i])

        check_gradients(directional, *points, step=step, tolerance=tolerance * 10, seed=seed)


def _float64(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _value(result: Any) -> np.ndarray:
    return result.value if isinstance(result, Tensor) else np.asarray(result)


def _gradients(function: Any, points: list, checked: list[int], weights: np.ndarray) -> list:
    with Tape() as tape:
        inputs = [tape.watch(p) if i in checked else p for i, p in enumerate(points)]
        result = function(*inputs)
    if not isinstance(result, Tensor):
        return [None] * len(checked)
    return tape.gradient(result, [inputs[i] for i in checked], seed=weights)


def _slope(
    value: Callable[..., float], points: list, i: int, direction: np.ndarray, step: float
) -> float:
    ahead, behind = list(points), list(points)
    ahead[i] = points[i] + step * direction
    behind[i] = points[i] - step * direction
    return (value(*ahead) - value(*behind)) / (2 * step)
