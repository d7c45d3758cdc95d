"""Random changes of the colours of images while training: greyer, sharper, in fewer tones...

Each image of a batch gets its own change. Labels and masks stay as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..core import settings
from ..core.registry import register
from ..core.validate import fraction, positive_int
from ..ops import colours, reduce
from .augmentation import RandomBrightness, RandomContrast
from .images import ImageLayer, RandomImageLayer, TrainingImageLayer, bounds_of, range_of

BITS = 8


class _InRange(RandomImageLayer):
    """Base of layers with a factor, on images whose numbers have a range."""

    lowest, highest = 0.0, 1.0

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        owner = type(self).__name__
        self.factor = bounds_of(factor, "factor", owner, self.lowest, self.highest)
        self.value_range = range_of(value_range, owner)

    def numbers(self, images: Any) -> dict[str, Any]:
        return {"factor": self.draw_each(images, self.factor)}


def scaled(images: Any, old: tuple[float, float], new: tuple[float, float]) -> Any:
    """Numbers of one range in another."""
    if tuple(old) == tuple(new):
        return images
    return (images - old[0]) / (old[1] - old[0]) * (new[1] - new[0]) + new[0]


@register("layers")
class RandomHue(_InRange):
    """Turns the hue of colours by a random angle.

    Args:
        factor: Largest angle as a share of half a turn, either way, or a pair of the least and the
            largest; between 0 and 1.
        value_range: Of the numbers.
        data_format: Layout of the images.
        seed: Seed of the angles.
    """

    def numbers(self, images: Any) -> dict[str, Any]:
        sign = ops.where(self.draw_each(images, (0.0, 1.0)) > 0.5, -0.5, 0.5)
        turn = self.draw_each(images, self.factor) * ops.cast(sign, self.compute_dtype)
        return {"factor": turn}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        hsv = colours.rgb_to_hsv(scaled(images, self.value_range, (0, 1)))
        turned = ops.concatenate([hsv[..., :1] + numbers["factor"], hsv[..., 1:]], axis=-1)
        rgb = ops.clip(colours.hsv_to_rgb(turned), 0, 1)
        return scaled(rgb, (0, 1), self.value_range)


@register("layers")
class RandomSaturation(_InRange):
    """Makes colours greyer or purer.

    Args:
        factor: A pair of numbers up to 1: 0 is grey, 0.5 leaves colours as they are, towards 1 they
            get pure. A number f drawn between the two multiplies the saturation by ``f / (1 - f)``.
            One number means from its negative to it, and below 0 all is grey; so better give a
            pair.
        value_range: The saturation is limited to it, as it is in Keras.
        data_format: Layout of the images.
        seed: Seed of the factors.
    """

    lowest = -1.0

    def numbers(self, images: Any) -> dict[str, Any]:
        factor = self.draw_each(images, self.factor)
        return {"factor": factor / (1 - factor + settings.epsilon())}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        hsv = colours.rgb_to_hsv(images)
        purer = ops.clip(hsv[..., 1:2] * numbers["factor"], *self.value_range)
        return colours.hsv_to_rgb(ops.concatenate([hsv[..., :1], purer, hsv[..., 2:]], axis=-1))


@register("layers")
class RandomColorDegeneration(_InRange):
    """Makes colours greyer.

    Args:
        factor: A pair of numbers between -1 and 1: 0 leaves an image as it is, 1 makes it grey,
            negative numbers make it more colourful. One number means from its negative to it.
        value_range: Results are limited to it.
        data_format: Layout of the images.
        seed: Seed of the factors.
    """

    lowest = -1.0

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        grey = colours.rgb_to_grayscale(images)
        return ops.clip(images + numbers["factor"] * (grey - images), *self.value_range)


@register("layers")
class RandomSharpness(_InRange):
    """Makes images blurred or sharper.

    Args:
        factor: A pair of numbers between 0 (blurred) and 1 (sharper); 0.5 leaves an image as it
            is. One number means from 0 to it.
        value_range: Results are limited to it.
        data_format: Layout of the images.
        seed: Seed of the factors.
    """

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        kernel = np.full((3, 3, images.shape[-1], 1), 1 / 13, np.dtype(images.dtype))
        kernel[1, 1] = 5 / 13
        smooth = ops.depthwise_conv(images, kernel, padding="same", data_format="channels_last")
        return ops.clip(images + (1 - 2 * numbers["factor"]) * (smooth - images), *self.value_range)


@register("layers")
class RandomPosterization(_InRange):
    """Leaves fewer tones: of the eight bits of each number only the first ones are kept.

    Args:
        factor: How many bits, from 1 to 8: a pair of the least number and of one above the largest,
            or of twice the same number. One number means from 1 to one below it.
        value_range: Of the numbers.
        data_format: Layout of the images.
        seed: Seed of the numbers of bits.
    """

    lowest, highest = 1.0, 8.0

    def numbers(self, images: Any) -> dict[str, Any]:
        low, high = self.factor
        bits = ops.floor(self.draw_each(images, self.factor) if low < high else low)
        return {"step": ops.power(2.0, BITS - bits)}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        tones = ops.floor(scaled(images, self.value_range, (0, 255)))
        step = numbers["step"]
        return scaled(ops.floor(tones / step) * step, (0, 255), self.value_range)


@register("layers")
class RandomInvert(RandomImageLayer):
    """Turns images into their negatives, or not.

    Args:
        factor: The probability, or a pair of numbers between which it is drawn for each image. One
            number f means between 0 and f, so the mean probability is half of it.
        value_range: A number x becomes ``value_range[1] - x``.
        seed: Seed of the choice.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = bounds_of(factor, "factor", "RandomInvert", 0.0, 1.0)
        self.value_range = range_of(value_range, "RandomInvert")

    def numbers(self, images: Any) -> dict[str, Any]:
        return {"chosen": self.chosen(images, self.factor)}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        return ops.where(numbers["chosen"], self.value_range[1] - images, images)


