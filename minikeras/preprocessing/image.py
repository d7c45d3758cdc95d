"""Images in files (keras.preprocessing.image); needs Pillow, the extra 'image'."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import settings
from ..core.validate import one_of, positive_int
from ..data.directories import Choice, open_directory
from ..ops.image import resize, resize_images

__all__ = [
    "array_to_img",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "save_img",
    "smart_resize",
]

MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
RESIZING = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "Reading and writing image files needs Pillow, which is not installed. "
            'Install it with `pip install "minikeras[image]"`.'
        ) from error
    return Image


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Sequence[int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """An image file as an image of Pillow.

    Args:
        path: The path, or an open binary file.
        color_mode: "rgb", "rgba" or "grayscale".
        target_size: Height and width to bring it to; None leaves them.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: Whether what does not fit is cut off, instead of being squeezed.

    Raises ImportError without Pillow, OSError when the file is missing or no image.
    """
    mode = MODES[one_of(color_mode, tuple(MODES), "color_mode", "load_img")]
    one_of(interpolation, RESAMPLING, "interpolation", "load_img")
    pillow = _pillow()
    if hasattr(path, "read"):
        image = pillow.open(path)
    else:
        with open(os.fspath(path), "rb") as file:
            image = pillow.open(io.BytesIO(file.read()))
    if image.mode != mode and not (mode == "L" and image.mode in ("I", "I;16")):
        image = image.convert(mode)
    if target_size is None:
        return image
    height, width = _size(target_size, "target_size")
    if image.size == (width, height):
        return image
    box = _middle(image.height, image.width, height, width) if keep_aspect_ratio else None
    if box is not None:
        top, left, rows, columns = box
        box = (left, top, left + columns, top + rows)
    return image.resize((width, height), getattr(pillow.Resampling, interpolation.upper()), box=box)


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """An image of Pillow, or an array of one, as an array (height, width, channels) of floats."""
    x = np.asarray(img, settings.standardize_dtype(dtype))
    if x.ndim == 2:
        x = x[:, :, None]
    if x.ndim != 3:
        raise ValueError(f"An image has 2 or 3 dimensions. Received: shape {x.shape}.")
    return np.moveaxis(x, -1, 0) if _first(data_format, "img_to_array") else x


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Any:
    """An array (height, width, channels) of 1, 3 or 4 channels as an image of Pillow.

    With `scale` its smallest number becomes 0 and its largest 255.
    """
    x = np.array(x, settings.standardize_dtype(dtype))
    if x.ndim != 3:
        raise ValueError(f"An image as an array has 3 dimensions. Received: shape {x.shape}.")
    x = np.moveaxis(x, 0, -1) if _first(data_format, "array_to_img") else x
    if x.shape[2] not in (1, 3, 4):
        raise ValueError(f"An image has 1, 3 or 4 channels. Received: shape {x.shape}.")
    if scale:
        x = x - x.min()
        largest = x.max()
        x = x / (largest if largest else 1) * 255
    deep = x.shape[2] == 1 and x.max() > 255
    pixels = x.astype("int32" if deep else "uint8")
    return _pillow().fromarray(pixels[:, :, 0] if x.shape[2] == 1 else pixels)


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as an image file, in the format of its name; `kwargs` go to Pillow."""
    image = array_to_img(x, data_format, scale)
    if file_format is None and not hasattr(path, "write"):
        file_format = os.path.splitext(os.fspath(path))[1][1:]
    file_format = {"jpg": "jpeg"}.get((file_format or "").lower(), file_format)
    if image.mode == "RGBA" and file_format == "jpeg":
        image = image.convert("RGB")  # the format has no transparency
    image.save(path, format=file_format or None, **kwargs)


