"""The trainings that are timed: data, network, batch and optimizer of each.

The networks are described once, as layers that every library has, and built by `with_keras.py`,
`with_torch.py` and their neighbours. The data are random numbers of the right shape: what they say
does not change the time.
"""

from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Activation:
    name: str


@dataclass(frozen=True)
class Conv:
    """A convolution along all axes of the images; without `same` it keeps only whole windows."""

    filters: int
    size: int
    activation: str = "linear"
    same: bool = False
    bias: bool = True


@dataclass(frozen=True)
class MaxPool:
    size: int


@dataclass(frozen=True)
class GlobalPool:
    kind: str  # max or average


@dataclass(frozen=True)
class Flatten:
    pass


@dataclass(frozen=True)
class Embedding:
    vocabulary: int
    width: int


@dataclass(frozen=True)
class Recurrent:
    """Gives the last output of the sequence."""

    kind: str  # lstm, gru or simple
    units: int
    both_ways: bool = False


@dataclass(frozen=True)
class SelfAttention:
    heads: int
    width: int  # of a head


Layer = (
    Dense
    | BatchNorm
    | Dropout
    | Activation
    | Conv
    | MaxPool
    | GlobalPool
    | Flatten
    | Embedding
    | Recurrent
    | SelfAttention
)


@dataclass(frozen=True)
class Workload:
    """One training. With `classes` the labels are integers, else targets as wide as the output."""

    shape: tuple[int, ...]  # of one sample, channels last
    layers: tuple[Layer, ...]
    batch: int
    samples: int
    optimizer: str = "adam"  # sgd (rate 0.1) or adam (rate 0.001)
    classes: bool = True

    @property
    def outputs(self) -> int:
        return next(layer.units for layer in reversed(self.layers) if isinstance(layer, Dense))

    @property
    def vocabulary(self) -> int:
        """How many different integers the inputs are; 0 for inputs that are real numbers."""
        first = self.layers[0]
        return first.vocabulary if isinstance(first, Embedding) else 0

    def data(self, samples: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """x of shape (samples, *shape), float32 or int32; y int64 labels or float32 targets."""
        rng = np.random.default_rng(0)
        samples = samples or self.samples
        shape = (samples, *self.shape)
        if self.vocabulary:
            x = rng.integers(0, self.vocabulary, shape).astype(np.int32)
        else:
            x = rng.standard_normal(shape, dtype=np.float32)
        if self.classes:
            return x, rng.integers(0, self.outputs, samples)
        return x, rng.standard_normal((samples, self.outputs), dtype=np.float32)


@dataclass(frozen=True)
class Stored(Workload):
    """A training on samples that are given."""

    train: tuple[np.ndarray, np.ndarray] = field(default=(), repr=False)  # type: ignore[assignment]
    test: tuple[np.ndarray, np.ndarray] = field(default=(), repr=False)  # type: ignore[assignment]

    def data(self, samples: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.train
        return x[:samples], y[:samples]


def stored(workload: Workload, path: str) -> Stored:
    """The workload on the images of a file like MNIST's, scaled to 0...1."""
    with np.load(path) as content:
        parts = [
            (
                (content[f"x_{part}"] / np.float32(255)).reshape(-1, *workload.shape),
                content[f"y_{part}"].reshape(-1).astype(np.int64),
            )
            for part in ("train", "test")
        ]
    given = {name: getattr(workload, name) for name in Workload.__dataclass_fields__}
    given["samples"] = len(parts[0][0])
    return Stored(**given, train=parts[0], test=parts[1])


def _dense(inputs: int, *layers: Layer, **more: object) -> Workload:
    return Workload((inputs,), layers, **more)  # type: ignore[arg-type]


def _images() -> tuple[Layer, ...]:
    """Three times two convolutions with batch normalisation, and a pool."""
    layers: list[Layer] = []
    for filters in (32, 64, 128):
        for _ in range(2):
            layers += [Conv(filters, 3, same=True, bias=False), BatchNorm(), Activation("relu")]
        layers.append(MaxPool(2))
    return (*layers, GlobalPool("average"), Dense(10, "softmax"))


def _sequence(*layers: Layer) -> Workload:
    """100 steps of 32 numbers in one of five classes."""
    return Workload((100, 32), (*layers, Dense(5, "softmax")), batch=64, samples=1024)


_WIDE = (Dense(1024, "relu"), BatchNorm(), Dropout(0.5))

WORKLOADS: dict[str, Workload] = {
    "mlp_seed": _dense(
        *(784, Dense(500, "sigmoid"), Dense(500, "sigmoid"), Dense(10, "softmax")),
        batch=100,
        samples=20_000,
        optimizer="sgd",
    ),
    "mlp_tiny": _dense(
        *(13, Dense(64, "relu"), Dense(64, "relu"), Dense(1)),
        batch=32,
        samples=8192,
        classes=False,
    ),
    "autoenc": _dense(
        *(784, Dense(128, "relu"), Dense(32, "relu"), Dense(128, "relu"), Dense(784, "sigmoid")),
        batch=128,
        samples=8192,
        classes=False,
    ),
    "mlp_wide": _dense(1024, *_WIDE, *_WIDE, Dense(10, "softmax"), batch=256, samples=8192),
    "cnn_mnist": Workload(
        shape=(28, 28, 1),
        layers=(
            *(Conv(32, 3, "relu"), MaxPool(2), Conv(64, 3, "relu"), MaxPool(2)),
            *(Flatten(), Dropout(0.5), Dense(10, "softmax")),
        ),
        batch=128,
        samples=2048,
    ),
    "cnn_cifar": Workload(shape=(32, 32, 3), layers=_images(), batch=64, samples=512),
    "conv1d": Workload(
        shape=(200, 16),
        layers=(
            *(Conv(64, 5, "relu"), MaxPool(2), Conv(128, 5, "relu")),
            *(GlobalPool("max"), Dense(5, "softmax")),
        ),
        batch=64,
        samples=2048,
    ),
    "lstm": _sequence(Recurrent("lstm", 128)),
    "gru": _sequence(Recurrent("gru", 128)),
    "simple_rnn": _sequence(Recurrent("simple", 128)),
    "bilstm": _sequence(Recurrent("lstm", 128, both_ways=True)),
    "text": Workload(
        shape=(100,),
        layers=(Embedding(10_000, 64), Recurrent("lstm", 64), Dense(2, "softmax")),
        batch=64,
        samples=2048,
    ),
    "attention": Workload(
        shape=(128, 256),
        layers=(SelfAttention(8, 32), GlobalPool("average"), Dense(5, "softmax")),
        batch=32,
        samples=512,
    ),
}
TINY = _dense(2, Dense(1), batch=2, samples=2, classes=False)
DENSE = ("mlp_seed", "mlp_tiny", "autoenc", "mlp_wide")
CONVOLUTIONAL = ("cnn_mnist", "cnn_cifar", "conv1d")
SEQUENCES = ("lstm", "gru", "simple_rnn", "bilstm", "text", "attention")
