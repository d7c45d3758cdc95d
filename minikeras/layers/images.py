"""What layers on images share: layouts, single images, random numbers per image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..core import settings
from ..core.validate import number, one_of
from ..graph.abstract import symbolic
from ..ops import noise
from ..random import SeedGenerator
from .base import Layer


class ImageLayer(Layer):
    """Base of layers on images: (batch, height, width, channels), or one image of rank 3.

    A subclass defines `transform` on a batch of floats with the channels last.

    Args:
        data_format: 'channels_last' or 'channels_first'; `config.image_data_format()` by default.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        chosen = settings.image_data_format() if data_format is None else data_format
        self.data_format = one_of(
            chosen, ("channels_last", "channels_first"), "data_format", type(self).__name__
        )
        self.built = True

    def transform(self, images: Any) -> Any:
        """What becomes of a batch of images."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        return self._through(inputs, self.transform)

    def _through(self, inputs: Any, function: Callable[[Any], Any] | None) -> Any:
        """`function` on the inputs as a batch of floats with channels last; None: only floats."""
        if len(inputs.shape) not in (3, 4):
            raise ValueError(
                f"{type(self).__name__} works on images of shape (height, width, channels), or on "
                f"batches of them. Received: an input of shape {tuple(inputs.shape)}."
            )
        return _laid_out(inputs, function, self.compute_dtype, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)

    def _places(self, shape: Sequence[Any]) -> tuple[int, int]:
        """The axes of height and width."""
        first = self.data_format == "channels_first"
        return (len(shape) - 2, len(shape) - 1) if first else (len(shape) - 3, len(shape) - 2)


@symbolic
def _laid_out(inputs: Any, function: Any, dtype: str, data_format: str) -> Any:
    x = ops.cast(inputs, dtype)
    if function is None:
        return x
    single = len(x.shape) == 3
    x = ops.expand_dims(x, 0) if single else x
    first = data_format == "channels_first"
    y = function(ops.moveaxis(x, 1, -1) if first else x)
    y = ops.moveaxis(y, -1, 1) if first else y
    return ops.squeeze(y, 0) if single else y


class RandomImageLayer(ImageLayer):
    """Base of layers that change images at random while training, each in its own way.

    Args:
        seed: Seed of the changes.
        data_format: Layout of the images.
    """

    def __init__(self, seed: int | None = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = True) -> Any:
        return self._through(inputs, self.transform if training else None)

    def draw(self, images: Any, bounds: tuple[float, float]) -> Any:
        """(batch, 1): a number per image, uniform in the bounds."""
        like = np.empty((images.shape[0], 1), np.dtype(images.dtype))
        return noise.uniform_like(like, self.generator.next(), *bounds)


def bounds_of(
    factor: Any, name: str, owner: str, lowest: float = -1.0, highest: float = 1.0
) -> tuple[float, float]:
    """Both ends of a range given as a pair, or as a number (its negative, if allowed, to it)."""
    pair = isinstance(factor, list | tuple)
    ends = [number(f, name, owner) for f in (factor if pair else [factor])]
    if len(ends) > 2 or not ends or not all(lowest <= f <= highest for f in ends):
        raise ValueError(
            f"{owner}: `{name}` must be a number, or a pair of numbers, between {lowest:g} and "
            f"{highest:g}. Received: {factor!r}."
        )
    if pair:
        return min(ends), max(ends)
    size = abs(ends[0])
    return max(-size, lowest), size