def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: str | None = None
) -> np.ndarray:
    """Images in another size whose proportions stay: what does not fit is cut off.

    What is left is the middle.

    Args:
        x: An image (height, width, channels), or a batch of them.
        size: New height and width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        data_format: Where the channels are, by default where `config.image_data_format()` says.

    Returns:
        An array of floats.

    Example:

    >>> smart_resize(np.arange(12.0).reshape(2, 6, 1), (1, 1))[0, 0]
    array([5.5], dtype=float32)
    """
    one_of(interpolation, RESIZING, "interpolation", "smart_resize")
    target = _size(size, "size")
    images = np.asarray(x, settings.floatx())
    if images.ndim not in (3, 4):
        raise ValueError(
            "smart_resize takes images of shape (height, width, channels), or batches of them. "
            f"Received: shape {images.shape}."
        )
    return np.asarray(
        resize(images, target, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    )


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Image files in folders, one for each class, as batches for `fit`. Needs Pillow.

    Args:
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
            subset, follow_links, format, verbose: As those of `text_dataset_from_directory`.
        color_mode: "rgb", "rgba" or "grayscale".
        image_size: Height and width that all images are brought to.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: Cut off what does not fit, instead of squeezing it.
        pad_to_aspect_ratio: Fill up with black instead.
        data_format: Where the channels are, by default where `config.image_data_format()` says.

    Returns:
        A `PyDataset` with `class_names` and `file_paths`, that can be changed by `map`. Its batches
        are float32 (batch, height, width, channels), values 0 to 255, or pairs with labels.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: No such files, or arguments that do not go together.
    """
    name = "image_dataset_from_directory"
    one_of(color_mode, tuple(MODES), "color_mode", name)
    one_of(interpolation, RESIZING, "interpolation", name)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "Images can be cropped or padded, not both. Received: crop_to_aspect_ratio=True and "
            "pad_to_aspect_ratio=True."
        )
    size = _size((image_size, image_size) if isinstance(image_size, int) else image_size)
    first = _first(data_format, name)
    _pillow()

    def read(paths: list[str]) -> np.ndarray:
        images = []
        for path in paths:
            image = img_to_array(load_img(path, color_mode), "channels_last", "float32")
            if crop_to_aspect_ratio:
                top, left, rows, columns = _middle(image.shape[0], image.shape[1], *size)
                image = image[top : top + rows, left : left + columns]
            resized = _padded if pad_to_aspect_ratio else _resized
            images.append(resized(image, size, interpolation))
        batch = np.stack(images)
        return np.ascontiguousarray(np.moveaxis(batch, -1, 1)) if first else batch

    choice = Choice(
        *(directory, labels, label_mode, class_names, batch_size, shuffle, seed),
        *(validation_split, subset, follow_links, verbose, format),
    )
    return open_directory(choice, ENDINGS, read)


def _resized(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    if image.shape[:2] == size:
        return image
    return np.asarray(resize_images(image[None], size, interpolation))[0]


def _padded(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """The whole image in the middle, and black around it."""
    height, width = image.shape[:2]
    ratio = max(height / size[0], width / size[1])
    inner = max(1, int(height / ratio)), max(1, int(width / ratio))
    top, left = (
        max(0, int((n - m / ratio) / 2)) for n, m in zip(size, (height, width), strict=True)
    )
    result = np.zeros((*size, image.shape[2]), image.dtype)
    result[top : top + inner[0], left : left + inner[1]] = _resized(image, inner, interpolation)
    return result


def _middle(height: int, width: int, target_height: int, target_width: int) -> tuple[int, ...]:
    """Top, left, height and width of the largest part of an image with other proportions."""
    rows = min(height, width * target_height // target_width)
    columns = min(width, height * target_width // target_height)
    return (height - rows) // 2, (width - columns) // 2, rows, columns


def _size(value: Any, name: str = "image_size") -> tuple[int, int]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"`{name}` must be a height and a width. Received: {value!r}.")
    return positive_int(value[0], name), positive_int(value[1], name)


def _first(data_format: str | None, owner: str) -> bool:
    """Whether channels come before height and width."""
    return settings.data_format_of(data_format, owner) == "channels_first"
