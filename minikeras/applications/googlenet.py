"""GoogLeNet, the first network of Inception blocks, which won the ImageNet competition of 2014.

Source: Szegedy et al. 2014, "Going Deeper with Convolutions".
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..core.validate import boolean
from ..models import Model
from ._network import Network

__all__ = ["GoogLeNet"]

# table 1 of the paper: filters of 1x1; 3x3 reduced, 3x3; 5x5 reduced, 5x5; after pooling
BLOCKS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def GoogLeNet(  # noqa: N802  (as Keras's names of networks)
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "googlenet",
    auxiliary: bool = False,
) -> Model:
    """GoogLeNet: 22 layers with weights in a row, nine Inception blocks, 6,998,552 weights.

    Not in Keras. The network of the paper's table 1, with local response normalisation and without
    batch normalisation, which came later (`InceptionV3`).

    Args:
        auxiliary: Whether the two classifiers in the middle, which help it train, are outputs too,
            after the main one: 13,378,280 weights then. The paper adds 0.3 of their losses:
            ``compile(loss_weights=[1, 0.3, 0.3])``.
        weights: None, or the path of a weights file.
        include_top, input_tensor, input_shape, pooling, classes, classifier_activation, name: As of
            `VGG16`.

    Raises:
        ValueError: auxiliary classifiers without the classifier, or for images that are too small
            for them.

    Example:

    >>> import minikeras as keras
    >>> keras.applications.GoogLeNet().count_params()
    6998552
    """
    network = Network(
        "GoogLeNet", 224, 32, include_top, weights, input_tensor, input_shape, pooling, classes,
        None,
    )  # fmt: skip
    auxiliary = boolean(auxiliary, "auxiliary", "GoogLeNet")
    if auxiliary and not network.include_top:
        raise ValueError("GoogLeNet: auxiliary=True is for include_top=True. Received: False.")
    side = []
    x = _stem(network.images, network.axis)
    for block, filters in BLOCKS.items():
        x = _inception(x, filters, network.axis, f"inception_{block}")
        if auxiliary and block in ("4a", "4d"):
            side.append(_auxiliary(x, network, classifier_activation, len(side) + 1))
        if block in ("3b", "4e"):
            x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"pool{block[0]}")(x)
    if not network.include_top:
        return network.model(network.pooled(x), name)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(0.4, name="dropout")(x)
    main = network.classifier(x, classifier_activation)
    return network.model([main, *side] if side else main, name)


def _conv(x: Any, filters: int, size: int, name: str, strides: int = 1) -> Any:
    return layers.Conv2D(
        filters, size, strides=strides, padding="same", activation="relu", name=name
    )(x)


def _stem(x: Any, axis: int) -> Any:
    x = _conv(x, 64, 7, "conv1", strides=2)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = layers.LocalResponseNormalization(axis=axis, name="norm1")(x)
    x = _conv(_conv(x, 64, 1, "conv2_reduce"), 192, 3, "conv2")
    x = layers.LocalResponseNormalization(axis=axis, name="norm2")(x)
    return layers.MaxPooling2D(3, strides=2, padding="same", name="pool2")(x)


def _inception(x: Any, filters: tuple[int, ...], axis: int, name: str) -> Any:
    """Kernels of 1, 3 and 5 and the largest of 3 x 3 pixels, side by side."""
    one, reduced_3, three, reduced_5, five, pooled = filters
    largest = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    branches = [
        _conv(x, one, 1, f"{name}_1x1"),
        _conv(_conv(x, reduced_3, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"),
        _conv(_conv(x, reduced_5, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5"),
        _conv(largest, pooled, 1, f"{name}_pool_proj"),
    ]
    return layers.Concatenate(axis=axis, name=name)(branches)


def _auxiliary(x: Any, network: Network, activation: Any, number: int) -> Any:
    """A classifier from the maps in the middle."""
    name = f"auxiliary{number}"
    x = layers.AveragePooling2D(5, strides=3, name=f"{name}_pool")(x)
    x = layers.Flatten(name=f"{name}_flatten")(_conv(x, 128, 1, f"{name}_conv"))
    x = layers.Dense(1024, activation="relu", name=f"{name}_fc")(x)
    x = layers.Dropout(0.7, name=f"{name}_dropout")(x)
    return layers.Dense(network.classes, activation=activation, name=f"{name}_predictions")(x)
