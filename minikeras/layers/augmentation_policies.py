"""Changes of images drawn from a list: `RandAugment` and `AugMix`; and `Pipeline`, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import ops, random
from ..core import dtype_policy
from ..core.registry import register
from ..core.serialize import serialize
from ..core.validate import boolean, number, one_of, positive_int
from ..ops import image
from .augmentation import (
    RandomBrightness,
    RandomContrast,
    RandomRotation,
    RandomShear,
    RandomTranslation,
)
from .augmentation_colours import (
    BITS,
    AutoContrast,
    Equalization,
    RandomColorDegeneration,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from .base import Layer
from .images import RandomImageLayer, bounds_of, range_of


def _geometric(factor: tuple, interpolation: str, **common: Any) -> list:
    given = {"interpolation": interpolation, **common}
    return [
        RandomShear(factor, factor, **given),
        RandomTranslation(factor, factor, **given),
        RandomRotation(factor, **given),
    ]


def _tonal(factor: tuple, value_range: tuple, seed: int | None, **common: Any) -> list:
    given = {"value_range": value_range, **common}
    bits = max(1, int(BITS * factor[1]))
    return [
        RandomPosterization(bits, seed=seed, **given),
        Solarization(factor, factor, seed=seed, **given),
        AutoContrast(**given),
        Equalization(**given),
    ]


def _coloured(factor: tuple, value_range: tuple, **common: Any) -> list:
    given = {"value_range": value_range, **common}
    return [
        RandomBrightness(factor, **given),
        RandomColorDegeneration(factor, **given),
        RandomContrast(factor, **given),
        RandomSharpness(factor, **given),
    ]


def _numbers(layer: Any, images: Any) -> dict[str, Any]:
    return {} if isinstance(layer, AutoContrast) else layer.numbers(images)


def _changed(layer: Any, images: Any, numbers: dict[str, Any]) -> Any:
    if isinstance(layer, AutoContrast):
        return layer.transform(images)
    return layer.changed(images, numbers)


def _changed_masks(layer: Any, masks: Any, numbers: dict[str, Any]) -> Any:
    return masks if isinstance(layer, AutoContrast) else layer.changed_masks(masks, numbers)


class _Policy(RandomImageLayer):
    """Base of layers that draw changes from a list; the same ones for a whole batch."""

    def _take(self, value_range: Any, factor: Any, interpolation: str, colours: bool) -> None:
        """Keep the arguments that both have, and make the list of changes."""
        owner = type(self).__name__
        self.value_range = range_of(value_range, owner)
        self.factor = bounds_of(factor, "factor", owner, 0.0, 1.0)
        self.interpolation = one_of(interpolation, tuple(image.ORDERS), "interpolation", owner)
        given = {"seed": self.seed, "dtype": self.dtype_policy}
        self._changes = [
            *_geometric(self.factor, interpolation, **given),
            *_tonal(self.factor, self.value_range, **given),
            *(_coloured(self.factor, self.value_range, **given) if colours else ()),
        ]

    def _choices(self, count: int, kinds: int) -> Any:
        """So many numbers of kinds."""
        return random.randint((count,), 0, kinds, seed=self.generator)

    def _chosen(self, choice: Any, values: Any, numbers: list, change: Callable) -> Any:
        """What the chosen layer makes of the values; a choice beyond the list leaves them."""
        branches = [
            lambda layer=layer, drawn=drawn: change(layer, values, drawn)
            for layer, drawn in zip(self._changes, numbers, strict=True)
        ]
        return ops.switch(choice, [*branches, lambda: values])


@register("layers")
class RandAugment(_Policy):
    """Some of eleven changes in a row, drawn for each batch; their strength is one number.

    Shear, translation, rotation, posterization, solarization, contrast to the limits, equalization,
    brightness, greyer colours, contrast, sharpness. Source: E. Cubuk et al., "RandAugment:
    Practical automated data augmentation with a reduced search space", 2019.

    Args:
        value_range: Of the numbers.
        num_ops: How many changes.
        factor: Factor of all of them: a pair of numbers between 0 and 1, or one number, which means
            from 0 to it.
        interpolation: 'bilinear' or 'nearest'.
        seed: Seed of the changes.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self._take(value_range, factor, interpolation, colours=True)
        self.num_ops = positive_int(num_ops, "num_ops", "RandAugment")

    def numbers(self, images: Any) -> dict[str, Any]:
        return {
            "choices": self._choices(self.num_ops, len(self._changes)),
            "drawn": [_numbers(layer, images) for layer in self._changes],
        }

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        return self._through(images, numbers, _changed)

    def changed_masks(self, masks: Any, numbers: dict[str, Any]) -> Any:
        return self._through(masks, numbers, _changed_masks)

    def _through(self, values: Any, numbers: dict[str, Any], change: Callable) -> Any:
        for k in range(self.num_ops):
            values = self._chosen(numbers["choices"][k], values, numbers["drawn"], change)
        return values


