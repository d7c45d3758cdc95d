"""What layers on images share: layouts, single images, labels and masks, random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..core import settings
from ..core.validate import number
from ..graph.abstract import symbolic
from ..ops import noise
from ..random import SeedGenerator
from .base import Layer

IMAGES, LABELS, MASKS, BOXES = "images", "labels", "segmentation_masks", "bounding_boxes"


class ImageLayer(Layer):
    """Base of layers on images: (batch, height, width, channels), or one image of rank 3.

    A dict of 'images', and if there are any 'labels' and 'segmentation_masks', is changed together.
    A subclass defines `transform` on a batch of floats with the channels last.

    Args:
        data_format: 'channels_last' or 'channels_first'; `config.image_data_format()` by default.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = settings.data_format_of(data_format, type(self).__name__)
        self.built = True

    def transform(self, images: Any) -> Any:
        """What becomes of a batch of images."""
        raise NotImplementedError

    def transform_masks(self, masks: Any) -> Any:
        """What becomes of a batch of segmentation masks; their dtype stays."""
        return masks

    def call(self, inputs: Any) -> Any:
        return self._together(inputs, _each)

    def _together(self, inputs: Any, change: Any) -> Any:
        """`change` on the parts of a dict, or on images alone."""
        parts = self._parts(inputs)
        values = _changed([parts[name] for name in parts], list(parts), self, change)
        return dict(zip(parts, values, strict=True)) if isinstance(inputs, dict) else values[0]

    def _parts(self, inputs: Any) -> dict[str, Any]:
        parts = inputs if isinstance(inputs, dict) else {IMAGES: inputs}
        owner = type(self).__name__
        if IMAGES not in parts:
            raise ValueError(
                f"{owner} needs a dict with {IMAGES!r}. Received: the keys {list(parts)}."
            )
        if BOXES in parts:
            raise ValueError(
                f"{owner} does not move bounding boxes. Received: a dict with {BOXES!r}. Leave "
                "them out where images keep their places, or move them yourself."
            )
        for name in {IMAGES, MASKS} & set(parts):
            if len(parts[name].shape) not in (3, 4):
                raise ValueError(
                    f"{owner} works on images of shape (height, width, channels), or on batches of "
                    f"them. Received: {'an input' if name == IMAGES else name} of shape "
                    f"{tuple(parts[name].shape)}."
                )
        return parts

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)

    def _places(self, shape: Sequence[Any]) -> tuple[int, int]:
        """The axes of height and width."""
        first = self.data_format == "channels_first"
        return (len(shape) - 2, len(shape) - 1) if first else (len(shape) - 3, len(shape) - 2)

    def _in(self, x: Any) -> Any:
        """As a batch with channels last."""
        x = ops.expand_dims(x, 0) if len(x.shape) == 3 else x
        return ops.moveaxis(x, 1, -1) if self.data_format == "channels_first" else x

    def _out(self, y: Any, single: bool) -> Any:
        y = ops.moveaxis(y, -1, 1) if self.data_format == "channels_first" else y
        return ops.squeeze(y, 0) if single else y


@symbolic
def _changed(values: list, names: list[str], layer: Any, change: Any) -> list:
    """The values that `change` makes of batches with channels last, in the layout they came in."""
    given = dict(zip(names, values, strict=True))
    given[IMAGES] = ops.cast(given[IMAGES], layer.compute_dtype)
    if change is None:
        return list(given.values())
    single = len(given[IMAGES].shape) == 3
    parts = {n: layer._in(v) if n in (IMAGES, MASKS) else v for n, v in given.items()}
    if single and LABELS in parts:
        parts[LABELS] = ops.expand_dims(parts[LABELS], 0)
    found = change(layer, parts)
    for name in {IMAGES, MASKS} & set(found):
        found[name] = layer._out(found[name], single)
    if single and LABELS in found:
        found[LABELS] = ops.squeeze(found[LABELS], 0)
    return [found[name] for name in names]


