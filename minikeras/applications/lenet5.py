"""LeNet-5, the network that read cheques.

Source: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-Based Learning Applied to Document
Recognition", section II.B.
"""

from __future__ import annotations

from typing import Any

from .. import layers, ops
from ..core.validate import one_of
from ..models import Model
from ._network import Network

__all__ = ["LeNet5"]

# table I of the paper: which maps of S2 each of the 16 maps of C3 is made of
CONNECTIONS = (
    *[tuple((first + k) % 6 for k in range(3)) for first in range(6)],
    *[tuple((first + k) % 6 for k in range(4)) for first in range(6)],
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip


def LeNet5(  # noqa: N802  (as Keras's names of networks)
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str = "lenet5",
    variant: str = "dense",
) -> Model:
    """LeNet-5: two convolutions with means between them, and three dense layers.

    Not in Keras. Images are (32, 32, 1): digits of 28 x 28 with a border of 2, see `ZeroPadding2D`.

    Args:
        variant: 'dense', as it is built today: every map of the second convolution sees all of the
            first, 61,706 weights. '1998', as in the paper: the second convolution has its table of
            connections, and the means a learned factor and offset for each map, which with the
            paper's 60,000 weights and those of the last layer makes 60,850. The last layer is
            softmax in both; the paper has distances to fixed pictures of the classes.
        weights: None, or the path of a weights file.
        include_top, input_tensor, input_shape, pooling, classes, classifier_activation, name: As of
            `VGG16`.

    Example:

    >>> import minikeras as keras
    >>> keras.applications.LeNet5().count_params()
    61706
    >>> keras.applications.LeNet5(variant="1998").count_params() - (84 + 1) * 10
    60000
    """
    one_of(variant, ("dense", "1998"), "variant", "LeNet5")
    network = Network(
        "LeNet5", 32, 28, include_top, weights, input_tensor, input_shape, pooling, classes, None,
        channels=1,
    )  # fmt: skip
    original = variant == "1998"
    x = layers.Conv2D(6, 5, activation="tanh", name="c1")(network.images)
    x = _means(x, original, "s2")
    if original:
        x = _connected(x, network.axis)
    else:
        x = layers.Conv2D(16, 5, activation="tanh", name="c3")(x)
    x = _means(x, original, "s4")
    if not network.include_top:
        return network.model(network.pooled(x), name)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, activation="tanh", name="c5")(x)
    x = layers.Dense(84, activation="tanh", name="f6")(x)
    return network.model(network.classifier(x, classifier_activation), name)


def _means(x: Any, original: bool, name: str) -> Any:
    """Means of 2 x 2 pixels; in the paper with a factor and an offset for each map, and tanh."""
    if not original:
        return layers.AveragePooling2D(2, name=name)(x)
    x = layers.AveragePooling2D(2, name=f"{name}_mean")(x)
    return layers.DepthwiseConv2D(1, activation="tanh", name=name)(x)


def _connected(x: Any, axis: int) -> Any:
    """Maps that are each made of some of the maps before."""
    maps = []
    for number, sources in enumerate(CONNECTIONS):
        seen = ops.take(x, list(sources), axis=axis)
        maps.append(layers.Conv2D(1, 5, activation="tanh", name=f"c3_{number}")(seen))
    return layers.Concatenate(axis=axis, name="c3")(maps)
