"""Images in another size: cut out of the middle, or resampled."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..core.registry import register
from ..core.validate import number, one_of, positive_int
from ..ops import image
from .images import ImageLayer


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
        _, height, width, _ = images.shape
        if height < self.height or width < self.width:
            cut = _in_proportion(images, self.height, self.width)
            return image.resize_images(cut, (self.height, self.width))
        return _middle(images, self.height, self.width)


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
        resized = self._through(inputs, self.transform)
        given = np.dtype(inputs.dtype)
        if given.kind not in "iu":
            return resized
        return ops.saturate_cast(ops.round(resized), given.name)

    def transform(self, images: Any) -> Any:
        if self.crop_to_aspect_ratio:
            images = _in_proportion(images, self.height, self.width)
        if self.pad_to_aspect_ratio:
            images = self._filled_up(images)
        return image.resize_images(
            images, (self.height, self.width), self.interpolation, self.antialias
        )

    def _filled_up(self, images: Any) -> Any:
        _, height, width, _ = images.shape
        tall = max(height, int(width * self.height / self.width))
        wide = max(width, int(height * self.width / self.height))
        above, beside = (tall - height) // 2, (wide - width) // 2
        if above > 0:
            beside = 0
        widths = [(0, 0), (above, above), (beside, beside), (0, 0)]
        return ops.pad(images, widths, constant_values=self.fill_value)


def _middle(images: Any, height: int, width: int) -> Any:
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return images[:, top : top + height, left : left + width]


def _in_proportion(images: Any, height: int, width: int) -> Any:
    """The largest middle part with the proportions of a height and a width."""
    _, tall, wide, _ = images.shape
    rows = max(min(tall, int(wide * height / width)), 1)
    columns = max(min(wide, int(tall * width / height)), 1)
    return _middle(images, rows, columns)
