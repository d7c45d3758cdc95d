"""The networks of the Visual Geometry Group: 3x3 convolutions in five blocks.

Source: Simonyan and Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", configurations D (VGG16) and E (VGG19).
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Model
from ._network import Network

FILTERS = (64, 128, 256, 512, 512)


def vgg(network: Network, depths: tuple[int, ...], activation: Any, name: str) -> Model:
    """The model with so many convolutions in each block."""
    x = network.images
    for block, (depth, filters) in enumerate(zip(depths, FILTERS, strict=True), 1):
        for number in range(1, depth + 1):
            x = layers.Conv2D(
                filters, 3, padding="same", activation="relu", name=f"block{block}_conv{number}"
            )(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if not network.include_top:
        return network.model(network.pooled(x), name)
    x = layers.Flatten(name="flatten")(x)
    for number in (1, 2):
        x = layers.Dense(4096, activation="relu", name=f"fc{number}")(x)
    return network.model(network.classifier(x, activation), name)
