"""Embedding: learned vectors for whole numbers, such as those of words."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import constraints, initializers, ops, regularizers
from ..core.registry import register
from ..core.settings import standardize_dtype
from ..core.validate import number, positive_int
from ..ops.embedding import embedding
from .base import Layer


@register("layers")
class Embedding(Layer):
    """A learned vector for each whole number from 0 to ``input_dim - 1``.

    Input of any shape (integers, or floats, which are cut to integers), output with one more axis
    of size `output_dim`. Negative numbers count from the end. A number that has no vector is an
    error, before anything is changed.

    Training touches only the vectors of numbers that occur: an optimizer whose rule leaves a weight
    without gradient and without history alone skips the others, with the same result.

    Args:
        input_dim: How many vectors there are: the largest number plus one.
        output_dim: Size of a vector.
        embeddings_initializer: Starting values.
        embeddings_regularizer, embeddings_constraint: Penalty on the vectors, and projection after
            each update; both look at all of them.
        mask_zero: Whether 0 stands for "nothing here": a mask that leaves its places out goes on to
            the next layers.
        weights: Starting values as an array, or a list of one.
        lora_rank: Train a product of two small matrices, of this rank, on top of frozen vectors.
        lora_alpha: The product is scaled by ``lora_alpha / lora_rank``; 1 by default.

    Source of the small matrices: Hu et al. 2021.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.Embedding(10, 4)
    >>> layer(np.array([[1, 2, 0], [9, 1, 1]])).shape
    (2, 3, 4)
    """

    _config_skip = ("weights", "input_length")
    _config_optional = ("lora_rank", "lora_alpha")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        *,
        activity_regularizer: Any = None,
        input_length: int | None = None,
        **kwargs: Any,
    ):
        if input_length is not None:  # older scripts say by it how long the sequences are
            kwargs.setdefault("input_shape", (input_length,))
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if quantization_config is not None:
            raise ValueError(
                "Embedding: quantization is not supported. Pass quantization_config=None."
            )
        self.input_dim = positive_int(input_dim, "input_dim", "Embedding")
        self.output_dim = positive_int(output_dim, "output_dim", "Embedding")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = bool(mask_zero)
        self.quantization_config = None
        self.lora_rank = None if lora_rank is None else positive_int(lora_rank, "lora_rank")
        self.lora_alpha = lora_rank if lora_alpha is None else number(lora_alpha, "lora_alpha")
        self.supports_masking = self.mask_zero
        self.autocast = False
        self.lora_embeddings_a = self.lora_embeddings_b = None
        if weights is not None:
            self.build()
            self._set_first(weights)

    def build(self, input_shape: Any = None) -> None:
        self._embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )
        self._embeddings.is_table = True
        if self.lora_rank is not None:
            rank, self.lora_rank = self.lora_rank, None
            self.enable_lora(rank, lora_alpha=self.lora_alpha)

    @property
    def embeddings(self) -> Any:
        """The vectors, (input_dim, output_dim): a Variable; with small matrices their sum."""
        a, b = self.lora_embeddings_a, self.lora_embeddings_b
        return self._embeddings if a is None else self._embeddings + self._scaled(ops.matmul(a, b))

    def enable_lora(
        self,
        rank: int,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
        lora_alpha: float | None = None,
    ) -> None:
        """Freeze the vectors of a built layer and train a product of two small matrices instead.

        Raises:
            ValueError: Not built, done before, or with a constraint on the vectors.
        """
        rank = positive_int(rank, "rank", "enable_lora")
        if self.embeddings_constraint is not None:
            raise ValueError(
                f"Embedding '{self.name}': vectors with an embeddings_constraint cannot be trained "
                "by small matrices (LoRA). Leave the constraint out."
            )
        if "_embeddings" not in self.__dict__ or self.lora_embeddings_a is not None:
            raise ValueError(
                f"Embedding '{self.name}': enable_lora is called once, on a layer that is built."
            )
        self.lora_rank = rank
        self.lora_alpha = rank if lora_alpha is None else lora_alpha
        built, self.built = self.built, False
        self.lora_embeddings_a = self.add_weight(
            (self.input_dim, rank), a_initializer, name="lora_embeddings_a"
        )
        self.lora_embeddings_b = self.add_weight(
            (rank, self.output_dim), b_initializer, name="lora_embeddings_b"
        )
        self._embeddings.trainable = False
        self.built = built

    def _scaled(self, product: Any) -> Any:
        return product * (self.lora_alpha / self.lora_rank)  # type: ignore[operator]

    def call(self, inputs: Any) -> Any:
        rows = embedding(self._embeddings, inputs)
        a, b = self.lora_embeddings_a, self.lora_embeddings_b
        return rows if a is None else rows + self._scaled(ops.matmul(embedding(a, inputs), b))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape, self.output_dim)

    def _set_first(self, weights: Any) -> None:
        """Set the vectors to the constructor's `weights`."""
        values = weights[0] if isinstance(weights, list | tuple) and len(weights) == 1 else weights
        if np.shape(values) != self._embeddings.shape:
            raise ValueError(
                f"Embedding: `weights` must be an array of shape {self._embeddings.shape}, or a "
                f"list of one. Received: shape {np.shape(values)}."
            )
        self._embeddings.assign(values)