def _each(layer: ImageLayer, parts: dict[str, Any]) -> dict[str, Any]:
    found = {**parts, IMAGES: layer.transform(parts[IMAGES])}
    if MASKS in parts:
        found[MASKS] = _as(layer.transform_masks(parts[MASKS]), parts[MASKS])
    return found


def _at_random(layer: TrainingImageLayer, parts: dict[str, Any]) -> dict[str, Any]:
    numbers = layer.numbers(parts[IMAGES])
    found = {**parts, IMAGES: layer.changed(parts[IMAGES], numbers)}
    if LABELS in parts:
        found[LABELS] = layer.changed_labels(parts[LABELS], numbers)
    if MASKS in parts:
        found[MASKS] = layer.changed_masks(parts[MASKS], numbers)
    return found


def _as(values: Any, like: Any) -> Any:
    return ops.cast(values, like.dtype if isinstance(like.dtype, str) else like.dtype.name)


class TrainingImageLayer(ImageLayer):
    """Base of layers that change images while training only.

    A subclass defines `changed`, a function of a batch of floats with the channels last and of the
    numbers that `numbers` draws for it; and, where they do not stay as they are, `changed_labels`
    and `changed_masks`.
    """

    def numbers(self, images: Any) -> dict[str, Any]:
        """What is drawn for a batch of images."""
        return {}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        """What becomes of a batch of images, given what was drawn for it."""
        raise NotImplementedError

    def changed_labels(self, labels: Any, numbers: dict[str, Any]) -> Any:
        return labels

    def changed_masks(self, masks: Any, numbers: dict[str, Any]) -> Any:
        return masks

    def call(self, inputs: Any, training: bool = True) -> Any:
        return self._together(inputs, _at_random if training else None)


class RandomImageLayer(TrainingImageLayer):
    """Base of layers that change images at random while training, each in its own way.

    Args:
        seed: Seed of the changes.
        data_format: Layout of the images.
    """

    def __init__(self, seed: int | None = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def draw(self, images: Any, bounds: tuple[float, float]) -> Any:
        """(batch, 1): a number per image, uniform in the bounds."""
        like = np.empty((images.shape[0], 1), np.dtype(images.dtype))
        return noise.uniform_like(like, self.generator.next(), *bounds)

    def draw_each(self, images: Any, bounds: tuple[float, float]) -> Any:
        """(batch, 1, 1, 1): the same, to be combined with images."""
        return ops.reshape(self.draw(images, bounds), (-1, 1, 1, 1))

    def chosen(self, images: Any, bounds: tuple[float, float]) -> Any:
        """(batch, 1, 1, 1): whether an image is chosen, with a probability drawn in the bounds."""
        probability = self.draw_each(images, bounds)
        return self.draw_each(images, (0.0, 1.0)) < probability


def bounds_of(
    factor: Any, name: str, owner: str, lowest: float = -1.0, highest: float = 1.0
) -> tuple[float, float]:
    """Both ends of a range given as a pair, or as a number (its negative, if allowed, to it)."""
    pair = isinstance(factor, list | tuple)
    ends = [number(f, name, owner) for f in (factor if pair else [factor])]
    if len(ends) != (2 if pair else 1) or not all(lowest <= f <= highest for f in ends):
        raise ValueError(
            f"{owner}: `{name}` must be a number, or a pair of numbers, between {lowest:g} and "
            f"{highest:g}. Received: {factor!r}."
        )
    if pair:
        return min(ends), max(ends)
    size = abs(ends[0])
    return max(-size, lowest) + 0.0, size  # the sum has no sign where it is zero


def range_of(value_range: Any, owner: str) -> tuple[float, float]:
    """A pair of numbers, the smaller one first."""
    pair = isinstance(value_range, list | tuple) and len(value_range) == 2
    if not pair:
        raise ValueError(
            f"{owner}: `value_range` must be a pair of numbers. Received: {value_range!r}."
        )
    low, high = sorted(number(value, "value_range", owner) for value in value_range)
    if low == high:
        raise ValueError(
            f"{owner}: the ends of `value_range` must differ. Received: {value_range!r}."
        )
    return low, high
