"""EinsumDense: a dense layer whose product is an einsum."""

from __future__ import annotations

import math
from typing import Any

from .. import activations, constraints, initializers, ops, regularizers
from ..core.registry import register
from ..ops import linalg
from .base import Layer
from .core import FUSED


@register("layers")
class EinsumDense(Layer):
    """``activation(einsum(equation, x, kernel) + bias)``.

    Args:
        equation: Such as "abc,cd->abd": axes of the input, of the kernel, of the output. An
            ellipsis stands for any axes, at the beginning of both input and output or at their end.
        output_shape: Sizes of the output after the batch; None where they follow from the input.
        activation: Name or function; linear by default.
        bias_axes: Axes of the output that the bias has; None for no bias.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.EinsumDense("abc,cd->abd", output_shape=(None, 7), bias_axes="d")
    >>> layer(np.ones((2, 3, 4), "float32")).shape
    (2, 3, 7)
    """

    _config_optional = ()

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if quantization_config is not None:
            raise ValueError(
                "EinsumDense: quantization is not supported. Pass quantization_config=None."
            )
        self.equation = equation
        self._parts = _parts(equation)
        self.partial_output_shape = (
            (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        )
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = None
        self.bias = None

    def _config_argument(self, name: str) -> Any:
        return (
            self.partial_output_shape if name == "output_shape" else super()._config_argument(name)
        )

    def build(self, input_shape: Any) -> None:
        sizes = self._sizes(tuple(input_shape))
        _, kernel, output = self._parts
        unknown = [letter for letter in kernel if sizes.get(letter) is None]
        if unknown:
            raise ValueError(
                f"EinsumDense: the size of axis {unknown[0]!r} of the kernel in {self.equation!r} "
                f"is not known. Received: input shape {tuple(input_shape)}, output_shape="
                f"{self.partial_output_shape}. Give it in `output_shape`."
            )
        self.kernel = self.add_weight(
            shape=tuple(sizes[letter] for letter in kernel),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.bias_axes is not None:
            self.bias = self.add_weight(
                shape=_bias_shape(self.bias_axes, output, sizes, self.equation),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def call(self, inputs: Any) -> Any:
        inner = self._inner_axes()
        if inner and None not in inputs.shape:
            return self._as_product(inputs, inner)
        y = ops.einsum(self._spelled_out(len(inputs.shape)), inputs, self.kernel)
        if self.bias is not None:
            y = y + self.bias
        return y if self.activation is None else self.activation(y)

    def _inner_axes(self) -> int:
        """How many last axes of the input are summed over, if that is a product of matrices: the
        output has the input's other axes, then the kernel's; 0 if it is not."""
        source, kernel, output = self._parts
        inner = next((n for n in range(len(kernel), 0, -1) if source.endswith(kernel[:n])), 0)
        plain = inner and output == source[:-inner] + kernel[inner:] and "." not in source
        return inner if plain and self.bias_axes in (None, kernel[inner:]) else 0

    def _as_product(self, inputs: Any, inner: int) -> Any:
        """The layer's result by one product of matrices, with bias and activation."""
        free, outer = tuple(inputs.shape)[:-inner], self.kernel.shape[inner:]
        features, units = math.prod(self.kernel.shape[:inner]), math.prod(outer)
        x = ops.reshape(inputs, (*free, features)) if inner > 1 else inputs
        bias = None if self.bias is None else ops.reshape(self.bias, (units,))
        fused = FUSED.get(self.activation)
        kernel = ops.reshape(self.kernel, (features, units))
        y = linalg.dense(x, kernel, bias, activation=fused or "linear")
        y = ops.reshape(y, (*free, *outer))
        return y if fused or self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        sizes = self._sizes(tuple(input_shape))
        source, _, output = self._parts
        free = tuple(input_shape)[: len(input_shape) - len(source.replace(".", ""))]
        if source.endswith("..."):
            free = tuple(input_shape)[len(source.replace(".", "")) :]
        named = tuple(sizes[letter] for letter in output.replace(".", ""))
        if "..." not in output:
            return named
        return (*free, *named) if output.startswith("...") else (*named, *free)

    def _spelled_out(self, rank: int) -> str:
        """The equation with letters for the axes under the ellipsis."""
        source, _, _ = self._parts
        free = [letter for letter in sorted(_LETTERS) if letter not in self.equation]
        hidden = "".join(free[: rank - len(source.replace(".", ""))])
        return self.equation.replace("...", hidden)

    def _sizes(self, input_shape: tuple) -> dict[str, Any]:
        """The size of each lettered axis; None where it is unknown."""
        source, _, output = self._parts
        letters = source.replace(".", "")
        if "..." not in source and len(letters) != len(input_shape):
            raise ValueError(
                f"EinsumDense '{self.name}': {self.equation!r} takes inputs of {len(letters)} axes."
                f" Received: shape {input_shape}."
            )
        known = input_shape[-len(letters) :] if source.startswith("...") else input_shape
        sizes = dict(zip(letters, known, strict=False))
        wanted = output.replace(".", "")
        # the output's sizes are given without the batch; of axes under the ellipsis with None
        given = self.partial_output_shape
        places = wanted[-len(given) :] if len(given) <= len(wanted) else wanted
        for letter, size in zip(reversed(places), reversed(given), strict=False):
            if size is None:
                continue
            if sizes.get(letter) not in (None, size):
                raise ValueError(
                    f"EinsumDense '{self.name}': axis {letter!r} of {self.equation!r} has size "
                    f"{sizes[letter]} in the input. Received: {size} in `output_shape`."
                )
            sizes[letter] = size
        return sizes


def _parts(equation: str) -> tuple[str, str, str]:
    """Axes of input, kernel and output."""
    left, arrow, output = equation.replace(" ", "").partition("->")
    source, comma, kernel = left.partition(",")
    plain = all(set(part.replace("...", "")) <= _LETTERS for part in (source, kernel, output))
    if not (arrow and comma and plain) or "." in kernel or ("..." in source) != ("..." in output):
        raise ValueError(
            "EinsumDense: `equation` is axes of input, kernel and output, such as 'ab,bc->ac', "
            f"'...ab,bc->...ac' or 'ab...,bc->ac...'. Received: {equation!r}."
        )
    return source, kernel, output


_LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _bias_shape(axes: str, output: str, sizes: dict[str, Any], equation: str) -> tuple[int, ...]:
    """Sizes of the bias from its first axis on, 1 where it has none."""
    letters = output.replace(".", "")
    wrong = [axis for axis in axes if axis not in letters]
    if wrong:
        raise ValueError(
            f"EinsumDense: the bias has axis {wrong[0]!r}, which the output of {equation!r} has "
            f"not. Received: bias_axes={axes!r}."
        )
    first = min(letters.index(axis) for axis in axes)
    shape = tuple(sizes[letter] if letter in axes else 1 for letter in letters[first:])
    trailing = output.endswith("...")
    return (*shape, 1) if trailing and shape[-1:] != (1,) else shape