@register("layers")
class ReversibleEmbedding(Embedding):
    """An embedding that can also be turned round: from vectors to a score for each number.

    ``layer(ids)`` looks vectors up; ``layer(x, reverse=True)`` gives, for vectors x of shape
    (..., output_dim), scores of shape (..., input_dim).

    Args:
        input_dim: How many vectors there are: the largest number plus one.
        output_dim: Size of a vector.
        tie_weights: Whether both ways use the same vectors; if not, the way back has a matrix of
            its own, (output_dim, input_dim).
        embeddings_initializer: Starting values.
        embeddings_regularizer, embeddings_constraint: Penalty and projection.
        mask_zero: Whether 0 stands for "nothing here".
        reverse_dtype: dtype of the way back; the layer's by default.
        logit_soft_cap: Scores are limited to this absolute value, by ``cap * tanh(score / cap)``.

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.ReversibleEmbedding(10, 4)
    >>> layer(layer(np.array([[1, 2]])), reverse=True).shape
    (1, 2, 10)
    """

    _config_skip = ()
    _config_optional = ()

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            input_dim, output_dim, embeddings_initializer, embeddings_regularizer,
            embeddings_constraint, mask_zero, **kwargs,
        )  # fmt: skip
        self.tie_weights = bool(tie_weights)
        self.reverse_dtype = None if reverse_dtype is None else standardize_dtype(reverse_dtype)
        if logit_soft_cap is not None and not number(logit_soft_cap, "logit_soft_cap") > 0:
            raise ValueError(
                f"ReversibleEmbedding: logit_soft_cap must be positive. Received: {logit_soft_cap}."
            )
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.built = False
            self.reverse_embeddings = self.add_weight(
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                name="reverse_embeddings",
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return super().call(inputs)
        dtype = self.reverse_dtype or self.compute_dtype
        x = ops.cast(inputs, dtype)
        if self.tie_weights:
            matrix = ops.transpose(ops.cast(self.embeddings, dtype))
        else:
            matrix = ops.cast(self.reverse_embeddings, dtype)
        scores = ops.matmul(x, matrix)
        cap = self.logit_soft_cap
        return scores if cap is None else ops.tanh(scores / cap) * cap

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        floats = str(inputs.dtype).startswith("float")
        return previous_mask if floats else super().compute_mask(inputs, previous_mask)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> tuple:
        if reverse:
            return (*tuple(input_shape)[:-1], self.input_dim)
        return super().compute_output_shape(input_shape)
