"""Random changes of images while training: turned, moved, flipped, darker...

Each image of a batch gets its own change. At inference images pass as they are, as floats. Called
without `training`, outside a model, these layers do change images.
"""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..core.registry import register
from ..core.validate import number, one_of
from ..ops import image
from .images import RandomImageLayer, bounds_of, range_of

FLIPS = ("horizontal_and_vertical", "horizontal", "vertical")


class RandomAffine(RandomImageLayer):
    """Base of layers that see images through a random affine map.

    Args:
        fill_mode: What lies beyond the edges: 'reflect' (edges twice), 'wrap', 'nearest' (the edge
            goes on) or 'constant'.
        interpolation: 'bilinear' or 'nearest'.
        seed: Seed of the changes.
        fill_value: The constant.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        owner = type(self).__name__
        self.fill_mode = one_of(fill_mode, tuple(image.FILL_MODES), "fill_mode", owner)
        self.interpolation = one_of(interpolation, tuple(image.ORDERS), "interpolation", owner)
        self.fill_value = number(fill_value, "fill_value", owner)

    def maps(self, images: Any) -> Any:
        """(batch, 6): a0, a1, a2, b0, b1, b2 of `ops.image.affine_images`."""
        raise NotImplementedError

    def numbers(self, images: Any) -> dict[str, Any]:
        return {"maps": self.maps(images)}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        return image.affine_images(
            images, numbers["maps"], self.interpolation, self.fill_mode, self.fill_value
        )

    def changed_masks(self, masks: Any, numbers: dict[str, Any]) -> Any:
        moved = image.affine_images(
            ops.cast(masks, self.compute_dtype),
            numbers["maps"],
            "nearest",
            self.fill_mode,
            self.fill_value,
        )
        return ops.cast(moved, masks.dtype if isinstance(masks.dtype, str) else masks.dtype.name)


@register("layers")
class RandomRotation(RandomAffine):
    """Turns images about their centre by a random angle.

    Args:
        factor: Largest angle as a share of a full turn, or a pair of the least and the largest;
            positive angles turn counter-clockwise. 0.1 means up to 36 degrees either way.
        fill_mode: What lies beyond the edges: 'reflect', 'wrap', 'nearest' or 'constant'.
        interpolation: 'bilinear' or 'nearest'.
        seed: Seed of the angles.
        fill_value: The constant.
        data_format: Layout of the images.

    >>> import numpy as np, minikeras as keras
    >>> quarter = keras.layers.RandomRotation((0.25, 0.25), interpolation="nearest")
    >>> quarter(np.float32([[[1], [2]], [[3], [4]]]))[..., 0]
    array([[2., 4.],
           [1., 3.]], dtype=float32)
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = bounds_of(factor, "factor", "RandomRotation")

    def maps(self, images: Any) -> Any:
        _, height, width, _ = images.shape
        turn = 2 * math.pi
        angle = self.draw(images, (self.factor[0] * turn, self.factor[1] * turn))
        c, s = ops.cos(angle), ops.sin(angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        return ops.concatenate([c, -s, x - c * x + s * y, s, c, y - s * x - c * y], axis=1)


@register("layers")
class RandomTranslation(RandomAffine):
    """Moves images by a random distance.

    Args:
        height_factor: Largest move down (up, if negative) as a share of the height, or a pair of
            the least and the largest.
        width_factor: The same to the right.
        fill_mode: What lies beyond the edges: 'reflect', 'wrap', 'nearest' or 'constant'.
        interpolation: 'bilinear' or 'nearest'.
        seed: Seed of the moves.
        fill_value: The constant.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = bounds_of(height_factor, "height_factor", "RandomTranslation")
        self._width = bounds_of(width_factor, "width_factor", "RandomTranslation")

    def maps(self, images: Any) -> Any:
        _, height, width, _ = images.shape
        down = self.draw(images, self._height) * height
        right = self.draw(images, self._width) * width
        zero = ops.zeros_like(down)
        return ops.concatenate([zero + 1, zero, -right, zero, zero + 1, -down], axis=1)


@register("layers")
class RandomZoom(RandomAffine):
    """Zooms images about their centre by a random factor.

    Args:
        height_factor: Largest change of the height, above -1: 0.2 shows up to 20 % more (zooms
            out) or less. Or a pair of the least and the largest.
        width_factor: The same for the width; by default that of the height, so that proportions
            stay.
        fill_mode: What lies beyond the edges: 'reflect', 'wrap', 'nearest' or 'constant'.
        interpolation: 'bilinear' or 'nearest'.
        seed: Seed of the factors.
        fill_value: The constant.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = _zooms(height_factor, "height_factor")
        self._width = None if width_factor is None else _zooms(width_factor, "width_factor")

    def maps(self, images: Any) -> Any:
        _, height, width, _ = images.shape
        tall = self.draw(images, self._height)
        wide = tall if self._width is None else self.draw(images, self._width)
        x, y, zero = (width - 1) / 2, (height - 1) / 2, ops.zeros_like(tall)
        return ops.concatenate([wide, zero, x * (1 - wide), zero, tall, y * (1 - tall)], axis=1)


def _zooms(factor: Any, name: str) -> tuple[float, float]:
    low, high = bounds_of(factor, name, "RandomZoom")
    if low == -1 and isinstance(factor, list | tuple):
        raise ValueError(
            f"RandomZoom: `{name}` must be above -1, or nothing is left. Received: {factor!r}."
        )
    return 1 + low, 1 + high


@register("layers")
class RandomShear(RandomAffine):
    """Slants images: rows slide over each other, and columns.

    Args:
        x_factor: How far rows slide, as a pair of numbers between 0 and 1: a point y rows further
            down shows what is ``factor * y`` columns further right. One number means from its
            negative to it. Both factors of half of the images change their sign.
        y_factor: The same for columns.
        interpolation: 'bilinear' or 'nearest'.
        fill_mode: What lies beyond the edges: 'reflect', 'wrap', 'nearest' or 'constant'.
        fill_value: The constant.
        data_format: Layout of the images.
        seed: Seed of the factors.
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor, self.y_factor = x_factor, y_factor
        self._across = _shears(x_factor, "x_factor")
        self._down = _shears(y_factor, "y_factor")

    def maps(self, images: Any) -> Any:
        sign = ops.where(self.draw(images, (0.0, 1.0)) > 0.5, -1.0, 1.0)
        sign = ops.cast(sign, self.compute_dtype)
        down = self.draw(images, self._down) * sign
        across = self.draw(images, self._across) * sign
        zero = ops.zeros_like(down)
        return ops.concatenate([zero + 1, across, zero, down, zero + 1, zero], axis=1)


def _shears(factor: Any, name: str) -> tuple[float, float]:
    low, high = bounds_of(factor, name, "RandomShear", 0.0, 1.0)
    return (low, high) if isinstance(factor, list | tuple) else (-high, high)


@register("layers")
class RandomFlip(RandomImageLayer):
    """Flips each image, or not.

    Args:
        mode: 'horizontal' (left becomes right), 'vertical', or 'horizontal_and_vertical' (both at
            once).
        seed: Seed of the choice.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode = one_of(mode, FLIPS, "mode", "RandomFlip")

    def numbers(self, images: Any) -> dict[str, Any]:
        return {"chosen": self.draw_each(images, (0.0, 1.0)) <= 0.5}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        axes = tuple(a for a, name in ((1, "vertical"), (2, "horizontal")) if name in self.mode)
        return ops.where(numbers["chosen"], ops.flip(images, axes), images)

    def changed_masks(self, masks: Any, numbers: dict[str, Any]) -> Any:
        return self.changed(masks, numbers)


@register("layers")
class RandomContrast(RandomImageLayer):
    """Moves the numbers of each channel away from their mean over the image, or towards it.

    Args:
        factor: A pair (low, high) of numbers between 0 and 1: distances from the mean are
            multiplied by a number from ``1 - low`` to ``1 + high``. One number means (0, high).
        value_range: Results are limited to it.
        seed: Seed of the factors.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = bounds_of(factor, "factor", "RandomContrast", 0.0, 1.0)
        self.value_range = range_of(value_range, "RandomContrast")

    def numbers(self, images: Any) -> dict[str, Any]:
        return {"factor": self.draw_each(images, (1 - self.factor[0], 1 + self.factor[1]))}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        mean = ops.mean(images, axis=(1, 2), keepdims=True)
        return ops.clip((images - mean) * numbers["factor"] + mean, *self.value_range)


@register("layers")
class RandomBrightness(RandomImageLayer):
    """Adds one random number to all numbers of an image.

    Args:
        factor: Largest number as a share of the range of values, or a pair of the least and the
            largest; between -1 (black) and 1 (white).
        value_range: Of the numbers; results are limited to it.
        seed: Seed of the numbers.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = bounds_of(factor, "factor", "RandomBrightness")
        self.value_range = range_of(value_range, "RandomBrightness")

    def numbers(self, images: Any) -> dict[str, Any]:
        low, high = self.value_range
        return {"added": self.draw_each(images, self.factor) * (high - low)}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        return ops.clip(images + numbers["added"], *self.value_range)
