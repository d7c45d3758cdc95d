"""Attention without projections: values averaged by how well their keys answer a query."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..core.registry import register
from ..core.validate import fraction, one_of
from ..ops.attention import fused_attention, known
from ..ops.rowwise import softmax_primitive
from ..random import SeedGenerator, dropout
from .base import Layer

FAR_BELOW = 1e9  # taken away from scores that do not count


def check_fit(layer: Layer, query: Any, value: Any, key: Any, same_size: bool) -> None:
    """Refuse inputs that do not belong together: those of layers that have been built, too.

    Args:
        layer: Its name goes into the message.
        query, value, key: (batch, ..., size).
        same_size: Whether queries and keys must agree in their last axis.
    """
    q, v, k = (known(x.shape) for x in (query, value, key))
    samples = {n for n in (q[0], v[0], k[0]) if n not in (None, 1)}
    rows = any(n != m and None not in (n, m) for n, m in zip(v[1:-1], k[1:-1], strict=False))
    sizes = same_size and q[-1] != k[-1]
    if len(samples) > 1 or rows or sizes or len(v) != len(k):
        same = ", queries and keys of the same size" if same_size else ""
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}' needs a query, a value and a key of as many "
            f"samples, a key for each value{same}. Received: a query of shape {q}, a value of "
            f"shape {v} and a key of shape {k}."
        )


@register("layers")
class Attention(Layer):
    """The mean of values, weighted by softmax of scores of queries and keys (Luong et al. 2015).

    Called on ``[query, value]`` or ``[query, value, key]``: query (batch, queries, size), value
    (batch, keys, width), key (batch, keys, size), the value where it is not given; output (batch,
    queries, width).

    Args:
        use_scale: Whether scores are multiplied by a learned number.
        score_mode: 'dot' for scores ``query key'``; 'concat' for a learned number times the sum of
            ``tanh(query + key)`` over their sizes.
        dropout: Probability with which a weight is dropped in training.
        seed: Seed of the dropout.

    Call arguments: mask, ``[query_mask, value_mask]`` of shapes (batch, time), the masks that come
    with the inputs by default: values left out get no weight, queries left out give zero;
    return_attention_scores; use_causal_mask, by which no query sees later keys.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> query, value = np.ones((2, 3, 4), "float32"), np.ones((2, 5, 4), "float32")
    >>> keras.layers.Attention()([query, value]).shape
    (2, 3, 4)
    """

    _looks_at_shapes = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.use_scale = bool(use_scale)
        self.score_mode = one_of(score_mode, ("dot", "concat"), "score_mode", "Attention")
        self.dropout = fraction(dropout, "dropout", type(self).__name__)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed) if self.dropout > 0 else None
        self.scale = self.concat_score_weight = None
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self._require_list(input_shape, list(input_shape))
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _require_list(self, inputs: Any, parts: list[Any]) -> None:
        several = isinstance(inputs, list | tuple) and len(parts) in (2, 3)
        if not several or not all(
            hasattr(p, "shape") or isinstance(p, tuple | list) for p in parts
        ):
            raise ValueError(
                f"{type(self).__name__} '{self.name}' is called on a list, [query, value] or "
                f"[query, value, key]. Received: {_described(inputs)}."
            )

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._require_list(inputs, list(inputs) if isinstance(inputs, list | tuple) else [])
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        check_fit(self, query, value, key, self.score_mode == "dot")
        query_mask, value_mask = self._masks(mask, len(inputs))
        shown = None if value_mask is None else ops.expand_dims(ops.cast(value_mask, "bool"), -2)
        in_one_pass = self.score_mode == "dot" and len(query.shape) == 3
        samples = {known(x.shape)[0] for x in (query, key, value)} - {None}
        in_one_pass = in_one_pass and len(samples) < 2
        if in_one_pass and not return_attention_scores:
            output, weights = self._fused(query, value, key, shown, use_causal_mask, training), None
        else:
            scores = self._hidden(self._scores(query, key), shown, use_causal_mask)
            weights = softmax_primitive(scores)
            if training and self.dropout > 0:
                weights = dropout(weights, self.dropout, None, self.seed_generator)
            output = ops.matmul(weights, value)
        if query_mask is not None:
            output = output * ops.expand_dims(ops.cast(query_mask, output.dtype), -1)
        return (output, weights) if return_attention_scores else output

    def _fused(
        self, query: Any, value: Any, key: Any, shown: Any, causal: bool, training: bool
    ) -> Any:
        """Attention of one head, in one pass."""
        if self.scale is not None:
            query = query * self.scale
        q, k, v = (ops.expand_dims(x, 2) for x in (query, key, value))
        shown = None if shown is None else ops.expand_dims(shown, 1)
        rate = self.dropout if training else 0.0
        drawn = self.seed_generator.next() if rate else None  # type: ignore[union-attr]
        return ops.squeeze(fused_attention(q, k, v, shown, 1.0, causal, False, rate, drawn), 2)

    def _scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            order = [*range(len(key.shape) - 2), len(key.shape) - 1, len(key.shape) - 2]
            scores = ops.matmul(query, ops.transpose(key, order))
            return scores if self.scale is None else scores * self.scale
        sums = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        sums = sums if self.scale is None else sums * self.scale
        return self.concat_score_weight * ops.sum(ops.tanh(sums), axis=-1)

    def _hidden(self, scores: Any, shown: Any, causal: bool) -> Any:
        """Scores, those that do not count far below the others."""
        if causal:
            queries, keys = scores.shape[-2:]
            earlier = ops.expand_dims(ops.arange(keys), 0) <= ops.expand_dims(
                ops.arange(queries), 1
            )
            shown = earlier if shown is None else ops.logical_and(shown, earlier)
        if shown is None:
            return scores
        return scores - FAR_BELOW * ops.cast(ops.logical_not(shown), scores.dtype)

    def _masks(self, mask: Any, inputs: int) -> tuple[Any, Any]:
        if mask is None:
            return None, None
        if not isinstance(mask, list | tuple) or not 2 <= len(mask) <= inputs:
            raise ValueError(
                f"{type(self).__name__} '{self.name}': `mask` is a list, [query_mask, value_mask]. "
                f"Received: {_described(mask)}."
            )
        return mask[0], mask[1]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None if previous_mask is None else previous_mask[0]

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape[0][:-1], input_shape[1][-1])


@register("layers")
class AdditiveAttention(Attention):
    """Attention with scores ``sum(scale * tanh(query + key))`` (Bahdanau et al. 2015).

    Called as `Attention` is; query and key have the same size, which `scale` has, too.

    Args:
        use_scale: Whether the sum is weighted by learned numbers.
        dropout: Probability with which a weight is dropped in training.

    >>> import numpy as np, minikeras as keras
    >>> query, value = np.ones((2, 3, 4), "float32"), np.ones((2, 5, 4), "float32")
    >>> keras.layers.AdditiveAttention()([query, value]).shape
    (2, 3, 4)
    """

    _decided = ("score_mode",)

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any):
        super().__init__(use_scale=use_scale, dropout=dropout, score_mode="concat", **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("score_mode", None)
        return config

    def build(self, input_shape: Any) -> None:
        self._require_list(input_shape, list(input_shape))
        if self.use_scale:
            size = input_shape[0][-1]
            self.scale = self.add_weight((size,), "glorot_uniform", name="scale")

    def _scores(self, query: Any, key: Any) -> Any:
        sums = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(sums if self.scale is None else sums * self.scale, axis=-1)


def _described(value: Any) -> str:
    if hasattr(value, "shape"):
        return f"shape {tuple(value.shape)}"
    if isinstance(value, tuple) and all(n is None or isinstance(n, int) for n in value):
        return f"shape {value}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return repr(value)
