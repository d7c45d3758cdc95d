"""Networks that exist in Keras, what is told of their layers, and weights that need no file.

Used with Keras itself by `record_networks.py` and with minikeras by the tests.
"""

import json

import numpy as np

# of the largest ones those that between them have all depths
STRUCTURES = (
    *("VGG16", "VGG19", "InceptionV3", "ResNet50", "ResNet101", "ResNet50V2", "ResNet152V2"),
    "MobileNetV2",
)
OPEN = {"include_top": False, "pooling": "max"}
WIDTHS = (0.35, 0.5, 0.75, 1.3, 1.4)  # of MobileNetV2

PREDICTIONS = {
    "VGG16": ({"include_top": False, "pooling": "avg"}, (2, 37, 32, 3)),
    "VGG19": ({"include_top": False}, (1, 32, 64, 3)),
    "InceptionV3": ({"include_top": False, "pooling": "max"}, (1, 75, 90, 3)),
    "ResNet50": (
        {"classes": 5, "input_shape": (33, 40, 3), "classifier_activation": None},
        (2, 33, 40, 3),
    ),
    "ResNet50V2": (
        {"classes": 5, "input_shape": (40, 33, 1), "classifier_activation": None},
        (2, 40, 33, 1),
    ),
    "MobileNetV2": (
        {"classes": 5, "input_shape": (45, 64, 3), "alpha": 0.35, "classifier_activation": None},
        (2, 45, 64, 3),
    ),
}

TOLD = (
    *("filters", "kernel_size", "strides", "padding", "activation", "use_bias", "units"),
    *("momentum", "epsilon", "center", "scale", "pool_size", "max_value", "axis", "keepdims"),
    *("depth_multiplier", "cropping", "data_format"),
)


def lines(model):
    """A line for each layer: class, name, where its inputs come from, what it was made with."""
    return [_line(layer) for layer in json.loads(json.dumps(model.get_config()))["layers"]]


def _line(layer):
    config = {key: layer["config"][key] for key in TOLD if key in layer["config"]}
    sources = [record["keras_history"][0] for record in _tensors(layer["inbound_nodes"])]
    name = "input" if layer["class_name"] == "InputLayer" else layer["name"]
    sources = ["input" if source.startswith("input_layer") else source for source in sources]
    return f"{layer['class_name']} {name} {' '.join(sources)} {json.dumps(config, sort_keys=True)}"


def _tensors(nest):
    if isinstance(nest, dict):
        if nest.get("class_name") == "__keras_tensor__":
            return [nest["config"]]
        nest = list(nest.values())
    return [found for item in nest for found in _tensors(item)] if isinstance(nest, list) else []


def fill(model):
    """Weights of a plausible size, told by the kind and the place of each."""
    numbers = np.random.default_rng(0).standard_normal(10007).astype("float32")
    model.set_weights(
        [
            _values(weight.path.split("/")[-1], tuple(weight.shape), np.roll(numbers, 31 * k))
            for k, weight in enumerate(model.weights)
        ]
    )


def _values(kind, shape, numbers):
    values = np.resize(numbers, shape)
    if kind == "gamma":
        return 1 + 0.1 * values
    if kind == "moving_variance":
        return 1 + 0.2 * np.abs(values)
    if len(shape) == 1:
        return 0.1 * values
    inputs = np.prod(shape[:-1]) if shape[-1] > 1 else np.prod(shape[:-2])
    return values * np.float32(np.sqrt(2 / inputs))


def images(shape):
    return np.random.default_rng(1).uniform(-1, 1, shape).astype("float32")
