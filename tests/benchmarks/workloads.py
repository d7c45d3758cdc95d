"""The trainings that are timed: data, network, batch and optimizer of each.

The networks are described once, as layers that every library has, and built by `peers.py` for each
library. The data are random numbers of the right shape: what they say does not change the time.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dense:
    units: int
    activation: str = "linear"


@dataclass(frozen=True)
class BatchNorm:
    pass


@dataclass(frozen=True)
class Dropout:
    rate: float


Layer = Dense | BatchNorm | Dropout


@dataclass(frozen=True)
class Workload:
    """One training. With `classes` the labels are integers, else targets as wide as the output."""

    inputs: int
    layers: tuple[Layer, ...]
    batch: int
    samples: int
    optimizer: str  # sgd (rate 0.1) or adam (rate 0.001)
    classes: bool

    @property
    def outputs(self) -> int:
        return next(layer.units for layer in reversed(self.layers) if isinstance(layer, Dense))

    def data(self, samples: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """x of shape (samples, inputs), float32; y int64 labels or float32 targets."""
        rng = np.random.default_rng(0)
        samples = samples or self.samples
        x = rng.standard_normal((samples, self.inputs), dtype=np.float32)
        if self.classes:
            return x, rng.integers(0, self.outputs, samples)
        return x, rng.standard_normal((samples, self.outputs), dtype=np.float32)


_WIDE = (Dense(1024, "relu"), BatchNorm(), Dropout(0.5))

WORKLOADS: dict[str, Workload] = {
    "mlp_seed": Workload(
        inputs=784,
        layers=(Dense(500, "sigmoid"), Dense(500, "sigmoid"), Dense(10, "softmax")),
        batch=100,
        samples=20_000,
        optimizer="sgd",
        classes=True,
    ),
    "mlp_tiny": Workload(
        inputs=13,
        layers=(Dense(64, "relu"), Dense(64, "relu"), Dense(1)),
        batch=32,
        samples=8192,
        optimizer="adam",
        classes=False,
    ),
    "autoenc": Workload(
        inputs=784,
        layers=(
            *(Dense(128, "relu"), Dense(32, "relu"), Dense(128, "relu")),
            Dense(784, "sigmoid"),
        ),
        batch=128,
        samples=8192,
        optimizer="adam",
        classes=False,
    ),
    "mlp_wide": Workload(
        inputs=1024,
        layers=(*_WIDE, *_WIDE, Dense(10, "softmax")),
        batch=256,
        samples=8192,
        optimizer="adam",
        classes=True,
    ),
}
