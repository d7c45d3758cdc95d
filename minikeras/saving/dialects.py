"""Configs of older Keras versions, rewritten as the present one would have written them.

Only differences that mean the same are smoothed out; a value that asks for something else is left
for the constructor to refuse.
"""

from collections.abc import Callable
from typing import Any

from ..core import catalog

__all__ = ["modern_compile_config", "modern_model_config"]

ANY = object()
# of the class above them, which these layers wrote too and never used
_UNUSED = dict.fromkeys(("kernel_initializer", "kernel_regularizer", "kernel_constraint"), ANY)
_RNN = {"time_major": False, "implementation": ANY}
# keys that may go when they hold this value, by class
DROPPED: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM2D"), _RNN),
    **dict.fromkeys(("LSTMCell", "GRUCell"), {"implementation": ANY}),
    **dict.fromkeys(
        ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"),
        {"groups": 1, **_UNUSED},
    ),
    **dict.fromkeys(
        ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
        {"groups": 1, "output_padding": None},
    ),
    "MultiHeadAttention": {
        **dict.fromkeys(("query_shape", "key_shape", "value_shape"), ANY),
        "softmax_robust_masking": ANY,
    },
}
OPTIMIZER_KEYS = ("jit_compile", "is_legacy_optimizer")
NAMED_BY_COMPILE = ("accuracy", "acc", "crossentropy", "ce")


def modern_model_config(record: Any) -> Any:
    """The record of a model with every layer record in it brought up to date."""
    if isinstance(record, list):
        return [modern_model_config(item) for item in record]
    if not isinstance(record, dict):
        return record
    name, config = record.get("class_name"), record.get("config")
    if name == "Sequential":
        config = {"layers": config} if isinstance(config, list) else config  # Keras before 2.2
        if isinstance(config, dict) and isinstance(config.get("layers"), list):
            config = {**config, "layers": _with_input(config["layers"])}
        record = {**record, "config": config}
    record = {key: modern_model_config(value) for key, value in record.items()}
    if isinstance(name, str) and isinstance(record.get("config"), dict):
        record["config"] = _modern_layer(name, record["config"])
    return record


def modern_compile_config(config: Any) -> dict[str, Any]:
    """The compile config of a file of old (its `training_config`) in the present form."""
    if not isinstance(config, dict):
        raise ValueError(f"The training configuration should be a dict. Received: {config!r}.")
    # Keras 2 also writes `sample_weight_mode` and the like, as None unless they were asked for
    config = {key: value for key, value in config.items() if value is not None}
    optimizer = config.pop("optimizer_config", None)
    if optimizer is not None:
        config["optimizer"] = _modern_optimizer(optimizer)
    config["loss"] = _each(config.get("loss"), _modern_loss)
    for key in ("metrics", "weighted_metrics"):
        config[key] = _single(_each(config.get(key), _modern_metric))
    return config


def _modern_layer(name: str, config: dict[str, Any]) -> dict[str, Any]:
    dropped = DROPPED.get(name, {})
    config = {
        key: value
        for key, value in config.items()
        if key not in dropped or (dropped[key] is not ANY and dropped[key] != value)
    }
    shape = config.pop("batch_input_shape", None)  # elsewhere an InputLayer says it as well
    if shape is not None and name == "InputLayer":
        config["batch_shape"] = shape
    axis = config.get("axis")
    if name == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        config["axis"] = axis[0]
    return config


def _with_input(layers: list[Any]) -> list[Any]:
    """Layer records whose first is an InputLayer if the first layer says what it takes.

    Old files give `batch_input_shape` (or `input_dim`) to the first layer, with or without an
    InputLayer in front of it.
    """
    if not layers or not isinstance(layers[0], dict):
        return layers
    first, config = layers[0], layers[0].get("config")
    if first.get("class_name") == "InputLayer" or not isinstance(config, dict):
        return layers
    shape = config.get("batch_input_shape")
    if shape is None and "input_dim" in config and first.get("class_name") != "Embedding":
        shape = [None, config["input_dim"]]
        config = {key: value for key, value in config.items() if key != "input_dim"}
    if shape is None:
        return layers
    front = {"batch_shape": shape, "name": f"{config.get('name', 'layer')}_input"}
    if isinstance(config.get("dtype"), str):
        front["dtype"] = config["dtype"]
    record = {"class_name": "InputLayer", "config": front}
    if "module" in first:
        record = {"module": "keras.layers", **record, "registered_name": None}
    return [record, {**first, "config": config}, *layers[1:]]


def _modern_optimizer(record: Any) -> Any:
    if not isinstance(record, dict) or not isinstance(record.get("config"), dict):
        return record
    config = {key: v for key, v in record["config"].items() if key not in OPTIMIZER_KEYS}
    if "lr" in config:
        config["learning_rate"] = config.pop("lr")
    decay = config.pop("decay", None)
    if decay and isinstance(config.get("learning_rate"), int | float):
        # Keras 2 divides the rate by 1 + decay * iterations, which is this schedule
        schedule = {
            "initial_learning_rate": config["learning_rate"],
            "decay_steps": 1,
            "decay_rate": decay,
        }
        config["learning_rate"] = {
            "module": "keras.optimizers.schedules",
            "class_name": "InverseTimeDecay",
            "config": schedule,
            "registered_name": None,
        }
    return _addressed("optimizers", {**record, "config": config})


def _modern_loss(record: Any) -> Any:
    if isinstance(record, str):
        return record
    config = dict(record["config"]) if isinstance(record["config"], dict) else {}
    function = config.pop("fn", None)
    if record["class_name"] == "LossFunctionWrapper":
        return function
    if str(config.get("reduction")).lower() == "auto":
        config["reduction"] = "sum_over_batch_size"
    return _addressed("losses", {**record, "config": config})


def _modern_metric(record: Any) -> Any:
    if isinstance(record, str):
        return record
    config = dict(record["config"]) if isinstance(record["config"], dict) else {}
    function = config.pop("fn", None)
    if record["class_name"] == "MeanMetricWrapper":
        # what the user wrote is the name, unless it is one that only its author understands
        name = config.get("name")
        known = name in NAMED_BY_COMPILE or (name and catalog.find("metrics", name) is not None)
        return name if known else function
    return _addressed("metrics", {**record, "config": config})


def _addressed(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """The record with its module filled in, when its class is a built-in of this kind."""
    name = str(record.get("class_name")).removeprefix("Custom>")
    if record.get("module") is not None or catalog.find(kind, name) is None:
        return record
    return {**record, "class_name": name, "module": catalog.KINDS[kind], "registered_name": None}


def _each(value: Any, function: Callable[[Any], Any]) -> Any:
    """`function` of every name and record in a nest of them."""
    if isinstance(value, list):
        return [_each(item, function) for item in value]
    if isinstance(value, dict) and not {"class_name", "config"} <= value.keys():
        return {key: _each(item, function) for key, item in value.items()}
    return function(value) if isinstance(value, str | dict) else value


def _single(metrics: Any) -> Any:
    """The metrics of a single output, which Keras 2 wraps in a list per output."""
    if isinstance(metrics, list) and len(metrics) == 1 and isinstance(metrics[0], list):
        return metrics[0]
    return metrics
