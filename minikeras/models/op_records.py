"""Calls of `ops` functions in a graph, as Keras's files describe them."""

from __future__ import annotations

import inspect
from typing import Any

from .. import ops
from ..core.names import to_snake_case
from ..core.validate import suggest
from ..graph.symbol import Node
from ..ops.shapes import getitem

# Function -> those of its arguments that a record keeps in its config, not among its inputs.
# The module that Keras keeps the class in decides under which it stands.
_REDUCTIONS = ("all", "any", "amax", "amin", "argmax", "argmin", "max", "min", "mean", "median")
_IN_CONFIG: dict[str, dict[str, str]] = {
    "numpy": {
        **dict.fromkeys((*_REDUCTIONS, "sum", "prod", "std", "var"), "axis keepdims"),
        **dict.fromkeys(("cumsum", "cumprod"), "axis dtype"),
        **dict.fromkeys(("concatenate", "stack", "expand_dims", "squeeze", "flip"), "axis"),
        **dict.fromkeys(("argsort", "sort", "take", "take_along_axis", "average"), "axis"),
        **dict.fromkeys(("ones_like", "zeros_like", "full_like"), "dtype"),
        **dict.fromkeys(("tril", "triu", "diag"), "k"),
        **dict.fromkeys(("trace", "diagonal"), "offset axis1 axis2"),
        **{"reshape": "newshape", "transpose": "axes", "swapaxes": "axis1 axis2"},
        **{"moveaxis": "source destination", "broadcast_to": "shape", "tile": "repeats"},
        **{"repeat": "repeats axis", "roll": "shift axis", "clip": "x_min x_max"},
        **{"split": "indices_or_sections axis", "einsum": "subscripts", "tensordot": "axes"},
        **{"pad": "pad_width mode", "round": "decimals", "diff": "n axis", "count_nonzero": "axis"},
        **{"quantile": "axis method keepdims"},
    },
    "nn": {
        **dict.fromkeys(("softmax", "log_softmax", "glu", "sparsemax"), "axis"),
        **dict.fromkeys(("elu", "celu"), "alpha"),
        **dict.fromkeys(("soft_shrink", "hard_shrink"), "threshold"),
        **{"leaky_relu": "negative_slope", "gelu": "approximate", "squareplus": "b"},
        **{"threshold": "threshold default_value", "one_hot": "num_classes axis dtype sparse"},
        **{"normalize": "axis order epsilon", "moments": "axes keepdims synchronized"},
        **{"binary_crossentropy": "from_logits", "categorical_crossentropy": "from_logits axis"},
        **{"sparse_categorical_crossentropy": "from_logits axis"},
        **dict.fromkeys(("relu", "relu6", "sigmoid", "softplus", "softsign", "silu", "selu"), ""),
        **dict.fromkeys(("log_sigmoid", "hard_sigmoid", "hard_silu", "hard_tanh"), ""),
        **dict.fromkeys(("tanh_shrink", "sparse_plus", "sparse_sigmoid"), ""),
    },
    "core": {"cast": "dtype", "saturate_cast": "dtype", "stop_gradient": "", "unstack": "num axis"},
    "math": {
        **{"logsumexp": "axis keepdims", "top_k": "k sorted", "in_top_k": "k"},
        **dict.fromkeys(("rsqrt", "erf", "erfinv"), ""),
    },
}
_HOME = {name: module for module, names in _IN_CONFIG.items() for name in names}
_ARGUMENTS = {name: words.split() for names in _IN_CONFIG.values() for name, words in names.items()}
_GET_ITEM = "get_item"


def record_of(node: Node) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """What a file says of the call of a function: its record, positional and keyword inputs.

    Raises:
        TypeError: A call that no file can describe.
    """
    name, args, kwargs = _public_call(node)
    if name == _GET_ITEM:
        return _record("numpy", "GetItem", {}), list(args), kwargs
    function = getattr(ops, name, None)
    if function is None:
        raise TypeError(
            f"A model with the operation '{name}' cannot be saved: it is not one of "
            "`minikeras.ops`. Put it into a layer of your own."
        )
    bound = inspect.signature(function).bind(*args, **kwargs)
    inputs = dict(bound.arguments)
    bound.apply_defaults()
    wanted = _ARGUMENTS.get(name, ())
    config = {argument: bound.arguments.get(argument) for argument in wanted}
    if name == "einsum":
        return _record("numpy", "Einsum", config), list(args[1:]), {}
    positional = [value for key, value in inputs.items() if key not in wanted]
    return _record(_HOME.get(name, "numpy"), _class_name(name), config), positional, {}


def function_of(module: str, class_name: str, config: dict[str, Any]) -> Any:
    """The function that a record of an operation means, with the arguments that it fixes.

    Raises:
        ValueError: An operation that is not known here.
    """
    name = to_snake_case(class_name)
    fixed = {key: _tupled(value) for key, value in config.items() if key != "name"}
    if name == _GET_ITEM:
        return lambda x, key: getitem(x, _tupled(key))
    function = getattr(ops, name, None)
    if not callable(function) or name not in ops.__all__:
        raise ValueError(
            f"The file holds an operation that is not known here.{suggest(name, ops.__all__)} "
            f"Received: {class_name!r} of module {module!r}."
        )
    if name == "einsum":
        subscripts = fixed.pop("subscripts")
        return lambda *operands: function(subscripts, *operands)
    known = inspect.signature(function).parameters
    fixed = {key: value for key, value in fixed.items() if key in known or value not in (None, ())}
    return lambda *args, **kwargs: function(*args, **fixed, **kwargs)


def _public_call(node: Node) -> tuple[str, tuple, dict[str, Any]]:
    """Name, arguments and keyword arguments of a node as the public function takes them."""
    function, args, kwargs = node.operation.function, node.args, dict(node.kwargs)
    name = getattr(function, "name", None) or function.__name__
    if name == "getitem":
        return _GET_ITEM, (args[0], kwargs["index"].index), {}
    if name in ("concatenate", "stack"):
        return name, (list(args),) if not isinstance(args[0], list | tuple) else args, kwargs
    if name == "reshape" and "shape" in kwargs:
        return name, (*args, kwargs["shape"]), {}
    if name in ("gelu", "gelu_tanh"):
        return "gelu", args, {"approximate": name == "gelu_tanh"}
    if name == "leaky_relu" and "slope" in kwargs:
        return name, args, {"negative_slope": kwargs["slope"]}
    return name, args, kwargs


def _record(module: str, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "module": f"keras.src.ops.{module}",
        "class_name": class_name,
        "config": config,
        "registered_name": class_name,
    }


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _tupled(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(_tupled(v) for v in value) if isinstance(value, list) else value
