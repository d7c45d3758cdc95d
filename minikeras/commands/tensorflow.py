"""What a script finds under ``import tensorflow as tf``: `tf.keras`, and what maps one to one.

There is no TensorFlow here. The functions are those of `keras.ops` with TensorFlow's names and
arguments; they return tensors with `numpy()`, which `tf.GradientTape` can watch.
"""

from __future__ import annotations

import contextlib
import random as python_random
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from .. import initializers, losses, metrics, ops, optimizers, random
from ..autodiff.gradient_tape import GradientTape
from ..autodiff.tensor import Tensor
from ..autodiff.variable import Variable as OurVariable
from ..core.validate import suggest
from .renamed import functions, tensors

__all__ = ["missing", "module"]

_REDUCTION = "input_tensor:x axis keepdims"
_ONE, _TWO = "x", "x:x1 y:x2"

_ROOT = {
    **{f"reduce_{name}": f"{name} {_REDUCTION}" for name in ("mean", "sum", "max", "min", "prod")},
    **{f"reduce_{name}": f"{name} {_REDUCTION}" for name in ("any", "all", "logsumexp")},
    **{name: f"{name} {_ONE}" for name in ("exp", "sqrt", "square", "sign", "round", "floor")},
    **{name: f"{name} {_ONE}" for name in ("sin", "cos", "tan", "tanh", "sigmoid", "negative")},
    **{name: f"{name} {_TWO}" for name in ("maximum", "minimum", "add", "subtract", "multiply")},
    **{name: f"{name} {_TWO}" for name in ("divide", "equal", "not_equal", "greater", "less")},
    **{name: f"{name} {_TWO}" for name in ("greater_equal", "less_equal")},
    **{name: f"{name} {_TWO}" for name in ("logical_and", "logical_or")},
    "abs": f"absolute {_ONE}",
    "argmax": "argmax input:x axis=0",
    "argmin": "argmin input:x axis=0",
    "cast": "cast x dtype",
    "clip_by_value": "clip t:x clip_value_min:x_min clip_value_max:x_max",
    "concat": "concatenate values:xs axis",
    "convert_to_tensor": "convert_to_tensor value:x dtype",
    "cumsum": "cumsum x axis=0",
    "expand_dims": "expand_dims input:x axis",
    "eye": "eye num_rows:N num_columns:M * dtype",
    "fill": "full dims:shape value:fill_value",
    "gather": "take params:x indices * axis=0",
    "linspace": "linspace start stop num",
    "logical_not": "logical_not x",
    "norm": "norm tensor:x * axis keepdims",
    "one_hot": "one_hot indices:x depth:num_classes * axis dtype",
    "ones": "ones shape dtype",
    "ones_like": "ones_like input:x dtype",
    "pow": f"power {_TWO}",
    "range": "arange start limit:stop delta:step dtype",
    "repeat": "repeat input:x repeats axis",
    "reshape": "reshape tensor:x shape:newshape",
    "shape": "shape input:x",
    "size": "size input:x",
    "squeeze": "squeeze input:x axis",
    "stack": "stack values:x axis",
    "stop_gradient": "stop_gradient input:variable",
    "tensordot": "tensordot a:x1 b:x2 axes",
    "tile": "tile input:x multiples:repeats",
    "transpose": "transpose a:x perm:axes",
    "unstack": "unstack value:x num axis",
    "where": "where condition x:x1 y:x2",
    "zeros": "zeros shape dtype",
    "zeros_like": "zeros_like input:x dtype",
}
_MATH = {
    **{name: f"{name} {_ONE}" for name in ("log", "log1p", "erf", "rsqrt", "softplus")},
    **{name: row for name, row in _ROOT.items() if row.split()[1:] in (["x"], ["x:x1", "y:x2"])},
    **{name: row for name, row in _ROOT.items() if name.startswith(("reduce_", "arg", "cum"))},
    "divide_no_nan": f"divide_no_nan {_TWO}",
    "is_finite": "isfinite x",
    "is_nan": "isnan x",
    "reduce_std": f"std {_REDUCTION}",
    "reduce_variance": f"var {_REDUCTION}",
}
_NN = {
    **{name: f"{name} features:x" for name in ("relu", "relu6", "elu", "selu", "softplus")},
    "gelu": "gelu features:x approximate=False",
    "leaky_relu": "leaky_relu features:x alpha:negative_slope",
    "log_softmax": "log_softmax logits:x axis",
    "sigmoid": "sigmoid x",
    "silu": "silu features:x",
    "softmax": "softmax logits:x axis",
    "swish": "silu features:x",
    "tanh": "tanh x",
}
_DTYPES = (
    *("bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)


class _Room(ModuleType):
    """A module that says what it offers when asked for anything else."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        raise AttributeError(missing(f"{self.__name__.replace('tensorflow', 'tf', 1)}.{name}"))


_made: list[_Room] = []


def missing(name: str) -> str:
    """The message for something that there is only in TensorFlow."""
    first = name.split(".")[1]
    advice = {
        "compat": "Programs of TensorFlow 1 cannot be run.",
        "data": "Pass arrays, a generator or a keras.utils.PyDataset to fit.",
        "python": "Import from tensorflow.keras.",
    }.get(first)
    offered = [n for n in (vars(_made[0]) if _made else ()) if not n.startswith("_")]
    advice = advice or f"Use keras.ops or numpy.{suggest(first, offered)}"
    names = ", ".join(sorted(set(offered) - set(_DTYPES)))
    return (
        f"{name} is TensorFlow's own, and this is minikeras under its name. {advice} "
        f"Of `tf` there is: {names}, and the names of dtypes."
    )


class _Kind(type):
    """Makes `isinstance(value, tf.Variable)` true of our variables."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, OurVariable)


class Variable(metaclass=_Kind):
    """`keras.Variable` with TensorFlow's arguments."""

    def __new__(  # noqa: D102
        cls,
        initial_value: Any,
        trainable: bool = True,
        *,
        name: str | None = None,
        dtype: Any = None,
    ) -> Any:
        return OurVariable(initial_value, dtype=dtype, trainable=bool(trainable), name=name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor of a value, filled up to `shape` if it is a single number."""
    made = ops.convert_to_tensor(value, dtype)
    if shape is not None:
        made = ops.broadcast_to(made, shape) if made.size == 1 else ops.reshape(made, shape)
    return tensors(made)


def function(func: Any = None, **options: Any) -> Any:
    """The function itself: `fit` records steps, and loops of one's own run as they are."""
    return func if func is not None else lambda inner: inner


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """The product of matrices, of the transposed ones if asked for."""
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    b = ops.swapaxes(b, -1, -2) if transpose_b else b
    return tensors(ops.matmul(a, b))


def einsum(equation: str, *inputs: Any) -> Any:
    """Sums of products over named axes."""
    return tensors(ops.einsum(equation, *inputs))


@contextlib.contextmanager
def device(name: Any) -> Iterator[None]:
    """The CPU, by any of its names."""
    if "cpu" not in str(name).lower():
        raise ValueError(f"There is only the CPU here. Received: tf.device({name!r}).")
    yield


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None) -> Any:
    """Binary cross entropy of logits, for each element."""
    return tensors(ops.binary_crossentropy(labels, logits, from_logits=True))


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1) -> Any:
    """Cross entropy of logits and one-hot labels, for each row."""
    return tensors(ops.categorical_crossentropy(labels, logits, from_logits=True, axis=axis))


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any) -> Any:
    """Cross entropy of logits and class numbers, for each row."""
    return tensors(ops.sparse_categorical_crossentropy(labels, logits, from_logits=True))


