"""AlexNet, which won the ImageNet competition of 2012.

Source: Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep Convolutional
Neural Networks".
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Model
from ._network import Network

__all__ = ["AlexNet"]


def AlexNet(  # noqa: N802  (as Keras's names of networks)
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "alexnet",
) -> Model:
    """AlexNet: five convolutions and three dense layers, 60,965,224 weights.

    Not in Keras. The network of the paper, "60 million parameters": the second, fourth and fifth
    convolution have two groups of channels, one for each of its two graphics cards; responses are
    normalised over neighbouring channels; windows of pooling overlap. Images are (227, 227, 3),
    which is the size that the layers of the paper need (it says 224).

    Args:
        weights: None, or the path of a weights file.
        include_top, input_tensor, input_shape, pooling, classes, classifier_activation, name: As of
            `VGG16`; images are at least 67 x 67.

    Example:

    >>> import minikeras as keras
    >>> keras.applications.AlexNet(False, input_shape=(67, 67, 3)).output_shape
    (None, 1, 1, 256)
    """
    network = Network(
        "AlexNet", 227, 67, include_top, weights, input_tensor, input_shape, pooling, classes, None
    )
    x = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv1")(network.images)
    x = _normalised_and_pooled(x, network.axis, 1)
    x = layers.Conv2D(256, 5, padding="same", groups=2, activation="relu", name="conv2")(x)
    x = _normalised_and_pooled(x, network.axis, 2)
    for number, filters, groups in ((3, 384, 1), (4, 384, 2), (5, 256, 2)):
        x = layers.Conv2D(
            filters, 3, padding="same", groups=groups, activation="relu", name=f"conv{number}"
        )(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)
    if not network.include_top:
        return network.model(network.pooled(x), name)
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(4096, activation="relu", name=f"fc{number}")(x)
        x = layers.Dropout(0.5, name=f"drop{number}")(x)
    return network.model(network.classifier(x, classifier_activation), name)


def _normalised_and_pooled(x: Any, axis: int, number: int) -> Any:
    x = layers.LocalResponseNormalization(axis=axis, name=f"norm{number}")(x)
    return layers.MaxPooling2D(3, strides=2, name=f"pool{number}")(x)
