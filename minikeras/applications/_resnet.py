"""Residual networks of bottleneck blocks, in both versions.

Sources: He et al. 2015, "Deep Residual Learning for Image Recognition"; He et al. 2016, "Identity
Mappings in Deep Residual Networks" (the second version: normalised before each convolution).
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Model
from ._network import Network

EPSILON = 1.001e-5
FILTERS = (64, 128, 256, 512)
DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # blocks of each stack


class _Residual:
    """What both versions share: layers with the network's axis of channels."""

    def __init__(self, network: Network):
        self.axis = network.axis

    def norm(self, x: Any, name: str) -> Any:
        return layers.BatchNormalization(axis=self.axis, epsilon=EPSILON, name=name)(x)

    def relu(self, x: Any, name: str) -> Any:
        return layers.Activation("relu", name=name)(x)

    def stem(self, x: Any) -> Any:
        x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
        return layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)

    def shrunk(self, x: Any) -> Any:
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)


class _First(_Residual):
    """The first version: convolution, normalisation, relu; the sum last, and relu of it."""

    def block(self, x: Any, filters: int, stride: int, widen: bool, name: str) -> Any:
        shortcut = x
        if widen:
            shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x)
            shortcut = self.norm(shortcut, f"{name}_0_bn")
        x = layers.Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
        x = self.relu(self.norm(x, f"{name}_1_bn"), f"{name}_1_relu")
        x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
        x = self.relu(self.norm(x, f"{name}_2_bn"), f"{name}_2_relu")
        x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
        x = layers.Add(name=f"{name}_add")([shortcut, self.norm(x, f"{name}_3_bn")])
        return self.relu(x, f"{name}_out")


class _Second(_Residual):
    """The second version: normalisation and relu before each convolution, nothing after the sum."""

    def block(self, x: Any, filters: int, stride: int, widen: bool, name: str) -> Any:
        before = self.relu(self.norm(x, f"{name}_preact_bn"), f"{name}_preact_relu")
        if widen:
            shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(before)
        else:
            shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
        x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(before)
        x = self.relu(self.norm(x, f"{name}_1_bn"), f"{name}_1_relu")
        x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
        x = layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv")(x)
        x = self.relu(self.norm(x, f"{name}_2_bn"), f"{name}_2_relu")
        x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
        return layers.Add(name=f"{name}_out")([shortcut, x])


def resnet(network: Network, layers_deep: int, activation: Any, name: str) -> Model:
    """The first version; all stacks but the first shrink the maps, in their first block."""
    make = _First(network)
    x = make.stem(network.images)
    x = make.shrunk(make.relu(make.norm(x, "conv1_bn"), "conv1_relu"))
    for stack, (depth, filters) in enumerate(zip(DEPTHS[layers_deep], FILTERS, strict=True), 2):
        for number in range(1, depth + 1):
            stride = 2 if number == 1 and stack > 2 else 1
            x = make.block(x, filters, stride, number == 1, f"conv{stack}_block{number}")
    return network.model(network.top(x, activation, "avg_pool"), name)


def resnet_v2(network: Network, layers_deep: int, activation: Any, name: str) -> Model:
    """The second version; all stacks but the last shrink the maps, in their last block."""
    make = _Second(network)
    x = make.shrunk(make.stem(network.images))
    for stack, (depth, filters) in enumerate(zip(DEPTHS[layers_deep], FILTERS, strict=True), 2):
        for number in range(1, depth + 1):
            stride = 2 if number == depth and stack < 5 else 1
            x = make.block(x, filters, stride, number == 1, f"conv{stack}_block{number}")
    x = make.relu(make.norm(x, "post_bn"), "post_relu")
    return network.model(network.top(x, activation, "avg_pool"), name)
