"""Categories of any number in few bins, by a hash: Hashing and HashedCrossing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import settings
from ..core.registry import register
from ..core.text import as_text, is_text
from ..core.validate import one_of, positive_int
from .fingerprints import as_bytes, crossed, farmhash64, siphash64
from .index_lookup import two_salts
from .values import Shape, ValueLayer, by_value, encode, encoded_shape, no_sparse

INTEGERS = ("int32", "int64")


def _dtype_of(mode: str, dtype: Any, owner: str) -> Any:
    """The dtype of the output: of numbers, or of rows."""
    if dtype is None:
        return "int64" if mode == "int" else settings.floatx()
    name = getattr(dtype, "name", dtype)
    if mode == "int" and isinstance(name, str) and name not in INTEGERS:
        raise ValueError(
            f"{owner}: with output_mode='int' `dtype` must be 'int32' or 'int64'. "
            f"Received: {name!r}."
        )
    return dtype


@register("layers")
class Hashing(ValueLayer):
    """The number of a bin for each text or whole number, by a hash of it.

    The same on every machine, and that of Keras: FarmHash64, or with a `salt` SipHash-2-4. Two
    values may fall into one bin.

    Args:
        num_bins: How many bins there are.
        mask_value: A value that has bin 0 for itself.
        salt: Key of SipHash: a whole number or two, so that nobody else knows the bins.
        output_mode: "int", "one_hot", "multi_hot" or "count", as those of CategoryEncoding.

    >>> import minikeras as keras
    >>> keras.layers.Hashing(3)([["A"], ["B"], ["C"], ["D"], ["E"]])[:, 0]
    array([1, 0, 1, 1, 2])
    """

    integer_dtype = True

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ):
        modes = ("int", "one_hot", "multi_hot", "count")
        mode = one_of(output_mode, modes, "output_mode", "Hashing")
        kwargs["dtype"] = _dtype_of(mode, kwargs.get("dtype"), "Hashing")
        super().__init__(**kwargs)
        self.num_bins = positive_int(num_bins, "num_bins", "Hashing")
        self.mask_value = mask_value
        self.salt = two_salts(salt, "Hashing")
        self.output_mode = mode
        self.sparse = no_sparse(sparse, "Hashing")

    def call(self, inputs: Any) -> Any:
        return by_value(self._compute, self.compute_output_shape, self.dtype, inputs)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return encoded_shape(tuple(input_shape), self.output_mode, self.num_bins)

    def _compute(self, inputs: np.ndarray) -> np.ndarray:
        return encode(self._bins(inputs), self.output_mode, self.num_bins, self.dtype)

    def _bins(self, inputs: np.ndarray) -> np.ndarray:
        bins, masked = self.num_bins, None
        if self.mask_value is not None and bins > 1:
            bins, masked = bins - 1, _equal(inputs, self.mask_value)
        texts = as_bytes(_values(inputs, "Hashing").reshape(-1).tolist())
        hashed = farmhash64(texts) if self.salt is None else siphash64(texts, self.salt)
        found = (hashed % np.uint64(bins)).astype(np.int64).reshape(inputs.shape)
        return found if masked is None else np.where(masked, 0, found + 1)


def _equal(inputs: np.ndarray, value: Any) -> np.ndarray:
    if inputs.size and is_text(inputs) != isinstance(value, str | bytes):
        raise ValueError(
            "Hashing: `mask_value` must be of the kind of the inputs. "
            f"Received: mask_value={value!r} for {'text' if is_text(inputs) else inputs.dtype}."
        )
    value = value.decode() if isinstance(value, bytes) else value
    return (as_text(inputs) if is_text(inputs) else inputs) == value


def _values(inputs: np.ndarray, owner: str) -> np.ndarray:
    """Text, or numbers without what comes behind the point."""
    if is_text(inputs) or (inputs.dtype.kind == "O" and not inputs.size):
        return as_text(inputs)
    if inputs.dtype.kind == "f":
        return inputs.astype(np.int64)
    if inputs.dtype.kind not in "iu":
        raise ValueError(f"{owner} takes text or whole numbers. Received: {inputs.dtype} values.")
    return inputs


@register("layers")
class HashedCrossing(ValueLayer):
    """The number of a bin for each combination of features, by a hash of it.

    Called on a list of two or more inputs of one shape, (batch,), (batch, 1) or (), each of text or
    whole numbers. The bins are those of Keras.

    Args:
        num_bins: How many bins there are.
        output_mode: "int", or "one_hot": a row of zeros and a 1.

    >>> import numpy as np, minikeras as keras
    >>> crossing = keras.layers.HashedCrossing(5)
    >>> crossing([np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])])
    array([1, 4, 1, 1, 3])
    """

    integer_dtype = True

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        mode = one_of(output_mode, ("int", "one_hot"), "output_mode", "HashedCrossing")
        dtype = _dtype_of(mode, dtype, "HashedCrossing")
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.num_bins = positive_int(num_bins, "num_bins", "HashedCrossing")
        self.output_mode = mode
        self.sparse = no_sparse(sparse, "HashedCrossing")

    def _converted(self, value: Any) -> Any:
        """Each of the inputs by itself: one may hold text and another numbers."""
        if isinstance(value, list | tuple):
            return [super(HashedCrossing, self)._converted(one) for one in value]
        return super()._converted(value)

    def call(self, inputs: Any) -> Any:
        shapes = _shapes_to_cross([getattr(x, "shape", None) for x in _several(inputs)])
        return by_value(self._compute, lambda *_: self._shape(shapes[0]), self.dtype, *inputs)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self._shape(_shapes_to_cross(input_shape)[0])

    def _shape(self, shape: Shape) -> Shape:
        if self.output_mode == "int":
            return shape
        return (*(shape[:-1] if len(shape) == 2 else shape), self.num_bins)

    def _compute(self, *inputs: np.ndarray) -> np.ndarray:
        columns = [_hashes(values).reshape(-1) for values in inputs]
        bins = (crossed(columns) % np.uint64(self.num_bins)).astype(np.int64)
        shape = self._shape(inputs[0].shape)
        mode = self.output_mode
        return encode(bins, mode, self.num_bins, self.dtype).reshape(shape)


def _several(inputs: Any) -> list[Any]:
    if not isinstance(inputs, list | tuple) or len(inputs) < 2:
        what = f"{len(inputs)} of them" if isinstance(inputs, list | tuple) else "one array"
        raise ValueError(
            f"HashedCrossing is called on a list of at least two inputs. Received: {what}."
        )
    return list(inputs)


def _shapes_to_cross(shapes: Any) -> list[Shape]:
    found = [() if shape is None else tuple(shape) for shape in shapes]
    first = found[0]
    if len(first) > 2 or (len(first) == 2 and first[1] != 1) or any(s != first for s in found):
        raise ValueError(
            "The inputs of HashedCrossing must all have the shape (batch,), (batch, 1) or (). "
            f"Received: shapes {', '.join(map(str, found))}."
        )
    return found


def _hashes(values: np.ndarray) -> np.ndarray:
    """One uint64 for each value: of text its fingerprint, of a whole number itself."""
    if is_text(values):
        return farmhash64(as_bytes(as_text(values).reshape(-1).tolist()))
    if values.dtype.kind not in "iu":
        raise ValueError(
            f"HashedCrossing takes text or whole numbers. Received: {values.dtype} values."
        )
    return values.astype(np.int64).view(np.uint64)
