"""Random numbers in the shape of an array, drawn by a kernel from a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import kernels
from ..autodiff.primitive import Primitive, parts


def _drawn(kernel: str, *numbers: str) -> Callable[..., list]:
    def launches(ins: list, outs: list, **static: float) -> list:
        given = (ins[1].reshape(-1), 0, *[static[name] for name in numbers])
        tasks = parts(outs[0].size)
        return [kernels.launch(kernel, *given, outs[0].reshape(-1), tasks=tasks)]

    return launches


_normal = Primitive(
    "normal_like", lambda x, key, **static: x, _drawn("random_normal", "mean", "deviation")
)
_uniform = Primitive(
    "uniform_like", lambda x, key, **static: x, _drawn("random_uniform", "low", "high")
)


def normal_like(x: Any, key: Any, mean: float = 0.0, deviation: float = 1.0) -> Any:
    """Normal numbers of the shape and dtype of `x`, whose values do not matter.

    Args:
        x: Floats of any shape.
        key: int64 array of one element; with it and an element's position its number is decided.
    """
    return _normal(x, key, mean=float(mean), deviation=float(deviation))


def uniform_like(x: Any, key: Any, low: float = 0.0, high: float = 1.0) -> Any:
    """Uniform numbers in [low, high) of the shape and dtype of `x`; see `normal_like`."""
    return _uniform(x, key, low=float(low), high=float(high))