@register("layers")
class RandomGrayscale(RandomImageLayer):
    """Makes images grey, or not; they keep three channels, and images of one stay what they are.

    Args:
        factor: The probability.
        data_format: Layout of the images.
        seed: Seed of the choice.
    """

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = fraction(factor, "factor", "RandomGrayscale")

    def numbers(self, images: Any) -> dict[str, Any]:
        return {"chosen": self.draw_each(images, (0.0, 1.0)) < self.factor}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        if images.shape[-1] == 1:
            return images
        grey = colours.rgb_to_grayscale(images) + ops.zeros_like(images)
        return ops.where(numbers["chosen"], grey, images)


@register("layers")
class RandomGaussianBlur(RandomImageLayer):
    """Blurs images, or not.

    Args:
        factor: The probability, or a pair of numbers between which it is drawn for each image. One
            number f means between 0 and f.
        kernel_size: Width of the kernel, an odd number, or a pair of width and height.
        sigma: Standard deviation of the kernel in points, at most 1; or a pair of numbers between
            which it is drawn, across and down, for each batch. One number means between 0 and it.
        value_range: Results are limited to it.
        data_format: Layout of the images.
        seed: Seed of choice and deviations.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = bounds_of(factor, "factor", "RandomGaussianBlur", 0.0, 1.0)
        self.kernel_size = _odd(kernel_size)
        self.sigma = bounds_of(sigma, "sigma", "RandomGaussianBlur", 0.0, 1.0)
        self.value_range = range_of(value_range, "RandomGaussianBlur")

    def numbers(self, images: Any) -> dict[str, Any]:
        chosen = self.chosen(images, self.factor)
        across, down = (self.draw(images[:1], self.sigma) + 1e-6 for _ in range(2))
        return {"chosen": chosen, "sigma": (across, down)}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        across, down = (
            _bell(size, sigma)
            for size, sigma in zip(self.kernel_size, numbers["sigma"], strict=True)
        )
        kernel = ops.reshape(down, (-1, 1, 1, 1)) * ops.reshape(across, (1, -1, 1, 1))
        kernel = kernel * np.ones((1, 1, images.shape[-1], 1), np.dtype(images.dtype))
        blurred = ops.depthwise_conv(images, kernel, padding="same", data_format="channels_last")
        return ops.clip(ops.where(numbers["chosen"], blurred, images), *self.value_range)


def _odd(kernel_size: Any) -> tuple[int, int]:
    sizes = kernel_size if isinstance(kernel_size, list | tuple) else (kernel_size, kernel_size)
    checked = [positive_int(size, "kernel_size", "RandomGaussianBlur") for size in sizes]
    if len(checked) != 2 or any(size % 2 == 0 for size in checked):
        raise ValueError(
            "RandomGaussianBlur: `kernel_size` must be an odd number, or a pair of odd numbers. "
            f"Received: {kernel_size!r}."
        )
    return checked[0], checked[1]


def _bell(size: int, sigma: Any) -> Any:
    """(1, size): a Gaussian around the middle, with the sum 1."""
    apart = np.arange(size, dtype=np.dtype(sigma.dtype)) - (size - 1) / 2
    heights = ops.exp(-0.5 * ops.square(apart / sigma))
    return heights / ops.sum(heights)


@register("layers")
class RandomColorJitter(RandomImageLayer):
    """Random brightness, contrast, saturation and hue, in this order; each one if it is asked for.

    Args:
        value_range: Of the numbers.
        brightness_factor: As of `RandomBrightness`.
        contrast_factor: As of `RandomContrast`.
        saturation_factor: As of `RandomSaturation`.
        hue_factor: As of `RandomHue`.
        seed: Seed of the changes.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = range_of(value_range, "RandomColorJitter")
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        self._steps = [
            kind(factor, self.value_range, seed=seed, dtype=self.dtype_policy)
            for kind, factor in (
                (RandomBrightness, brightness_factor),
                (RandomContrast, contrast_factor),
                (RandomSaturation, saturation_factor),
                (RandomHue, hue_factor),
            )
            if factor is not None
        ]

    def numbers(self, images: Any) -> dict[str, Any]:
        return {"steps": [step.numbers(images) for step in self._steps]}

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        for step, drawn in zip(self._steps, numbers["steps"], strict=True):
            images = step.changed(images, drawn)
        return images


