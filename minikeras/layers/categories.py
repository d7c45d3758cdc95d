"""Categories as rows of zeros and ones, and numbers in bins: CategoryEncoding, Discretization."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.registry import register
from ..core.validate import number, one_of, positive_int
from .values import (
    OLD_MODES,
    Shape,
    ValueLayer,
    batches_of,
    by_value,
    encode,
    encoded_shape,
    no_sparse,
)


@register("layers")
class CategoryEncoding(ValueLayer):
    """Rows that tell which categories there are.

    Args:
        num_tokens: How many categories there are; inputs are whole numbers below it.
        output_mode: "one_hot": a row with a 1 for each number (for the last axis, where its extent
            is 1); "multi_hot": one row for the numbers along the last axis; "count": how often each
            occurs there.

    Call arguments:
        inputs: Whole numbers, (batch, items).
        count_weights: What each of them counts, with "count" only.

    >>> import minikeras as keras
    >>> keras.layers.CategoryEncoding(4)([[0, 1], [3, 3]])
    array([[1., 1., 0., 0.],
           [0., 0., 0., 1.]], dtype=float32)
    """

    takes_text = False
    _config_skip = ("sparse",)

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if num_tokens is None:
            raise ValueError(
                "CategoryEncoding needs `num_tokens`. Received: None. Where the number of "
                "categories is not known, use IntegerLookup, which can learn it."
            )
        self.num_tokens = positive_int(num_tokens, "num_tokens", "CategoryEncoding")
        modes = ("one_hot", "multi_hot", "count")
        mode = OLD_MODES.get(output_mode, output_mode)
        self.output_mode = one_of(mode, modes, "output_mode", "CategoryEncoding")
        self.sparse = no_sparse(sparse, "CategoryEncoding")

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is None:
            return by_value(self._compute, self.compute_output_shape, self.compute_dtype, inputs)
        if self.output_mode != "count":
            raise ValueError(
                "CategoryEncoding: `count_weights` are for output_mode='count'. "
                f"Received: output_mode={self.output_mode!r}."
            )
        weights = self._converted(count_weights)
        if tuple(weights.shape) != tuple(inputs.shape):
            raise ValueError(
                "CategoryEncoding: `count_weights` must have the shape of the inputs. "
                f"Received: {tuple(weights.shape)} for {tuple(inputs.shape)}."
            )
        return by_value(
            self._compute,
            lambda shape, _: self.compute_output_shape(shape),
            self.compute_dtype,
            inputs,
            weights,
        )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return encoded_shape(tuple(input_shape), self.output_mode, self.num_tokens)

    def _compute(self, inputs: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        numbers = self._checked(inputs)
        dtype = self.compute_dtype
        weights = None if weights is None else weights.astype(dtype)
        return encode(numbers, self.output_mode, self.num_tokens, dtype, weights)

    def _checked(self, inputs: np.ndarray) -> np.ndarray:
        whole = inputs.dtype.kind in "iub" or (
            inputs.dtype.kind == "f" and np.array_equal(inputs, np.rint(inputs))
        )
        if not whole:
            raise ValueError(
                f"CategoryEncoding takes whole numbers. Received: {inputs.dtype} values. For text "
                "use StringLookup, for numbers on a scale Discretization."
            )
        if inputs.size and (inputs.min() < 0 or inputs.max() >= self.num_tokens):
            raise ValueError(
                f"CategoryEncoding takes numbers from 0 to {self.num_tokens - 1} "
                f"(num_tokens={self.num_tokens}). Received: {inputs.min()} to {inputs.max()}."
            )
        return inputs.astype(np.int64)


@register("layers")
class Discretization(ValueLayer):
    """The number of the bin in which each number lies.

    Args:
        bin_boundaries: Where bins end, ascending: ``[0, 1]`` makes the bins below 0, from 0 to
            below 1, and from 1 on.
        num_bins: How many bins `adapt` makes, of about as many numbers each.
        epsilon: How exact `adapt` is: it keeps about 1 / epsilon numbers of the data.
        output_mode: "int" (int32), "one_hot", "multi_hot" or "count", as those of CategoryEncoding.

    >>> import minikeras as keras
    >>> keras.layers.Discretization([0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]])
    array([[0, 2, 3, 1]], dtype=int32)
    """

    takes_text = False
    _config_skip = ("trainable",)  # it would have no meaning, and Keras does not know it

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ):
        super().__init__(name=name, dtype=dtype, trainable=trainable, **kwargs)
        owner = "Discretization"
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                f"{owner} needs either `bin_boundaries`, or `num_bins` and `adapt`. "
                f"Received: bin_boundaries={bin_boundaries}, num_bins={num_bins}."
            )
        modes = ("int", "one_hot", "multi_hot", "count")
        self.output_mode = one_of(output_mode, modes, "output_mode", owner)
        self.num_bins = None if num_bins is None else positive_int(num_bins, "num_bins", owner)
        self.bin_boundaries = None if bin_boundaries is None else _ascending(bin_boundaries)
        self.epsilon = number(epsilon, "epsilon", owner)
        if not 0 < self.epsilon <= 1:
            raise ValueError(
                f"{owner}: `epsilon` must lie above 0 and not above 1. Received: {epsilon}."
            )
        self.sparse = no_sparse(sparse, owner)
        self._summary = np.zeros((2, 0), np.float32)

    # --- learning the bins ---

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make bins that hold about as many numbers of the data each.

        Args:
            data: An array, or an iterable of batches (of a batch that is a tuple the inputs count).
            steps: How many batches to take, all by default.

        Raises:
            ValueError: The layer was given its bins.
        """
        if self.num_bins is None:
            raise ValueError(
                "Discretization was given `bin_boundaries`, so it cannot be adapted. Make it with "
                "`num_bins` instead."
            )
        self.reset_state()
        for batch in batches_of(data, steps, "Discretization", lists_are_arrays=False):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take account of a batch."""
        found = _summary(np.asarray(data, np.float32), self.epsilon)
        joined = np.concatenate((found, self._summary), axis=1)
        self._summary = _compressed(joined[:, np.argsort(joined[0])], self.epsilon)

    def finalize_state(self) -> None:
        """Make the bins of what was seen."""
        if self.num_bins is not None:
            if not self._summary.size:
                raise ValueError("Discretization.adapt needs data. Received: none.")
            found = _compressed(self._summary, 1.0 / self.num_bins)
            self.bin_boundaries = found[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget what was seen; the bins stay."""
        if self.num_bins is not None:
            self._summary = np.zeros((2, 0), np.float32)

    # --- computing ---

    @property
    def _depth(self) -> int | None:
        return self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise ValueError(
                f"Layer '{self.name}' has no bins yet. Pass `bin_boundaries`, or call `adapt` "
                "first."
            )
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return by_value(self._compute, self.compute_output_shape, dtype, inputs)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return encoded_shape(tuple(input_shape), self.output_mode, self._depth)

    def _compute(self, inputs: np.ndarray) -> np.ndarray:
        if inputs.dtype.kind not in "iufb":
            raise ValueError(f"Discretization takes numbers. Received: {inputs.dtype} values.")
        edges = np.asarray(self.bin_boundaries, np.float64)
        bins = np.asarray(edges.searchsorted(inputs, side="right"))
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return encode(bins, self.output_mode, len(edges) + 1, dtype)

    # --- files ---

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        learned = config.get("bin_boundaries")
        if learned is None or config.get("num_bins") is None:
            return super().from_config(config)
        layer = super().from_config({**config, "bin_boundaries": None})
        layer.bin_boundaries = _ascending(learned)
        return layer


def _ascending(boundaries: Any) -> list[float]:
    found = np.asarray(boundaries)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iuf"):
        raise ValueError(
            f"Discretization: `bin_boundaries` must be a list of numbers. Received: {boundaries!r}."
        )
    if not np.all(np.diff(found) >= 0):
        raise ValueError(
            f"Discretization: `bin_boundaries` must ascend. Received: {boundaries!r}. Sort them."
        )
    return found.tolist()


def _summary(values: np.ndarray, epsilon: float) -> np.ndarray:
    """About 1 / epsilon of the numbers, evenly spaced in their order, and how many each stands for.

    Returns: float32, (2, kept).
    """
    values = np.sort(values.reshape(-1))
    step = max(values.size / (1.0 / epsilon), 1)  # as Keras rounds
    kept = values[int(step - 1) :: int(step)]
    return np.stack([kept, np.full_like(kept, step)])


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """About 1 / epsilon numbers in place of more: quantiles of the distribution they describe."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = summary[1].cumsum()
    total = weights / weights[-1]
    values = np.interp(shares, total, summary[0])
    return np.stack([values, np.diff(np.interp(shares, total, weights), prepend=0)]).astype(
        np.float32
    )
