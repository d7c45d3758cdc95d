"""Statistics of a whole data set for batch normalisation, in place of moving averages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..core import tree
from ..core.validate import positive_int
from ..layers import BatchNormalization

__all__ = ["recompute_batch_statistics"]


def recompute_batch_statistics(model: Any, x: Any, batch_size: int = 32) -> Any:
    """Set the statistics of all `BatchNormalization` layers to those of a data set.

    Moving averages lag behind the weights and weigh the last batches most. Here each layer gets the
    exact mean and (biased) variance of what reaches it when the model runs on all of `x` as at
    inference: dropout is off, layers before it use their new statistics. That takes one pass over
    the data per such layer. Nothing else of the model changes.

    Args:
        model: A model that is built or can be built by being called on `x`.
        x: Inputs: an array, or a list or dict of arrays with the samples along the first axis; or
            something that gives batches in every pass anew, such as a `PyDataset` (of a batch that
            is a tuple only the inputs count).
        batch_size: Samples per call where `x` is arrays; without influence on the result beyond
            rounding.

    Returns:
        The model.

    Raises:
        ValueError: there is no such layer, no sample, or `x` can be iterated over only once.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> model = keras.Sequential([keras.layers.BatchNormalization()])
    >>> x = np.float32([[1, 5], [3, 5]])
    >>> model = keras.utils.recompute_batch_statistics(model, x)
    >>> model.layers[0].moving_mean.numpy(), model.layers[0].moving_variance.numpy()
    (array([2., 5.], dtype=float32), array([1., 0.], dtype=float32))
    """
    batches = _batches(x, positive_int(batch_size, "batch_size", "recompute_batch_statistics"))
    for layer in _in_order(model, batches):
        total = _Total()
        with _Listening([layer], lambda _, values, total=total: total.add(values)):
            for batch in batches():
                model(batch, training=False)
        layer.moving_mean.assign(total.mean)
        layer.moving_variance.assign(total.squares / total.count)
        if layer.renorm:
            deviation = np.sqrt(total.squares / total.count + layer.epsilon)
            layer.moving_stddev.assign(deviation)
            layer.renorm_stddev.assign(deviation)
            layer.renorm_mean.assign(total.mean)
    return model


class _Total:
    """Count, mean and squared distances from it per channel, batch by batch (Chan et al. 1983)."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, np.float64(0), np.float64(0)

    def add(self, values: np.ndarray) -> None:
        rows = values.reshape(-1, values.shape[-1]).astype(np.float64)
        mean = rows.mean(axis=0)
        count, apart = self.count + len(rows), mean - self.mean
        share = len(rows) / count
        self.squares = (
            self.squares
            + np.square(rows - mean).sum(axis=0)
            + np.square(apart) * (self.count * share)
        )
        self.mean = self.mean + apart * share
        self.count = count


class _Listening:
    """Within the block ``heard(layer, inputs)`` is called by each of the layers at inference."""

    def __init__(self, layers: list[Any], heard: Callable[[Any, np.ndarray], None]):
        self.layers, self.heard = layers, heard

    def __enter__(self) -> None:
        for layer in self.layers:
            layer.listener = lambda values, layer=layer: self.heard(layer, values)

    def __exit__(self, *error: Any) -> None:
        for layer in self.layers:
            layer.listener = None


def _in_order(model: Any, batches: Callable[[], Iterator[Any]]) -> list[Any]:
    """The layers of batch normalisation that a call of the model uses, in the order of use."""
    first = next(batches(), None)
    if first is None:
        raise ValueError("recompute_batch_statistics needs at least one sample. Received: none.")
    model(first, training=False)  # layers made in `build` are found after it
    layers = [la for la in model._flatten_layers() if isinstance(la, BatchNormalization)]
    used: dict[int, Any] = {}
    with _Listening(layers, lambda layer, _: used.setdefault(id(layer), layer)):
        model(first, training=False)
    if not used:
        raise ValueError(
            "recompute_batch_statistics needs a model with BatchNormalization layers. "
            f"Received: '{model.name}', which calls none."
        )
    return list(used.values())


def _batches(x: Any, batch_size: int) -> Callable[[], Iterator[Any]]:
    """A function that starts a pass over the inputs."""
    if isinstance(x, Iterator):
        raise ValueError(
            "recompute_batch_statistics goes over the data several times. Received: an iterator, "
            f"which can be used once ({type(x).__name__}). Pass arrays or a PyDataset."
        )
    arrays = tree.flatten(x)
    if arrays and all(isinstance(a, np.ndarray) for a in arrays):
        return lambda: _slices(x, len(arrays[0]), batch_size)
    if not isinstance(x, Iterable):
        raise TypeError(
            f"recompute_batch_statistics needs arrays or batches. Received: {type(x).__name__}."
        )
    return lambda: (batch[0] if isinstance(batch, tuple) else batch for batch in _items(x))


def _slices(x: Any, samples: int, batch_size: int) -> Iterator[Any]:
    for start in range(0, samples, batch_size):
        yield tree.map_structure(lambda a, start=start: a[start : start + batch_size], x)


def _items(x: Any) -> Iterator[Any]:
    """A sequence of batches has a length, as a `PyDataset` does."""
    if hasattr(x, "__len__") and hasattr(x, "__getitem__"):
        return (x[k] for k in range(len(x)))
    return iter(x)