@register("layers")
class Solarization(RandomImageLayer):
    """Adds a number to images, then turns into their negatives all numbers above a threshold.

    Args:
        addition_factor: A pair of numbers between 0 and 1: of numbers from 0 to 255, one between
            the first and 255 times the second is added. One number means (0, it).
        threshold_factor: A pair of numbers between 0 and 1, from which the threshold is drawn
            likewise. One number means (0, it), and 0 that all is turned.
        value_range: Of the numbers.
        seed: Seed of both.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.addition_factor = bounds_of(
            addition_factor, "addition_factor", "Solarization", 0.0, 1.0
        )
        self.threshold_factor = bounds_of(
            threshold_factor, "threshold_factor", "Solarization", 0.0, 1.0
        )
        self.value_range = range_of(value_range, "Solarization")

    def numbers(self, images: Any) -> dict[str, Any]:
        return {
            name: self.draw_each(images, (low, 255 * high))
            for name, (low, high) in (
                ("added", self.addition_factor),
                ("threshold", self.threshold_factor),
            )
        }

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        tones = scaled(images, self.value_range, (0, 255)) + numbers["added"]
        tones = ops.clip(tones, 0, 255)
        tones = ops.where(tones < numbers["threshold"], tones, 255 - tones)
        return scaled(tones, (0, 255), self.value_range)


@register("layers")
class AutoContrast(ImageLayer):
    """Stretches the numbers of each channel of an image over the whole range; always.

    A channel of one number only stays as it is.

    Args:
        value_range: The range.
        data_format: Layout of the images.
    """

    def __init__(self, value_range: Any = (0, 255), data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = range_of(value_range, "AutoContrast")

    def transform(self, images: Any) -> Any:
        low = reduce.min(images, axis=(1, 2), keepdims=True)
        spread = reduce.max(images, axis=(1, 2), keepdims=True) - low
        flat = ops.equal(spread, 0)
        shares = (images - low) / ops.where(flat, 1.0, spread)
        return ops.where(flat, images, scaled(shares, (0, 1), self.value_range))


@register("layers")
class Equalization(TrainingImageLayer):
    """Spreads the numbers of each channel, over a whole batch, evenly over the range.

    A number becomes the share of numbers that are not larger: the histogram gets as flat as the
    number of bins allows. A channel of one number only stays as it is.

    Args:
        value_range: The range.
        bins: Of the histogram.
        data_format: Layout of the images.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = range_of(value_range, "Equalization")
        self.bins = positive_int(bins, "bins", "Equalization")

    def changed(self, images: Any, numbers: dict[str, Any]) -> Any:
        tones = scaled(images, self.value_range, (0, 255))
        places = ops.cast(ops.clip(tones / 255 * (self.bins - 1), 0, self.bins - 1), "int32")
        flat = [self._flattened(tones[..., k], places[..., k]) for k in range(images.shape[-1])]
        return scaled(ops.stack(flat, axis=-1), (0, 255), self.value_range)

    def _flattened(self, tones: Any, places: Any) -> Any:
        """One channel, by the shares of its numbers up to each bin."""
        counts = ops.bincount(ops.reshape(places, (-1,)), minlength=self.bins)
        counts = ops.cast(counts, self.compute_dtype)
        upto = ops.cumsum(counts)
        total = ops.sum(counts)
        first = reduce.min(ops.where(upto > 0, upto, total))  # what the first bin holds
        shares = (upto - first) * 255 / ops.where(total > first, total - first, 1.0)
        table = ops.clip(ops.round(shares), 0, 255)
        return ops.where(ops.equal(total, first), tones, ops.take(table, places))
