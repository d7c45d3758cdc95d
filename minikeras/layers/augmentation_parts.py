"""Parts of images erased, or replaced by parts of other images; two images mixed.

Where images are mixed their labels are mixed in the same shares, so they are given together, as a
dict of 'images' and 'labels'; labels are vectors (one-hot).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops, random
from ..core.registry import register
from ..core.validate import number
from ..ops import noise
from .images import RandomImageLayer, bounds_of, range_of


class _Boxes(RandomImageLayer):
    """Base of layers that draw a rectangle in each image."""

    def box(self, images: Any, wide: Any, tall: Any) -> Any:
        """(batch, height, width, 1): whether a point is in a rectangle, at a random place.

        `wide` and `tall` are its shares of the width and of the height, (batch, 1).
        """
        _, height, width, _ = images.shape
        columns, rows = self._run(images, wide, width), self._run(images, tall, height)
        return ops.logical_and(
            ops.reshape(rows, (-1, height, 1, 1)), ops.reshape(columns, (-1, 1, width, 1))
        )

    def _run(self, images: Any, share: Any, size: int) -> Any:
        """(batch, size): whether a place lies in an interval of a share of all places."""
        length = share * size
        start = self.draw(images, (0.0, 1.0)) * (size - length)
        places = np.arange(size, dtype=np.dtype(images.dtype))[None]
        return ops.logical_and(places >= start, places < start + length)


@register("layers")
class RandomErasing(_Boxes):
    """Replaces a rectangle of an image by noise or by a constant.

    Source: Z. Zhong et al., "Random Erasing Data Augmentation", 2017.

    Args:
        factor: The probability, or a pair of numbers between which it is drawn for each image. One
            number f means between 0 and f.
        scale: A pair of numbers between 0 and 1: shares of the area; height and width are drawn
            apart, each as the root of a number between the two. One number means from 0 to it.
        fill_value: A number, or one for each of three channels; None: normal noise, of the
            deviation ``value_range[1]``.
        value_range: What replaces the rectangle is limited to it.
        seed: Seed of the rectangles.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = bounds_of(factor, "factor", "RandomErasing", 0.0, 1.0)
        self.scale = bounds_of(scale, "scale", "RandomErasing", 0.0, 1.0)
        self.fill_value = _fill(fill_value)
        self.value_range = range_of(value_range, "RandomErasing")

    def numbers(self, images: Any) -> dict[str, Any]:
        wide, tall = (ops.sqrt(self.draw(images, self.scale)) for _ in range(2))
        box = ops.logical_and(self.box(images, wide, tall), self.chosen(images, self.factor))
        return {"box": box, "fill": self._filling(images)}

    def _filling(self, images: Any) -> Any:
        low, high = self.value_range
        if self.fill_value is not None:
            return np.clip(np.array(self.fill_value, np.dtype(images.dtype)), low, high)
        like = np.empty(tuple(images.shape), np.dtype(images.dtype))
        return ops.clip(noise.normal_like(like, self.generator.next()) * high, low, high)

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        return ops.where(numbers["box"], numbers["fill"], images)


def _fill(value: Any) -> Any:
    if value is None:
        return None
    several = isinstance(value, list | tuple)
    if several and len(value) != 3:
        raise ValueError(
            "RandomErasing: `fill_value` must be a number, three numbers or None. Received: "
            f"{value!r}."
        )
    checked = [number(v, "fill_value", "RandomErasing") for v in (value if several else [value])]
    return checked if several else checked[0]


@register("layers")
class CutMix(_Boxes):
    """Replaces a rectangle of each image by that of another one of the batch.

    Labels become means of both, weighted by the areas. A single image stays as it is. Source:
    S. Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
    Features", 2019.

    Args:
        factor: A pair of numbers between 0 and 1, between which the parameter of the beta
            distribution is drawn; with it the shares of the areas are drawn. One number means from
            0 to it.
        seed: Seed of the rectangles and of the partners.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = bounds_of(factor, "factor", "CutMix", 0.0, 1.0)

    def numbers(self, images: Any) -> dict[str, Any]:
        count, height, width, _ = images.shape
        shape = self.draw(images[:1], self.factor)[0] + 1e-6
        kept = random.beta((count, 1), shape, shape, images.dtype, self.generator)
        side = ops.sqrt(1 - kept)
        box = self.box(images, side, side)
        area = ops.sum(ops.cast(box, self.compute_dtype), axis=(1, 2, 3)) / (height * width)
        partners = random.shuffle(np.arange(count), seed=self.generator)
        return {"box": box, "kept": 1 - area, "partners": partners}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        return ops.where(numbers["box"], ops.take(images, numbers["partners"], 0), images)

    def changed_labels(self, labels: Any, numbers: dict[str, Any]) -> Any:
        return _mixed(labels, numbers["kept"], numbers["partners"], self.compute_dtype)

    def changed_masks(self, masks: Any, numbers: dict[str, Any]) -> Any:
        return self.changed(masks, numbers)


@register("layers")
class MixUp(RandomImageLayer):
    """Means of two images of a batch, and of their labels.

    Source: H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2017.

    Args:
        alpha: Parameter of the beta distribution from which the weights are drawn: the smaller, the
            nearer to one of the two images the mixtures are.
        data_format: Layout of the images.
        seed: Seed of the weights and of the partners.

    >>> import numpy as np, minikeras as keras
    >>> mix = keras.layers.MixUp(seed=1)
    >>> images, labels = np.zeros((2, 8, 8, 3), "float32"), np.eye(2, dtype="float32")
    >>> mix({"images": images, "labels": labels}, training=True)["labels"].sum(axis=1)
    array([1., 1.], dtype=float32)
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.alpha = number(alpha, "alpha", "MixUp")
        if self.alpha <= 0:
            raise ValueError(f"MixUp: `alpha` must be positive. Received: {alpha!r}.")

    def numbers(self, images: Any) -> dict[str, Any]:
        count = images.shape[0]
        partners = random.shuffle(np.arange(count), seed=self.generator)
        kept = random.beta((count,), self.alpha, self.alpha, images.dtype, self.generator)
        return {"kept": kept, "partners": partners}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        return _mixed(images, numbers["kept"], numbers["partners"], self.compute_dtype)

    def changed_labels(self, labels: Any, numbers: dict[str, Any]) -> Any:
        return _mixed(labels, numbers["kept"], numbers["partners"], self.compute_dtype)

    def changed_masks(self, masks: Any, numbers: dict[str, Any]) -> Any:
        return _mixed(masks, numbers["kept"], numbers["partners"], self.compute_dtype)


def _mixed(values: Any, kept: Any, partners: Any, dtype: str) -> Any:
    """Means of values and of those of their partners, one weight for each of the batch."""
    values = ops.cast(values, dtype)
    weight = ops.reshape(kept, (-1, *[1] * (len(values.shape) - 1)))
    return weight * values + (1 - weight) * ops.take(values, partners, 0)
