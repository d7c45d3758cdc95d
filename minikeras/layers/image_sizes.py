"""Images in another size: cut out of the middle, or resampled."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..core.registry import register
from ..core.validate import number, one_of, positive_int
from ..ops import image
from .images import IMAGES, MASKS, ImageLayer, RandomImageLayer


class _Sized(ImageLayer):
    """Base of layers that give images of a fixed height and width."""

    height: int
    width: int

    def compute_output_shape(self, input_shape: Any) -> tuple:
        shape = list(input_shape)
        rows, columns = self._places(shape)
        shape[rows], shape[columns] = self.height, self.width
        return tuple(shape)


@register("layers")
class CenterCrop(_Sized):
    """The middle of images; smaller images are cut to the proportions asked for and enlarged.

    Args:
        height: Of the result.
        width: Of the result.
        data_format: Layout of the images.

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.CenterCrop(1, 2)(np.arange(12.0).reshape(3, 4, 1))[..., 0]
    array([[5., 6.]], dtype=float32)
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.height = positive_int(height, "height", "CenterCrop")
        self.width = positive_int(width, "width", "CenterCrop")

    def transform(self, images: Any) -> Any:
        return _central_part(images, self.height, self.width)

    def transform_masks(self, masks: Any) -> Any:
        return self.transform(masks)


@register("layers")
class RandomCrop(_Sized, RandomImageLayer):
    """A part of images, while training at a random place, which is the same for the whole batch.

    At inference, and of images that are not larger both ways, it is the middle (see `CenterCrop`).

    Args:
        height: Of the result.
        width: Of the result.
        seed: Seed of the places.
        data_format: Layout of the images.

    >>> import numpy as np, minikeras as keras
    >>> crop = keras.layers.RandomCrop(1, 2)
    >>> crop(np.arange(12.0).reshape(3, 4, 1), training=False)[..., 0]
    array([[5., 6.]], dtype=float32)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.height = positive_int(height, "height", "RandomCrop")
        self.width = positive_int(width, "width", "RandomCrop")

    def call(self, inputs: Any, training: bool = True) -> Any:
        return super().call(inputs, True) if training else self._together(inputs, _central)

    def numbers(self, images: Any) -> dict[str, Any]:
        _, height, width, _ = images.shape
        if height <= self.height or width <= self.width or not images.shape[0]:
            return {}
        return {
            "rows": self._run(images, height, self.height),
            "columns": self._run(images, width, self.width),
        }

    def _run(self, images: Any, size: int, target: int) -> Any:
        """So many places in a row, from a random one on."""
        start = self.draw(images[:1], (0.0, float(size - target + 1)))[0]
        start = ops.minimum(ops.cast(start, "int64"), size - target)  # a draw may round up
        return start + np.arange(target)

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        if not numbers:
            return _central_part(images, self.height, self.width)
        return ops.take(ops.take(images, numbers["rows"], 1), numbers["columns"], 2)

    def changed_masks(self, masks: Any, numbers: dict[str, Any]) -> Any:
        return self.changed(masks, numbers)


def _central(layer: RandomCrop, parts: dict[str, Any]) -> dict[str, Any]:
    found = dict(parts)
    for name in {IMAGES, MASKS} & set(parts):
        found[name] = layer.changed(parts[name], {})
    return found


@register("layers")
class Resizing(_Sized):
    """Images in another size.

    Whole numbers stay whole: they are rounded, and limited to what their type holds.

    Args:
        height: Of the result.
        width: Of the result.
        interpolation: 'bilinear', 'nearest', 'bicubic', 'lanczos3' or 'lanczos5'.
        crop_to_aspect_ratio: Whether to cut images to the new proportions first.
        pad_to_aspect_ratio: Whether to fill images up to the new proportions first.
        fill_mode: How to fill: 'constant'.
        fill_value: The constant.
        antialias: Whether shrinking averages over all that a new pixel covers.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height = positive_int(height, "height", "Resizing")
        self.width = positive_int(width, "width", "Resizing")
        self.interpolation = one_of(
            interpolation, tuple(image.RESAMPLING), "interpolation", "Resizing"
        )
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(
                "Resizing either cuts or fills images up to the new proportions. Received: both "
                "crop_to_aspect_ratio=True and pad_to_aspect_ratio=True."
            )
        self.crop_to_aspect_ratio = bool(crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = bool(pad_to_aspect_ratio)
        self.fill_mode = one_of(fill_mode, ("constant",), "fill_mode", "Resizing")
        self.fill_value = number(fill_value, "fill_value", "Resizing")
        self.antialias = bool(antialias)

    def call(self, inputs: Any) -> Any:
        found = super().call(inputs)
        if isinstance(inputs, dict):
            return {**found, "images": image.whole(found["images"], inputs["images"])}
        return image.whole(found, inputs)

    def transform(self, images: Any) -> Any:
        return self._resized(images, self.interpolation)

    def transform_masks(self, masks: Any) -> Any:
        return self._resized(masks, "nearest")

    def _resized(self, images: Any, interpolation: str) -> Any:
        if self.crop_to_aspect_ratio:
            images = image.in_proportion(images, self.height, self.width)
        if self.pad_to_aspect_ratio:
            images = image.filled_up(images, self.height, self.width, self.fill_value)
        return image.resize_images(images, (self.height, self.width), interpolation, self.antialias)


def _central_part(images: Any, height: int, width: int) -> Any:
    """The middle; of smaller images the largest middle part in proportion, enlarged."""
    if images.shape[1] < height or images.shape[2] < width:
        return image.resize_images(image.in_proportion(images, height, width), (height, width))
    return image.middle(images, height, width)