def set_seed(seed: int) -> None:
    """Seed the source that layers, losses and `tf.random` draw their seeds from."""
    python_random.seed(int(seed))


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None
) -> Any:
    """Normal random numbers."""
    return tensors(random.normal(shape, mean, stddev, dtype, seed))


def uniform(
    shape: Any,
    minval: float = 0,
    maxval: float | None = None,
    dtype: Any = "float32",
    seed: Any = None,
) -> Any:
    """Uniform random numbers; whole ones below `maxval` for an integer dtype."""
    if str(dtype).startswith(("int", "uint")):
        if maxval is None:
            raise ValueError("tf.random.uniform: integers need a `maxval`. Received: None.")
        return tensors(random.randint(shape, int(minval), int(maxval), dtype, seed))
    return tensors(random.uniform(shape, minval, 1 if maxval is None else maxval, dtype, seed))


def shuffle(value: Any, seed: Any = None) -> Any:
    """Rows in random order."""
    return tensors(random.shuffle(value, seed=seed))


def list_physical_devices(device_type: str | None = None) -> list[str]:
    """The CPU; there are no others."""
    return ["CPU:0"] if device_type in (None, "CPU") else []


def module(keras: ModuleType, version: str) -> ModuleType:
    """The module, with this `tf.keras`."""
    root = _room("tensorflow", functions(_ROOT, tensors))
    own = (constant, function, matmul, einsum, device)
    root.__dict__.update({one.__name__: one for one in own})
    root.__dict__.update({name: name for name in _DTYPES})
    cross = (
        sigmoid_cross_entropy_with_logits,
        softmax_cross_entropy_with_logits,
        sparse_softmax_cross_entropy_with_logits,
    )
    root.__dict__.update(
        __version__=version,
        __path__=[],
        keras=keras,
        GradientTape=GradientTape,
        Tensor=Tensor,
        Variable=Variable,
        math=_room("tensorflow.math", functions(_MATH, tensors)),
        nn=_room(
            "tensorflow.nn", {**functions(_NN, tensors), **{one.__name__: one for one in cross}}
        ),
        linalg=_room("tensorflow.linalg", {"matmul": matmul, "norm": root.norm, "eye": root.eye}),
        random=_room(
            "tensorflow.random",
            {"set_seed": set_seed, "normal": normal, "uniform": uniform, "shuffle": shuffle},
        ),
        config=_room("tensorflow.config", {"list_physical_devices": list_physical_devices}),
        initializers=initializers,
        losses=losses,
        metrics=metrics,
        optimizers=optimizers,
    )
    _made[:] = [root]
    return root


def _room(name: str, content: dict[str, Any]) -> Any:
    room = _Room(name, "Names of TensorFlow that map to this library one to one.")
    room.__dict__.update(content)
    return room
