"""Attention of several heads, each with projections of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import constraints, initializers, ops, regularizers
from ..core.registry import register
from ..core.validate import fraction, positive_int
from ..ops.attention import attention_weights, fused_attention, weighted_values
from ..random import SeedGenerator, dropout
from .attention import check_fit
from .base import Layer
from .einsum_dense import EinsumDense
from .nested_shapes import shape_with_free_batch

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMES = ("query", "value", "key")


class HeadedAttention(Layer):
    """Base of the layers that project queries, keys and values for several heads.

    A subclass makes the projections in `build`; they give (..., heads, size).
    """

    _config_optional = ()
    _looks_at_shapes = True
    sliding_window: int | None
    use_gate: bool

    def _keep_options(self, options: dict[str, Any]) -> None:
        owner = type(self).__name__
        self.dropout = fraction(options["dropout"], "dropout", owner)
        self.use_bias, self.use_gate = bool(options["use_bias"]), bool(options["use_gate"])
        window = options["sliding_window"]
        self.sliding_window = (
            None if window is None else positive_int(window, "sliding_window", owner)
        )
        self.flash_attention = options["flash_attention"]
        if self.flash_attention and self.dropout > 0:
            raise ValueError(
                f"{owner}: flash_attention=True takes no dropout. Received: dropout={self.dropout}."
            )
        for weight in ("kernel", "bias"):
            for kind in (initializers, regularizers, constraints):
                name = f"{weight}_{kind.__name__.rpartition('.')[2][:-1]}"
                setattr(self, name, kind.get(options[name]))
        self.seed = options["seed"]
        self.supports_masking = True
        self.seed_generator = SeedGenerator(self.seed) if self.dropout > 0 else None

    def _projection(self, shape: Sequence[int | None], name: str, sizes: Sequence[int]) -> Any:
        """A built projection of the last axis of inputs of a shape to axes of these sizes."""
        free = LETTERS[: len(shape) - 1]
        new = LETTERS[len(shape) : len(shape) + len(sizes)]
        inner = LETTERS[len(shape) - 1]
        equation = f"{free}{inner},{inner}{new}->{free}{new}"
        return self._dense(equation, (*(None,) * (len(shape) - 2), *sizes), new, name, shape)

    def _joining(self, shape: Sequence[int | None], sizes: Sequence[int]) -> Any:
        """A built projection of the last two axes, of heads, to axes of these sizes."""
        free, inner = LETTERS[: len(shape) - 2], LETTERS[len(shape) - 2 : len(shape)]
        new = LETTERS[len(shape) : len(shape) + len(sizes)]
        equation = f"{free}{inner},{inner}{new}->{free}{new}"
        full = (*(None,) * (len(shape) - 3), *sizes)
        return self._dense(equation, full, new, "attention_output", shape)

    def _dense(self, equation: str, output: Any, axes: str, name: str, shape: Any) -> EinsumDense:
        layer = EinsumDense(
            equation,
            output,
            bias_axes=axes if self.use_bias else None,
            kernel_initializer=_again(self.kernel_initializer),  # type: ignore[attr-defined]
            bias_initializer=_again(self.bias_initializer),  # type: ignore[attr-defined]
            kernel_regularizer=self.kernel_regularizer,  # type: ignore[attr-defined]
            bias_regularizer=self.bias_regularizer,  # type: ignore[attr-defined]
            kernel_constraint=self.kernel_constraint,  # type: ignore[attr-defined]
            bias_constraint=self.bias_constraint,  # type: ignore[attr-defined]
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(shape)
        return layer

    # --- building for several inputs ---

    def _maybe_build(self, args: tuple, kwargs: dict) -> None:
        if not self.built:
            given = dict(zip(NAMES, args, strict=False)) | {
                name: kwargs[name] for name in NAMES if name in kwargs
            }
            if given.get("value") is None:
                raise TypeError(
                    f"{type(self).__name__} '{self.name}' is called on a query and a value (and a "
                    "key): layer(query, value). Received: one input. For self-attention give it "
                    "twice."
                )
            self._build(
                {
                    f"{name}_shape": shape_with_free_batch(value)
                    for name, value in given.items()
                    if value is not None
                }
            )

    def get_build_config(self) -> dict[str, Any] | None:
        shapes = self._build_shapes
        return None if shapes is None else {"shapes_dict": {k: list(v) for k, v in shapes.items()}}

    def build_from_config(self, config: dict[str, Any]) -> None:
        shapes = (config or {}).get("shapes_dict") or {}
        if shapes and not self.built:
            self._build({name: tuple(shape) for name, shape in shapes.items()})

    def _checked_shapes(self, query: Any, value: Any, key: Any) -> tuple[tuple, tuple, tuple]:
        if isinstance(query, dict):
            query, value, key = (query.get(f"{name}_shape") for name in NAMES)
        key = value if key is None else key
        query, value, key = tuple(query), tuple(value), tuple(key)
        if len(query) < 3 or not len(query) == len(value) == len(key):
            raise ValueError(
                f"{type(self).__name__} '{self.name}' needs a query, a value and a key of the same "
                f"rank, at least 3: (batch, time, features). Received: shapes {query}, {value} and "
                f"{key}."
            )
        pairs = zip(key[1:-1], value[1:-1], strict=True)
        if any(n != m and None not in (n, m) for n, m in pairs):
            raise ValueError(
                f"{type(self).__name__} '{self.name}': value and key may differ in their last axis "
                f"only. Received: shapes {value} and {key}."
            )
        return query, value, key

    # --- masks ---

    def _mask(
        self,
        query: Any,
        value: Any,
        query_mask: Any,
        masks: Sequence[Any],
        attention_mask: Any,
        causal: bool,
    ) -> tuple[Any, bool]:
        """All masks as one, (batch, queries, keys) or what broadcasts, and whether beside it no
        query sees later keys. `masks` are those of values and keys."""
        parts = [ops.expand_dims(_flags(m), -2) for m in masks if m is not None]
        if query_mask is not None:
            parts.append(ops.expand_dims(_flags(query_mask), -1))
        if self.sliding_window is not None:
            apart = np.arange(query.shape[1])[:, None] - np.arange(value.shape[1])
            parts.append((np.abs(apart) < self.sliding_window)[None])
        if attention_mask is not None:
            parts.append(_flags(attention_mask))
        mask = None
        for part in parts:
            mask = part if mask is None else ops.logical_and(mask, part)
        return mask, bool(causal)

    # --- the heads ---

    def _attended(
        self,
        q: Any,
        k: Any,
        v: Any,
        mask: Any,
        causal: bool,
        training: Any,
        wants_scores: bool,
        empty: bool = False,
    ) -> tuple[Any, Any]:
        """Attention of (batch, time, heads, size), and its weights if they are wanted."""
        scale = 1.0 / math.sqrt(q.shape[-1])
        rate = self.dropout if training else 0.0
        empty = empty or self.dropout > 0
        if not wants_scores:
            key = self.seed_generator.next() if rate else None  # type: ignore[union-attr]
            return fused_attention(q, k, v, mask, scale, causal, empty, rate, key), None
        weights = attention_weights(q, k, None, mask, scale, causal, None, True)
        used = dropout(weights, rate, None, self.seed_generator) if rate else weights
        return weighted_values(used, v), weights


def _again(initializer: Any) -> Any:
    """An initializer of the same kind: each projection starts from numbers of its own."""
    if not hasattr(initializer, "get_config"):
        return initializer
    return type(initializer).from_config(initializer.get_config())


def _masked(output: Any, mask: Any) -> Any:
    """An output that takes a mask on to the next layers; those of inputs go on by themselves."""
    if mask is not None and hasattr(output, "mask"):
        output.mask = mask
    return output


def _flags(mask: Any) -> Any:
    return ops.cast(mask, "bool")


def _mask_of(value: Any, given: Any) -> Any:
    return given if given is not None else getattr(value, "mask", None)


def _checked_mask(mask: Any, scores: tuple, owner: str) -> Any:
    """A mask, which must broadcast to the shape of the scores."""
    if mask is None:
        return None
    pairs = zip(reversed(mask.shape), reversed(scores), strict=False)
    if len(mask.shape) > len(scores) or any(
        n not in (1, m) and None not in (n, m) for n, m in pairs
    ):
        raise ValueError(
            f"{owner}: `attention_mask` must broadcast to (batch, heads, queries, keys), here "
            f"{scores}. Received: shape {tuple(mask.shape)}."
        )
    return mask


@register("layers")
class MultiHeadAttention(HeadedAttention):
    """Attention of several heads (Vaswani et al. 2017).

    Query (batch, queries, features), value and key (batch, keys, features), the latter the value
    where it is not given; output (batch, queries, features of the query). Each head takes the mean
    of its values, weighted by softmax of ``query key' / sqrt(key_dim)``; scores are not kept unless
    they are asked for. Inputs may have more axes than three.

    Args:
        num_heads: Number of heads.
        key_dim: Size of a query and a key of a head.
        value_dim: Size of a value of a head; `key_dim` by default.
        dropout: Probability with which a weight is dropped in training.
        use_bias: Whether projections have biases.
        output_shape: Sizes of the output's last axes; the features of the query by default.
        attention_axes: Axes over which attention goes; all but the first and last by default.
        sliding_window: A query sees only keys less than so many places away.
        flash_attention: Makes no difference: results are computed in one pass wherever possible.
        kernel_initializer, bias_initializer: Starting values of the projections.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties.
        kernel_constraint, bias_constraint: Projections after each update.
        use_gate: Multiply the heads by a sigmoid of a projection of the query.
        seed: Seed of the dropout.

    Call arguments: query, value, key; value_mask and key_mask (batch, keys), the masks that come
    with the inputs by default; the mask that comes with the query leaves its queries out and goes
    on with the output; query_mask (batch, queries) in its place goes on only, as in Keras;
    attention_mask, (batch, queries, keys) or what broadcasts; return_attention_scores;
    use_causal_mask.

    A query that sees no key takes the mean of all values, or nothing where the layer has dropout,
    inputs have more than three axes, or scores are asked for, as in Keras.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    >>> x = np.ones((3, 5, 16), "float32")
    >>> layer(x, x, use_causal_mask=True).shape
    (3, 5, 16)
    >>> layer(x, x, return_attention_scores=True)[1].shape
    (3, 2, 5, 5)
    """

    _config_skip = ("flash_attention",)

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        options = dict(locals())
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.num_heads = positive_int(num_heads, "num_heads", "MultiHeadAttention")
        self.key_dim = positive_int(key_dim, "key_dim", "MultiHeadAttention")
        self.value_dim = self.key_dim
        if value_dim is not None:
            self.value_dim = positive_int(value_dim, "value_dim", "MultiHeadAttention")
        self._output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        axes = attention_axes
        self.attention_axes = [axes] if isinstance(axes, int) else axes and list(axes)
        self._keep_options(options)

    def _config_argument(self, name: str) -> Any:
        return self._output_shape if name == "output_shape" else super()._config_argument(name)

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        query, value, key = self._checked_shapes(query_shape, value_shape, key_shape)
        rank = len(query)
        axes = self.attention_axes or list(range(1, rank - 1))
        for axis in axes:
            if not -rank < axis < rank or axis % rank in (0, rank - 1):
                raise ValueError(
                    f"MultiHeadAttention '{self.name}': attention goes over axes between the first "
                    f"and the last of inputs of rank {rank}. Received: attention_axes={axes}."
                )
        self.attention_axes = [axis % rank for axis in axes]
        heads = (self.num_heads, self.key_dim)
        self.query_dense = self._projection(query, "query", heads)
        self.key_dense = self._projection(key, "key", heads)
        if self.use_gate:
            sizes = (self.num_heads, self.value_dim)
            self._gate_dense = self._projection(query, "gate", sizes)
        self.value_dense = self._projection(value, "value", (self.num_heads, self.value_dim))
        joined = (*query[:-1], self.num_heads, self.value_dim)
        self.output_dense = self._joining(joined, self._output_sizes(query))

    def _output_sizes(self, query: tuple) -> tuple:
        return (query[-1],) if self._output_shape is None else tuple(self._output_shape)

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        masks = [_mask_of(value, value_mask)]
        masks.append(key_mask if key is None else _mask_of(key, key_mask))
        own = getattr(query, "mask", None)
        key = value if key is None else key
        check_fit(self, query, value, key, False)
        q, k, v = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        mask, causal = self._mask(query, value, own, masks, attention_mask, use_causal_mask)
        given = (training, return_attention_scores)
        if self.attention_axes == [1] and len(query.shape) == 3:
            if mask is not None and len(mask.shape) == 3:
                mask = ops.expand_dims(mask, 1)
            scores_shape = (q.shape[0], self.num_heads, q.shape[1], k.shape[1])
            mask = _checked_mask(mask, scores_shape, f"MultiHeadAttention '{self.name}'")
            found, scores = self._attended(q, k, v, mask, causal, *given)
        else:
            found, scores = self._over_axes(q, k, v, mask, causal, *given)
        if self.use_gate:
            found = found * ops.sigmoid(self._gate_dense(query))
        output = self.output_dense(found)
        output = _masked(output, query_mask)
        return (output, scores) if return_attention_scores else output

    def _over_axes(
        self, q: Any, k: Any, v: Any, mask: Any, causal: bool, training: Any, wants_scores: bool
    ) -> tuple[Any, Any]:
        """Attention over any axes: the others become part of the batch."""
        axes = list(self.attention_axes)
        rank = len(q.shape) - 1
        free = [a for a in range(rank - 1) if a not in axes]
        order = [*free, *axes, rank - 1, rank]
        batch = [q.shape[a] for a in free]
        times = [[x.shape[a] for a in axes] for x in (q, k)]

        def flat(x: Any) -> Any:
            time = math.prod(x.shape[a] for a in axes)
            shape = (math.prod(batch), time, x.shape[-2], x.shape[-1])
            return ops.reshape(ops.transpose(x, order), shape)

        if mask is not None:
            while len(mask.shape) < len(batch) + 1 + 2 * len(axes):
                mask = ops.expand_dims(mask, -2 * len(axes) - 1)
            full = (*batch, mask.shape[len(batch)], *times[0], *times[1])
            mask = ops.reshape(
                ops.broadcast_to(mask, full),
                (math.prod(batch), full[len(batch)], math.prod(times[0]), math.prod(times[1])),
            )
        found, scores = self._attended(
            flat(q), flat(k), flat(v), mask, causal, training, wants_scores, True
        )
        found = ops.reshape(found, (*batch, *times[0], self.num_heads, self.value_dim))
        found = ops.transpose(found, [order.index(a) for a in range(rank + 1)])
        if scores is not None:
            scores = ops.reshape(scores, (*batch, self.num_heads, *times[0], *times[1]))
        return found, scores

    def compute_output_shape(
        self, query_shape: Any, value_shape: Any = None, key_shape: Any = None
    ) -> tuple:
        """Shape of the output for inputs of these shapes."""
        self._checked_shapes(query_shape, query_shape if value_shape is None else value_shape, None)
        return (*query_shape[:-1], *self._output_sizes(tuple(query_shape)))


@register("layers", "GroupedQueryAttention", name="GroupQueryAttention")
class GroupedQueryAttention(HeadedAttention):
    """Attention in which groups of query heads share one head of keys and values.

    Query (batch, queries, features), value and key (batch, keys, features); output (batch, queries,
    features of the query). Source: Ainslie et al. 2023. Call arguments and what happens to queries
    that see no key are those of `MultiHeadAttention`.

    Args:
        head_dim: Size of a query, a key and a value of a head.
        num_query_heads: Number of query heads, a multiple of `num_key_value_heads`.
        num_key_value_heads: Number of heads of keys and values.
        dropout: Probability with which a weight is dropped in training.
        use_bias: Whether projections have biases.
        sliding_window: A query sees only keys less than so many places away.
        flash_attention: Makes no difference: results are computed in one pass wherever possible.
        kernel_initializer, bias_initializer: Starting values of the projections.
        kernel_regularizer, bias_regularizer, activity_regularizer: Penalties.
        kernel_constraint, bias_constraint: Projections after each update.
        use_gate: Multiply the heads by a sigmoid of a projection of the query.
        seed: Seed of the dropout.

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.GroupQueryAttention(4, num_query_heads=6, num_key_value_heads=2)
    >>> x = np.ones((3, 5, 16), "float32")
    >>> layer(x, x).shape
    (3, 5, 16)
    """

    _config_skip = ("flash_attention",)

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        options = dict(locals())
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.head_dim = positive_int(head_dim, "head_dim", "GroupQueryAttention")
        self.num_query_heads = positive_int(
            num_query_heads, "num_query_heads", "GroupQueryAttention"
        )
        self.num_key_value_heads = positive_int(
            num_key_value_heads, "num_key_value_heads", "GroupQueryAttention"
        )
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                "GroupQueryAttention: num_query_heads must be a multiple of num_key_value_heads. "
                f"Received: {num_query_heads} and {num_key_value_heads}."
            )
        self._keep_options(options)

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        query, value, key = self._checked_shapes(query_shape, value_shape, key_shape)
        if len(query) != 3:
            raise ValueError(
                f"GroupQueryAttention '{self.name}' takes inputs (batch, time, features). "
                f"Received: shape {query}."
            )
        heads = (self.num_query_heads, self.head_dim)
        few = (self.num_key_value_heads, self.head_dim)
        self._query_dense = self._projection(query, "query", heads)
        self._key_dense = self._projection(key, "key", few)
        if self.use_gate:
            self._gate_dense = self._projection(query, "gate", heads)
        self._value_dense = self._projection(value, "value", few)
        self._output_dense = self._joining((*query[:-1], *heads), (query[-1],))

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        masks = [_mask_of(value, value_mask)]
        masks.append(key_mask if key is None else _mask_of(key, key_mask))
        query_mask = _mask_of(query, query_mask)
        key = value if key is None else key
        check_fit(self, query, value, key, False)
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        mask, causal = self._mask(query, value, query_mask, masks, attention_mask, use_causal_mask)
        if mask is not None and len(mask.shape) == 3:
            mask = ops.expand_dims(mask, 1)
        scores_shape = (q.shape[0], self.num_query_heads, q.shape[1], k.shape[1])
        mask = _checked_mask(mask, scores_shape, f"GroupQueryAttention '{self.name}'")
        found, scores = self._attended(q, k, v, mask, causal, training, return_attention_scores)
        if self.use_gate:
            found = found * ops.sigmoid(self._gate_dense(query))
        output = self._output_dense(found)
        output = _masked(output, query_mask)
        return (output, scores) if return_attention_scores else output

    def compute_output_shape(
        self, query_shape: Any, value_shape: Any = None, key_shape: Any = None
    ) -> tuple:
        """Shape of the output for inputs of these shapes."""
        return tuple(query_shape)


GroupQueryAttention = GroupedQueryAttention
