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
    "saturation": Case("RandomSaturation", {"factor": (0.3, 0.3)}),
    "saturation_pure": Case(
        "RandomSaturation", {"factor": (0.8, 0.8), "value_range": (0, 1)}, (5, 4, 3)
    ),
    "saturation_grey": Case(
        "RandomSaturation", {"factor": (-0.2, -0.2), "data_format": "channels_first"}, (2, 3, 5, 4)
    ),
    "sharper": Case("RandomSharpness", {"factor": (0.9, 0.9)}),
    "blurred": Case(
        "RandomSharpness",
        {"factor": (0.1, 0.1), "value_range": (20, 180), "data_format": "channels_first"},
        (2, 2, 4, 4),
        "uint8",
    ),
    "degeneration": Case("RandomColorDegeneration", {"factor": (0.6, 0.6)}, dtype="uint8"),
    "colourful": Case("RandomColorDegeneration", {"factor": (-0.6, -0.6)}, (5, 4, 3)),
    "posterization": Case("RandomPosterization", {"factor": (3, 3)}, dtype="uint8"),
    "posterization_one": Case(
        "RandomPosterization", {"factor": (1, 1), "value_range": (-100, 300)}
    ),
    "solarization": Case("Solarization", {}),
    "solarization_range": Case("Solarization", {"value_range": (0, 500)}, (5, 4, 3), "uint8"),
    "auto_contrast": Case("AutoContrast", {}),
    "auto_contrast_range": Case("AutoContrast", {"value_range": (-1, 2)}, dtype="uint8"),
    "equalization": Case("Equalization", {}),
    "equalization_bins": Case("Equalization", {"value_range": (0, 300), "bins": 8}, (5, 4, 2)),
    "equalization_first": Case("Equalization", {"data_format": "channels_first"}, (2, 3, 5, 4)),
    "invert": Case("RandomInvert", {"factor": (1.0, 1.0)}, dtype="uint8"),
    "invert_range": Case("RandomInvert", {"factor": (1.0, 1.0), "value_range": (10, 20)}),
    "grayscale": Case("RandomGrayscale", {"factor": 1.0}),
    "grayscale_first": Case(
        "RandomGrayscale", {"factor": 1.0, "data_format": "channels_first"}, (2, 3, 5, 4)
    ),
    "blur": Case("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.7, 0.7)}),
    "blur_wide": Case(
        "RandomGaussianBlur",
        {"factor": (1.0, 1.0), "kernel_size": (5, 3), "sigma": (1.0, 1.0), "value_range": (50, 99)},
        (5, 4, 2),
    ),
    "jitter": Case(
        "RandomColorJitter",
        {
            "brightness_factor": (0.1, 0.1),
            "contrast_factor": (0.0, 0.0),
            "saturation_factor": (0.4, 0.4),
        },
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


def colours(shape: tuple[int, ...] = (2, 5, 7, 3)) -> np.ndarray:
    """Images with black, grey and pure colours among the others."""
    x = numbers(shape, "float32")
    x[0, 0, :6] = [(0, 0, 0), (90, 90, 90), (200, 200, 10), (0, 0, 255), (9, 7, 9), (1, 8, 8)]
    return x


class Drawn(NamedTuple):
    """A layer, what Keras's `transform_images` is told to have been drawn, and the same for us."""

    kind: str
    arguments: dict[str, Any]
    theirs: Any
    ours: dict[str, Any]


def each(*values: float) -> np.ndarray:
    """(batch, 1, 1, 1)"""
    return np.array(values, "float32").reshape(-1, 1, 1, 1)


BOX = np.zeros((2, 5, 7, 1), bool)
BOX[0, 1:3, 2:6] = BOX[1, :, :1] = True
FILL = np.arange(2 * 5 * 7 * 3, dtype="float32").reshape(2, 5, 7, 3)
AREAS = BOX.mean(axis=(1, 2, 3), dtype="float32")
SLANTS = np.float32([[0.4, -0.2], [-0.9, 0.1]])
MAPS = np.float32([[1, 0.4, 0, -0.2, 1, 0], [1, -0.9, 0, 0.1, 1, 0]])

DRAWN = {
    "contrast": Drawn(
        "RandomContrast",
        {"factor": 0.5},
        {"contrast_factor": each(0.7, 1.4)},
        {"factor": each(0.7, 1.4)},
    ),
    "hue": Drawn(
        "RandomHue",
        {"factor": 0.5},
        {"factor": np.float32([0.3, -0.4])},
        {"factor": each(0.3, -0.4)},
    ),
    "hue_range": Drawn(
        "RandomHue",
        {"factor": 0.5, "value_range": (-10, 300)},
        {"factor": np.float32([-0.45, 0.02])},
        {"factor": each(-0.45, 0.02)},
    ),
    "solarized": Drawn(
        "Solarization",
        {},
        {"additions": each(10, 60), "thresholds": each(100, 30)},
        {"added": each(10, 60), "threshold": each(100, 30)},
    ),
    "posterized": Drawn(
        "RandomPosterization",
        {"factor": 4},
        {"shift_factor": np.uint8([2, 6])},
        {"step": each(4, 64)},
    ),
    "shear": Drawn("RandomShear", {}, {"shear_factor": SLANTS}, {"maps": MAPS}),
    "shear_constant": Drawn(
        "RandomShear",
        {"interpolation": "nearest", "fill_mode": "constant", "fill_value": 7.0},
        {"shear_factor": SLANTS},
        {"maps": MAPS},
    ),
    "erased": Drawn(
        "RandomErasing",
        {},
        {
            "apply_erasing": np.array([True, True]),
            "batch_masks": np.repeat(BOX, 3, axis=-1),
            "fill_value": FILL,
        },
        {"box": BOX, "fill": FILL},
    ),
    "cut_mixed": Drawn(
        "CutMix",
        {},
        {
            "permutation_order": np.int32([1, 0]),
            "batch_masks": np.repeat(BOX, 3, axis=-1),
            "mix_weight": 1 - AREAS,
        },
        {"partners": np.array([1, 0]), "box": BOX, "kept": 1 - AREAS},
    ),
    "mixed_up": Drawn(
        "MixUp",
        {},
        {"permutation_order": np.array([1, 0]), "mix_weight": np.float32([0.3, 0.9])},
        {"partners": np.array([1, 0]), "kept": np.float32([0.3, 0.9])},
    ),
    "cropped": Drawn(
        "RandomCrop",
        {"height": 3, "width": 4},
        (1, 2),
        {"rows": np.arange(1, 4), "columns": np.arange(2, 6)},
    ),
}
LABELS = np.float32([[1, 0, 0], [0, 0, 1]])