@register("layers")
class AugMix(_Policy):
    """A weighted mean of an image and of several chains of changes of it.

    Changes and weights are drawn for each batch. Source: D. Hendrycks et al., "AugMix: A Simple
    Data Processing Method to Improve Robustness and Uncertainty", 2019.

    Args:
        value_range: Of the numbers; results are limited to it.
        num_chains: How many chains.
        chain_depth: How many changes a chain has at most; each of them may be none.
        factor: Factor of all changes: a pair of numbers between 0 and 1, or one number, which means
            from 0 to it.
        alpha: Parameter of the distributions of the weights: Dirichlet's of those of the chains,
            the beta distribution of that of the image itself.
        all_ops: Whether brightness, greyer colours, contrast and sharpness are among the changes.
        interpolation: 'bilinear' or 'nearest'.
        seed: Seed of the changes.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.all_ops = boolean(all_ops, "all_ops", "AugMix")
        self._take(value_range, factor, interpolation, colours=self.all_ops)
        self.num_chains = positive_int(num_chains, "num_chains", "AugMix")
        self.chain_depth = positive_int(chain_depth, "chain_depth", "AugMix")
        self.alpha = number(alpha, "alpha", "AugMix")

    def numbers(self, images: Any) -> dict[str, Any]:
        shares = random.gamma((self.num_chains,), self.alpha, images.dtype, self.generator)
        steps = self.num_chains * self.chain_depth
        return {
            "shares": shares / ops.sum(shares),
            "kept": random.beta((1,), self.alpha, self.alpha, images.dtype, self.generator)[0],
            "choices": self._choices(steps, len(self._changes) + 1),
            "drawn": [[_numbers(layer, images) for layer in self._changes] for _ in range(steps)],
        }

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        return ops.clip(self._mean(images, numbers, _changed), *self.value_range)

    def changed_masks(self, masks: Any, numbers: dict[str, Any]) -> Any:
        return self._mean(masks, numbers, _changed_masks)

    def _mean(self, values: Any, numbers: dict[str, Any], change: Callable) -> Any:
        mean = 0.0
        for chain in range(self.num_chains):
            end = values
            for step in range(chain * self.chain_depth, (chain + 1) * self.chain_depth):
                end = self._chosen(numbers["choices"][step], end, numbers["drawn"][step], change)
            mean = mean + end * numbers["shares"][chain]
        return numbers["kept"] * values + (1 - numbers["kept"]) * mean


@register("layers")
class Pipeline(Layer):
    """Layers one after the other, as one layer: for changes of images before a model.

    Args:
        layers: The layers.

    >>> import numpy as np, minikeras as keras
    >>> pipeline = keras.layers.Pipeline(
    ...     [keras.layers.RandomFlip(), keras.layers.Rescaling(1 / 255)]
    ... )
    >>> float(pipeline(np.full((2, 4, 4, 3), 255.0), training=True).max())
    1.0
    """

    def __init__(self, layers: Sequence[Layer], name: str | None = None, **kwargs: Any):
        super().__init__(name=name, **kwargs)
        wrong = [layer for layer in layers if not isinstance(layer, Layer)]
        if wrong:
            raise ValueError(f"Pipeline: `layers` must be layers. Received: {wrong[0]!r}.")
        self.layers = list(layers)

    def get_config(self) -> dict[str, Any]:
        """Its layers and name; the rest only where it is not as by default, as in Keras."""
        default = {"trainable": True, "dtype": serialize(dtype_policy.get(None))}
        rest = {k: v for k, v in super().get_config().items() if default.get(k, self) != v}
        return {**rest, "layers": [serialize(layer) for layer in self.layers], "name": self.name}

    def call(self, inputs: Any, training: bool = True) -> Any:
        for layer in self.layers:
            inputs = layer(inputs, training=training)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape
