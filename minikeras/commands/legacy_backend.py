"""`tensorflow.keras.backend`: the functions that scripts of Keras 2 call as ``K.mean``, ``K.dot``.

Keras 3 keeps them under TensorFlow's name only; they are those of `keras.ops`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .. import backend, ops, random
from ..autodiff.spec import as_array
from ..autodiff.variable import Variable
from ..core import settings
from .renamed import functions

__all__ = ["module"]

_TWO = "x:x1 y:x2"
_TABLE = {
    **{n: f"{n} x axis keepdims" for n in ("mean", "sum", "max", "min", "prod", "std", "var")},
    **{n: f"{n} x axis keepdims" for n in ("any", "all")},
    **{n: f"{n} x" for n in ("square", "sqrt", "exp", "log", "round", "sign", "sin", "cos")},
    **{n: f"{n} x" for n in ("sigmoid", "tanh", "softplus", "softsign", "ndim")},
    **{n: f"{n} {_TWO}" for n in ("maximum", "minimum", "equal", "not_equal", "greater", "less")},
    **{n: f"{n} {_TWO}" for n in ("greater_equal", "less_equal")},
    "abs": "absolute x",
    "argmax": "argmax x axis=-1",
    "argmin": "argmin x axis=-1",
    "binary_crossentropy": "binary_crossentropy target output from_logits",
    "cast": "cast x dtype",
    "categorical_crossentropy": "categorical_crossentropy target output from_logits axis",
    "clip": "clip x min_value:x_min max_value:x_max",
    "concatenate": "concatenate tensors:xs axis=-1",
    "constant": "convert_to_tensor value:x dtype",
    "cumsum": "cumsum x axis=0",
    "dot": f"matmul {_TWO}",
    "elu": "elu x alpha",
    "expand_dims": "expand_dims x axis=-1",
    "flatten": "ravel x",
    "gather": "take reference:x indices axis=0",
    "l2_normalize": "normalize x axis=-1",
    "one_hot": "one_hot indices:x num_classes",
    "ones": "ones shape dtype",
    "ones_like": "ones_like x dtype",
    "permute_dimensions": "transpose x pattern:axes",
    "pow": "power x:x1 a:x2",
    "relu": "relu x",
    "repeat_elements": "repeat x rep:repeats axis",
    "reshape": "reshape x shape:newshape",
    "shape": "shape x",
    "softmax": "softmax x axis",
    "sparse_categorical_crossentropy": (
        "sparse_categorical_crossentropy target output from_logits axis"
    ),
    "squeeze": "squeeze x axis",
    "stack": "stack x axis",
    "stop_gradient": "stop_gradient variables:variable",
    "tile": "tile x n:repeats",
    "transpose": "transpose x",
    "zeros": "zeros shape dtype",
    "zeros_like": "zeros_like x dtype",
}


def batch_flatten(x: Any) -> Any:
    """(batch, ...) to (batch, all the rest)."""
    return ops.reshape(x, (ops.shape(x)[0], -1))


def cast_to_floatx(x: Any) -> Any:
    """Values in the default float type."""
    return ops.cast(as_array(x) if isinstance(x, list | tuple) else x, settings.floatx())


def get_value(x: Any) -> Any:
    """The array of a variable or tensor."""
    return ops.convert_to_numpy(x)


def int_shape(x: Any) -> tuple:
    """The shape, None where it is not known."""
    return tuple(x.shape)


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal random numbers."""
    return random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Uniform random numbers."""
    return random.uniform(shape, minval, maxval, dtype, seed)


def set_value(x: Any, value: Any) -> None:
    """Copy a value into a variable."""
    x.assign(value)


def variable(value: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A trainable variable."""
    return Variable(value, dtype=dtype, name=name)


def module() -> ModuleType:
    """The module: what `keras.backend` has, and these functions."""
    made = ModuleType("tensorflow.keras.backend", __doc__)
    made.__dict__.update({name: getattr(backend, name) for name in backend.__all__})
    made.__dict__.update(functions(_TABLE, lambda value: value))
    own = (batch_flatten, cast_to_floatx, get_value, int_shape, random_normal, random_uniform)
    made.__dict__.update({one.__name__: one for one in (*own, set_value, variable)})
    made.__dict__["eval"] = get_value
    return made
