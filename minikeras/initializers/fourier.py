"""Kernels of a short-time Fourier transform, and the windows that they are multiplied by."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.registry import register
from ..core.validate import boolean, one_of
from .initializers import Initializer, dtype_of

# A window of m samples is a function of their places x in [-1, 1] and of m.
Window = Callable[[np.ndarray, int], np.ndarray]


def _cosines(*coefficients: float) -> Window:
    """``a0 + a1 cos(pi x) + a2 cos(2 pi x) + ...``, which is largest in the middle."""
    orders = np.arange(len(coefficients))
    return lambda x, m: np.cos(np.pi * np.outer(x, orders)) @ np.array(coefficients)


def _parzen(x: np.ndarray, m: int) -> np.ndarray:
    r = np.abs(x) * (m - 1) / m
    inner = 1 - 6 * r**2 + 6 * r**3
    return np.where(np.abs(x) * (m - 1) / 2 <= (m - 1) / 4, inner, 2 * (1 - r) ** 3)


def _bohman(x: np.ndarray, m: int) -> np.ndarray:
    r = np.abs(x)
    return (1 - r) * np.cos(np.pi * r) + np.sin(np.pi * r) / np.pi


WINDOWS: dict[str, Window] = {
    "boxcar": lambda x, m: np.ones(m),
    "hann": _cosines(0.5, 0.5),
    "hamming": _cosines(0.54, 0.46),
    "blackman": _cosines(0.42, 0.5, 0.08),
    "nuttall": _cosines(0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": _cosines(0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": _cosines(0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
    "bartlett": lambda x, m: 1 - np.abs(x),
    "triang": lambda x, m: 1 - np.abs(x) * (m - 1) / (m + m % 2),
    "barthann": lambda x, m: 0.62 - 0.24 * np.abs(x) + 0.38 * np.cos(np.pi * x),
    "bohman": _bohman,
    "cosine": lambda x, m: np.cos(np.pi * x * (m - 1) / (2 * m)),
    "exponential": lambda x, m: np.exp(-np.abs(x) * (m - 1) / 2),
    "lanczos": lambda x, m: np.sinc(x),
    "parzen": _parzen,
    "tukey": lambda x, m: 0.5 - 0.5 * np.cos(2 * np.pi * np.minimum(1 - np.abs(x), 0.5)),
}


def window_of(name: str, length: int, periodic: bool) -> np.ndarray:
    """`length` samples of a window; of one more, without the last, if `periodic`.

    >>> window_of("hann", 4, periodic=True)
    array([0. , 0.5, 1. , 0.5])
    """
    m = length + periodic
    if m < 2:
        return np.ones(length)
    x = 2 * np.arange(m) / (m - 1) - 1
    return WINDOWS[name](x, m)[:length]


@register("initializers", "STFTInitializer")
class STFT(Initializer):
    """Kernels (frame, 1, frequencies) of a convolution that is a short-time Fourier transform.

    ``window(n) cos(2 pi n k / (2 (frequencies - 1)))`` for the real side, ``-sin`` for the other.

    Args:
        side: 'real' or 'imag'.
        window: Name of a window ('hann', 'hamming', 'blackman', 'boxcar', ...), or its samples,
            one per place of the frame; None for none.
        scaling: 'density' (squares of the window sum to 1), 'spectrum' (its samples do), or None.
        periodic: Whether the window goes on after its last sample as before its first.

    Example:

    >>> STFT("real", "hann", scaling=None, periodic=True)((4, 1, 3))[:, 0, 1].round(6) + 0
    array([ 0.,  0., -1.,  0.], dtype=float32)
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ):
        self.side = one_of(side, ("real", "imag"), "side", "STFT")
        named = isinstance(window, str)
        self.window = one_of(window, tuple(WINDOWS), "window", "STFT") if named else window
        self.scaling = one_of(scaling, ("density", "spectrum", None), "scaling", "STFT")
        self.periodic = boolean(periodic, "periodic", "STFT")

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        shape = tuple(shape)
        if len(shape) != 3 or shape[2] < 2:
            raise ValueError(
                "STFT makes kernels of shape (frame length, channels, frequencies), with at least "
                f"two frequencies. Received: shape={shape}."
            )
        frame, _, frequencies = shape
        angle = math.pi / (frequencies - 1) * np.outer(np.arange(frame), np.arange(frequencies))
        wave = np.cos(angle) if self.side == "real" else -np.sin(angle)
        kernel = self._scaled_window(frame)[:, None] * wave
        return np.broadcast_to(kernel[:, None, :], shape).astype(dtype_of(dtype))

    def _scaled_window(self, frame: int) -> np.ndarray:
        if self.window is None:
            return np.ones(frame)
        if isinstance(self.window, str):
            window = window_of(self.window, frame, self.periodic)
        else:
            window = np.asarray(self.window, "float64")
        if window.shape != (frame,):
            raise ValueError(
                f"STFT: `window` must have one number per place of the frame ({frame}). "
                f"Received: shape {window.shape}."
            )
        if self.scaling is None:
            return window
        return window / (window.sum() if self.scaling == "spectrum" else math.sqrt(window @ window))
