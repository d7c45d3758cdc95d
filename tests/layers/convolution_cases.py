"""Convolution and pooling layers of odd shapes: used with Keras itself to record what they compute,
and with minikeras by the tests.
"""

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    kind: str
    arguments: dict[str, Any]
    shape: tuple[int, ...]


def _conv2d(shape, filters, size, **arguments):
    return Case("Conv2D", {"filters": filters, "kernel_size": size, **arguments}, shape)


CASES = {
    # batches of 1, 7 and 50; channels of 1, 3, 5, 17 and 100
    "batch 1": _conv2d((1, 6, 5, 3), 4, 3),
    "batch 7": _conv2d((7, 6, 5, 5), 17, 3, padding="same", activation="relu"),
    "batch 50": _conv2d((50, 5, 4, 1), 3, 3),
    "100 channels": _conv2d((2, 5, 5, 100), 5, 3, padding="same", activation="tanh"),
    "100 filters": _conv2d((1, 4, 7, 17), 100, 3),
    "one channel to one": _conv2d((2, 7, 9, 1), 1, 2, strides=(1, 2)),
    # kernels
    "5x5": _conv2d((2, 9, 8, 3), 5, 5, padding="same"),
    "7x7 stride 2": _conv2d((2, 15, 16, 3), 17, 7, strides=2, padding="same", activation="relu"),
    "7x7 stride 2 valid": _conv2d((1, 15, 16, 5), 3, 7, strides=2),
    "1x1": _conv2d((7, 4, 3, 17), 5, 1, activation="sigmoid"),
    "1x1 stride 2": _conv2d((2, 5, 6, 5), 3, 1, strides=2, padding="same"),
    "1x1 groups": _conv2d((2, 3, 3, 8), 12, 1, groups=4),
    "1x7 and wide": _conv2d((2, 3, 11, 5), 3, (1, 7), padding="same"),
    "even kernel": _conv2d((2, 7, 8, 3), 5, (2, 4), strides=(3, 1), padding="same"),
    "stride beyond the kernel": _conv2d((2, 9, 10, 3), 4, 2, strides=3),
    "kernel as large as the image": _conv2d((3, 4, 5, 3), 17, (4, 5)),
    "groups 4": _conv2d((2, 6, 5, 20), 8, 3, padding="same", groups=4, activation="relu"),
    "groups as many as channels": _conv2d((2, 6, 5, 5), 10, 3, groups=5, strides=2),
    "dilation 2": _conv2d((2, 9, 8, 5), 3, 3, dilation_rate=2),
    "dilation 2 same": _conv2d((1, 7, 9, 3), 17, 3, padding="same", dilation_rate=(2, 1)),
    "dilation with groups": _conv2d((2, 7, 7, 8), 4, 2, dilation_rate=3, groups=4),
    "no bias": _conv2d((2, 5, 5, 3), 4, 3, use_bias=False, activation="gelu"),
    # sequences
    "causal": Case("Conv1D", {"filters": 5, "kernel_size": 3, "padding": "causal"}, (7, 10, 17)),
    "causal dilated": Case(
        "Conv1D",
        {"filters": 3, "kernel_size": 4, "padding": "causal", "dilation_rate": 3},
        (2, 11, 5),
    ),
    "causal strided": Case(
        "Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "strides": 2}, (2, 9, 3)
    ),
    "sequence": Case("Conv1D", {"filters": 100, "kernel_size": 5, "activation": "relu"}, (1, 9, 3)),
    "sequence groups": Case(
        "Conv1D", {"filters": 8, "kernel_size": 3, "groups": 4, "strides": 2}, (7, 9, 12)
    ),
    # volumes
    "volume": Case("Conv3D", {"filters": 5, "kernel_size": 3, "padding": "same"}, (2, 4, 3, 5, 3)),
    "volume strided": Case(
        "Conv3D",
        {"filters": 3, "kernel_size": (1, 2, 3), "strides": (2, 1, 2), "activation": "relu"},
        (1, 5, 4, 6, 17),
    ),
    "volume dilated": Case(
        "Conv3D", {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "groups": 2}, (1, 4, 5, 3, 4)
    ),
    # each channel by itself
    "depthwise": Case("DepthwiseConv2D", {"kernel_size": 3, "padding": "same"}, (7, 6, 5, 17)),
    "depthwise strided": Case(
        "DepthwiseConv2D",
        {"kernel_size": (5, 3), "strides": 2, "depth_multiplier": 3, "activation": "relu"},
        (2, 9, 8, 5),
    ),
    "depthwise dilated": Case(
        "DepthwiseConv2D",
        {"kernel_size": 3, "dilation_rate": 2, "padding": "same", "use_bias": False},
        (1, 7, 6, 100),
    ),
    "depthwise sequence": Case(
        "DepthwiseConv1D", {"kernel_size": 4, "strides": 3, "padding": "same"}, (7, 11, 5)
    ),
    "separable": Case(
        "SeparableConv2D",
        {"filters": 17, "kernel_size": 3, "padding": "same", "activation": "relu"},
        (2, 5, 6, 5),
    ),
    "separable strided": Case(
        "SeparableConv2D",
        {"filters": 3, "kernel_size": (2, 3), "strides": 2, "depth_multiplier": 2},
        (7, 7, 6, 3),
    ),
    "separable sequence": Case(
        "SeparableConv1D",
        {"filters": 5, "kernel_size": 3, "padding": "same", "dilation_rate": 2},
        (2, 9, 17),
    ),
    # pooling
    "max 3 stride 2": Case(
        "MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, (7, 9, 8, 17)
    ),
    "max apart": Case("MaxPooling2D", {"pool_size": 2, "strides": 3}, (1, 9, 8, 3)),
    "mean 3 stride 2": Case(
        "AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, (2, 8, 9, 5)
    ),
    "mean valid": Case("AveragePooling2D", {"pool_size": (2, 3), "strides": 1}, (50, 3, 4, 1)),
    "max volume": Case(
        "MaxPooling3D", {"pool_size": (1, 2, 3), "padding": "same"}, (1, 3, 5, 4, 5)
    ),
    "mean sequence": Case("AveragePooling1D", {"pool_size": 3, "strides": 1}, (7, 5, 100)),
    "adaptive max": Case("AdaptiveMaxPooling2D", {"output_size": (3, 4)}, (2, 7, 6, 5)),
    "adaptive mean": Case("AdaptiveAveragePooling2D", {"output_size": (2, 5)}, (2, 7, 8, 3)),
    "adaptive sequence": Case("AdaptiveAveragePooling1D", {"output_size": 4}, (7, 6, 17)),
    "adaptive volume": Case("AdaptiveMaxPooling3D", {"output_size": 2}, (1, 3, 5, 4, 3)),
}


def _transposed():
    """Stride 2 with all paddings and output paddings, and others."""
    found = {}
    for padding in ("valid", "same"):
        for more in (None, 0, 1):
            for size in (1, 2, 3, 4):
                arguments = {
                    "filters": 3,
                    "kernel_size": size,
                    "strides": 2,
                    "padding": padding,
                    "output_padding": more,
                }
                name = f"transposed {size} {padding} output_padding {more}"
                found[name] = Case("Conv1DTranspose", arguments, (2, 5, 4))
    two = {"filters": 5, "kernel_size": (3, 2), "strides": 2, "activation": "relu"}
    return found | {
        "transposed image": Case("Conv2DTranspose", {**two, "padding": "same"}, (7, 4, 5, 17)),
        "transposed valid": Case("Conv2DTranspose", {**two, "use_bias": False}, (1, 3, 4, 3)),
        "transposed stride 1": Case(
            "Conv2DTranspose", {"filters": 100, "kernel_size": 3, "padding": "same"}, (1, 4, 3, 5)
        ),
        "transposed dilated": Case(
            "Conv2DTranspose", {"filters": 2, "kernel_size": 3, "dilation_rate": 2}, (2, 4, 3, 5)
        ),
        "transposed volume": Case(
            "Conv3DTranspose",
            {"filters": 2, "kernel_size": 3, "strides": (1, 2, 2), "padding": "same"},
            (1, 2, 3, 2, 5),
        ),
    }


CASES |= _transposed()


def numbers(*shape):
    """Numbers between -1 and 1 without ties."""
    return np.sin(np.arange(np.prod(shape)) * 0.37 + 0.1).astype("float32").reshape(shape)


def prepared(layer, case):
    """A layer with weights, and its input."""
    layer.build(case.shape)
    layer.set_weights([numbers(*w.shape) / np.sqrt(np.prod(w.shape[:-1])) for w in layer.weights])
    return layer, numbers(*case.shape)


def told(array):
    """Of an array its sum, and its sum weighted by place."""
    array = np.asarray(array, "float64")
    return array.sum(), (array * numbers(*array.shape)).sum()
