"""Colours of images, with the channels red, green and blue last."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import elementwise as e
from .core import cast, floating
from .linalg import tensordot
from .reduce import max as largest
from .reduce import min as smallest
from .shapes import stack

GREY = (0.2989, 0.587, 0.114)  # what the eye makes of red, green and blue


def _three(images: Any, what: str) -> Any:
    images = floating(images)
    if not images.shape or images.shape[-1] != 3:
        raise ValueError(
            f"{what} needs images of 3 channels. Received: images of shape {tuple(images.shape)}."
        )
    return images


def rgb_to_grayscale(images: Any) -> Any:
    """The brightness of each point, (..., 1): 0.2989 red + 0.587 green + 0.114 blue."""
    images = _three(images, "rgb_to_grayscale")
    weights = np.array(GREY, np.dtype(images.dtype)).reshape(3, 1)
    return tensordot(images, weights, axes=[[-1], [0]])


def rgb_to_hsv(images: Any) -> Any:
    """Hue (0 to 1, round the circle of colours from red), saturation (0 to 1) and value.

    Value is the largest of the three channels, in their own scale. Source: A. R. Smith, "Color
    gamut transform pairs", 1978.
    """
    images = _three(images, "rgb_to_hsv")
    red, green, blue = (images[..., k] for k in range(3))
    value = largest(images, axis=-1)
    spread = e.subtract(value, smallest(images, axis=-1))
    grey = e.equal(spread, 0)
    sixth = e.divide(1 / 6, e.where(grey, 1.0, spread))
    hue = e.where(
        e.equal(value, red),
        (green - blue) * sixth,
        e.where(e.equal(value, green), (blue - red) * sixth + 1 / 3, (red - green) * sixth + 2 / 3),
    )
    hue = e.where(grey, 0.0, hue)
    black = e.less_equal(value, 0)
    saturation = e.where(black, 0.0, spread / e.where(black, 1.0, value))
    whole = [e.where(e.less(hue, 0), hue + 1, hue), saturation, value]
    return stack([cast(part, images.dtype) for part in whole], axis=-1)


def hsv_to_rgb(images: Any) -> Any:
    """Red, green and blue from hue, saturation and value; see `rgb_to_hsv`."""
    images = _three(images, "hsv_to_rgb")
    hue, saturation, value = (images[..., k] for k in range(3))
    sixths = (hue - e.floor(hue)) * 6.0
    pure = [  # of the brightest colour of that hue
        e.clip(e.absolute(sixths - 3.0) - 1.0, 0.0, 1.0),
        e.clip(2.0 - e.absolute(sixths - 2.0), 0.0, 1.0),
        e.clip(2.0 - e.absolute(sixths - 4.0), 0.0, 1.0),
    ]
    return stack([value * (1.0 - saturation + saturation * part) for part in pure], axis=-1)
