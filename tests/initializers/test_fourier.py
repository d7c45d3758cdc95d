"""Kernels of short-time Fourier transforms, and windows (recorded from Keras 3.15)."""

import numpy as np
import pytest

from minikeras import initializers
from minikeras.core.serialize import deserialize, serialize
from minikeras.initializers.fourier import WINDOWS, window_of

# of six samples: the first half, which mirrors the second, and samples 1 to 3 of the periodic one
RECORDED = {
    "boxcar": ([1, 1, 1], [1, 1, 1]),
    "triang": ([0.16667, 0.5, 0.83333], [0.5, 0.75, 1]),
    "blackman": ([0, 0.20077, 0.84923], [0.13, 0.63, 1]),
    "hamming": ([0.08, 0.39785, 0.91215], [0.31, 0.77, 1]),
    "hann": ([0, 0.34549, 0.90451], [0.25, 0.75, 1]),
    "bartlett": ([0, 0.4, 0.8], [0.33333, 0.66667, 1]),
    "flattop": ([-0.00042, -0.06771, 0.60687], [-0.05126, 0.19821, 1]),
    "parzen": ([0.00926, 0.25, 0.86111], [0.15743, 0.65015, 1]),
    "bohman": ([0, 0.17912, 0.83431], [0.109, 0.609, 1]),
    "blackmanharris": ([0.00006, 0.10301, 0.79383], [0.05564, 0.52058, 1]),
    "nuttall": ([0.00036, 0.11052, 0.79826], [0.06133, 0.52923, 1]),
    "barthann": ([0, 0.35857, 0.87943], [0.27, 0.73, 1]),
    "cosine": ([0.25882, 0.70711, 0.96593], [0.62349, 0.90097, 1]),
    "exponential": ([0.08208, 0.22313, 0.60653], [0.13534, 0.36788, 1]),
    "tukey": ([0, 0.90451, 1], [0.75, 1, 1]),
    "lanczos": ([0, 0.50455, 0.93549], [0.4135, 0.82699, 1]),
}


def test_every_window_was_recorded():
    assert set(RECORDED) == set(WINDOWS)


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_those_of_keras(name):
    half, periodic = RECORDED[name]
    found = window_of(name, 6, periodic=False)
    np.testing.assert_allclose(found[:3], half, atol=6e-6)
    np.testing.assert_allclose(found[3:], found[2::-1], atol=1e-12)
    np.testing.assert_allclose(window_of(name, 6, periodic=True)[1:4], periodic, atol=6e-6)
    assert window_of(name, 1, periodic=False).tolist() == [1]


@pytest.mark.parametrize("window", [None, "hann", "hamming"])
def test_kernels_are_the_two_sides_of_a_fourier_transform(window):
    frame = np.random.default_rng(0).normal(size=6)
    shape = (6, 1, 5)  # of the eight frequencies of a transform of size 8, five differ
    sides = [
        initializers.STFT(side, window, scaling=None)(shape, "float64")[:, 0]
        for side in ("real", "imag")
    ]
    samples = np.ones(6) if window is None else window_of(window, 6, False)
    expected = np.fft.rfft(frame * samples, 8)
    np.testing.assert_allclose(frame @ sides[0] + 1j * (frame @ sides[1]), expected, atol=1e-12)


def test_scalings_are_those_of_keras():
    def second(scaling):
        return initializers.STFT(scaling=scaling)((6, 1, 5))[1, 0, 1]

    assert second("density") == pytest.approx(0.17841, abs=6e-6)
    assert second("spectrum") == pytest.approx(0.09772, abs=6e-6)
    assert second(None) == pytest.approx(0.24430, abs=6e-6)


def test_samples_of_a_window_may_be_given():
    found = initializers.STFT("imag", np.arange(6.0), scaling=None)((6, 1, 5))
    np.testing.assert_allclose(found[3, 0], [0, -2.12132, 3, -2.12132, 0], atol=1e-5)


def test_a_config_makes_the_same_kernels():
    one = initializers.STFT("imag", "blackman", "spectrum", True)
    again = deserialize(serialize(one))
    assert again.get_config() == one.get_config()
    np.testing.assert_array_equal(again((4, 2, 3)), one((4, 2, 3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.STFT("left"), "STFT: `side` must be one of 'real', 'imag'"),
        (lambda: initializers.STFT(window="han"), "Did you mean 'hann'"),
        (lambda: initializers.STFT(scaling="power"), "`scaling` must be one of"),
        (lambda: initializers.STFT(periodic=2), "`periodic` must be True or False"),
        (lambda: initializers.STFT()((6, 5)), "frame length, channels, frequencies"),
        (lambda: initializers.STFT(window=np.ones(3))((6, 1, 5)), "one number per place"),
    ],
)
def test_misuse_gets_a_clear_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()
