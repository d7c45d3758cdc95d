"""Input, Dense, Activation, Identity."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from ..core import settings
from ..core.registry import register
from ..core.validate import positive_int
from ..core.validate import shape as checked_shape
from ..graph.symbol import Symbol
from ..ops import linalg
from .base import Layer
from .input_spec import InputSpec


@register("layers")
class InputLayer(Layer):
    """The entrance of a model: the shape and dtype of what is fed in.

    Args:
        shape: Shape of one sample.
        batch_size: Fixed batch size, if any.
        dtype: Dtype of the data.
        batch_shape: Shape with the batch in front, instead of `shape` and `batch_size`.
    """

    takes_text = True
    _bookkeeping = Layer._bookkeeping | {"_symbol"}

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        input_shape: Any = None,
    ):
        super().__init__(name=name)
        if sparse or ragged or input_tensor is not None:
            raise ValueError(
                "InputLayer: sparse, ragged and input_tensor are not supported. Feed dense arrays."
            )
        shape = input_shape if shape is None else shape
        if (shape is None) == (batch_shape is None):
            raise ValueError(
                "Input needs either `shape` or `batch_shape`. "
                f"Received: shape={shape}, batch_shape={batch_shape}."
            )
        if batch_shape is None:
            batch_shape = (batch_size, *checked_shape(shape, "shape", "Input"))
        elif batch_size is not None and batch_shape[0] != batch_size:
            raise ValueError(
                f"batch_size and batch_shape disagree. Received: batch_size={batch_size}, "
                f"batch_shape={tuple(batch_shape)}."
            )
        self._batch_shape = checked_shape(batch_shape, "batch_shape", "Input")
        self._dtype = settings.floatx() if dtype is None else settings.standardize_dtype(dtype)
        self.optional = optional
        self.built = True

    @property
    def batch_shape(self) -> tuple:
        return self._batch_shape

    @property
    def dtype(self) -> str:
        return self._dtype

    def symbol(self) -> Symbol:
        """What enters here, as a symbol."""
        symbol = Symbol(self.batch_shape, self.dtype, self.name)
        symbol.layer = self
        self.stand_for(symbol)
        return symbol

    def stand_for(self, symbol: Symbol) -> None:
        """Take a symbol as that of what enters here."""
        self.__dict__["_symbol"] = symbol

    @property
    def output(self) -> Symbol:
        """The symbol of what enters here."""
        known = self.__dict__.get("_symbol")
        return self.symbol() if known is None else known  # a symbol has no truth

    input = output

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_symbol"}

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": list(self._batch_shape),
            "dtype": self._dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": self.optional,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputLayer:
        return cls(**config)


def Input(  # noqa: N802  (Keras's name)
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> Symbol:
    """The symbol of what is fed into a model.

    >>> import minikeras as keras
    >>> keras.Input((784,)).shape
    (None, 784)
    """
    layer = InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    )
    return layer.symbol()


@register("layers")
class Dense(Layer):
    """``activation(x @ kernel + bias)`` over the last axis.

    Input (batch, ..., features), output (batch, ..., units).

    Args:
        units: Number of outputs.
        activation: Name or function; linear by default.
        use_bias: Whether a bias is added.
        kernel_initializer, bias_initializer: Starting values.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, bias_constraint: Projections after each update.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.Dense(4, activation="relu")(np.ones((2, 3), "float32")).shape
    (2, 4)
    """

    _config_optional = ("activity_regularizer",)

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if quantization_config is not None:
            raise ValueError("Dense: quantization is not supported. Pass quantization_config=None.")
        self.units = positive_int(units, "units", "Dense")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = None
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True
        self.bias = None

    def build(self, input_shape: Any) -> None:
        features = input_shape[-1] if input_shape else None
        if features is None:
            raise ValueError(
                f"Dense '{self.name}' needs to know the number of features, the last size of its "
                f"input. Received: input shape {tuple(input_shape)}. Give that size to Input."
            )
        self.kernel = self.add_weight(
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any) -> Any:
        fused = FUSED.get(self.activation)
        y = linalg.dense(inputs, self.kernel, self.bias, activation=fused or "linear")
        return y if fused or self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape[:-1], self.units)


# activations that the product's kernel applies while its tile is still in registers or cache
FUSED = {
    activations.linear: "linear",
    activations.relu: "relu",
    activations.sigmoid: "sigmoid",
    activations.tanh: "tanh",
    None: "linear",
}


@register("layers")
class Activation(Layer):
    """An activation function as a layer.

    Args:
        activation: Name or function.
    """

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)


@register("layers")
class Identity(Layer):
    """Passes its inputs on."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@register("layers")
class ActivityRegularization(Layer):
    """Passes its inputs on and adds an L1 / L2 penalty on them to the loss."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any):
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True

    def _config_argument(self, name: str) -> Any:
        return None if name == "activity_regularizer" else super()._config_argument(name)

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape
