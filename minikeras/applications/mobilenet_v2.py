"""MobileNetV2, and images as it expects them.

Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks".
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..core.validate import number
from ..models import Model
from ._network import Hosted, Network
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_input as _preprocess

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

SIZES = (96, 128, 160, 192, 224)  # of the images that weights of ImageNet were trained on
WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)

# table 2 of the paper: expansion, channels, blocks, stride of the first of them
STACKS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
    (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip


def MobileNetV2(  # noqa: N802  (Keras's name)
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNetV2: 17 blocks that widen, filter each channel, and narrow; 3,538,984 weights.

    Layers, their names and the order of weights are Keras's.

    Args:
        alpha: Factor of the channels of all layers; with weights='imagenet' one of 0.35, 0.5, 0.75,
            1.0, 1.3 and 1.4.
        input_shape: Of one image; with weights='imagenet' and the classifier a square of 96, 128,
            160, 192 or 224 pixels.
        include_top, weights, input_tensor, pooling, classes, classifier_activation: As of `VGG16`.
            For weights='imagenet' Keras publishes no sums to check the downloaded files with.
        name: Of the model; by default made of `alpha` and the size.

    Example:

    >>> import minikeras as keras
    >>> network = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=10)
    >>> network.count_params()
    423018
    """
    alpha = number(alpha, "alpha", "MobileNetV2")
    size = _size(input_shape, input_tensor, alpha, weights)
    network = Network(
        "MobileNetV2", size, 32, include_top, weights, input_tensor, input_shape, pooling, classes,
        _files(alpha, size),
    )  # fmt: skip
    make = _Blocks(-1 if network.axis == 3 else 1)
    x = layers.Conv2D(
        _rounded(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1"
    )(network.images)
    x = make.relu(make.norm(x, "bn_Conv1"), "Conv1_relu")
    count = 0
    for expansion, channels, depth, stride in STACKS:
        for step in range(depth):
            filters = _rounded(int(channels * alpha))
            x = make.block(x, expansion, filters, 1 if step else stride, count)
            count += 1
    x = layers.Conv2D(_rounded(1280 * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")(x)
    x = make.relu(make.norm(x, "Conv_1_bn"), "out_relu")
    rows = network.images.shape[1 if network.axis == 3 else 2]
    return network.model(
        network.top(x, classifier_activation), name or f"mobilenetv2_{alpha:0.2f}_{rows}"
    )


class _Blocks:
    """Inverted residual blocks, with the axis of channels."""

    def __init__(self, axis: int):
        self.axis = axis

    def norm(self, x: Any, name: str) -> Any:
        return layers.BatchNormalization(axis=self.axis, momentum=0.999, epsilon=1e-3, name=name)(x)

    def relu(self, x: Any, name: str) -> Any:
        return layers.ReLU(6.0, name=name)(x)

    def block(self, x: Any, expansion: int, filters: int, stride: int, number: int) -> Any:
        """Widen, filter, narrow; what came is added where it has the same shape."""
        name = f"block_{number}_" if number else "expanded_conv_"
        before, channels = x, x.shape[self.axis]
        if expansion > 1:
            x = layers.Conv2D(expansion * channels, 1, padding="same", use_bias=False,
                              name=f"{name}expand")(x)  # fmt: skip
            x = self.relu(self.norm(x, f"{name}expand_BN"), f"{name}expand_relu")
        if stride == 2:
            rows, columns = (n for place, n in enumerate(x.shape[1:], 1) if place != self.axis % 4)
            x = layers.ZeroPadding2D((_around(rows), _around(columns)), name=f"{name}pad")(x)
        x = layers.DepthwiseConv2D(
            3, strides=stride, padding="same" if stride == 1 else "valid", use_bias=False,
            name=f"{name}depthwise",
        )(x)  # fmt: skip
        x = self.relu(self.norm(x, f"{name}depthwise_BN"), f"{name}depthwise_relu")
        x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}project")(x)
        x = self.norm(x, f"{name}project_BN")
        if stride == 1 and channels == filters:
            return layers.Add(name=f"{name}add")([before, x])
        return x


def _around(length: int | None) -> tuple[int, int]:
    """Zeros before and after an axis for a kernel of 3 with stride 2."""
    return (1, 1) if length is not None and length % 2 else (0, 1)


def _rounded(channels: float) -> int:
    """The nearest multiple of 8 that is not below 90 %."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


def _size(shape: Any, tensor: Any, alpha: float, weights: Any) -> int:
    """Of the images that the weights of ImageNet are for, as near as what was given allows."""
    if weights == "imagenet" and alpha not in WIDTHS:
        raise ValueError(
            f"MobileNetV2: weights='imagenet' are for alpha in {WIDTHS}. Received: alpha={alpha}."
        )
    given = tuple(tensor.shape[1:]) if hasattr(tensor, "shape") else shape
    sides = [n for n in given if n in SIZES] if isinstance(given, list | tuple) else []
    return sides[0] if len(sides) >= 2 and sides[0] == sides[1] else 224


def _files(alpha: float, size: int) -> Hosted:
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}"
    return Hosted("mobilenet_v2", f"{stem}.h5", f"{stem}_no_top.h5", (None, None))


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images (..., rows, columns, 3), values 0 to 255, as MobileNetV2 expects them: -1 to 1.

    `x` is left as it is. Arguments as those of `imagenet_utils.preprocess_input`.
    """
    return _preprocess(x, data_format, "tf")
