"""Normalisation layers whose outputs, gradients and states real Keras recorded."""

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A layer of `keras.layers` by its class name, and an input."""

    kind: str
    shape: tuple[int, ...]
    arguments: dict[str, Any]
    masked: bool = False


CASES = {
    "batch": Case("BatchNormalization", (8, 5), {"momentum": 0.9}),
    "batch_images": Case("BatchNormalization", (3, 6, 5, 4), {"epsilon": 0.01}),
    "batch_channels_first": Case("BatchNormalization", (3, 4, 5, 2), {"axis": 1, "scale": False}),
    "batch_masked": Case("BatchNormalization", (4, 6, 3), {"momentum": 0.5}, True),
    "batch_renorm": Case("BatchNormalization", (8, 5), {"renorm": True, "momentum": 0.9}),
    "batch_renorm_clipped": Case(
        "BatchNormalization",
        (8, 5),
        {
            "renorm": True,
            "scale": False,
            "renorm_momentum": 0.8,
            "renorm_clipping": {"rmin": 0.9, "rmax": 1.1, "dmax": 0.2},
        },
    ),
    "layer": Case("LayerNormalization", (6, 7), {}),
    "layer_images": Case("LayerNormalization", (3, 4, 5, 2), {"axis": [1, 2, 3]}),
    "layer_middle": Case("LayerNormalization", (3, 4, 5), {"axis": 1, "epsilon": 0.1}),
    "layer_apart": Case("LayerNormalization", (3, 4, 5, 2), {"axis": [1, 3], "center": False}),
    "layer_plain": Case("LayerNormalization", (6, 7), {"center": False, "scale": False}),
    "layer_rms": Case("LayerNormalization", (6, 7), {"rms_scaling": True}),
    "rms": Case("RMSNormalization", (6, 7), {"epsilon": 0.1}),
    "rms_images": Case("RMSNormalization", (3, 4, 5), {"axis": [1, 2]}),
    "group": Case("GroupNormalization", (3, 4, 5, 6), {"groups": 3}),
    "group_one": Case("GroupNormalization", (3, 4, 6), {"groups": 1, "scale": False}),
    "group_each": Case("GroupNormalization", (3, 4, 6), {"groups": -1, "center": False}),
    "group_first": Case("GroupNormalization", (3, 6, 4, 5), {"groups": 2, "axis": 1}),
    "unit": Case("UnitNormalization", (6, 7), {}),
    "unit_axes": Case("UnitNormalization", (3, 4, 5), {"axis": [1, 2]}),
}


def numbers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.5, 1.5, shape).astype("float32")


def mask_of(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(5).random(shape[:-1]) > 0.3


def values_of(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Weights and states to start from, all positive."""
    return [np.abs(numbers(shape, 20 + k)) + 0.5 for k, shape in enumerate(shapes)]


def spectral_kernel() -> list[np.ndarray]:
    """Kernel, vector and bias of a spectral normalisation of Dense(4) on (5, 3)."""
    return [numbers((3, 4), 1), numbers((1, 4), 3), numbers((4,), 2)]
