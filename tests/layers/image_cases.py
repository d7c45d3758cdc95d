"""Layers on images, and on the scale of inputs, whose outputs real Keras recorded."""

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A layer of `keras.layers` whose random numbers have equal bounds, so that none is left."""

    kind: str
    arguments: dict[str, Any]
    shape: tuple[int, ...] = (2, 5, 7, 3)
    dtype: str = "float32"
    adapts: bool = False


MODES = ("reflect", "wrap", "constant", "nearest")
ORDERS = ("bilinear", "nearest")

CASES = {
    **{
        f"rotation_{mode}_{order}": Case(
            "RandomRotation",
            {"factor": (0.07, 0.07), "fill_mode": mode, "interpolation": order, "fill_value": 2.0},
        )
        for mode in MODES
        for order in ORDERS
    },
    **{
        f"translation_{mode}_{order}": Case(
            "RandomTranslation",
            {
                "height_factor": (-0.83, -0.83),
                "width_factor": (0.57, 0.57),
                "fill_mode": mode,
                "interpolation": order,
                "fill_value": -1.0,
            },
        )
        for mode in MODES
        for order in ORDERS
    },
    "rotation_first": Case(
        "RandomRotation", {"factor": (0.2, 0.2), "data_format": "channels_first"}, (2, 3, 5, 4)
    ),
    "rotation_single": Case("RandomRotation", {"factor": (-0.3, -0.3)}, (5, 4, 2), "uint8"),
    "zoom_out": Case("RandomZoom", {"height_factor": (0.53, 0.53)}),
    "zoom_in": Case(
        "RandomZoom",
        {"height_factor": (-0.4, -0.4), "width_factor": (0.31, 0.31), "fill_mode": "constant"},
    ),
    "brightness": Case("RandomBrightness", {"factor": (0.2, 0.2)}),
    "brightness_small": Case(
        "RandomBrightness", {"factor": (-0.3, -0.3), "value_range": (0, 10)}, (5, 4, 2)
    ),
    "crop": Case("CenterCrop", {"height": 2, "width": 4}, dtype="uint8"),
    "crop_first": Case(
        "CenterCrop", {"height": 2, "width": 3, "data_format": "channels_first"}, (2, 3, 5, 4)
    ),
    "crop_larger": Case("CenterCrop", {"height": 9, "width": 4}),
    "crop_single": Case("CenterCrop", {"height": 3, "width": 3}, (6, 5, 1)),
    **{
        f"resize_{method}_{h}x{w}{'_smooth' * antialias}": Case(
            "Resizing",
            {"height": h, "width": w, "interpolation": method, "antialias": antialias},
        )
        for method in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
        for h, w, antialias in ((9, 3, False), (2, 4, True))
    },
    "resize_whole": Case("Resizing", {"height": 8, "width": 4}, dtype="uint8"),
    "resize_bicubic_whole": Case(
        "Resizing", {"height": 8, "width": 4, "interpolation": "bicubic"}, dtype="uint8"
    ),
    "resize_cut": Case("Resizing", {"height": 4, "width": 3, "crop_to_aspect_ratio": True}),
    "resize_filled": Case(
        "Resizing", {"height": 6, "width": 4, "pad_to_aspect_ratio": True, "fill_value": 3.0}
    ),
    "resize_filled_wide": Case(
        "Resizing", {"height": 3, "width": 9, "pad_to_aspect_ratio": True, "fill_value": 3.0}
    ),
    "resize_first": Case(
        "Resizing", {"height": 3, "width": 6, "data_format": "channels_first"}, (3, 5, 4)
    ),
    "rescaling": Case("Rescaling", {"scale": 1 / 255, "offset": -0.5}, dtype="uint8"),
    "rescaling_channels": Case("Rescaling", {"scale": [1.0, 2.0, 3.0]}),
    "normalization": Case("Normalization", {}, (9, 4), adapts=True),
    "normalization_whole": Case("Normalization", {"axis": None}, (9, 4), adapts=True),
    "normalization_images": Case("Normalization", {"axis": (1, 3)}, adapts=True),
    "normalization_back": Case("Normalization", {"invert": True}, (9, 4), adapts=True),
    "normalization_given": Case(
        "Normalization", {"axis": (1, 3), "mean": [1.0, 2.0, 3.0], "variance": [4.0, 5.0, 6.0]}
    ),
}


def numbers(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.random.default_rng(3).uniform(0, 250, shape).astype(dtype)
