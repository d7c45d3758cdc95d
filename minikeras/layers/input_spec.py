"""What a layer accepts, stated once and checked before its `call`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core import tree


class InputSpec:
    """Rank, shape and axes that a layer's input must have.

    Args:
        dtype: Required dtype.
        shape: Required shape, None where anything goes (the first is the batch).
        ndim: Required rank. `min_ndim`, `max_ndim`: its bounds.
        axes: Required extents by axis, such as ``{-1: 784}``.
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name, self.optional = name, optional

    def check(self, value: Any, owner: str) -> None:
        """Raise a ValueError if `value` does not fit."""
        shape = tuple(value.shape)
        rank = len(shape)

        def fail(expected: str, advice: str) -> None:
            raise ValueError(
                f"Input of layer {owner} has the wrong shape: expected {expected}. "
                f"Received: shape {shape}. {advice}"
            )

        if self.ndim is not None and rank != self.ndim:
            fail(
                f"{self.ndim} dimensions",
                "Add or remove a dimension, for example with Reshape or Flatten.",
            )
        if self.min_ndim is not None and rank < self.min_ndim:
            fail(
                f"at least {self.min_ndim} dimensions (batch first)",
                "Is the batch missing? For a single sample pass x[np.newaxis].",
            )
        if self.max_ndim is not None and rank > self.max_ndim:
            fail(f"at most {self.max_ndim} dimensions", "Flatten the input first.")
        for axis, extent in self.axes.items():
            if extent is not None and shape[axis] not in (extent, None):
                fail(
                    f"{extent} along axis {axis}, as when the layer was built",
                    "Pass data with that many features, or build a new layer.",
                )
        if self.shape is not None and any(
            a is not None and b is not None and a != b
            for a, b in zip(self.shape, shape, strict=True)
        ):
            fail(f"shape {self.shape}", "Reshape the data.")


def check_inputs(spec: Any, inputs: Any, owner: str) -> None:
    """Check the inputs of a layer against its `input_spec` (one, or one per input)."""
    if spec is None:
        return
    values = tree.flatten(inputs)
    specs = tree.flatten(spec)
    if len(specs) != len(values):
        raise ValueError(
            f"Layer {owner} expects {len(specs)} input{'s' * (len(specs) != 1)}. "
            f"Received: {len(values)}."
        )
    for one, value in zip(specs, values, strict=True):
        if value is None and one is not None and not one.optional:
            raise ValueError(
                f"Layer {owner} was given None. Does the `call` before it, or the function that "
                "gave its input, miss a `return`?"
            )
        if one is not None and hasattr(value, "shape"):
            one.check(value, owner)
